/** JSON Schemas in words: the type of a value, and the fields of an object as rows. */
import { code, prose } from "./markdown.mjs";

/** `integer from 1 to 200`, `one of "a", "b"`, `list of text`. */
export function typeText(schema) {
  const words = [baseText(schema), bounds(schema)].filter(Boolean).join(" ");
  return schema?.secret === true ? `${words}, secret` : words;
}

function baseText(schema) {
  if (schema === undefined || Object.keys(schema).every((word) => ["description", "default", "secret"].includes(word)))
    return "anything";
  if ("const" in schema) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(", ");
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return [...new Set(union.map(typeText))].join(union.every((one) => "const" in one) ? ", " : " or ");
  if (schema.allOf) return "object";
  if (schema.type === "array") return schema.items ? `list of ${plural(typeText(schema.items))}` : "list";
  if (schema.type === "object") {
    const record = schema.properties ? undefined : recordOf(schema);
    return record ? `object of ${plural(typeText(record))}` : "object";
  }
  return [schema.type ?? "anything"].flat().join(" or ");
}

function plural(text) {
  return text.replace(/\b(object|string|integer|number|boolean)\b/g, "$1s");
}

function bounds({ minimum, maximum, minLength, maxLength, minItems, maxItems } = {}) {
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `from ${minimum}`;
  if (maximum !== undefined) return `up to ${maximum}`;
  const least = minLength ?? minItems;
  const most = maxLength ?? maxItems;
  const unit = minLength !== undefined || maxLength !== undefined ? "characters" : "items";
  if (least !== undefined && most !== undefined && least > 0) return `(${least} to ${most} ${unit})`;
  if (most !== undefined) return `(at most ${most} ${unit})`;
  return least !== undefined && least > 1 ? `(at least ${least} ${unit})` : "";
}

/** The schema of a record's values; undefined when there is none, or when it says nothing. */
function recordOf({ patternProperties, additionalProperties }) {
  const value = Object.values(patternProperties ?? {})[0] ?? additionalProperties;
  return typeof value === "object" && Object.keys(value).length > 0 ? value : undefined;
}

/**
 * Every field of a schema, nested ones by their dotted path: `{path, schema, required}`. Objects whose fields are shown
 * have no row of their own, unless they say something about themselves.
 */
export function fields(schema, path = []) {
  if (schema === undefined || path.length > 8) return [];
  const parts = schema.allOf ?? schema.anyOf ?? schema.oneOf;
  if (parts) return merged(parts.flatMap((part) => fields(part, path)));
  if (schema.type === "array") return fields(schema.items, [...path, "[]"]);
  const record = schema.type === "object" ? recordOf(schema) : undefined;
  const declared = Object.entries(schema.properties ?? {}).flatMap(([key, child]) =>
    named(child, [...path, key], (schema.required ?? []).includes(key)),
  );
  return record ? [...declared, ...named(record, [...path, "<name>"], false)] : declared;
}

function named(schema, path, required) {
  const inner = fields(schema, path);
  const silent = inner.length > 0 && schema.description === undefined && schema.type === "object";
  return silent ? inner : [{ path, schema, required }, ...inner];
}

/** Alternatives that share a field tell of it once. */
function merged(rows) {
  const byPath = new Map();
  for (const row of rows) {
    const key = pathText(row.path);
    const before = byPath.get(key);
    byPath.set(key, before ? joined(before, row) : row);
  }
  return [...byPath.values()];
}

function joined(a, b) {
  if (JSON.stringify(a.schema) === JSON.stringify(b.schema)) return { ...a, required: a.required && b.required };
  return { path: a.path, required: a.required && b.required, schema: { anyOf: [a.schema, b.schema].flatMap(flat) } };
}

function flat(schema) {
  return schema.anyOf ?? [schema];
}

/** `messages[].content`, `models.providers.<name>.api_base`. */
export function pathText(path) {
  return path.reduce((text, key) => (key === "[]" ? `${text}[]` : text === "" ? key : `${text}.${key}`), "");
}

/** Rows `field, type, default, about` for a table; `must` stands where a field without a default has to be. */
export function fieldRows(schema, must = "required") {
  return fields(schema).map(({ path, schema: inner, required }) => [
    code(pathText(path)),
    typeText(inner),
    inner.default !== undefined ? code(JSON.stringify(inner.default)) : required ? must : "",
    prose(inner.description),
  ]);
}
