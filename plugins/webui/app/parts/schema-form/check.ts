/**
 * What is wrong with a value by the rules of its schema, before the gateway is asked. It says less than the gateway would,
 * never more: what it does not understand it lets pass.
 */
import { choicesOf, fits, freeSchema, membersOf, merged, type Schema, variantsOf } from "./schema.ts";
import { isObject, isReference, isSame, type Keys, mark } from "./values.ts";

/** Weighs more than all that can be wrong with a value of the right kind. */
const otherKind = 1_000_000;

export type Rule =
  | "type"
  | "integer"
  | "choice"
  | "minimum"
  | "maximum"
  | "above"
  | "below"
  | "multiple"
  | "minLength"
  | "maxLength"
  | "pattern"
  | "minItems"
  | "maxItems"
  | "unique"
  | "needed"
  | "shape"
  | "unknown";

export interface Problem {
  readonly keys: Keys;
  readonly rule: Rule;
  readonly values?: Readonly<Record<string, string | number>>;
}

export function check(raw: Schema, value: unknown, keys: Keys = []): readonly Problem[] {
  if (value === undefined || value === mark || isReference(value) || raw.$ref !== undefined) return [];
  const schema = merged(raw);
  const choices = choicesOf(schema);
  if (choices !== undefined) return choices.some((choice) => isSame(choice, value)) ? [] : [{ keys, rule: "choice" }];
  const variants = variantsOf(schema);
  if (variants.length > 0) return checkShapes(variants, value, keys);
  if (!isOfType(schema, value))
    return [{ keys, rule: schema.type === "integer" && typeof value === "number" ? "integer" : "type" }];
  if (typeof value === "string") return checkText(schema, value, keys);
  if (typeof value === "number") return checkNumber(schema, value, keys);
  if (Array.isArray(value)) return checkList(schema, value, keys);
  return isObject(value) ? checkObject(schema, value, keys) : [];
}

/** Which of several shapes a value has: the one that fits; while it is typed, the one of its kind with the least that is wrong. */
export function nearestShape(variants: readonly Schema[], value: unknown): number {
  const kind = kindOfValue(value);
  const faults = variants.map((variant) => {
    const found = check(variant, value).length;
    return found > 0 && variant.type !== kind ? found + otherKind : found;
  });
  return faults.indexOf(Math.min(...faults));
}

function kindOfValue(value: unknown): string {
  return Array.isArray(value) ? "array" : isObject(value) ? "object" : typeof value;
}

function checkShapes(variants: readonly Schema[], value: unknown, keys: Keys): readonly Problem[] {
  const nearest = variants[nearestShape(variants, value)] as Schema;
  const found = check(nearest, value, keys);
  // What is wrong with the one of its kind says more than that it fits none.
  return found.length === 0 || nearest.type === kindOfValue(value) ? found : [{ keys, rule: "shape" }];
}

function isOfType({ type }: Schema, value: unknown): boolean {
  switch (type) {
    case "string":
    case "boolean":
      return typeof value === type;
    case "number":
      return typeof value === "number";
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "null":
      return value === null;
    default:
      return true;
  }
}

function checkText({ minLength, maxLength, pattern }: Schema, value: string, keys: Keys): readonly Problem[] {
  const { length } = [...value.slice(0, 2 * (maxLength ?? value.length) + 2)];
  if (minLength !== undefined && length < minLength) return [{ keys, rule: "minLength", values: { n: minLength } }];
  if (maxLength !== undefined && length > maxLength) return [{ keys, rule: "maxLength", values: { n: maxLength } }];
  return pattern !== undefined && !fits(pattern, value) ? [{ keys, rule: "pattern", values: { pattern } }] : [];
}

function checkNumber(schema: Schema, value: number, keys: Keys): readonly Problem[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const rules: readonly (readonly [Rule, number | undefined, (bound: number) => boolean])[] = [
    ["minimum", minimum, (bound) => value >= bound],
    ["maximum", maximum, (bound) => value <= bound],
    ["above", exclusiveMinimum, (bound) => value > bound],
    ["below", exclusiveMaximum, (bound) => value < bound],
    ["multiple", multipleOf, (step) => Math.abs(value / step - Math.round(value / step)) < 1e-9],
  ];
  const broken = rules.find(([, bound, holds]) => bound !== undefined && !holds(bound));
  return broken ? [{ keys, rule: broken[0], values: { n: broken[1] as number } }] : [];
}

function checkList(schema: Schema, value: readonly unknown[], keys: Keys): readonly Problem[] {
  const { minItems, maxItems, uniqueItems, items } = schema;
  const own: Problem[] = [];
  if (minItems !== undefined && value.length < minItems) own.push({ keys, rule: "minItems", values: { n: minItems } });
  if (maxItems !== undefined && value.length > maxItems) own.push({ keys, rule: "maxItems", values: { n: maxItems } });
  if (uniqueItems && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    own.push({ keys, rule: "unique" });
  if (items === undefined || Array.isArray(items)) return own;
  return [...own, ...value.flatMap((item, index) => check(items, item, [...keys, String(index)]))];
}

function checkObject(schema: Schema, value: Readonly<Record<string, unknown>>, keys: Keys): readonly Problem[] {
  return membersOf(schema, value).flatMap(({ key, schema: member, isFree, isRequired }): readonly Problem[] => {
    const place = [...keys, key];
    if (isRequired && !Object.hasOwn(value, key)) return [{ keys: place, rule: "needed" }];
    if (isFree && schema.additionalProperties === false && freeSchema(schema, key) === undefined)
      return [{ keys: place, rule: "unknown" }];
    return Object.hasOwn(value, key) ? check(member, value[key], place) : [];
  });
}
