/** A snapshot in which some changes did not happen: what `gateway.reload.mode` forbids keeps its running value. */
import type { PlannedChange } from "@chela/sdk";
import { getAt, parsePath, setAt } from "./paths.ts";
import type { Section } from "./sections.ts";
import type { Snapshot } from "./snapshot.ts";
import { deepFreeze, type PlainObject } from "./values.ts";

export function holdBack(
  before: Snapshot,
  after: Snapshot,
  held: readonly PlannedChange[],
  sections: readonly Section[],
): Snapshot {
  const values = new Map<string, unknown>();
  for (const { owner, path } of sections) {
    const prefix = parsePath(path);
    const mine = held
      .map((row) => parsePath(row.path))
      .filter((row) => prefix.every((key, index) => row[index] === key));
    if (mine.length === 0) {
      values.set(owner, after.values.get(owner));
      continue;
    }
    const value = structuredClone(after.values.get(owner)) as PlainObject;
    for (const row of mine) {
      const rest = row.slice(prefix.length);
      setAt(value, rest, structuredClone(getAt(before.values.get(owner), rest)));
    }
    values.set(owner, deepFreeze(value));
  }
  return { ...after, merged: heldMerged(before, after, held), values: values as Snapshot["values"] };
}

/** What is pending is told by comparing this with what the file says. */
function heldMerged(before: Snapshot, after: Snapshot, held: readonly PlannedChange[]): Snapshot["merged"] {
  const merged = structuredClone(after.merged) as PlainObject;
  for (const row of held) {
    const path = parsePath(row.path);
    setAt(merged, path, structuredClone(getAt(before.merged, path)));
  }
  return deepFreeze(merged);
}
