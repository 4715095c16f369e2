/**
 * What the build puts in typebox's place for the built-in plugins and the kernel: the builders that they call, giving the
 * same JSON. typebox's own mark each schema for its other builders, which hang together so that one brings them all.
 */
const optional = "~optional";

const typed = (type) => (options) => ({ type, ...options });

export const Type = {
  Array: (items, options) => ({ type: "array", items, ...options }),
  Boolean: typed("boolean"),
  Integer: typed("integer"),
  Intersect: (allOf, options) => ({ allOf, ...options }),
  Literal: (value, options) => ({ type: typeof value, const: value, ...options }),
  Null: typed("null"),
  Number: typed("number"),
  Object(properties, options) {
    const required = Object.keys(properties).filter((key) => properties[key][optional] !== true);
    return { type: "object", ...(required.length > 0 && { required }), properties, ...options };
  },
  /** The mark is no part of the JSON, and stays behind where a schema is spread into another one. */
  Optional: (schema) => Object.defineProperty({ ...schema }, optional, { value: true }),
  /** With text as keys; that is the one kind of record that we have. */
  Record: (_key, value, options) => ({ type: "object", patternProperties: { "^.*$": value }, ...options }),
  String: typed("string"),
  Union: (anyOf, options) => ({ anyOf, ...options }),
  Unknown: (options) => ({ ...options }),
  Unsafe: (schema) => ({ ...schema }),
};
