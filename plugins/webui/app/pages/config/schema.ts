/** Reads the JSON Schema of the config: what may stand at a path, and what is said of it. */

import type { Schema } from "../../parts/schema-form/schema.ts";

/** Every schema that speaks of the value at the path, alternatives included. */
export function schemasAt(root: Schema, path: readonly string[]): readonly Schema[] {
  return path.reduce<readonly Schema[]>(
    (schemas, key) => schemas.flatMap((schema) => below(schema, key)).flatMap(branches),
    branches(root),
  );
}

export function branches(schema: Schema): readonly Schema[] {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...inner.flatMap(branches)];
}

/** The keys that have a name, with what is known of each. */
export function namedKeys(schemas: readonly Schema[]): ReadonlyMap<string, readonly Schema[]> {
  const keys = new Map<string, Schema[]>();
  for (const { properties = {} } of schemas) {
    for (const [key, schema] of Object.entries(properties)) {
      keys.set(key, [...(keys.get(key) ?? []), ...branches(schema)]);
    }
  }
  return keys;
}

/** The values that may be chosen from, with what is said of each. */
export function namedValues(
  schemas: readonly Schema[],
): readonly { readonly value: unknown; readonly about?: string }[] {
  const found = schemas.flatMap((schema) => [
    ...("const" in schema ? [{ value: schema.const, about: schema.description }] : []),
    ...(schema.enum ?? []).map((value) => ({ value })),
    ...(typesOf(schema).includes("boolean") ? [{ value: true }, { value: false }] : []),
  ]);
  return [...new Map(found.map((one) => [JSON.stringify(one.value), one])).values()];
}

export function aboutOf(schemas: readonly Schema[]): string | undefined {
  return schemas.find(({ description }) => description !== undefined)?.description;
}

export function defaultOf(schemas: readonly Schema[]): unknown {
  return schemas.find((schema) => schema.default !== undefined)?.default;
}

/** For people: `integer 0–65535`, `"a" | "b"`. */
export function shapeOf(schemas: readonly Schema[]): string {
  const values = schemas.flatMap((schema) => ("const" in schema ? [schema.const] : (schema.enum ?? [])));
  if (values.length > 0)
    return values
      .slice(0, 8)
      .map((value) => JSON.stringify(value))
      .join(" | ");
  const [range] = schemas.filter(({ minimum, maximum }) => minimum !== undefined || maximum !== undefined);
  const types = [...new Set(schemas.flatMap(typesOf))].join(" | ");
  return range ? `${types} ${range.minimum ?? ""}–${range.maximum ?? ""}` : types;
}

export function typesOf({ type }: Schema): readonly string[] {
  return type === undefined ? [] : typeof type === "string" ? [type] : type;
}

function below(schema: Schema, key: string): readonly Schema[] {
  const { properties, patternProperties, additionalProperties, items } = schema;
  if (properties && Object.hasOwn(properties, key)) return [properties[key] as Schema];
  const matching = Object.entries(patternProperties ?? {}).filter(([pattern]) => matches(pattern, key));
  if (matching.length > 0) return matching.map(([, one]) => one);
  const rest = typeof additionalProperties === "object" ? [additionalProperties] : [];
  return items !== undefined && /^\d+$/.test(key) ? [items, ...rest] : rest;
}

function matches(pattern: string, key: string): boolean {
  try {
    return new RegExp(pattern, "u").test(key);
  } catch {
    return false;
  }
}
