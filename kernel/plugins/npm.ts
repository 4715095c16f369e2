/**
 * npm, as a child process without a shell: it fetches a package as a tarball and installs dependencies. Install scripts and
 * git never run, and no setting of the plugin reaches it: it works in a folder of our own with a package.json of our own.
 */
import { existsSync, realpathSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { GatewayError } from "@chela/sdk";
import { childEnv, networkVariables } from "../process/child.ts";
import { runChild } from "../process/run-child.ts";
import { validPackageName } from "./package-file.ts";

export interface NpmOptions {
  /** URL of the registry; absent: what the operator's own npm settings say. */
  readonly registry?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const rangePattern = /^[\w.~^<>=|*+ -]{1,128}$/;
const timeoutMs = 5 * 60_000;
const maxBytes = 4 * 1024 * 1024;
const never = [
  "--ignore-scripts",
  "--git=no-git-for-plugins",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--loglevel=error",
  // npm's own patience with a wrong or silent registry is minutes; somebody waits for the answer.
  "--fetch-retries=1",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=2000",
];

/** `weather`, `@me/weather@^1.2.0`, `weather@latest`; undefined for anything else. */
export function parseSpec(text: string): { name: string; range: string } | undefined {
  const at = text.indexOf("@", 1);
  const name = at === -1 ? text : text.slice(0, at);
  const range = at === -1 ? "" : text.slice(at + 1);
  if (!validPackageName(name) || (at !== -1 && !rangePattern.test(range))) return undefined;
  return { name, range };
}

/** Downloads a package of the registry into `folder` and returns the tarball. npm checks it against the registry's hash. */
export async function packPackage(
  spec: { name: string; range: string },
  folder: string,
  options: NpmOptions,
): Promise<string> {
  const subject = spec.range === "" ? spec.name : `${spec.name}@${spec.range}`;
  await workFolder(folder, {});
  await runNpm(["pack", "--pack-destination", folder, ...common(options), "--", subject], folder, options, subject);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw fetchError(subject, "npm fetched no tarball");
  return join(folder, tarball);
}

/** The versions that the registry has of a package inside a range, or the one of a tag; without a range the latest one. */
export async function versionsOf(
  spec: { name: string; range: string },
  folder: string,
  options: NpmOptions,
): Promise<readonly string[]> {
  const subject = spec.range === "" ? spec.name : `${spec.name}@${spec.range}`;
  await workFolder(folder, {});
  const said = await runNpm(["view", "--json", ...common(options), "--", subject, "version"], folder, options, subject);
  const parsed: unknown = said.trim() === "" ? [] : JSON.parse(said);
  const versions = [parsed].flat().filter((version) => typeof version === "string");
  if (versions.length === 0) throw notFound(subject, "matching version", said);
  return versions;
}

/** Installs `dependencies` into `target/node_modules`, beside what is there already. */
export async function installDependencies(
  dependencies: Readonly<Record<string, string>>,
  target: string,
  folder: string,
  options: NpmOptions,
): Promise<void> {
  await workFolder(folder, dependencies);
  const flags = ["--omit=dev", "--omit=peer", "--legacy-peer-deps", "--no-bin-links", "--no-package-lock", "--no-save"];
  await runNpm(
    ["install", ...flags, ...common(options)],
    folder,
    options,
    `the dependencies ${Object.keys(dependencies).join(", ")}`,
  );
  const from = join(folder, "node_modules");
  await rm(join(from, ".package-lock.json"), { force: true });
  await moveMissing(from, join(target, "node_modules"));
}

/** npm of this very Node, else of the PATH, as an argv to put arguments behind. Undefined when there is none. */
export function findNpm(env: NodeJS.ProcessEnv = process.env): readonly [string, ...string[]] | undefined {
  const bin = dirname(process.execPath);
  const folders = [bin, ...(env.PATH ?? env.Path ?? "").split(delimiter).filter((folder) => folder !== "")];
  const scripts = [
    join(bin, "../lib/node_modules/npm/bin/npm-cli.js"),
    ...folders.map((folder) => join(folder, "node_modules/npm/bin/npm-cli.js")),
  ];
  const script = scripts.find((path) => existsSync(path));
  if (script !== undefined) return [process.execPath, script];
  if (process.platform === "win32") return undefined;
  const found = folders.map((folder) => join(folder, "npm")).find((path) => existsSync(path));
  if (found === undefined) return undefined;
  const real = realpathSync(found);
  return real.endsWith(".js") ? [process.execPath, real] : [real];
}

function common({ registry }: NpmOptions): string[] {
  if (registry === undefined) return never;
  const url = URL.canParse(registry) ? new URL(registry) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw new GatewayError(
      "PLUGIN_SOURCE",
      400,
      `The registry ${JSON.stringify(registry)} must be an http or https URL.`,
    );
  }
  return [...never, `--registry=${url.href}`];
}

/** Its own package.json keeps npm from looking for a project, and its settings, further up. */
async function workFolder(folder: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "chela-staging", version: "0.0.0", private: true, dependencies }),
  );
}

async function runNpm(args: readonly string[], cwd: string, options: NpmOptions, subject: string): Promise<string> {
  const npm = findNpm();
  if (npm === undefined) {
    const message = `npm is needed to fetch ${subject}; it is neither beside ${process.execPath} nor in the PATH. Install npm, or install the plugin from a folder or tarball without dependencies.`;
    throw new GatewayError("PLUGIN_NPM", 422, message);
  }
  const env = childEnv(networkVariables);
  const child = await runChild([...npm, ...args], {
    cwd,
    env,
    timeoutMs: options.timeoutMs ?? timeoutMs,
    maxBytes,
    signal: options.signal,
  });
  if (child.ended !== "") throw fetchError(subject, `npm was ended (${child.ended})`);
  if (child.code === 0) return child.stdout;
  const said = `${child.stderr}\n${child.stdout}`;
  if (/\bE404\b/.test(said)) throw notFound(subject, "package", said);
  if (/\bETARGET\b/.test(said)) throw notFound(subject, "matching version", said);
  throw fetchError(subject, tail(said));
}

function notFound(subject: string, what: string, said: string): GatewayError {
  const message = `The registry has no ${what} for ${subject}.`;
  return new GatewayError("PLUGIN_NOT_FOUND", 404, message, { npm: tail(said) });
}

function tail(text: string): string {
  const lines = text.split("\n").filter((line) => /error|ERR!/.test(line) && !/complete log|_logs/.test(line));
  return lines
    .slice(0, 8)
    .join("\n")
    .replace(/\/\/[^/\s@]+@/g, "//…@")
    .slice(0, 1000);
}

function fetchError(subject: string, why: string): GatewayError {
  return new GatewayError("PLUGIN_FETCH", 502, `${subject} could not be fetched: ${why}`, { subject });
}

/** Moves each package that is not there yet; scopes are folders of packages. */
async function moveMissing(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (name.startsWith("@")) await moveMissing(join(from, name), join(to, name));
    else if (!existsSync(join(to, name))) await rename(join(from, name), join(to, name));
  }
}
