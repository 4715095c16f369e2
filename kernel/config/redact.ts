/** Redaction of data: what every value passes through on its way out of the config. Text is the matter of redact-text.ts. */
import { isObject, redactedMark } from "@chela/sdk";
import { hasReference } from "./env.ts";
import { formatPath, getAt, parsePath, setAt } from "./paths.ts";
import type { Schema } from "./schema-walk.ts";
import { holdsAny, leavesOf, placeShape, secretsAmong } from "./secret-walk.ts";
import type { Snapshot } from "./snapshot.ts";
import { oncePer, type PlainObject, plainCopy } from "./values.ts";

type Resolved = Pick<Snapshot, "merged" | "schema">;

/** A copy without secrets, also where one was copied to another place. `more` holds secrets from elsewhere to look for. */
export function redact(value: unknown, schema: Schema, more: ReadonlySet<string> = new Set()): unknown {
  const holder = { value: structuredClone(value) };
  const leaves = leavesOf(placeShape, { holder, key: "value" }, schema);
  const secrets = new Set([...secretsAmong(leaves), ...more]);
  for (const { at, value: leaf, hidden } of leaves) {
    if (hidden || holdsAny(leaf, secrets)) at.holder[at.key] = redactedMark;
  }
  return holder.value;
}

/** A copy of what stands, or would stand, at one place of a config. */
export function redactAt(snapshot: Resolved, text: string, value: unknown): unknown {
  const path = parsePath(text);
  const holder: PlainObject = {};
  setAt(holder, path, plainCopy(value, formatPath(path)));
  return getAt(redact(holder, snapshot.schema, secretsIn(snapshot)), path);
}

/** Every secret in effect, references resolved: for the log, where none may appear. What `known` has is left out. */
export function secretsIn(resolved: Resolved, known?: Resolved): ReadonlySet<string> {
  const { merged, schema } = resolved;
  if (known?.schema !== schema) return allSecrets(resolved);
  const news = Object.entries(merged).filter(([key, part]) => part !== known.merged[key]);
  return secretsOf({ schema, merged: Object.fromEntries(news) });
}

const allSecrets = oncePer(secretsOf);

function secretsOf({ merged, schema }: Resolved): ReadonlySet<string> {
  return secretsAmong(leavesOf(placeShape, { holder: { value: merged }, key: "value" }, schema));
}

/** What is in effect, for people: references as they are written, secrets redacted. */
export function redactedView(snapshot: Snapshot): PlainObject {
  return shownOf(snapshot, snapshot.merged, snapshot.raw);
}

/** The same of what stands under one key of the top, where that is all that is asked for. */
export function redactedPart(snapshot: Snapshot, key: string): PlainObject {
  const only = (whole: Readonly<PlainObject>) => (Object.hasOwn(whole, key) ? { [key]: whole[key] } : {});
  return shownOf(snapshot, only(snapshot.merged), only(snapshot.raw));
}

function shownOf(snapshot: Snapshot, merged: PlainObject, raw: PlainObject): PlainObject {
  const shown = withReferences(merged, raw, "", snapshot.overrides);
  return redact(shown, snapshot.schema, secretsIn(snapshot)) as PlainObject;
}

/** Puts the file's own spelling where a string has a reference or an escape in it: sent back, it means the same again. */
function withReferences(merged: unknown, raw: unknown, path: string, overrides: Snapshot["overrides"]): unknown {
  if (typeof raw === "string") return hasReference(raw) && !overrides.has(path) ? raw : merged;
  if (Array.isArray(raw) && Array.isArray(merged)) {
    const spelled = raw.some((item) => typeof item === "string" && hasReference(item));
    if (spelled || raw.length !== merged.length) return raw;
    return merged.map((item, index) => withReferences(item, raw[index], `${path}.${index}`, overrides));
  }
  if (!isObject(raw)) return merged;
  const holder = isObject(merged) ? merged : {};
  const shown: PlainObject = { ...holder };
  for (const [key, item] of Object.entries(raw)) {
    const below = path === "" ? key : `${path}.${key}`;
    const value = withReferences(holder[key], item, below, overrides);
    if (value !== undefined) shown[key] = value;
  }
  return shown;
}
