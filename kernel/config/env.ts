/**
 * The environment in the config, in memory only: `${NAME}` inside string values (`$${NAME}` stays as text), and
 * `CHELA_*` overrides named after the dotted path of a key (`CHELA_GATEWAY_PORT`). Neither is ever written to disk.
 */
import { isObject } from "@chela/sdk";
import type { Env } from "./locate.ts";
import { branches, childSchemas, isDeclared, isNothing, itemSchemas, type Schema } from "./schema-walk.ts";
import { oncePer, type PlainObject } from "./values.ts";

export interface MissingReference {
  readonly path: readonly string[];
  readonly name: string;
}

export interface Override {
  readonly path: readonly string[];
  readonly name: string;
  readonly value: unknown;
}

const reference = /\$(\$?)\{([A-Z_][A-Z0-9_]*)\}/g;
/** Where the state dir and the file are; the rest are short names for secrets. */
const notOverrides: ReadonlySet<string> = new Set(["CHELA_CONFIG", "CHELA_STATE_DIR"]);
const textSchema: readonly Schema[] = [{ type: "string" }];
const aliases: Readonly<Record<string, Scalar>> = {
  CHELA_GATEWAY_TOKEN: { path: ["gateway", "auth", "token"], schemas: textSchema },
  CHELA_GATEWAY_PASSWORD: { path: ["gateway", "auth", "password"], schemas: textSchema },
};

/** True when the whole string is one `${NAME}`. */
export function isReference(text: string): boolean {
  return /^\$\{[A-Z_][A-Z0-9_]*\}$/.test(text);
}

/** True when reading the string gives another one. */
export function hasReference(text: string): boolean {
  return text.includes("${") && expandText(text, {}).text !== text;
}

/** A copy of the file's value with references resolved, without `null` and what needs a variable that is not set. */
export function expandReferences(
  raw: PlainObject,
  schema: Schema,
  env: Env,
): { readonly value: PlainObject; readonly missing: readonly MissingReference[] } {
  const missing: MissingReference[] = [];
  const walk = (value: unknown, schemas: readonly Schema[], path: readonly string[]): unknown => {
    if (typeof value === "string") return expandLeaf(value, schemas, path);
    if (Array.isArray(value)) {
      const items = itemSchemas(schemas);
      return value
        .map((item, index) => walk(item, items, [...path, String(index)]))
        .filter((item) => item !== undefined);
    }
    if (!isObject(value)) return value;
    const copy: PlainObject = {};
    for (const [key, item] of Object.entries(value)) {
      const children = childSchemas(schemas, key);
      const expanded = isNothing(item, children) ? undefined : walk(item, children, [...path, key]);
      if (expanded !== undefined) copy[key] = expanded;
    }
    return copy;
  };
  const expandLeaf = (text: string, schemas: readonly Schema[], path: readonly string[]): unknown => {
    if (!text.includes("${")) return text;
    const expanded = expandText(text, env);
    for (const name of expanded.missing) missing.push({ path, name });
    if (expanded.missing.length > 0) return undefined;
    return isReference(text) ? coerce(expanded.text, schemas) : expanded.text;
  };
  return { value: walk(raw, [schema], []) as PlainObject, missing };
}

function expandText(text: string, env: Env): { text: string; missing: string[] } {
  const missing: string[] = [];
  const expanded = text.replace(reference, (whole, escaped: string, name: string) => {
    if (escaped) return whole.slice(1);
    const value = env[name];
    if (value === undefined) missing.push(name);
    return value ?? "";
  });
  return { text: expanded, missing };
}

/** The overrides in `env`. A variable that names no scalar key of a schema, or of a record in the file, is ignored. */
export function overridesOf(env: Env, schema: Schema, value: PlainObject): readonly Override[] {
  const sections = sectionNames(schema, value);
  const names = Object.keys(env)
    .filter((name) => name.startsWith("CHELA_") && !notOverrides.has(name))
    .filter((name) => sections.some((section) => name === section || name.startsWith(`${section}_`)))
    .sort();
  // Most starts end here: to walk through all schemas takes milliseconds.
  if (names.length === 0) return [];
  const declared = declaredScalars(schema);
  const known = (name: string) => (Object.hasOwn(aliases, name) ? aliases[name] : declared.get(name));
  const inFile = names.every(known) ? new Map<string, Scalar>() : byName(recordScalars([schema], value, []));
  return names.flatMap((name) => {
    const scalar = known(name) ?? inFile.get(name);
    return scalar ? [{ name, path: scalar.path, value: coerce(env[name] ?? "", scalar.schemas) }] : [];
  });
}

/** What the names of variables begin with. */
function sectionNames(schema: Schema, value: PlainObject): readonly string[] {
  const declared = branches([schema]).flatMap(({ properties }) =>
    isObject(properties) ? Object.keys(properties) : [],
  );
  return [...new Set([...declared, ...Object.keys(value)])].map((key) => envName([key]));
}

/** Those that stand in the schema itself, by the names of their variables. */
const declaredScalars = oncePer((schema: Schema) => byName(scalarsOf([schema], undefined, [])));

/** Of two keys with one name the first counts. */
function byName(scalars: readonly Scalar[]): ReadonlyMap<string, Scalar> {
  return new Map(scalars.toReversed().map((scalar) => [envName(scalar.path), scalar]));
}

interface Scalar {
  readonly path: readonly string[];
  readonly schemas: readonly Schema[];
}

/** Those of records in the file: which keys a record has, no schema says. */
function recordScalars(schemas: readonly Schema[], value: unknown, path: readonly string[]): Scalar[] {
  if (!isObject(value) || schemas.some(isScalar)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const walk = isDeclared(schemas, key) ? recordScalars : scalarsOf;
    return walk(childSchemas(schemas, key), inner, [...path, key]);
  });
}

/** All below a place: of the keys that its schemas declare and of those that its value has. */
function scalarsOf(schemas: readonly Schema[], value: unknown, path: readonly string[]): Scalar[] {
  if (schemas.some(isScalar)) return [{ path, schemas }];
  const all = branches(schemas);
  const keys = new Set(all.flatMap(({ properties }) => (isObject(properties) ? Object.keys(properties) : [])));
  if (isObject(value) && all.some((schema) => schema.type === "object")) {
    for (const key of Object.keys(value)) keys.add(key);
  }
  return [...keys].flatMap((key) => {
    const inner = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return scalarsOf(childSchemas(schemas, key), inner, [...path, key]);
  });
}

function isScalar(schema: Schema): boolean {
  const kinds = branches([schema]).filter((branch) => branch.anyOf === undefined && branch.oneOf === undefined);
  const types = kinds.map(typesOf);
  return types.every((kind) => kind.length > 0) && types.flat().some((type) => type !== "null");
}

function typesOf(schema: Schema): readonly string[] {
  if (Array.isArray(schema.enum)) return ["string"];
  if ("const" in schema) return [schema.const === null ? "null" : typeof schema.const];
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.filter((type) =>
    ["string", "integer", "number", "boolean", "null"].includes(type as string),
  ) as string[];
}

/** `gateway.reload.debounceMs` → `CHELA_GATEWAY_RELOAD_DEBOUNCE_MS`. */
export function envName(path: readonly string[]): string {
  const snake = path.map((key) => key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9]+/g, "_"));
  return `CHELA_${snake.join("_").toUpperCase()}`;
}

/** The text as what the schema wants; as it is when it cannot be that, so that validation says so. */
function coerce(text: string, schemas: readonly Schema[]): unknown {
  const types = new Set(branches(schemas).flatMap(typesOf));
  if (types.has("string")) return text;
  const trimmed = text.trim();
  if ((types.has("integer") || types.has("number")) && trimmed !== "" && Number.isFinite(Number(trimmed))) {
    return Number(trimmed);
  }
  if (types.has("boolean")) {
    if (/^(?:true|1|yes|on)$/i.test(trimmed)) return true;
    if (/^(?:false|0|no|off)$/i.test(trimmed)) return false;
  }
  return text;
}
