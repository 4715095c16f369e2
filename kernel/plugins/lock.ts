/**
 * `<state>/plugins/lock.json`: which plugins are installed, from where, and the hash of every byte that was installed.
 * It is replaced as a whole, under a lock between processes; folders that it does not name are never loaded.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError, isObject } from "@chela/sdk";
import { withFileLock } from "../disk/file-lock.ts";
import { readIfThere, writeFileAtomic } from "../disk/files.ts";
import { idPattern } from "./manifest.ts";

export interface LockRecord {
  /** Name of the npm package. */
  readonly name: string;
  readonly version: string;
  /** Of the whole installed folder; checked before the code is imported. */
  readonly integrity: string;
  /** Of the files as they were offered: the same again changes nothing. */
  readonly content: string;
  /** What was given to `plugins install`, paths made absolute. */
  readonly source: string;
  /** Below `<state>/plugins`: `weather/1.0.0-1a2b3c4d`. */
  readonly folder: string;
  readonly installedAt: string;
  /** What it replaced, for as long as that is the last change: an upgrade that does not start goes back to it. */
  readonly before?: LockRecord;
}

export interface Lock {
  readonly version: 1;
  readonly plugins: Readonly<Record<string, LockRecord>>;
  /** Folders that were replaced and may still be in use by a running gateway, which deletes them. */
  readonly retired: readonly string[];
  /** Ids that were uninstalled, so that doing it twice is no error. */
  readonly removed: readonly string[];
}

export interface PluginDirs {
  readonly root: string;
  readonly lockFile: string;
  readonly manifests: string;
}

const emptyLock: Lock = { version: 1, plugins: {}, retired: [], removed: [] };
const folderPattern = /^[a-z][a-z0-9-]*\/[\w.+-]+$/;
const maxBytes = 4 * 1024 * 1024;

export function pluginDirs(stateDir: string): PluginDirs {
  const root = join(stateDir, "plugins");
  return { root, lockFile: join(root, "lock.json"), manifests: join(root, ".manifests") };
}

/** The process behind a staging folder, or behind the draft of the list or of its lock; undefined for other names. */
export function draftPid(name: string): number | undefined {
  const pid = /^\.(?:staging-|lock\.|lock\.json\.)(\d+)-/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Throws `PLUGIN_LOCK` when the file is there and cannot be understood: nothing is guessed, nothing is overwritten. */
export async function readLock({ lockFile }: PluginDirs): Promise<Lock> {
  const text = await readIfThere(lockFile, maxBytes);
  if (text === undefined) return emptyLock;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw lockError(lockFile, `does not parse (${(error as Error).message})`, error);
  }
  if (!isObject(raw) || !isObject(raw.plugins)) throw lockError(lockFile, "is not a list of plugins");
  if (raw.version !== 1) throw lockError(lockFile, `has version ${String(raw.version)}, which a newer Chela wrote`);
  const plugins: Record<string, LockRecord> = {};
  for (const [id, record] of Object.entries(raw.plugins)) plugins[id] = recordOf(lockFile, id, record);
  return {
    version: 1,
    plugins,
    retired: texts(raw.retired).filter((folder) => folderPattern.test(folder)),
    removed: texts(raw.removed),
  };
}

/** Changes the list as it is on disk now. Nobody else changes it meanwhile; returns what `change` returned. */
export async function changeLock<T>(
  dirs: PluginDirs,
  change: (lock: Lock) => Promise<{ next?: Lock; value: T }>,
): Promise<T> {
  await mkdir(dirs.root, { recursive: true, mode: 0o700 });
  return withFileLock(join(dirs.root, ".lock"), async () => {
    const { next, value } = await change(await readLock(dirs));
    if (next) await writeFileAtomic(dirs.lockFile, `${JSON.stringify(next, null, 2)}\n`);
    return value;
  });
}

/** The list with `id` replaced; the folder it had before is retired. */
export function withPlugin(lock: Lock, id: string, record: LockRecord): Lock {
  const before = lock.plugins[id]?.folder;
  const retired = new Set(before === undefined ? lock.retired : [...lock.retired, before]);
  retired.delete(record.folder);
  return {
    version: 1,
    plugins: { ...lock.plugins, [id]: record },
    retired: [...retired],
    removed: lock.removed.filter((removed) => removed !== id),
  };
}

export function withoutPlugin(lock: Lock, id: string): Lock {
  const { [id]: gone, ...plugins } = lock.plugins;
  if (!gone) return lock;
  return {
    version: 1,
    plugins,
    retired: [...lock.retired, gone.folder],
    removed: [...lock.removed.filter((removed) => removed !== id), id].slice(-100),
  };
}

function recordOf(lockFile: string, id: string, raw: unknown): LockRecord {
  if (!isObject(raw) || !idPattern.test(id)) throw lockError(lockFile, `has a broken entry ${JSON.stringify(id)}`);
  const { name, version, integrity, content, source, folder, installedAt } = raw;
  const all = { name, version, integrity, content, source, folder, installedAt };
  const broken = Object.entries(all).find(([, value]) => typeof value !== "string");
  if (broken) throw lockError(lockFile, `has no ${broken[0]} for "${id}"`);
  const record = all as LockRecord;
  if (!folderPattern.test(record.folder) || !record.folder.startsWith(`${id}/`) || record.folder.includes("..")) {
    throw lockError(lockFile, `names a folder outside for "${id}"`);
  }
  return raw.before === undefined ? record : { ...record, before: recordOf(lockFile, id, raw.before) };
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function lockError(lockFile: string, why: string, cause?: unknown): GatewayError {
  const message = `${lockFile} ${why}. Restore it, or move it away and install the plugins again.`;
  return new GatewayError("PLUGIN_LOCK", 500, message, { path: lockFile }, { cause });
}
