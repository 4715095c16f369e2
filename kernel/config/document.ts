/**
 * The text of the config file, parsed: JSON with comments and trailing commas. The only door to jsonc-parser. What comes
 * out has no key that reaches a prototype, is at most 64 levels deep, and knows where each value stands in the text.
 */
import { createHash } from "node:crypto";
import { GatewayError } from "@chela/sdk";
import { createScanner, getNodePath, type Node, type ParseError, parseTree } from "jsonc-parser";
import { formatPath } from "./paths.ts";
import { assertKey, maxDepth, type PlainObject } from "./values.ts";

/** A value in the text. Offsets count from the start of `body`. */
export type DocumentNode = Node;

export interface ConfigDocument {
  /** As on disk, with its byte order mark. */
  readonly text: string;
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  /** Without the byte order mark; what the offsets of `tree` mean. */
  readonly body: string;
  readonly tree: DocumentNode;
  /** The value: of a key written twice, the last one. */
  readonly raw: PlainObject;
  /** Paths of keys that are written more than once; of very many the first. */
  readonly duplicates: readonly string[];
}

const maxConfigBytes = 4 * 1024 * 1024;
/** One is enough to say that the file is not in order. */
const mostDuplicates = 100;

const mark = "\uFEFF";
/** Numbers of jsonc-parser's SyntaxKind, which is a const enum. */
const token = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  comma: 5,
  colon: 6,
  string: 10,
  number: 11,
  lineComment: 12,
  blockComment: 13,
  unknown: 16,
  eof: 17,
};
const tokenKinds: ReadonlyMap<number, "value" | "line" | "block"> = new Map([
  [token.string, "value"],
  [token.number, "value"],
  [token.unknown, "value"],
  [token.lineComment, "line"],
  [token.blockComment, "block"],
]);
/** By jsonc-parser's ParseErrorCode. */
const phrases: Readonly<Record<number, string>> = {
  1: "this is not JSON",
  2: "this is not a number",
  3: 'a key in double quotes is expected, or the closing "}"',
  4: "a value is expected",
  5: 'a ":" is expected',
  6: 'a "," is expected',
  7: 'the closing "}" is missing',
  8: 'the closing "]" is missing',
  9: "something follows the closing brace",
  10: "this is not a comment",
  11: "a comment is not closed",
  12: "a string is not closed",
  13: "a number is not finished",
  14: "a \\u escape needs four hex digits",
  15: "this escape is not JSON",
  16: "a control character must be written as an escape",
};

export function hashOf(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Stands for bytes that are not UTF-8; `parseDocument` says so. */
export const undecodable = "\uFFFF";

/** The text of the bytes; hashing it again gives the hash of the bytes, unless it is `undecodable`. */
export function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undecodable;
  }
}

/** Throws `CONFIG_SYNTAX` with `details {line, column}`, `CONFIG_KEY` or `CONFIG_SIZE`; `file` is for the sentence. */
export function parseDocument(text: string, file: string): ConfigDocument {
  assertSize(Buffer.byteLength(text), file);
  if (text === undecodable) throw syntaxError("", 0, file, "the file is not UTF-8 text; save it as UTF-8");
  const body = text.startsWith(mark) ? text.slice(1) : text;
  assertDepth(body, file);
  const errors: ParseError[] = [];
  const tree = parseTree(body, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (body.trim() === "") throw syntaxError(body, 0, file, "the file is empty; write {} or restore a backup");
  if (first) throw syntaxError(body, first.offset, file, phrases[first.error] ?? "this is not JSON");
  if (tree?.type !== "object") throw syntaxError(body, tree?.offset ?? 0, file, "the file must hold one object in { }");
  const duplicates: string[] = [];
  const raw = nodeValue(tree, duplicates) as PlainObject;
  return { text, hash: hashOf(text), body, tree, raw, duplicates };
}

/** The value of a node. `duplicates`, when given, collects the paths of keys that are written again. */
export function nodeValue(node: DocumentNode, duplicates?: string[]): unknown {
  const children = node.children ?? [];
  if (node.type === "array") return children.map((item) => nodeValue(item, duplicates));
  if (node.type !== "object") return node.value;
  const value: PlainObject = {};
  for (const property of children) {
    const [name, item] = property.children as [DocumentNode, DocumentNode];
    const key = name.value as string;
    assertKey(key, () => formatPath(pathOf(node)));
    if (duplicates && duplicates.length < mostDuplicates && Object.hasOwn(value, key))
      duplicates.push(formatPath([...pathOf(node), key]));
    value[key] = nodeValue(item, duplicates);
  }
  return value;
}

function pathOf(node: DocumentNode): string[] {
  return getNodePath(node).map(String);
}

/** Offset of the first comma between two offsets, comments skipped; -1 when there is none. */
export function commaBetween(body: string, from: number, to: number): number {
  const scanner = createScanner(body, true);
  scanner.setPosition(from);
  for (let kind: number = scanner.scan(); kind !== token.eof && scanner.getTokenOffset() < to; kind = scanner.scan()) {
    if (kind === token.comma) return scanner.getTokenOffset();
  }
  return -1;
}

/** What says something in a text that need not parse, with its place. */
export interface Token {
  readonly kind: "key" | "value" | "line" | "block";
  readonly start: number;
  readonly end: number;
  /** Of a string or a number that is whole; undefined for what is cut short, and for words that JSON does not know. */
  readonly text: string | undefined;
}

/** Strings, numbers, comments and what cannot be read. Punctuation, white space and words such as `true` are none. */
export function tokensOf(body: string): readonly Token[] {
  const tokens: Token[] = [];
  /** Index of the newest value that no colon named a key. */
  let value = -1;
  const scanner = createScanner(body, false);
  for (let kind: number = scanner.scan(); kind !== token.eof; kind = scanner.scan()) {
    const known = tokenKinds.get(kind);
    if (kind === token.colon && value >= 0) {
      tokens[value] = { ...(tokens[value] as Token), kind: "key" };
      value = -1;
    }
    if (known === undefined) continue;
    if (known === "value") value = tokens.length;
    const start = scanner.getTokenOffset();
    const sound = kind !== token.unknown && scanner.getTokenError() === 0;
    const text = sound ? scanner.getTokenValue() : undefined;
    tokens.push({ kind: known, start, end: start + scanner.getTokenLength(), text });
  }
  return tokens;
}

/** What a missing file reads as, and its hash: that of no bytes. */
export const missingHash = hashOf("");
export const missingDocument: ConfigDocument = { ...parseDocument("{}\n", "the file"), hash: missingHash };

/** Without recursion, before the recursive parser sees the text. */
function assertDepth(body: string, file: string): void {
  const scanner = createScanner(body, true);
  let depth = 0;
  for (let kind: number = scanner.scan(); kind !== token.eof; kind = scanner.scan()) {
    if (kind === token.openBrace || kind === token.openBracket) depth += 1;
    else if (kind === token.closeBrace || kind === token.closeBracket) depth -= 1;
    if (depth > maxDepth) {
      throw syntaxError(body, scanner.getTokenOffset(), file, `values are nested deeper than ${maxDepth} levels`);
    }
  }
}

/** Throws `CONFIG_SIZE`. */
export function assertSize(bytes: number, file: string): void {
  if (bytes <= maxConfigBytes) return;
  throw new GatewayError("CONFIG_SIZE", 413, `${file} has ${bytes} bytes; a config has at most ${maxConfigBytes}`);
}

function syntaxError(body: string, offset: number, file: string, what: string): GatewayError {
  const before = body.slice(0, offset).split(/\r\n|\r|\n/);
  const line = before.length;
  const column = (before.at(-1) as string).length + 1;
  const message = `${file} does not parse at line ${line}, column ${column}: ${what}`;
  return new GatewayError("CONFIG_SYNTAX", 400, message, { line, column }, { cause: what });
}
