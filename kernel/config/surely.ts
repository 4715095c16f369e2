/**
 * The quick yes: true only when a value certainly satisfies a schema. Everything it is not sure of, and every refusal, is
 * left to ajv, so a config that is in order costs a start neither loading nor compiling anything.
 */
import { isObject } from "@chela/sdk";
import type { Schema } from "./schema-walk.ts";
import type { PlainObject } from "./values.ts";

/** Words that say nothing about validity, and those that are understood here. */
const silent = ["default", "secret", "title", "description", "examples", "deprecated", "readOnly", "$id", "$comment"];
const understood: ReadonlySet<string> = new Set([
  ...silent,
  ...["type", "const", "enum", "anyOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  ...["minLength", "maxLength", "pattern", "items", "minItems", "maxItems"],
  ...["properties", "required", "patternProperties", "additionalProperties"],
]);

export function surelyValid(schema: Schema, value: unknown): boolean {
  if (!Object.keys(schema).every((word) => understood.has(word))) return false;
  if (schema.type !== undefined && ![schema.type].flat().some((type) => isType(type, value))) return false;
  if (schema.const !== undefined && !isSame(schema.const, value)) return false;
  if (schema.enum !== undefined && !asList(schema.enum).some((each) => isSame(each, value))) return false;
  if (schema.anyOf !== undefined && !asList(schema.anyOf).some((each) => isObject(each) && surelyValid(each, value)))
    return false;
  if (typeof value === "number") return numberFits(schema, value);
  if (typeof value === "string") return textFits(schema, value);
  if (Array.isArray(value)) return listFits(schema, value);
  return !isObject(value) || objectFits(schema, value);
}

function isType(type: unknown, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return Number.isFinite(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "null") return value === null;
  return (type === "string" || type === "boolean") && typeof value === type;
}

/** Of scalars; ajv compares the rest. */
function isSame(wanted: unknown, value: unknown): boolean {
  return wanted === value && typeof value !== "object";
}

function numberFits(schema: Schema, value: number): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return (
    holds(minimum, (limit) => value >= limit) &&
    holds(maximum, (limit) => value <= limit) &&
    holds(exclusiveMinimum, (limit) => value > limit) &&
    holds(exclusiveMaximum, (limit) => value < limit)
  );
}

function textFits({ minLength, maxLength, pattern }: Schema, value: string): boolean {
  const length = minLength === undefined && maxLength === undefined ? 0 : [...value].length;
  return (
    holds(minLength, (limit) => length >= limit) &&
    holds(maxLength, (limit) => length <= limit) &&
    (pattern === undefined || matches(pattern, value))
  );
}

function listFits({ items, minItems, maxItems }: Schema, value: readonly unknown[]): boolean {
  return (
    holds(minItems, (limit) => value.length >= limit) &&
    holds(maxItems, (limit) => value.length <= limit) &&
    (items === undefined || (isObject(items) && value.every((item) => surelyValid(items, item))))
  );
}

function objectFits(schema: Schema, value: PlainObject): boolean {
  const { required = [], properties = {}, patternProperties = {}, additionalProperties = true } = schema;
  if (!isObject(properties) || !isObject(patternProperties)) return false;
  if (!asList(required).every((key) => Object.hasOwn(value, String(key)))) return false;
  return Object.entries(value).every(([key, item]) => {
    const patterns = Object.entries(patternProperties).filter(([pattern]) => matches(pattern, key));
    const governing = patterns.map(([, child]) => child);
    if (Object.hasOwn(properties, key)) governing.push(properties[key]);
    if (governing.length === 0) return additionalProperties === true || accepts(additionalProperties, item);
    return governing.every((child) => accepts(child, item));
  });
}

function accepts(schema: unknown, value: unknown): boolean {
  return isObject(schema) && surelyValid(schema, value);
}

function matches(pattern: unknown, text: string): boolean {
  return pattern === "^.*$" ? !/[\n\r\u2028\u2029]/.test(text) : new RegExp(String(pattern), "u").test(text);
}

function holds(limit: unknown, check: (limit: number) => boolean): boolean {
  return limit === undefined || (typeof limit === "number" && check(limit));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
