/** `workspace.files`: every Markdown file of the workspace, for a tree of them. */
import type { Core } from "../core.ts";
import { allDocuments } from "../documents/names.ts";
import { agentsFolder, longTerm, memoryFolder } from "../paths.ts";
import { walk } from "../walk.ts";

const mostFiles = 2_000;
const mostEntries = 20_000;
const deepest = 8;
const markdown = /\.(?:md|markdown)$/i;
const documents: ReadonlySet<string> = new Set(allDocuments);

export async function listMarkdown(core: Core): Promise<unknown> {
  const paths: string[] = [];
  const unfinished = await walk(core.tree, "", {
    depth: deepest,
    most: mostEntries,
    take: (path) => void (markdown.test(path) && paths.push(path)),
    enter: (name) => !name.startsWith(".") && name !== "node_modules",
  });
  const shown = paths.sort().slice(0, mostFiles);
  const files = (await core.notes.factsOf(shown)).map((file) => ({ ...file, kind: kindOf(file.path) }));
  const truncated = unfinished || paths.length > shown.length;
  return { root: core.tree.root, documents: allDocuments, files, truncated };
}

function kindOf(path: string): "memory" | "document" | "file" {
  const [first = "", , third] = path.split("/");
  if (path === longTerm || first === memoryFolder) return "memory";
  if (first === agentsFolder && third === memoryFolder) return "memory";
  return documents.has(path) ? "document" : "file";
}
