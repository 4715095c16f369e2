/**
 * Plugins in development, loaded from where they are written. The sources are compiled to a file elsewhere, which imports
 * the host's own SDK and finds packages from the sources; nothing is written into the author's folder.
 */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compileEntry } from "./compile.ts";
import { assertSame, type CatalogEntry } from "./entry.ts";
import { inspectEntry } from "./inspect.ts";
import { keepManifest, readKept } from "./kept-manifest.ts";
import { type PackageFacts, readPackageJson } from "./package-file.ts";
import { admit, assertEntry, type Host } from "./prepare.ts";
import { belongs } from "./source.ts";
import { hashTree, isLitter, listTree, shortHash, sourceLimits } from "./tree.ts";

export interface PathOptions extends Host {
  /** The host's SDK. */
  readonly sdkDir: string;
}

/** The catalog entry of the plugin in `folder`, compiled into `outDir`. Imports nothing here. */
export async function pathEntry(folder: string, outDir: string, options: PathOptions): Promise<CatalogEntry> {
  const { root, facts } = await readFolder(folder, options);
  const files = await listTree(root, sourceLimits, (path) => isLitter(path) || !belongs(path, []));
  const hash = shortHash(await hashTree(root, files));
  const entry = join(outDir, `${facts.id}-${hash}.mjs`);
  await mkdir(outDir, { recursive: true, mode: 0o700 });
  await compileEntry({ root, entry: facts.entry, outfile: entry, sdkDir: options.sdkDir });
  const manifest = (await readKept(outDir, hash))?.manifest ?? (await inspect(facts, entry, outDir, hash));
  assertSame(facts, manifest);
  return { ...manifest, origin: "path", root, entry, hash };
}

async function inspect(facts: PackageFacts, entry: string, outDir: string, hash: string): Promise<CatalogEntry> {
  const { manifest, definition } = await inspectEntry(facts.id, entry);
  await keepManifest(outDir, hash, facts, definition);
  return manifest;
}

async function readFolder(folder: string, options: PathOptions): Promise<{ root: string; facts: PackageFacts }> {
  const root = resolve(folder);
  const facts = await admit(await readPackageJson(root), options);
  await assertEntry(root, facts);
  return { root, facts };
}
