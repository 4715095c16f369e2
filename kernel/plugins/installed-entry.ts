/**
 * The catalog rows of installed plugins, from the lock file and what is kept of their manifests. Reading them never throws:
 * whatever is wrong becomes the row's `problem`, and a plugin made for another host is not run even to be read.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { GatewayError, type Plugin } from "@chela/sdk";
import { assertSame, type CatalogEntry } from "./entry.ts";
import { importPlugin } from "./import-plugin.ts";
import { type KeptManifest, keepManifest, readKept } from "./kept-manifest.ts";
import type { LockRecord, PluginDirs } from "./lock.ts";
import { hostProblem, loadableEntry, readPackage, readPackageJson } from "./package-file.ts";
import { dropOwnSdk, shareSdk } from "./sdk-link.ts";
import { installedIntegrity, shortHash } from "./tree.ts";

export interface Reading {
  readonly hostVersion: string;
  /** Given by the gateway, which alone imports what it lists: the link to this SDK is made or repaired. */
  readonly sdkDir?: string | undefined;
  readonly warnings: string[];
}

const batch = 8;

export async function installedEntries(
  dirs: PluginDirs,
  records: readonly (readonly [string, LockRecord])[],
  { hostVersion, sdkDir, warnings }: Reading,
): Promise<CatalogEntry[]> {
  if (sdkDir !== undefined) {
    await shareSdk(dirs, sdkDir).catch((error: Error) => warnings.push(`The SDK cannot be linked: ${error.message}`));
  }
  const entries: CatalogEntry[] = [];
  // In batches: where a kept manifest is gone, each costs a child process.
  for (let at = 0; at < records.length; at += batch) {
    const some = records.slice(at, at + batch);
    entries.push(...(await Promise.all(some.map(([id, record]) => installedEntry(dirs, id, record, hostVersion)))));
  }
  return entries;
}

async function installedEntry(
  dirs: PluginDirs,
  id: string,
  record: LockRecord,
  hostVersion: string,
): Promise<CatalogEntry> {
  const root = join(dirs.root, record.folder);
  const hash = shortHash(record.integrity);
  const placed = { origin: "installed" as const, root, hash };
  const kept = await readKept(dirs.manifests, hash);
  const known = { ...(kept?.manifest ?? unknownManifest(id, record.version)), ...placed };
  if (!existsSync(root)) return { ...known, problem: `its folder ${root} is gone; ${again(record)}`, state: "failed" };
  try {
    const read = kept ?? (await readAgain(dirs, id, record, hostVersion));
    if (typeof read === "string") return { ...known, problem: read, state: "incompatible" };
    const { manifest } = read;
    assertSame({ id, version: record.version }, manifest);
    const entry = join(root, read.entry);
    const problem =
      (await hostProblem({ id, host: read.host }, hostVersion)) || (await hostProblem(manifest, hostVersion));
    return { ...manifest, ...placed, entry, problem, ...(problem !== "" && { state: "incompatible" as const }) };
  } catch (error) {
    return { ...known, problem: (error as Error).message, state: "failed" };
  }
}

/** Imports an installed plugin, after every byte of it was found as it was installed. The SDK is linked above it. */
export async function loadInstalled(entry: CatalogEntry, record: LockRecord): Promise<Plugin> {
  dropOwnSdk(entry.root);
  await assertIntact(entry.id, entry.root, record);
  return importPlugin(entry, pathToFileURL(entry.entry).href);
}

/** Throws `PLUGIN_INTEGRITY` (409) when a file was changed, added or removed since the install. */
export async function assertIntact(id: string, root: string, record: LockRecord): Promise<void> {
  let found: string;
  try {
    found = await installedIntegrity(root);
  } catch (error) {
    found = (error as Error).message;
  }
  if (found === record.integrity) return;
  const message = `Plugin "${id}": its files changed since install; ${again(record)}`;
  throw new GatewayError("PLUGIN_INTEGRITY", 409, message, { plugin: id, expected: record.integrity, found });
}

/**
 * The kept file is gone: a child reads the definition once more, unless the files are not what was installed, or are made
 * for another host; then that is the answer.
 */
async function readAgain(
  dirs: PluginDirs,
  id: string,
  record: LockRecord,
  hostVersion: string,
): Promise<KeptManifest | string> {
  const root = join(dirs.root, record.folder);
  const facts = readPackage(await readPackageJson(root));
  const incompatible = await hostProblem(facts, hostVersion);
  if (incompatible !== "") return incompatible;
  await assertIntact(id, root, record);
  const { inspectEntry } = await import("./inspect.ts");
  const entry = loadableEntry(facts.entry);
  const { manifest, definition } = await inspectEntry(id, join(root, entry));
  await keepManifest(dirs.manifests, shortHash(record.integrity), facts, definition).catch(() => undefined);
  return { manifest, host: facts.host, entry };
}

function again({ source }: LockRecord): string {
  if (source.startsWith("upload:")) return `reinstall it: upload ${source.slice("upload:".length)} again`;
  return `reinstall it: chela plugins install ${source}`;
}

function unknownManifest(id: string, version: string): CatalogEntry {
  return {
    id,
    version,
    host: "*",
    about: "",
    critical: false,
    section: `plugins.entries.${id}.config`,
    schema: { type: "object", properties: {}, secret: "perhaps" },
    hot: [],
    needs: [],
    provides: [],
    enabledByDefault: true,
    origin: "installed",
    root: "",
    entry: "",
    hash: "",
    problem: "",
  };
}
