/**
 * Walking a JSON Schema beside a value: which schemas govern a key, which defaults are missing, which keys nobody knows.
 * Everything here looks at the shape only; whether a value is valid is ajv's to say.
 */
import { isObject } from "@chela/sdk";
import { oncePer, type PlainObject } from "./values.ts";

export type Schema = Readonly<Record<string, unknown>>;

/** The schemas that may apply, with the branches of unions and intersections beside them. */
export function branches(schemas: readonly Schema[]): readonly Schema[] {
  const [only] = schemas;
  return schemas.length === 1 && only ? branched(only) : schemas.flatMap(branched);
}

const branched = oncePer((schema: Schema): readonly Schema[] => [
  schema,
  ...branches(["anyOf", "oneOf", "allOf"].flatMap((word) => list(schema[word]))),
]);

/** The schemas of one key. Empty: nothing is known about it. */
export function childSchemas(schemas: readonly Schema[], key: string): readonly Schema[] {
  const all = branches(schemas);
  const [only] = all;
  const below = (schema: Schema) => declared(schema, key) ?? dynamic(schema, key);
  // Asked for every key of a config, several times.
  return all.length === 1 && only ? below(only) : all.flatMap(below);
}

/** The schemas of an array's items. */
export function itemSchemas(schemas: readonly Schema[]): Schema[] {
  return branches(schemas).flatMap(({ items }) => (isObject(items) ? [items] : list(items)));
}

/** True when the key stands in `properties`, rather than in a record or nowhere. */
export function isDeclared(schemas: readonly Schema[], key: string): boolean {
  return branches(schemas).some((schema) => declared(schema, key) !== undefined);
}

/** `null` where the schemas know of none: how a program written in Go says that it has nothing to say. */
export function isNothing(value: unknown, schemas: readonly Schema[]): boolean {
  if (value !== null || schemas.length === 0) return false;
  return !branches(schemas).some((schema) => isAnything(schema) || [schema.type].flat().includes("null"));
}

function declared(schema: Schema, key: string): readonly Schema[] | undefined {
  const { properties } = schema;
  return isObject(properties) && Object.hasOwn(properties, key) ? one(properties[key]) : undefined;
}

function dynamic(schema: Schema, key: string): readonly Schema[] {
  const { patternProperties, additionalProperties } = schema;
  if (isObject(patternProperties)) {
    for (const [pattern, child] of Object.entries(patternProperties)) {
      if (pattern === "^.*$" || new RegExp(pattern, "u").test(key)) return one(child);
    }
  }
  return one(additionalProperties);
}

function one(schema: unknown): readonly Schema[] {
  return isObject(schema) ? [schema] : [];
}

function list(value: unknown): Schema[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Fills missing defaults in place and returns the value; undefined where nothing is and nothing is to be. */
export function fillDefaults(schema: Schema, given: unknown): unknown {
  const value = given === undefined ? copyOf(schema.default) : given;
  if (isObject(value)) fillObject(schema, value);
  else if (Array.isArray(value) && isObject(schema.items)) {
    for (const item of value) fillDefaults(schema.items, item);
  }
  return value;
}

function copyOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? structuredClone(value) : value;
}

/** A required object without a default of its own comes into being when its keys all have defaults. */
function fillObject(schema: Schema, value: PlainObject): void {
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const [key, child] of Object.entries(properties)) {
    if (!isObject(child)) continue;
    let filled = fillDefaults(child, Object.hasOwn(value, key) ? value[key] : undefined);
    if (filled === undefined && child.type === "object" && required(schema).includes(key)) {
      const attempt = fillDefaults(child, {});
      filled = isComplete(child, attempt) ? attempt : undefined;
    }
    if (filled !== undefined) value[key] = filled;
  }
  for (const [key, item] of Object.entries(value)) {
    if (Object.hasOwn(properties, key)) continue;
    for (const child of dynamic(schema, key)) fillDefaults(child, item);
  }
}

/** True when no required key is missing. */
export function isComplete(schema: Schema, value: unknown): boolean {
  if (value === undefined) return false;
  if (!isObject(value)) return true;
  const properties = isObject(schema.properties) ? schema.properties : {};
  return (
    required(schema).every((key) => Object.hasOwn(value, String(key))) &&
    Object.entries(properties).every(
      ([key, child]) => !isObject(child) || !Object.hasOwn(value, key) || isComplete(child, value[key]),
    )
  );
}

function required(schema: Schema): readonly unknown[] {
  return Array.isArray(schema.required) ? schema.required : [];
}

/** The topmost paths that no schema knows. */
export function unknownPaths(schemas: readonly Schema[], value: unknown, path: readonly string[] = []): string[][] {
  if (Array.isArray(value)) {
    const items = itemSchemas(schemas);
    return value.flatMap((item, index) => unknownPaths(items, item, [...path, String(index)]));
  }
  if (!isObject(value) || isOpen(schemas)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const children = childSchemas(schemas, key);
    if (children.length > 0) return unknownPaths(children, item, [...path, key]);
    return [[...path, key]];
  });
}

/** Nothing says which keys there are: no schema, one for anything, or one for something other than an object. */
function isOpen(schemas: readonly Schema[]): boolean {
  const all = branches(schemas);
  const shaped = all.filter((schema) => isObject(schema.properties) || schema.type === "object");
  return shaped.length === 0 || all.some(isAnything) || shaped.some((schema) => schema.additionalProperties === true);
}

function isAnything(schema: Schema): boolean {
  const words = ["type", "properties", "patternProperties", "anyOf", "oneOf", "allOf", "const", "enum", "$ref"];
  return words.every((word) => schema[word] === undefined);
}
