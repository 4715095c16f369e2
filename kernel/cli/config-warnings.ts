/** After `config set`: what the program has to say of the keys just written. An unknown one is most often a slip of the finger. */
import { isDeepStrictEqual } from "node:util";
import { isObject, redactedMark } from "@chela/sdk";
import { envName, hasReference } from "../config/env.ts";
import { parsePath } from "../config/paths.ts";
import { isAtOrBelow } from "../config/snapshot.ts";
import { nearest } from "../nearest.ts";
import type { ConfigDoor } from "./config-door.ts";

/** Sentences. What was written stands, so a question that fails has no answer. */
export async function warningsBelow(door: ConfigDoor, path: string): Promise<readonly string[]> {
  const { problems } = await door.check().catch(() => ({ problems: [] }));
  const below = problems.filter((problem) => isAtOrBelow(problem.path, path) || isAtOrBelow(path, problem.path));
  if (below.length === 0) return [];
  const schema = await door.schema().catch(() => undefined);
  return below.map(({ path: key, message }) => `${key} ${message}${nearby(schema, key)}`);
}

/** The sentence for a value in the file that is not the one in effect; none for objects, lists and secrets. */
export async function overriddenAt(door: ConfigDoor, path: string, value: unknown): Promise<readonly string[]> {
  if (Object(value) === value || (typeof value === "string" && hasReference(value))) return [];
  const { found, value: effective } = await door.get(path, "merged").catch(() => ({ found: false, value: undefined }));
  if (!found || effective === redactedMark || isDeepStrictEqual(effective, value)) return [];
  const name = envName(parsePath(path));
  return [
    `${path} stays ${JSON.stringify(effective)}: the environment (${name}) and the command line go before the file`,
  ];
}

function nearby(schema: unknown, path: string): string {
  const parts = parsePath(path);
  const last = parts.pop() ?? "";
  let at: unknown = schema;
  for (const part of parts) at = propertiesOf(at)[part];
  const properties = propertiesOf(at);
  const near = Object.hasOwn(properties, last) ? null : nearest(last, Object.keys(properties));
  return near === null ? "" : `. Did you mean ${[...parts, near].join(".")}?`;
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  return isObject(schema) && isObject(schema.properties) ? schema.properties : {};
}
