/** Settings as trees: one laid over another, and taken apart into leaves. Pure; no name reaches a prototype. */
import { isObject } from "@chela/sdk";

export type Tree = Readonly<Record<string, unknown>>;

/** Anything that is no object with keys. */
export interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** `upper` over `lower`. A list takes the place of a list; null is how a Go client says "nothing". */
export function laidOver(lower: Tree, upper: Tree): Tree {
  const named = Object.entries(upper).filter(([, value]) => value !== null);
  const entries = named.map(([key, value]) => {
    const below = Object.hasOwn(lower, key) ? lower[key] : undefined;
    return [key, isObject(value) ? laidOver(isObject(below) ? below : {}, value) : value] as const;
  });
  return { ...lower, ...Object.fromEntries(entries) };
}

export function leavesOf(tree: Tree, path: readonly string[] = []): readonly Leaf[] {
  return Object.entries(tree).flatMap(([key, value]): readonly Leaf[] =>
    isObject(value) ? leavesOf(value, [...path, key]) : [{ path: [...path, key], value }],
  );
}

/** What `tree` says at a path, or of something on the way to it; undefined: nothing. */
export function saidAt(tree: unknown, path: readonly string[]): unknown {
  let said = tree;
  for (const key of path) {
    if (!isObject(said)) break;
    said = Object.hasOwn(said, key) ? said[key] : undefined;
  }
  return said ?? undefined;
}
