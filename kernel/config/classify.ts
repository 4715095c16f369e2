/**
 * What a change means: every leaf that differs between two snapshots, by its owner and by what it takes to apply it.
 * Compared are normalised values, so writing down a default is no change.
 */
import { isDeepStrictEqual } from "node:util";
import { isObject, type PlannedChange } from "@chela/sdk";
import { formatPath, startsWith } from "./paths.ts";
import { fillDefaults } from "./schema-walk.ts";
import { composeSchema, keysOf, type Section, sectionOf } from "./sections.ts";
import type { Snapshot } from "./snapshot.ts";

/** Keys of `gateway` that need a new listener; everything else there is read live. */
export const listenerKeys: ReadonlySet<string> = new Set(["host", "port", "bind", "tls"]);

type Resolved = Pick<Snapshot, "merged" | "schema">;

/** In the order of the new config; what went away comes last. */
export function planChanges(before: Resolved, after: Resolved, sections: readonly Section[]): readonly PlannedChange[] {
  if (before === after) return [];
  const schema = composeSchema(sections);
  // What was resolved with these sections has their defaults already.
  const normalised = ({ merged, schema: known }: Resolved) =>
    known === schema ? merged : fillDefaults(schema, structuredClone(merged));
  return differences(normalised(before), normalised(after)).flatMap((path) => classify(path, sections));
}

/** Paths of the leaves that differ. Arrays are leaves; so is an object against something else. */
export function differences(before: unknown, after: unknown, path: readonly string[] = []): string[][] {
  if (isDeepStrictEqual(before, after)) return [];
  const [old, now] = [asObject(before), asObject(after)];
  if (old === undefined || now === undefined) return [[...path]];
  const keys = [...new Set([...Object.keys(now), ...Object.keys(old)])];
  const leaves = keys.flatMap((key) => differences(own(old, key), own(now, key), [...path, key]));
  return leaves.length > 0 ? leaves : [[...path]];
}

/** An absent value is an object without keys, so that an object that appears is told by its leaves. */
function asObject(value: unknown): Record<string, unknown> | undefined {
  if (value === undefined) return {};
  return isObject(value) ? value : undefined;
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function classify(path: readonly string[], sections: readonly Section[]): PlannedChange[] {
  const text = formatPath(path);
  const section = sectionOf(path, sections);
  if (section?.owner === "gateway") {
    const listener = path[1] === undefined || listenerKeys.has(path[1]);
    return [{ path: text, class: listener ? "restart-gateway" : "hot", owner: "gateway" }];
  }
  if (section?.owner === "plugins") return [pluginsChange(path, text)];
  if (section) {
    const key = path.slice(keysOf(section).length);
    const hot = section.hot.some((pattern) => covers(pattern, key));
    return [{ path: text, class: hot ? "hot" : "restart-plugin", owner: section.owner }];
  }
  const inside = sections.filter((other) => startsWith(keysOf(other), path));
  if (inside.length === 0) return [{ path: text, class: "none", owner: "" }];
  return inside.map(({ path: prefix, owner }) => ({ path: prefix, class: "restart-plugin", owner }));
}

function pluginsChange(path: readonly string[], text: string): PlannedChange {
  if (path[1] !== "entries") return { path: text, class: "hot", owner: "gateway" };
  if (path[3] === "enabled") return { path: text, class: "restart-plugin", owner: path[2] as string };
  return { path: text, class: "none", owner: "" };
}

/** `"a"` covers `a` and everything below it, `"*"` everything; `*` also stands for any one key. */
function covers(pattern: string, key: readonly string[]): boolean {
  return pattern === "*" || startsWith(key, pattern.replace(/\.\*$/, "").split("."));
}
