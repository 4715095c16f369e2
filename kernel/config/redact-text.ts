/**
 * Redaction of text: a version of the file with its secrets masked in place. Of a text that does not parse only those words
 * are shown that are known to be harmless, since nobody can tell what the others are. A mark that names the place of what
 * it covers (`__CHELA_REDACTED__@120`) can be taken back in an edited text, wherever it stands by then.
 */
import { isObject, redactedMark } from "@chela/sdk";
import { type ConfigDocument, parseDocument, type Token, tokensOf, undecodable } from "./document.ts";
import { redact, secretsIn } from "./redact.ts";
import { branches, type Schema } from "./schema-walk.ts";
import { holdsAny, isTellingComment, leavesOf, nodeShape, secretsAmong } from "./secret-walk.ts";
import type { Snapshot } from "./snapshot.ts";
import { oncePer } from "./values.ts";

type Cover = Pick<Token, "kind" | "start" | "end">;
type Known = Pick<Snapshot, "raw" | "merged" | "schema">;

/** For people who compare or look back. Comments that look like a secret are masked too. */
export function redactText(text: string, known: Known, document = parsed(text)): string {
  const { body, covers } = coversOf(text, known, document);
  return covered(body, covers, () => redactedMark);
}

/**
 * For somebody who sends the text back. A value is found again by its path, so its mark is plain; what has none (a
 * comment, anything in a text that does not parse, a key written twice) gets one with its place.
 */
export function maskText(text: string, known: Known, document = parsed(text)): string {
  const { body, covers, paths } = coversOf(text, known, document);
  return covered(body, covers, ({ kind, start }) =>
    paths && kind === "value" ? redactedMark : `${redactedMark}@${start}`,
  );
}

/** What `maskText` covers by a mark with a place, by that place. */
export function placesIn(text: string, known: Known, document = parsed(text)): ReadonlyMap<number, Token> {
  const { body, covers, paths } = coversOf(text, known, document);
  const marked = new Set(covers.filter(({ kind }) => !(paths && kind === "value")).map(({ start }) => start));
  const tokens = marked.size === 0 ? [] : tokensOf(body).filter(({ start }) => marked.has(start));
  return new Map(tokens.map((token) => [token.start, token]));
}

interface Covers {
  /** Without the byte order mark; empty for bytes that are no text. */
  readonly body: string;
  readonly covers: readonly Cover[];
  /** A path leads to one value. */
  readonly paths: boolean;
}

function coversOf(text: string, known: Known, document: ConfigDocument | undefined): Covers {
  if (document) {
    const { body, duplicates } = document;
    return { body, covers: secretPlaces(document, known), paths: duplicates.length === 0 };
  }
  const body = text === undecodable ? "" : text.replace(/^\uFEFF/, "");
  return { body, covers: doubtful(body, known), paths: false };
}

function secretPlaces({ body, tree }: ConfigDocument, known: Known): Cover[] {
  const leaves = leavesOf(nodeShape, tree, known.schema);
  const secrets = new Set([...secretsAmong(leaves), ...secretsIn(known)]);
  const hits = leaves.filter(({ value, hidden }) => hidden || holdsAny(value, secrets));
  const values = hits.map(({ at }): Cover => ({ kind: "value", start: at.offset, end: at.offset + at.length }));
  const comments = tokensOf(body).filter(isComment);
  return [...values, ...comments.filter(({ start, end }) => isMasked(body.slice(start, end), secrets))];
}

function isComment({ kind }: Pick<Token, "kind">): boolean {
  return kind === "line" || kind === "block";
}

function isMasked(comment: string, secrets: ReadonlySet<string>): boolean {
  return comment.includes(redactedMark) || isTellingComment(comment) || holdsAny(comment, secrets);
}

/** A comment with a quote in it may have swallowed a part of the config. */
function doubtful(body: string, known: Known): Cover[] {
  const secrets = secretsIn(known);
  const harmless = harmlessWords(known);
  return tokensOf(body).filter((token) => {
    const { start, end, text } = token;
    if (!isComment(token)) return text === undefined || !harmless.has(text);
    return text === undefined || text.includes('"') || isMasked(body.slice(start, end), secrets);
  });
}

/** Keys and values that everybody may see in the version that runs, and the words of the schemas. */
const harmlessWords = oncePer((known: Known): ReadonlySet<string> => {
  const words = new Set<string>();
  collect(redact(known.raw, known.schema, secretsIn(known)), words);
  for (const word of schemaWords(known.schema)) words.add(word);
  words.delete(redactedMark);
  return words;
});

function collect(value: unknown, words: Set<string>): void {
  if (typeof value === "string" || typeof value === "number") words.add(String(value));
  else if (Array.isArray(value)) for (const item of value) collect(item, words);
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      words.add(key);
      collect(item, words);
    }
  }
}

const schemaWords = oncePer((schema: Schema): ReadonlySet<string> => {
  const words = new Set<string>();
  for (const branch of branches([schema])) {
    const { properties, patternProperties, additionalProperties, items } = branch;
    for (const known of [branch.const, branch.enum]) collect(known, words);
    if (isObject(properties)) for (const key of Object.keys(properties)) words.add(key);
    const inner = [properties, patternProperties].flatMap((group) => (isObject(group) ? Object.values(group) : []));
    for (const child of [...inner, additionalProperties, items].filter(isObject)) {
      for (const word of schemaWords(child)) words.add(word);
    }
  }
  return words;
});

function covered(body: string, covers: readonly Cover[], mark: (cover: Cover) => string): string {
  let shown = "";
  let at = 0;
  for (const cover of [...covers].sort((a, b) => a.start - b.start)) {
    shown += body.slice(at, cover.start) + spelled(cover, mark(cover));
    at = cover.end;
  }
  return shown + body.slice(at);
}

function spelled(cover: Cover, mark: string): string {
  if (!isComment(cover)) return `"${mark}"`;
  return cover.kind === "line" ? `// ${mark}` : `/* ${mark} */`;
}

/** Undefined for a text that does not parse. */
export function parsed(text: string): ConfigDocument | undefined {
  try {
    return parseDocument(text, "the file");
  } catch {
    return undefined;
  }
}
