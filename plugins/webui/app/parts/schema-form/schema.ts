/** What the form reads from a JSON Schema: which control suits it, what an object holds, what a new value begins as. */
import { isObject, own } from "./values.ts";

export interface Schema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly secret?: boolean;
  readonly $ref?: string;
}

export type Kind = "boolean" | "number" | "choice" | "secret" | "text" | "list" | "object" | "union" | "json";

const ofType: Readonly<Record<string, Kind>> = {
  boolean: "boolean",
  number: "number",
  integer: "number",
  string: "text",
  array: "list",
  object: "object",
};

export function kindOf(schema: Schema): Kind {
  if (schema.$ref !== undefined) return "json";
  if (schema.secret === true) return "secret";
  if (choicesOf(schema) !== undefined) return "choice";
  if (suggestionsOf(schema).length > 0 && textOf(schema) !== undefined) return "text";
  if (variantsOf(schema).length > 0) return "union";
  const kind = ofType[String(schema.type)] ?? (schema.properties ? "object" : "json");
  return kind === "list" && (schema.items === undefined || Array.isArray(schema.items)) ? "json" : kind;
}

/** One schema of several that all apply. */
export function merged(schema: Schema): Schema {
  const { allOf, ...rest } = schema;
  if (allOf === undefined || !allOf.every((part) => isObject(part.properties))) return schema;
  const parts = [...allOf.map(merged), rest];
  return {
    ...rest,
    type: "object",
    properties: Object.assign({}, ...parts.map((part) => part.properties)) as Schema["properties"],
    required: parts.flatMap((part) => part.required ?? []),
  };
}

export function variantsOf({ anyOf, oneOf, type, ...rest }: Schema): readonly Schema[] {
  const list = anyOf ?? oneOf ?? (Array.isArray(type) ? type.map((one: string) => ({ ...rest, type: one })) : []);
  return list.length === 1 && anyOf === undefined && oneOf === undefined ? [] : list;
}

/** All values there are, where they can be counted. */
export function choicesOf(schema: Schema): readonly unknown[] | undefined {
  if (schema.enum !== undefined) return schema.enum;
  if (schema.const !== undefined) return [schema.const];
  const variants = schema.anyOf ?? schema.oneOf ?? [];
  const isCounted = variants.length > 0 && variants.every((variant) => variant.const !== undefined);
  return isCounted ? variants.map((variant) => variant.const) : undefined;
}

/** The string among the shapes of a union of words and a free text, or the schema of a string itself. */
export function textOf(schema: Schema): Schema | undefined {
  if (schema.type === "string") return schema;
  const free = variantsOf(schema).filter((variant) => variant.const === undefined);
  return free.length === 1 && free[0]?.type === "string" ? free[0] : undefined;
}

/** Values that are usual where any is allowed. */
export function suggestionsOf(schema: Schema): readonly string[] {
  const words = [...variantsOf(schema).map((variant) => variant.const), ...(schema.examples ?? [])];
  return words.filter((word) => typeof word === "string");
}

export interface Member {
  readonly key: string;
  readonly schema: Schema;
  /** Not named by the schema: it can be taken away. */
  readonly isFree: boolean;
  readonly isRequired: boolean;
}

/** What an object holds: the keys that its schema names, then those that are there besides. */
export function membersOf(schema: Schema, value: unknown): readonly Member[] {
  const { properties = {}, required = [] } = schema;
  const named = Object.entries(properties).map(([key, member]) => ({
    key,
    schema: member,
    isFree: false,
    isRequired: required.includes(key) && member.default === undefined,
  }));
  const others = isObject(value) ? Object.keys(value).filter((key) => !Object.hasOwn(properties, key)) : [];
  const free = others.map((key) => ({ key, schema: freeSchema(schema, key) ?? {}, isFree: true, isRequired: false }));
  return [...named, ...free];
}

/** What a key of one's own choice would hold; undefined where none may be added. */
export function freeSchema({ patternProperties = {}, additionalProperties }: Schema, key?: string): Schema | undefined {
  const patterns = Object.entries(patternProperties);
  const found = patterns.find(([pattern]) => key === undefined || fits(pattern, key));
  if (found) return found[1];
  return isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
}

/** A pattern that no browser understands fits everything: the gateway has the last word. */
export function fits(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

/** What something new begins as. */
export function startOf(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default;
  const [choice] = choicesOf(schema) ?? [];
  if (choice !== undefined) return choice;
  const [variant] = variantsOf(schema);
  if (variant) return startOf(variant);
  const starts: Readonly<Record<string, unknown>> = { string: "", boolean: false, array: [], object: {}, null: null };
  const type = String(schema.type ?? (schema.properties ? "object" : ""));
  if (type === "number" || type === "integer")
    return schema.minimum ?? Math.max(0, (schema.exclusiveMinimum ?? -1) + 1);
  return own(starts, type) ?? null;
}

/** With every member that must be there: the gateway fills in no defaults inside of one of several shapes. */
export function wholeOf(schema: Schema): unknown {
  const { properties = {}, required = [] } = schema;
  const start = startOf(schema);
  if (!isObject(start)) return start;
  const needed = required.filter((key) => properties[key] !== undefined);
  return { ...Object.fromEntries(needed.map((key) => [key, wholeOf(merged(properties[key] as Schema))])), ...start };
}
