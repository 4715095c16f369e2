/** Texts of notes for the search, read some at a time. What cannot be read, is no text or is huge is not searched. */
import type { Pace } from "@chela/sdk";
import { type Tree, textOf } from "../tree.ts";

/** Larger files are no notes. */
const mostBytes = 2_097_152;
const atOnce = 16;

export async function readNotes(
  tree: Tree,
  paths: readonly string[],
  pace: Pace,
): Promise<readonly (string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for (let at = 0; at < paths.length; at += atOnce) {
    texts.push(...(await Promise.all(paths.slice(at, at + atOnce).map((path) => readNote(tree, path, pace)))));
  }
  return texts;
}

export async function readNote(tree: Tree, path: string, pace: Pace): Promise<string | undefined> {
  const bytes = await tree.bytes(path, mostBytes).catch(() => undefined);
  if (!bytes) return undefined;
  if (pace.due()) await pace.rest();
  const { text, binary } = textOf(bytes);
  return binary ? undefined : text;
}
