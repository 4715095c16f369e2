/**
 * Installing and uninstalling, with or without a running gateway. Everything is prepared in a staging folder; what makes it
 * count is one rename and one replaced lock file, so a failure or a kill at any moment leaves the version that was there.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { GatewayError, type Installed } from "@chela/sdk";
import { codeOf, syncFolder } from "../disk/files.ts";
import { isAlive } from "../process/processes.ts";
import { pluginUnknown } from "./entry.ts";
import { keepManifest } from "./kept-manifest.ts";
import {
  changeLock,
  draftPid,
  type Lock,
  type LockRecord,
  type PluginDirs,
  pluginDirs,
  readLock,
  withoutPlugin,
  withPlugin,
} from "./lock.ts";
import type { PackageFacts } from "./package-file.ts";
import { admit, complete, type Host } from "./prepare.ts";
import { shareSdk } from "./sdk-link.ts";
import { findSource, type Source, type StageOptions, sourceText, stageSource } from "./source.ts";
import { installedIntegrity, shortHash } from "./tree.ts";

export interface InstallOptions extends Host, StageOptions {
  readonly stateDir: string;
  /** The host's SDK, which plugins get linked. */
  readonly sdkDir: string;
  /** Where relative paths start; absent: only absolute paths and package names are understood. */
  readonly cwd?: string;
}

export interface Uninstalled {
  readonly id: string;
  /** Null when it was uninstalled before. */
  readonly version: string | null;
  readonly changed: boolean;
}

/** Installs or upgrades from a folder, a `.tgz` or `name[@range]`. The same content again changes nothing. */
export async function installPlugin(from: string | Source, options: InstallOptions): Promise<Installed> {
  const dirs = pluginDirs(options.stateDir);
  try {
    const source = typeof from === "string" ? await findSource(from, options.cwd) : from;
    const staging = await openStaging(dirs);
    try {
      const { root, facts, content } = await stageSource(source, staging, (json) => admit(json, options), options);
      const lock = await readLock(dirs);
      refuseOther(lock, facts);
      const same = await alreadyThere(dirs, lock.plugins[facts.id], content);
      if (same)
        return {
          id: facts.id,
          version: same.version,
          previous: same.version,
          integrity: same.integrity,
          changed: false,
        };
      options.tell?.("checking");
      await shareSdk(dirs, options.sdkDir);
      const { definition } = await complete(root, facts, { ...options, work: staging });
      const integrity = await installedIntegrity(root);
      await keepManifest(dirs.manifests, shortHash(integrity), facts, definition);
      return await commit(dirs, root, facts, { integrity, content, source: sourceText(source) });
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } catch (error) {
    throw asInstallError(error, dirs);
  }
}

/**
 * Takes a plugin out of the lock file; its data and config stay. With `deleteNow`, which only one who knows that no
 * gateway runs should say, its folder goes at once, and what was replaced before; else the gateway deletes them.
 */
export async function uninstallPlugin(
  id: string,
  options: { stateDir: string; builtins: Host["builtins"]; deleteNow?: boolean },
): Promise<Uninstalled> {
  if (options.builtins.some((builtin) => builtin.id === id)) {
    throw new GatewayError(
      "PLUGIN_BUILTIN",
      409,
      `"${id}" is part of Chela and cannot be uninstalled. Turn it off with: chela plugins disable ${id}`,
      { plugin: id },
    );
  }
  const dirs = pluginDirs(options.stateDir);
  const known = (lock: Lock): LockRecord | undefined => {
    if (Object.hasOwn(lock.plugins, id)) return lock.plugins[id];
    if (lock.removed.includes(id)) return undefined;
    throw pluginUnknown(id, [...Object.keys(lock.plugins), ...options.builtins.map((builtin) => builtin.id)]);
  };
  if (!known(await readLock(dirs))) return { id, version: null, changed: false };
  return changeLock<Uninstalled>(dirs, async (lock) => {
    const record = known(lock);
    if (!record) return { value: { id, version: null, changed: false } };
    const next = withoutPlugin(lock, id);
    const value = { id, version: record.version, changed: true };
    return { next: options.deleteNow ? await deleteRetired(dirs, next, new Set()) : next, value };
  });
}

/** Goes back to the version that the last install replaced, if it is there as it was. Returns it, or null. */
export async function revertPlugin(id: string, stateDir: string): Promise<string | null> {
  const dirs = pluginDirs(stateDir);
  return changeLock<string | null>(dirs, async (lock) => {
    const before = lock.plugins[id]?.before;
    if (!before || (await integrityOf(join(dirs.root, before.folder))) !== before.integrity) return { value: null };
    return { next: withPlugin(lock, id, before), value: before.version };
  });
}

/** Deletes replaced folders but those in `keep`, which a running gateway has loaded. Only the gateway calls it. */
export async function sweepRetired(stateDir: string, keep: ReadonlySet<string>): Promise<void> {
  const dirs = pluginDirs(stateDir);
  const { retired } = await readLock(dirs);
  if (retired.every((folder) => keep.has(folder))) return;
  await changeLock(dirs, async (lock) => ({ next: await deleteRetired(dirs, lock, keep), value: undefined }));
}

/** What changes the state: under the lock, the folder gets its name and the lock file names it. */
async function commit(
  dirs: PluginDirs,
  root: string,
  facts: PackageFacts,
  hashes: Pick<LockRecord, "integrity" | "content" | "source">,
): Promise<Installed> {
  const { id, name, version } = facts;
  return changeLock(dirs, async (lock) => {
    refuseOther(lock, facts);
    const before = lock.plugins[id];
    await deleteOrphans(dirs, lock, id);
    const folder = await place(
      dirs,
      root,
      `${id}/${version}-${shortHash(hashes.integrity).slice(0, 8)}`,
      hashes.integrity,
    );
    const installedAt = new Date().toISOString();
    const record: LockRecord = { name, version, ...hashes, folder, installedAt, before: before && lastOnly(before) };
    const value: Installed = {
      id,
      version,
      previous: before?.version ?? null,
      integrity: hashes.integrity,
      changed: true,
    };
    return { next: withPlugin(lock, id, record), value };
  });
}

/** A record remembers one record, not all there ever were. */
function lastOnly(record: LockRecord): LockRecord {
  return { ...record, before: undefined };
}

/** Gives the staged folder its place. The same bytes from an earlier install are taken over; other bytes are left alone. */
async function place(dirs: PluginDirs, root: string, wanted: string, integrity: string): Promise<string> {
  await mkdir(dirname(join(dirs.root, wanted)), { recursive: true, mode: 0o700 });
  if (!existsSync(join(dirs.root, wanted))) {
    await rename(root, join(dirs.root, wanted));
    await syncFolder(dirname(join(dirs.root, wanted)));
    return wanted;
  }
  if ((await integrityOf(join(dirs.root, wanted))) === integrity) return wanted;
  return place(dirs, root, `${wanted}-${randomBytes(3).toString("hex")}`, integrity);
}

/** Folders of this plugin that no list names: what a killed install left. */
async function deleteOrphans(dirs: PluginDirs, lock: Lock, id: string): Promise<void> {
  const named = new Set([...lock.retired, lock.plugins[id]?.folder]);
  for (const name of existsSync(join(dirs.root, id)) ? await readdir(join(dirs.root, id)) : []) {
    if (!named.has(`${id}/${name}`)) await rm(join(dirs.root, id, name), { recursive: true, force: true });
  }
}

async function deleteRetired(dirs: PluginDirs, lock: Lock, keep: ReadonlySet<string>): Promise<Lock> {
  const used = new Set(Object.values(lock.plugins).map(({ folder }) => folder));
  const gone = lock.retired.filter((folder) => !keep.has(folder) && !used.has(folder));
  for (const folder of gone) {
    await rm(join(dirs.root, folder), { recursive: true, force: true });
    if ((await readdir(join(dirs.root, dirname(folder))).catch(() => ["?"])).length === 0)
      await rm(join(dirs.root, dirname(folder)), { recursive: true });
  }
  const wanted = new Set(Object.values(lock.plugins).map(({ integrity }) => `${shortHash(integrity)}.json`));
  for (const name of await readdir(dirs.manifests).catch(() => [])) {
    if (!wanted.has(basename(name))) await rm(join(dirs.manifests, name), { force: true });
  }
  return { ...lock, retired: lock.retired.filter((folder) => !gone.includes(folder) && !used.has(folder)) };
}

async function alreadyThere(
  dirs: PluginDirs,
  record: LockRecord | undefined,
  content: string,
): Promise<LockRecord | undefined> {
  if (record?.content !== content) return undefined;
  return (await integrityOf(join(dirs.root, record.folder))) === record.integrity ? record : undefined;
}

async function integrityOf(folder: string): Promise<string> {
  return installedIntegrity(folder).catch(() => "");
}

/** One id belongs to one package, until it is uninstalled. */
function refuseOther(lock: Lock, { id, name }: PackageFacts): void {
  const there = lock.plugins[id];
  if (!there || there.name === name) return;
  const message = `The id "${id}" belongs to the package ${there.name}, which is installed. To replace it: chela plugins uninstall ${id}`;
  throw new GatewayError("PLUGIN_DUPLICATE", 409, message, { plugin: id, package: there.name });
}

/** A fresh folder for one install; what installs left whose process is gone is removed. */
async function openStaging(dirs: PluginDirs): Promise<string> {
  await mkdir(dirs.root, { recursive: true, mode: 0o700 });
  for (const name of await readdir(dirs.root)) {
    const pid = draftPid(name);
    if (pid === undefined || isAlive({ pid })) continue;
    await rm(join(dirs.root, name), { recursive: true, force: true });
  }
  const staging = join(dirs.root, `.staging-${process.pid}-${randomBytes(6).toString("hex")}`);
  await mkdir(staging, { mode: 0o700 });
  return staging;
}

function asInstallError(error: unknown, dirs: PluginDirs): unknown {
  if (GatewayError.is(error) || codeOf(error) === "") return error;
  const message = `The plugin could not be installed below ${dirs.root}: ${(error as Error).message}. Nothing was changed.`;
  return new GatewayError("PLUGIN_INSTALL", 500, message, { path: dirs.root }, { cause: error });
}
