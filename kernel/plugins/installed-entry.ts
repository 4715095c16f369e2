/**
 * The catalog row of an installed plugin, from the lock file, its package.json and the kept definition. It never throws:
 * whatever is wrong becomes the row's `problem`, and a plugin made for another host is not run even to be read.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { GatewayError, type Plugin } from "@chela/sdk";
import { loadableEntry } from "./compile.ts";
import { assertSame, type CatalogEntry } from "./entry.ts";
import { importPlugin } from "./import-plugin.ts";
import { cachedManifest, inspectEntry, keepManifest } from "./inspect.ts";
import type { LockRecord, PluginDirs } from "./lock.ts";
import { hostProblem, readPackage } from "./package-file.ts";
import { linkSdk } from "./sdk-link.ts";
import { readPackageJson } from "./source.ts";
import { installedIntegrity, shortHash } from "./tree.ts";

export async function installedEntry(
  dirs: PluginDirs,
  id: string,
  record: LockRecord,
  hostVersion: string,
): Promise<CatalogEntry> {
  const root = join(dirs.root, record.folder);
  const hash = shortHash(record.integrity);
  const kept = await cachedManifest(dirs.manifests, hash);
  const known = { ...(kept ?? unknownManifest(id, record.version)), origin: "installed" as const, root, hash };
  if (!existsSync(root)) return { ...known, problem: `its folder ${root} is gone; ${again(record)}`, state: "failed" };
  try {
    const facts = readPackage(await readPackageJson(root));
    assertSame({ id, version: record.version }, facts);
    const entry = join(root, loadableEntry(facts.entry));
    const incompatible = (await hostProblem(facts, hostVersion)) || (kept ? await hostProblem(kept, hostVersion) : "");
    if (incompatible) return { ...known, entry, problem: incompatible, state: "incompatible" };
    const manifest = kept ?? (await inspectAgain(dirs, id, entry, record));
    assertSame(facts, manifest);
    const late = await hostProblem(manifest, hostVersion);
    return {
      ...manifest,
      origin: "installed",
      root,
      hash,
      entry,
      problem: late,
      ...(late && { state: "incompatible" as const }),
    };
  } catch (error) {
    return { ...known, problem: (error as Error).message, state: "failed" };
  }
}

/** Imports an installed plugin, after every byte of it was found as it was installed. */
export async function loadInstalled(
  entry: CatalogEntry,
  record: LockRecord,
  sdkDir: string | undefined,
): Promise<Plugin> {
  await assertIntact(entry.id, entry.root, record);
  if (sdkDir !== undefined) await linkSdk(entry.root, sdkDir);
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

/** The kept definition is gone: the code is run in a child once more, unless it is not what was installed. */
async function inspectAgain(dirs: PluginDirs, id: string, entry: string, record: LockRecord): Promise<CatalogEntry> {
  await assertIntact(id, join(dirs.root, record.folder), record);
  const { manifest, definition } = await inspectEntry(id, entry);
  await keepManifest(dirs.manifests, shortHash(record.integrity), definition).catch(() => undefined);
  return manifest;
}

function again({ source }: LockRecord): string {
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
    schema: { type: "object", properties: {} },
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
