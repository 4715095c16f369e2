/**
 * Makes the first documents of a workspace, once per workspace: what the user deleted does not come back, and a workspace
 * that has documents already (from another gateway, from a backup) is left as it is.
 */
import type { Files } from "@chela/sdk";
import { hashOf, type Tree } from "../tree.ts";
import { ledger, readMade } from "./made.ts";
import { allDocuments } from "./names.ts";
import { templates } from "./templates.ts";

export interface BootstrapParts {
  readonly tree: Tree;
  readonly files: Files;
  readonly dataDir: string;
  readonly signal: AbortSignal;
}

/** The documents that were made now. */
export async function bootstrap({ tree, files, dataDir, signal }: BootstrapParts): Promise<readonly string[]> {
  const made = await readMade(dataDir);
  if (Object.hasOwn(made, tree.root)) return [];
  await tree.make();
  const hashes: Record<string, string> = {};
  if (!(await hasDocuments(tree))) {
    for (const [path, text] of Object.entries(templates)) {
      if (signal.aborted) return Object.keys(hashes);
      // Somebody may be faster, an editor or an agent: what is there stays.
      if (await tree.facts(path)) continue;
      await tree.write(path, text, { there: false });
      hashes[path] = hashOf(Buffer.from(text));
    }
  }
  await files.write(dataDir, ledger, `${JSON.stringify({ ...made, [tree.root]: hashes }, null, 2)}\n`);
  return Object.keys(hashes);
}

async function hasDocuments(tree: Tree): Promise<boolean> {
  const facts = await Promise.all(allDocuments.map((path) => tree.facts(path).catch(() => true)));
  return facts.some(Boolean);
}
