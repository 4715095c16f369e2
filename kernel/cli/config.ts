/** `config …`: values in, values out, and the truth about what a change did. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type ChangeResult, GatewayError, type PlannedChange } from "@chela/sdk";
import { formatPath, parsePath } from "../config/paths.ts";
import { nearest } from "../nearest.ts";
import type { Cli, Handler, Options } from "./cli.ts";
import { needGateway } from "./client.ts";
import { type ConfigDoor, configDoor, type Source, type WriteFlags } from "./config-door.ts";
import { overriddenAt, warningsBelow } from "./config-warnings.ts";
import { type Piece, styled } from "./output.ts";
import { bytes, localTime } from "./text.ts";
import { configValue, textOption } from "./values.ts";

const planFileBytes = 4 * 1024 * 1024;
const when: Readonly<Record<ConfigDoor["applies"], string>> = {
  now: "",
  soon: " The running gateway reads the file by itself.",
  later: " No gateway is running: it applies at the next start.",
};

export const get: Handler = async (cli, [text], options) => {
  const path = text === undefined ? undefined : normal(text);
  const door = await configDoor(cli);
  const source = options.merged === true ? "merged" : "file";
  const result = await door.get(path, source);
  if (!result.found) throw await notFound(door, text ?? "", source);
  cli.io.stdout.write(`${JSON.stringify(result.value)}\n`);
};

export const set: Handler = async (cli, [text = "", ...words], options) => {
  const path = normal(text);
  const value = configValue(words);
  const door = await configDoor(cli);
  const before = await door.get(path, "file");
  const changed = !before.found || !isDeepStrictEqual(before.value, value);
  const result = await door.set(path, value, writeFlags(options)).catch(takenBack);
  const line = changed ? `Updated ${path}` : `${path} has that value already`;
  const warnings = [...(await warningsBelow(door, path)), ...(await overriddenAt(door, path, value))];
  return await told(cli, changed ? door : { applies: "now" }, result, { line, path, changed, warnings });
};

export const unset: Handler = async (cli, [text = ""], options) => {
  const path = normal(text);
  const door = await configDoor(cli);
  if (!(await door.get(path, "file")).found) {
    await cli.out.show({ ok: true, path, changed: false }, () => cli.out.line(`${path} is not set.`));
    return 0;
  }
  const result = await door.unset(path, writeFlags(options)).catch(takenBack);
  return await told(cli, door, result, { line: `Removed ${path}`, path, changed: true });
};

export const check: Handler = async (cli) => {
  const door = await configDoor(cli);
  const { problems, trouble } = await door.check();
  const all = trouble ? [{ path: "", message: trouble.message, level: "error" as const }, ...problems] : problems;
  const errors = all.filter((problem) => problem.level === "error");
  await cli.out.show({ ok: errors.length === 0, path: door.path, problems: all }, () => {
    cli.out.line(
      errors.length === 0 ? styled("green", "Config validation passed") : styled("red", "Config validation failed:"),
    );
    for (const { path, message, level } of all) {
      cli.out.line(
        "  - ",
        level === "error" ? "" : styled("yellow", "warning: "),
        path ? `${path} ${message}` : message,
      );
    }
  });
  return errors.length === 0 ? 0 : 1;
};

export const plan: Handler = async (cli, [first = "", ...words]) => {
  const door = await configDoor(cli);
  const ofKey = words.length > 0;
  const rows = ofKey ? await door.plan(normal(first), configValue(words)) : await planOfFile(cli, door, first);
  await cli.out.show(rows, async () => {
    if (rows.length === 0) {
      cli.out.line("No change.");
      const why = ofKey ? await overriddenAt(door, normal(first), configValue(words)) : [];
      for (const line of why) cli.out.note(`${line}.`);
    } else await cli.out.table(["path", "class", "owner"], rows.map(planCells));
  });
};

export const diff: Handler = async (cli, [id]) => {
  const door = await configDoor(cli);
  const text = await door.diff(id);
  await cli.out.show({ id: id ?? null, diff: text }, () => {
    if (text.trim() === "") cli.out.line("No difference.");
    for (const line of text.split("\n")) if (!/^(?:=+)?$/.test(line)) cli.out.line(diffPiece(line));
  });
};

export const backups: Handler = async (cli) => {
  const rows = await (await configDoor(cli)).backups();
  await cli.out.show(rows, async () => {
    if (rows.length === 0) cli.out.note("No backups yet: each change keeps the version before it.");
    else {
      const cells = rows.map(({ id, at, bytes: size, hash }) => [id, localTime(at), bytes(size), hash.slice(0, 12)]);
      await cli.out.table(["id", "time", "size", "hash"], cells);
    }
  });
};

export const rollback: Handler = async (cli, [id]) => {
  const door = await configDoor(cli);
  return await told(cli, door, await door.rollback(id).catch(takenBack), {
    line: `Rolled back to ${id ?? "the newest backup"}`,
  });
};

export const reload: Handler = async (cli) => {
  const gateway = await needGateway(cli, "config reload");
  const result = (await gateway.call("config.reload", {}, { timeoutMs: 120_000 })) as ChangeResult;
  return await told(cli, { applies: "now" }, result, { line: "Reloaded" });
};

export const schema: Handler = async (cli) => {
  cli.out.data(await (await configDoor(cli)).schema());
};

/** Says what a change did; a plugin that did not come up with it makes the exit code 1. */
async function told(
  cli: Cli,
  door: Pick<ConfigDoor, "applies">,
  result: ChangeResult,
  what: { line: string; path?: string; changed?: boolean; warnings?: readonly string[] },
): Promise<number> {
  const failed = result.failed.length > 0;
  const { line, ...facts } = what;
  await cli.out.show({ ok: !failed, ...facts, applies: door.applies, ...result }, () => {
    cli.out.line(`${line}.`, when[door.applies]);
    if (result.applied.length > 0) cli.out.line("  applied: ", styled("green", result.applied.join(", ")));
    if (result.restarted.length > 0) cli.out.line("  restarted: ", result.restarted.join(", "));
    if (door.applies === "now" && result.pending.length > 0)
      cli.out.line("  waits for a restart: ", styled("yellow", result.pending.join(", ")));
    for (const { id, reason } of result.failed) cli.out.line("  ", styled("red", `${id}: `), reason);
    for (const warning of what.warnings ?? []) cli.out.line("  ", styled("yellow", "warning: "), warning);
  });
  return failed ? 1 : 0;
}

/** In ClawGo's words. */
function takenBack(error: unknown): never {
  if (!GatewayError.is(error) || error.code !== "CONFIG_APPLY_FAILED") throw error;
  const rows = (error.details?.failed ?? []) as ChangeResult["failed"];
  const reasons = rows.map(({ id, reason }) => `${id}: ${reason}`).join("; ") || error.message;
  throw new GatewayError(error.code, error.status, `Hot reload failed, config rolled back: ${reasons}`, {
    ...error.details,
  });
}

async function planOfFile(cli: Cli, door: ConfigDoor, name: string): Promise<readonly PlannedChange[]> {
  const file = resolve(cli.io.cwd, name);
  const facts = await stat(file).catch(() => null);
  if (!facts?.isFile()) {
    throw new GatewayError(
      "USAGE",
      400,
      `There is no file ${file}. Give a config file, or a path and a value: chela config plan gateway.port 18791`,
    );
  }
  if (facts.size > planFileBytes)
    throw new GatewayError("USAGE", 413, `${file} has ${facts.size} bytes; a config has at most ${planFileBytes}.`);
  return await door.planFile(await readFile(file, "utf8"));
}

/** The first line is exactly ClawGo's; the second helps. */
async function notFound(door: ConfigDoor, path: string, source: Source): Promise<GatewayError> {
  const parts = parsePath(path);
  const last = parts.at(-1) ?? "";
  const holder = parts.length === 1 ? undefined : formatPath(parts.slice(0, -1));
  const around = await door.get(holder, source).catch(() => ({ found: false, value: undefined }));
  const keys =
    around.found && typeof around.value === "object" && around.value !== null ? Object.keys(around.value) : [];
  const near = nearest(last, keys);
  const hint = near
    ? `Did you mean ${formatPath([...parts.slice(0, -1), near])}?`
    : source === "file"
      ? "It may have a default: add --merged."
      : "";
  return new GatewayError("CONFIG_PATH_NOT_FOUND", 404, `Path not found: ${path}${hint ? `\n${hint}` : ""}`, { path });
}

function normal(text: string): string {
  return formatPath(parsePath(text));
}

function writeFlags(options: Options): WriteFlags {
  const baseHash = textOption(options.baseHash);
  return { ...(baseHash ? { baseHash } : {}), ...(options.force === true ? { force: true } : {}) };
}

function planCells(row: PlannedChange): Piece[] {
  const style = { hot: "green", "restart-plugin": "yellow", "restart-gateway": "red", none: "dim" } as const;
  return [row.path, styled(style[row.class] ?? "dim", row.class), row.owner];
}

function diffPiece(line: string): Piece {
  if (/^(---|\+\+\+)/.test(line)) return styled("bold", line);
  if (line.startsWith("@@")) return styled("cyan", line);
  return line.startsWith("+") ? styled("green", line) : line.startsWith("-") ? styled("red", line) : line;
}
