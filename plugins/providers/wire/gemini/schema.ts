/**
 * JSON Schema in the subset that function declarations take: OpenAPI 3.0's, without references. What cannot be said is
 * left out, and said in the description where that is short; the gateway checks the arguments against the whole schema.
 */
import { objectOf } from "@chela/sdk";
import { textOf } from "../assembly.ts";

type Schema = Readonly<Record<string, unknown>>;

const kept = [
  "title",
  "description",
  "maxItems",
  "minItems",
  "minProperties",
  "maxProperties",
  "minLength",
  "maxLength",
  "pattern",
  "minimum",
  "maximum",
  "default",
] as const;
const formats: Readonly<Record<string, readonly string[]>> = {
  string: ["date-time", "enum"],
  number: ["float", "double"],
  integer: ["int32", "int64"],
};
const deepest = 24;
const mostNodes = 2000;

/** Undefined for an object without properties: a function without parameters has none at all. */
export function geminiSchema(schema: Schema): Schema | undefined {
  const clean = cleaned(schema, { root: schema, depth: 0, refs: [], budget: { left: mostNodes } });
  return clean.type === "object" && Object.keys(objectOf(clean.properties)).length === 0 ? undefined : clean;
}

interface Place {
  readonly root: Schema;
  readonly depth: number;
  /** Followed on the way here: a schema that holds itself is told once. */
  readonly refs: readonly string[];
  /** Of the whole schema, however often its parts are referred to. */
  readonly budget: { left: number };
}

function cleaned(schema: unknown, { root, depth, refs, budget }: Place): Record<string, unknown> {
  budget.left -= 1;
  if (depth > deepest || budget.left < 0) return { type: "string" };
  const ref = textOf(objectOf(schema).$ref);
  if (refs.includes(ref)) return { type: "object" };
  const place = { root, depth: depth + 1, refs: ref === "" ? refs : [...refs, ref], budget };
  const source = merged(resolved(objectOf(schema), root), root);
  const { types, nullable } = typesOf(source);
  const branches = branchesOf(source, types, place);
  const clean: Record<string, unknown> = {};
  for (const key of kept) if (source[key] !== undefined) clean[key] = source[key];
  bounds(source, clean);
  if (nullable || branches.nullable) clean.nullable = true;
  if (branches.list.length === 1) return { ...branches.list[0], ...clean };
  if (branches.list.length > 1) return { ...clean, anyOf: branches.list };
  const type = types[0] ?? guessed(source);
  clean.type = type;
  values(source, type, clean);
  if (typeof source.format === "string" && formats[type]?.includes(source.format)) clean.format = source.format;
  if (type === "object") Object.assign(clean, properties(source, place));
  if (type === "array") clean.items = itemsOf(source, place);
  return clean;
}

/** `#/$defs/name` and the like; what leads nowhere or outside is anything. */
function resolved(schema: Schema, root: Schema, seen = 0): Schema {
  const { $ref: ref, ...beside } = schema;
  if (typeof ref !== "string") return schema;
  if (!ref.startsWith("#") || seen > deepest) return beside;
  let found: unknown = root;
  for (const name of ref.slice(1).split("/").filter(Boolean))
    found = objectOf(found)[name.replaceAll("~1", "/").replaceAll("~0", "~")];
  return { ...resolved(objectOf(found), root, seen + 1), ...beside };
}

/** All parts of an `allOf` as one. */
function merged(schema: Schema, root: Schema): Schema {
  const { allOf, ...own } = schema;
  if (!Array.isArray(allOf)) return schema;
  const parts = [...allOf.map((part) => resolved(objectOf(part), root)), own];
  return {
    ...(Object.assign({}, ...parts) as Schema),
    properties: Object.assign({}, ...parts.map((part) => objectOf(part.properties))) as Schema,
    required: parts.flatMap((part) => listOf(part.required)),
  };
}

function typesOf({ type, nullable }: Schema): { types: readonly string[]; nullable: boolean } {
  const all = listOf(Array.isArray(type) ? type : [type]).filter((one): one is string => typeof one === "string");
  const types = all.map((one) => one.toLowerCase());
  return { types: types.filter((one) => one !== "null"), nullable: nullable === true || types.includes("null") };
}

/** What `anyOf` and `oneOf` hold, or the several types of one schema. */
function branchesOf(source: Schema, types: readonly string[], place: Place): { list: Schema[]; nullable: boolean } {
  const { anyOf, oneOf, ...rest } = source;
  const several = listOf(anyOf ?? oneOf);
  if (several.length === 0 && types.length > 1)
    return { list: types.map((type) => cleaned({ ...rest, type, description: undefined }, place)), nullable: false };
  const real = several.filter((one) => objectOf(one).type !== "null");
  return { list: real.map((one) => cleaned(one, place)), nullable: real.length < several.length };
}

function guessed(source: Schema): string {
  if (source.properties !== undefined) return "object";
  if (source.items !== undefined || source.prefixItems !== undefined) return "array";
  const [value] = listOf(source.enum ?? [source.const]);
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "boolean" ? "boolean" : "string";
}

/** Only texts can be enumerated. */
function values(source: Schema, type: string, clean: Record<string, unknown>): void {
  const all = listOf(source.enum ?? (source.const === undefined ? [] : [source.const])).filter(
    (one) => one !== null && one !== "",
  );
  if (all.length === 0) return;
  if (type === "string") clean.enum = all.map(String);
  else
    clean.description = [clean.description, `One of: ${all.map((one) => JSON.stringify(one)).join(", ")}`.slice(0, 500)]
      .filter(Boolean)
      .join(". ");
}

function bounds(source: Schema, clean: Record<string, unknown>): void {
  const step = source.type === "integer" ? 1 : 0;
  if (typeof source.exclusiveMinimum === "number") clean.minimum = source.exclusiveMinimum + step;
  if (typeof source.exclusiveMaximum === "number") clean.maximum = source.exclusiveMaximum - step;
}

function properties(source: Schema, place: Place): Record<string, unknown> {
  const entries = Object.entries(objectOf(source.properties)).map(
    ([name, one]) => [name, cleaned(one, place)] as const,
  );
  if (entries.length === 0) return {};
  const names = new Set(entries.map(([name]) => name));
  const required = [...new Set(listOf(source.required))].filter((name) => names.has(String(name)));
  return { properties: Object.fromEntries(entries), ...(required.length > 0 ? { required } : {}) };
}

/** A list must say of what. */
function itemsOf(source: Schema, place: Place): Schema {
  const { items, prefixItems } = source;
  if (Array.isArray(items) || Array.isArray(prefixItems)) {
    const list = listOf(Array.isArray(items) ? items : prefixItems).map((one) => cleaned(one, place));
    return list.length > 1 ? { anyOf: list } : (list[0] ?? { type: "string" });
  }
  return cleaned(items, place);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
