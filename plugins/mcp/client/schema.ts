/**
 * A server's input schema, made safe to show and to validate with: written out without references, of bounded size, only
 * words whose cost is bounded. What a validator could choke or hang on (cycles, regular expressions, unknown types) is cut
 * or told in words; the server checks those itself. So what comes out takes all that the server takes, and perhaps more. A
 * schema that cannot be made safe is refused with the reason.
 */
import { isObject } from "@chela/sdk";
import { isPlain, plainWords } from "./plain.ts";

export type Schema = Readonly<Record<string, unknown>>;

const maxNodes = 2000;
const maxDepth = 24;
const maxChars = 64_000;
const maxTextChars = 2000;

const types: ReadonlySet<unknown> = new Set(["object", "array", "string", "number", "integer", "boolean", "null"]);
const numbers: ReadonlySet<string> = new Set(
  "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems minProperties maxProperties".split(
    " ",
  ),
);
const texts: ReadonlySet<string> = new Set(["title", "description", "format"]);
const values: ReadonlySet<string> = new Set(["const", "default"]);
const lists: ReadonlySet<string> = new Set(["anyOf", "allOf"]);
/** Left out, and no input is taken for it that was not taken before. */
const idle: ReadonlySet<string> = new Set(
  "$schema $id $anchor $comment $defs $ref definitions examples readOnly writeOnly deprecated contentEncoding contentMediaType".split(
    " ",
  ),
);

/** Says why a schema is refused. */
export class SchemaRefused extends Error {}

/** The schema of a tool's input. Throws `SchemaRefused`. */
export function boundSchema(raw: unknown): Schema {
  if (raw === undefined || raw === null) return { type: "object", properties: {} };
  if (!isObject(raw)) throw new SchemaRefused("its input schema is no object");
  const schema = new Walk(raw).copy(raw, 0, [raw]);
  if (schema.type !== undefined && schema.type !== "object")
    throw new SchemaRefused("its input schema describes something else than an object");
  const bounded = { ...schema, type: "object", properties: schema.properties ?? {} };
  if (JSON.stringify(bounded).length > maxChars)
    throw new SchemaRefused(`its input schema has more than ${maxChars} characters`);
  return bounded;
}

class Walk {
  readonly #root: Schema;
  #nodes = 0;
  /** How often something was left out that would have refused an input. */
  #cuts = 0;

  constructor(root: Schema) {
    this.#root = root;
  }

  /** `open` holds the referenced schemas that are being written out: another mention of one is a cycle. */
  copy(raw: unknown, depth: number, open: readonly unknown[]): Record<string, unknown> {
    this.#nodes += 1;
    if (this.#nodes > maxNodes) throw new SchemaRefused(`its input schema is larger than ${maxNodes} parts`);
    if (depth > maxDepth) throw new SchemaRefused(`its input schema is nested deeper than ${maxDepth} levels`);
    if (raw === true) return {};
    if (raw === false) return { not: {} };
    if (!isObject(raw)) throw new SchemaRefused("its input schema has a part that is no schema");
    const out: Record<string, unknown> = {};
    const remarks: string[] = [];
    const at = { depth, open, remarks };
    for (const [word, value] of Object.entries(raw)) {
      if (word === "oneOf") this.#oneOf(out, value, at);
      else if (word === "not") this.#not(out, value, at);
      else if (isOutgrown(word, raw)) this.#cuts += 1;
      else {
        const part = this.#part(word, value, at);
        if (part !== undefined) out[word] = part;
        else if (!idle.has(word)) this.#cuts += 1;
      }
    }
    const merged = typeof raw.$ref === "string" ? this.#withReference(out, raw.$ref, depth, open) : out;
    if (remarks.length === 0) return merged;
    return { ...merged, description: [merged.description, ...remarks].filter(Boolean).join(" ") };
  }

  #part(word: string, value: unknown, at: Place): unknown {
    if (word === "type") return typeWord(value);
    if (word === "enum") return choices(value);
    if (word === "required") return names(value);
    if (word === "properties") return this.#properties(value, at);
    if (word === "pattern") return void at.remarks.push(`Must match ${plainWords(value, 200)}`);
    if (word === "uniqueItems") return void (value === true && at.remarks.push("Items are unique."));
    if (word === "additionalProperties") return typeof value === "boolean" ? value : this.#below(value, at);
    if (word === "items") return Array.isArray(value) ? undefined : this.#below(value, at);
    if (lists.has(word)) return this.#list(word, value, at);
    if (texts.has(word)) return typeof value === "string" ? plainWords(value, maxTextChars) : undefined;
    if (numbers.has(word)) return typeof value === "number" && Number.isFinite(value) ? value : undefined;
    if (values.has(word)) return this.#value(value, at.depth);
    return undefined;
  }

  /** Two choices that lost what told them apart are both right. */
  #oneOf(out: Record<string, unknown>, value: unknown, at: Place): void {
    const before = this.#cuts;
    const choices = this.#list("oneOf", value, at);
    if (this.#cuts === before) out.oneOf = choices;
    else out.anyOf ??= choices;
  }

  /** Of something that takes more than it did, the opposite would take less. */
  #not(out: Record<string, unknown>, value: unknown, at: Place): void {
    const before = this.#cuts;
    const opposite = this.#below(value, at);
    if (this.#cuts === before) out.not = opposite;
  }

  #below(value: unknown, { depth, open }: Place): Schema {
    return this.copy(value, depth + 1, open);
  }

  #list(word: string, value: unknown, at: Place): unknown {
    if (!Array.isArray(value) || value.length === 0) throw new SchemaRefused(`its input schema has an empty ${word}`);
    return value.map((each) => this.#below(each, at));
  }

  #properties(value: unknown, at: Place): Schema {
    if (!isObject(value)) throw new SchemaRefused("its input schema has properties that are none");
    const entries = Object.entries(value).map(([name, schema]) => {
      if (name === "__proto__" || name.length > 256 || !isPlain(name))
        throw new SchemaRefused("its input schema has a property whose name is not plain text");
      return [name, this.#below(schema, at)] as const;
    });
    return Object.fromEntries(entries);
  }

  /** A part of plain data, counted like the schema's own. */
  #value(value: unknown, depth: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > maxNodes || depth > maxDepth) throw new SchemaRefused("its input schema holds too much data");
    if (typeof value === "string") return value.length > maxTextChars ? undefined : value;
    if (Array.isArray(value)) return value.map((each) => this.#value(each, depth + 1));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#value(each, depth + 1)]));
  }

  /** What it refers to, written out; where that began further up, anything goes. */
  #withReference(own: Record<string, unknown>, reference: string, depth: number, open: readonly unknown[]) {
    const target = this.#find(reference);
    if (open.includes(target)) {
      this.#cuts += 1;
      return own;
    }
    const referred = this.copy(target, depth, [...open, target]);
    const collides = Object.keys(own).some((word) => Object.hasOwn(referred, word) && !texts.has(word));
    return collides ? { allOf: [referred, own] } : { ...referred, ...own };
  }

  #find(reference: string): unknown {
    if (reference === "#") return this.#root;
    if (!reference.startsWith("#/")) throw new SchemaRefused("its input schema refers to another document");
    let node: unknown = this.#root;
    for (const part of decoded(reference.slice(2)).split("/")) {
      const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
      const there = Array.isArray(node)
        ? /^\d+$/.test(key) && Number(key) < node.length
        : isObject(node) && Object.hasOwn(node, key);
      if (!there) throw new SchemaRefused("its input schema refers to a part that is not there");
      node = (node as Record<string, unknown>)[key];
    }
    return node;
  }
}

interface Place {
  readonly depth: number;
  readonly open: readonly unknown[];
  readonly remarks: string[];
}

/** It is about what another word leaves over, and that word is left out. */
function isOutgrown(word: string, raw: Schema): boolean {
  if (word === "additionalProperties") return Object.hasOwn(raw, "patternProperties");
  return word === "items" && Object.hasOwn(raw, "prefixItems");
}

function typeWord(value: unknown): unknown {
  const words = Array.isArray(value) ? value : [value];
  if (words.length > 0 && words.every((word) => types.has(word)))
    return Array.isArray(value) ? [...new Set(words)] : value;
  throw new SchemaRefused("its input schema names a type that is none");
}

function choices(value: unknown): unknown {
  if (!Array.isArray(value) || value.length === 0 || value.length > 500)
    throw new SchemaRefused("its input schema has an enum of no or too many values");
  const plain = value.filter((each) => each === null || ["string", "number", "boolean"].includes(typeof each));
  return plain.length === value.length ? [...new Set(plain)] : undefined;
}

function names(value: unknown): unknown {
  return Array.isArray(value)
    ? [...new Set(value.filter((each) => typeof each === "string"))].slice(0, 500)
    : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
