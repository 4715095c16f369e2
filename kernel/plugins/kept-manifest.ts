/**
 * What is known of a plugin, kept by the hash of its code: a start reads one small file per installed plugin and runs
 * nothing. A kept file that is gone or not understood only costs another look.
 */

import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "@chela/sdk";
import { assertRelative, writeFileAtomic } from "../disk/files.ts";
import type { CatalogEntry } from "./entry.ts";
import { assertRanges, readDefinition } from "./manifest.ts";
import { loadableEntry, type PackageFacts } from "./package-file.ts";

export interface KeptManifest {
  readonly manifest: CatalogEntry;
  /** The host range of package.json. */
  readonly host: string;
  /** The file to import, relative to the plugin's folder. */
  readonly entry: string;
}

const format = 1;

export async function readKept(folder: string, hash: string): Promise<KeptManifest | undefined> {
  try {
    // A start reads all of these: without the thread pool that is ten times as fast.
    const kept: unknown = JSON.parse(readFileSync(join(folder, `${hash}.json`), "utf8"));
    if (!isObject(kept) || kept.format !== format || !isObject(kept.definition)) return undefined;
    const { host, entry } = kept;
    if (typeof host !== "string" || typeof entry !== "string") return undefined;
    assertRelative(entry);
    return { manifest: await manifestFrom(kept.definition), host, entry };
  } catch {
    return undefined;
  }
}

export async function keepManifest(
  folder: string,
  hash: string,
  facts: Pick<PackageFacts, "host" | "entry">,
  definition: Readonly<Record<string, unknown>>,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = { format, host: facts.host, entry: loadableEntry(facts.entry), definition };
  await writeFileAtomic(join(folder, `${hash}.json`), JSON.stringify(kept));
}

/** The manifest in the data of a definition, its ranges checked. */
export async function manifestFrom(definition: Readonly<Record<string, unknown>>): Promise<CatalogEntry> {
  const manifest = readDefinition(definition);
  await assertRanges(manifest);
  return manifest;
}
