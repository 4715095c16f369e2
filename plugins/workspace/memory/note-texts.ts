/** Texts of notes for the search, read some at a time. What cannot be read, is no text or is huge is not searched. */
import { type Tree, textOf } from "../tree.ts";

/** Larger files are no notes. */
const mostBytes = 2_097_152;
const atOnce = 16;

export async function readNotes(tree: Tree, paths: readonly string[]): Promise<readonly (string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for (let at = 0; at < paths.length; at += atOnce) {
    texts.push(...(await Promise.all(paths.slice(at, at + atOnce).map((path) => readNote(tree, path)))));
  }
  return texts;
}

export async function readNote(tree: Tree, path: string): Promise<string | undefined> {
  const bytes = await tree.bytes(path, mostBytes).catch(() => undefined);
  if (!bytes) return undefined;
  const { text, binary } = textOf(bytes);
  return binary ? undefined : text;
}
