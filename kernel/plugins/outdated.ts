/** What the registry has for plugins that were installed by their npm name, and where each one came from. */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError, messageOf, type Outdated } from "@chela/sdk";
import { compare, prepareRanges } from "../versions.ts";
import { type LockRecord, pluginDirs, readLock } from "./lock.ts";
import { type NpmOptions, parseSpec, versionsOf } from "./npm.ts";

/** How many are asked about at once: each is a process. */
const atOnce = 2;

/** By id. Never throws for what the registry says. */
export async function outdatedPlugins(stateDir: string, options: NpmOptions = {}): Promise<readonly Outdated[]> {
  const dirs = pluginDirs(stateDir);
  const { plugins } = await readLock(dirs);
  const records = Object.entries(plugins).filter(([, { source }]) => parseSpec(source) !== undefined);
  const waiting = records.sort(([a], [b]) => (a < b ? -1 : 1));
  if (waiting.length === 0) return [];
  const folder = join(dirs.root, `.staging-${process.pid}-${randomBytes(6).toString("hex")}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const rows: Outdated[] = [];
  const ask = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) rows.push(await rowOf(...next, folder, options));
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, ask));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What installs it again. Throws `PLUGIN_SOURCE` (409) for one that was not installed. */
export async function sourceOf(stateDir: string, id: string): Promise<string> {
  const { plugins } = await readLock(pluginDirs(stateDir));
  if (Object.hasOwn(plugins, id)) return (plugins[id] as LockRecord).source;
  const message = `"${id}" was not installed here, so there is nothing to update; what is built in comes with Chela.`;
  throw new GatewayError("PLUGIN_SOURCE", 409, message, { plugin: id });
}

async function rowOf(id: string, record: LockRecord, folder: string, options: NpmOptions): Promise<Outdated> {
  const { source, version: installed } = record;
  try {
    const spec = parseSpec(source) as NonNullable<ReturnType<typeof parseSpec>>;
    const versions = await versionsOf(spec, join(folder, id), options);
    await prepareRanges(versions);
    return { id, installed, latest: versions.toSorted(compare).at(-1) ?? null, source };
  } catch (error) {
    return { id, installed, latest: null, source, error: messageOf(error) };
  }
}
