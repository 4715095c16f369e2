/** What the schema of the live sections says to whoever edits the config: keys, values, and what they mean. */
import type { EditorAssist, EditorCompletion } from "../../parts/editor.ts";
import type { Schema } from "../../parts/schema-form/schema.ts";
import { type JsonPlace, placeAt } from "./json-place.ts";
import { aboutOf, defaultOf, namedKeys, namedValues, schemasAt, shapeOf, typesOf } from "./schema.ts";

type Known = () => Schema | undefined;

export interface AssistWords {
  /** What stands for a secret. */
  secret(): string;
  fallback(value: string): string;
  isDefault(): string;
  /** What a schema says, in the language of the page. */
  told(sentence: string): string;
}

const mark = /__CHELA_REDACTED__(?:@\d{1,8})?/g;

/** `known`: the schema, once it is there. */
export function configAssist(known: Known, words: AssistWords): EditorAssist {
  return {
    complete: (text, at, asked) => {
      const schema = known();
      const place = schema && placeAt(text, at);
      if (!schema || !place || (!asked && !isTyped(place, text))) return undefined;
      const options = place.kind === "key" ? keyOptions(schema, place, words) : valueOptions(schema, place, words);
      return { from: place.from, to: place.to, options: matching(options, place.typed) };
    },
    describe: (text, at) => {
      const schema = known();
      const place = schema && placeAt(text, at);
      if (!schema || !place || place.from === place.to) return undefined;
      const path = pathOf(place, text);
      const schemas = schemasAt(schema, path);
      if (schemas.length === 0) return undefined;
      return { from: place.from, to: place.to, title: path.join("."), about: aboutText(schemas, words) };
    },
    chip: secretChip(words.secret),
  };
}

/** In place of the mark that stands for a secret. */
export function secretChip(text: () => string): NonNullable<EditorAssist["chip"]> {
  return { pattern: mark, text };
}

/** A name was begun, if only by its quote. */
function isTyped({ from, to, typed }: JsonPlace, text: string): boolean {
  return typed !== "" || /^""?$/.test(text.slice(from, to));
}

function pathOf({ container, key, from, to }: JsonPlace, text: string): readonly string[] {
  return [...container, key ?? text.slice(from, to).replace(/^"|"$/g, "")];
}

function aboutText(schemas: readonly Schema[], words: AssistWords): string {
  const value = defaultOf(schemas);
  const isSmall = value !== undefined && value !== "" && JSON.stringify(value).length <= 200;
  const about = aboutOf(schemas);
  return [shapeOf(schemas), about && words.told(about), isSmall ? words.fallback(JSON.stringify(value)) : undefined]
    .filter((part) => part !== undefined && part !== "")
    .join(" · ");
}

/** What begins with the typed letters comes before what holds them. */
function matching(options: readonly EditorCompletion[], typed: string): readonly EditorCompletion[] {
  const word = typed.toLowerCase();
  const rank = ({ label }: EditorCompletion) => label.toLowerCase().replace(/^"/, "").indexOf(word);
  return options.filter((one) => rank(one) !== -1).sort((a, b) => Math.sign(rank(a)) - Math.sign(rank(b)));
}

function keyOptions(root: Schema, { container, siblings, next }: JsonPlace, words: AssistWords): EditorCompletion[] {
  const isNamed = next === ":";
  const comma = next === "" || next === "}" || next === "," ? "" : ",";
  return [...namedKeys(schemasAt(root, container))]
    .filter(([key]) => !siblings.has(key))
    .map(([key, schemas]) => {
      const facts = { label: key, kind: "property" as const, detail: shapeOf(schemas).slice(0, 40) };
      const said = aboutOf(schemas);
      const about = said && words.told(said);
      const name = JSON.stringify(key);
      if (isNamed) return { ...facts, ...(about && { about }), insert: name };
      const value = emptyValue(schemas);
      const insert = `${name}: ${value}${comma}`;
      const caret = name.length + 2 + (/^["{[]/.test(value) ? 1 : value.length);
      return { ...facts, ...(about && { about }), insert, caret };
    });
}

function emptyValue(schemas: readonly Schema[]): string {
  const value = defaultOf(schemas);
  if (typeof value === "number" || typeof value === "boolean") return JSON.stringify(value);
  const types = schemas.flatMap(typesOf);
  if (types.includes("object")) return "{}";
  if (types.includes("array")) return "[]";
  if (types.includes("string")) return '""';
  return types.includes("boolean") ? "false" : types.length > 0 ? "0" : "null";
}

function valueOptions(root: Schema, { container, key }: JsonPlace, words: AssistWords): EditorCompletion[] {
  const schemas = schemasAt(root, [...container, key ?? ""]);
  const fallback = defaultOf(schemas);
  const named = namedValues(schemas);
  const isPlain = fallback !== undefined && fallback !== null && typeof fallback !== "object" && fallback !== "";
  const all = named.length === 0 && isPlain ? [{ value: fallback }] : named;
  return all.map(({ value, ...rest }) => {
    const about = "about" in rest && rest.about !== undefined ? { about: words.told(rest.about) } : {};
    const detail = JSON.stringify(value) === JSON.stringify(fallback) ? { detail: words.isDefault() } : {};
    return { label: JSON.stringify(value), kind: "value", ...detail, ...about };
  });
}
