/** What the config can hold, for references and for clients: one JSON Schema, and the keys that apply live. */
import { type ConfigSection, isObject } from "@chela/sdk";
import { listenerKeys } from "./classify.ts";
import { formatPath, parsePath } from "./paths.ts";
import { branches, childSchemas, type Schema } from "./schema-walk.ts";
import { composeSchema, type Section } from "./sections.ts";

export interface HotField {
  readonly path: string;
  readonly name: string;
  readonly description: string;
}

export function describeSchema(sections: readonly Section[]): Readonly<Record<string, unknown>> {
  const schema = JSON.parse(JSON.stringify(composeSchema(sections))) as Record<string, unknown>;
  return { $schema: "http://json-schema.org/draft-07/schema#", title: "Chela config", ...schema };
}

/** But for `plugins`, which is made of the others' and of switches. */
export function describeSections(sections: readonly Section[]): readonly ConfigSection[] {
  return sections
    .filter(({ owner }) => owner !== "plugins")
    .map(({ path, owner, schema, hot }) => ({ path, owner, schema, hot: owner === "gateway" ? liveOf(schema) : hot }));
}

function liveOf({ properties }: Schema): readonly string[] {
  return Object.keys(Object(properties)).filter((key) => !listenerKeys.has(key));
}

/** One row per pattern, as in ClawGo: `logging.*`, named after the key. */
export function describeHotFields(sections: readonly Section[]): readonly HotField[] {
  return sections.flatMap((section) => section.hot.map((pattern) => hotField(section, pattern)));
}

function hotField({ owner, path, schema }: Section, pattern: string): HotField {
  const section = parsePath(path);
  const keys = pattern === "*" ? [] : pattern.replace(/\.\*$/, "").split(".");
  const key = [...section, ...keys];
  const group = pattern === "*" || isGroup(schema, keys);
  return {
    path: formatPath(key) + (group ? ".*" : ""),
    name: titleOf(section.at(-1) === "config" && keys.length === 0 ? owner : (key.at(-1) as string)),
    description: owner === "gateway" ? "Applies live; host, port, bind and tls change the listener." : "Applies live.",
  };
}

function isGroup(schema: Schema, keys: readonly string[]): boolean {
  const found = keys.reduce<readonly Schema[]>((schemas, key) => childSchemas(schemas, key), [schema]);
  return branches(found).some((one) => one.type === "object" || isObject(one.properties));
}

/** `maxWorkers` → `Max workers`, `api_base` → `Api base`. */
function titleOf(key: string): string {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
