/** `sessions export` and `sessions import`: transcripts between files of this machine and the running gateway. */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GatewayError } from "@chela/sdk";
import type { Cli, Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { styled } from "./output.ts";
import { withProgress } from "./progress.ts";
import { type FilePart, postFiles } from "./upload.ts";
import { textOption } from "./values.ts";

const pageMessages = 500;
const batchFiles = 500;
const batchBytes = 1024 * 1024 * 1024;
const indexName = "sessions.json";

interface Report {
  readonly key: string;
  readonly imported: number;
  readonly duplicates: number;
  readonly broken: number;
  readonly problems: readonly { readonly file: string; readonly line: number; readonly error: string }[];
}

interface Sum {
  imported: number;
  duplicates: number;
  broken: number;
  sessions: Report[];
}

export const exportTo: Handler = async (cli, [key = "", file], options) => {
  const gateway = await needGateway(cli, "sessions export");
  const format = textOption(options.format) ?? "jsonl";
  const pages = async function* () {
    for (let after: number | null = 0; after !== null; ) {
      const params: object = { key, format, after, limit: pageMessages };
      const page = (await gateway.call("sessions.export", params)) as { text: string; next: number | null };
      yield page.text;
      after = page.next;
    }
  };
  if (file === undefined) {
    for await (const text of pages()) cli.io.stdout.write(text);
    return;
  }
  const target = resolve(cli.io.cwd, file);
  const taken = await stat(target).then(
    () => true,
    () => false,
  );
  if (taken && options.force !== true) {
    const message = `${file} exists already. Choose another name, or write over it with --force.`;
    throw new GatewayError("FILE_EXISTS", 409, message);
  }
  await withProgress(cli, `Writing ${file}`, () => writeWhole(target, pages()));
  const { size } = await stat(target);
  await cli.out.show({ key, file, bytes: size }, () => cli.out.line(`Wrote ${key} to ${file}.`));
};

export const importFrom: Handler = async (cli, paths, options) => {
  const gateway = await needGateway(cli, "sessions import");
  const batches = batchesOf((await Promise.all(paths.map((path) => filesAt(resolve(cli.io.cwd, path))))).flat());
  const dryRun = options.dryRun === true;
  const query = new URLSearchParams({ progress: "1", dry_run: dryRun ? "1" : "0" });
  const key = textOption(options.key);
  if (key !== undefined) query.set("key", key);
  const sum: Sum = { imported: 0, duplicates: 0, broken: 0, sessions: [] };
  let doing = "Sending the files";
  const told = (line: Record<string, unknown>) => {
    doing = take(cli, sum, line) ?? doing;
  };
  for (const files of batches) {
    const path = `/api/sessions/import?${query}`;
    await withProgress(
      cli,
      () => doing,
      () => postFiles(gateway, { path, files, onLine: told }),
    );
  }
  await cli.out.show({ ok: true, dryRun, ...sum }, () => {
    const what = dryRun ? "To import" : "Imported";
    const rest = `there already: ${sum.duplicates}, broken lines: ${sum.broken}`;
    cli.out.line(`${what}: ${sum.imported} messages of ${names(sum.sessions)}; ${rest}.`);
  });
  return sum.broken > 0 && sum.imported + sum.duplicates === 0 ? 1 : 0;
};

/** The file has its name when it is complete. */
async function writeWhole(file: string, pieces: AsyncIterable<string>): Promise<void> {
  const part = `${file}.${randomUUID()}.part`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(part, { flags: "wx", mode: 0o600 }));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** One line of the gateway's answer. Returns what to show meanwhile. */
function take(cli: Cli, sum: Sum, line: Record<string, unknown>): string | undefined {
  if (line.type === "error") throw new GatewayError(String(line.code), 500, String(line.message));
  if (line.type === "progress")
    return line.waiting ? `${line.key}: waits for the turn that runs there` : `${line.key}: ${line.lines} lines`;
  if (line.type !== "session") return undefined;
  const { type: _, ...report } = line as unknown as Report & { readonly type: string };
  sum.imported += report.imported;
  sum.duplicates += report.duplicates;
  sum.broken += report.broken;
  sum.sessions.push(report);
  cli.out.note(styled("bold", report.key), `: ${report.imported} messages, ${report.duplicates} there already`);
  for (const { file, line: number, error } of report.problems) {
    cli.out.note(styled("yellow", `  ${file}, line ${number}: ${error}`));
  }
  return undefined;
}

function names(sessions: readonly Report[]): string {
  const shown = sessions.slice(0, 5).map(({ key }) => key);
  return sessions.length > shown.length
    ? `${shown.join(", ")} and ${sessions.length - shown.length} more`
    : shown.join(", ");
}

async function filesAt(path: string): Promise<FilePart[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new GatewayError(
      "FILE_UNREADABLE",
      400,
      `${path} cannot be read (${error.code}). Give a transcript or a folder of them.`,
    );
  });
  if (!found.isDirectory()) return [{ name: basename(path), path, size: found.size }];
  const names = (await readdir(path)).filter((name) => name.endsWith(".jsonl") || name === indexName).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, path: join(path, name), size: (await stat(join(path, name))).size })),
  );
  if (files.some(({ name }) => name !== indexName)) return files;
  throw new GatewayError("USAGE", 400, `${path} holds no transcripts (*.jsonl). ClawGo's lie in agents/main/sessions.`);
}

/** The parts of one conversation stay together; the index that names conversations goes with each batch. */
function batchesOf(files: readonly FilePart[]): FilePart[][] {
  const index = files.filter(({ name }) => name === indexName);
  const groups = new Map<string, FilePart[]>();
  for (const file of files) {
    if (file.name === indexName) continue;
    const stem = file.name.replace(/(\.(active|\d{4,6}))?\.jsonl$/, "");
    groups.set(stem, [...(groups.get(stem) ?? []), file]);
  }
  const batches: FilePart[][] = [];
  let batch: FilePart[] = [];
  let bytes = 0;
  for (const group of groups.values()) {
    const size = group.reduce((all, file) => all + file.size, 0);
    if (batch.length > 0 && (batch.length + group.length > batchFiles || bytes + size > batchBytes)) {
      batches.push([...index, ...batch]);
      batch = [];
      bytes = 0;
    }
    batch.push(...group);
    bytes += size;
  }
  return [...batches, [...index, ...batch]];
}
