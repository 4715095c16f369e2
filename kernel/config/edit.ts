/**
 * Minimal text edits: turns a document into one that holds another value, and touches only what differs. Comments, order,
 * indentation, line ends, number spellings and unknown keys stay; a comment goes only with the object it stands in.
 */
import { isDeepStrictEqual } from "node:util";
import { GatewayError, isObject } from "@chela/sdk";
import { type ConfigDocument, commaBetween, type DocumentNode, nodeValue, parseDocument } from "./document.ts";
import type { PlainObject } from "./values.ts";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Draft {
  readonly body: string;
  /** The whole file is one line, and not the empty object. */
  readonly isOneLine: boolean;
  /** Written without a space behind the colons. */
  readonly isTight: boolean;
  readonly eol: string;
  readonly unit: string;
  readonly edits: Edit[];
}

/** What happens to the members of one object or array. */
interface Surgery {
  readonly node: DocumentNode;
  /** By index of the member. */
  readonly removed: readonly boolean[];
  readonly added: readonly { readonly key: string | null; readonly value: unknown }[];
}

/** The document with `target` as its value; itself where that is what it holds. */
export function rewrite(document: ConfigDocument, target: PlainObject): ConfigDocument {
  const { body, raw, tree, text } = document;
  if (isDeepStrictEqual(raw, target)) return document;
  const draft: Draft = {
    body,
    isOneLine: body.trim() !== "{}" && !body.trim().includes("\n"),
    isTight: !body.includes('": '),
    eol: body.includes("\r\n") ? "\r\n" : "\n",
    unit: indentUnit(document),
    edits: [],
  };
  change(draft, tree, target, false);
  const next = parseDocument(text.slice(0, text.length - body.length) + applied(draft), "the edited config");
  if (!isDeepStrictEqual(next.raw, target)) {
    throw new GatewayError("CONFIG_EDIT", 500, "the config text could not be edited safely; nothing was written");
  }
  return next;
}

function change(draft: Draft, node: DocumentNode, value: unknown, inline: boolean): void {
  if (node.type === "object" && isObject(value)) changeObject(draft, node, value);
  else if (node.type === "array" && Array.isArray(value)) changeArray(draft, node, value);
  else if (!isDeepStrictEqual(nodeValue(node), value)) {
    const text = print(draft, value, inline ? "" : lineIndent(draft.body, node.offset), inline);
    draft.edits.push({ start: node.offset, end: endOf(node), text });
  }
}

/** Of a key written twice the last one counts: that one is changed; removing a key removes all of them. */
function changeObject(draft: Draft, node: DocumentNode, value: PlainObject): void {
  const members = node.children ?? [];
  const counts = new Map(members.map((member) => [keyOf(member), member]));
  const inline = isInline(draft, node);
  for (const [key, member] of counts) {
    if (Object.hasOwn(value, key))
      change(draft, (member.children as DocumentNode[])[1] as DocumentNode, value[key], inline);
  }
  const removed = members.map((member) => !Object.hasOwn(value, keyOf(member)));
  const added = Object.entries(value).filter(([key]) => !counts.has(key));
  operate(draft, { node, removed, added: added.map(([key, item]) => ({ key, value: item })) });
}

/** Same length: item by item. Else: items that come next in the new value stay, the others go, the rest is appended. */
function changeArray(draft: Draft, node: DocumentNode, value: readonly unknown[]): void {
  const members = node.children ?? [];
  if (members.length === value.length) {
    const inline = isInline(draft, node);
    for (const [index, member] of members.entries()) change(draft, member, value[index], inline);
    return;
  }
  let kept = 0;
  const removed = members.map((member) => {
    const stays = kept < value.length && isDeepStrictEqual(nodeValue(member), value[kept]);
    if (stays) kept += 1;
    return !stays;
  });
  operate(draft, { node, removed, added: value.slice(kept).map((item) => ({ key: null, value: item })) });
}

function operate(draft: Draft, { node, removed, added }: Surgery): void {
  if (added.length === 0 && !removed.includes(true)) return;
  const members = node.children ?? [];
  const close = endOf(node) - 1;
  const commas = members.map((member, index) =>
    commaBetween(draft.body, endOf(member), members[index + 1]?.offset ?? close),
  );
  members.forEach((member, index) => {
    if (removed[index]) cut(draft, member, commas[index] as number);
  });
  const last = removed.lastIndexOf(false);
  const lastComma = commas[last] ?? -1;
  const trailing = (commas.at(-1) ?? -1) >= 0;
  if (added.length > 0) insert(draft, { node, removed, added }, { last, lastComma, trailing });
  else if (last >= 0 && last < members.length - 1 && !trailing) {
    draft.edits.push({ start: lastComma, end: lastComma + 1, text: "" });
  }
}

/** Adds members after the last one that stays, on the far side of the comment that ends its line. */
function insert(draft: Draft, surgery: Surgery, place: { last: number; lastComma: number; trailing: boolean }): void {
  const { body, eol, edits } = draft;
  const { node, added } = surgery;
  const members = node.children ?? [];
  const inline = isInline(draft, node);
  const base = lineIndent(body, node.offset);
  const indent = members[0] && !inline ? lineIndent(body, members[0].offset) : base + draft.unit;
  const space = isTight(draft, node) ? "" : " ";
  const printed = added.map(({ key, value }) => {
    const text = print(draft, value, indent, inline);
    return key === null ? text : `${JSON.stringify(key)}:${space}${text}`;
  });
  const gap = inline ? space : eol + indent;
  const lastMember = members[place.last];
  if (lastMember) {
    if (place.lastComma < 0) edits.push({ start: endOf(lastMember), end: endOf(lastMember), text: "," });
    const at = afterComments(body, place.lastComma < 0 ? endOf(lastMember) : place.lastComma + 1, inline);
    edits.push({ start: at, end: at, text: gap + printed.join(`,${gap}`) + (place.trailing ? "," : "") });
    return;
  }
  const close = endOf(node) - 1;
  if (members.length > 0) {
    const at = afterComments(body, node.offset + 1, inline);
    edits.push({ start: at, end: at, text: gap + printed.join(`,${gap}`) });
    return;
  }
  const inner = body.slice(node.offset + 1, close).trimEnd();
  const start = node.offset + 1 + inner.length;
  edits.push({ start, end: close, text: gap + printed.join(`,${gap}`) + (inline ? gap : eol + base) });
}

/** Takes out a member and its comma; the whole line when nothing else is on it. Comments beside it stay. */
function cut(draft: Draft, member: DocumentNode, comma: number): void {
  const { body, edits } = draft;
  let end = endOf(member);
  if (comma >= 0) {
    if (body.slice(end, comma).trim() === "") end = comma + 1;
    else edits.push({ start: comma, end: comma + 1, text: "" });
  }
  const lineStart = body.lastIndexOf("\n", member.offset - 1) + 1;
  const restOfLine = /[ \t]*(\r?\n)?/y;
  restOfLine.lastIndex = end;
  const rest = restOfLine.exec(body) as RegExpExecArray;
  const alone = rest[1] !== undefined && body.slice(lineStart, member.offset).trim() === "";
  if (alone) edits.push({ start: lineStart, end: end + rest[0].length, text: "" });
  else edits.push({ start: member.offset, end: end + (rest[1] === undefined ? rest[0].length : 0), text: "" });
}

function applied(draft: Draft): string {
  const edits = draft.edits.sort((a, b) => a.start - b.start || a.end - b.end);
  let text = "";
  let at = 0;
  for (const edit of edits) {
    text += draft.body.slice(at, Math.max(at, edit.start)) + edit.text;
    at = Math.max(at, edit.end);
  }
  return text + draft.body.slice(at);
}

function print(draft: Draft, value: unknown, indent: string, inline: boolean): string {
  if (inline) return JSON.stringify(value);
  return JSON.stringify(value, null, draft.unit).replaceAll("\n", draft.eol + indent);
}

/** Past the comments that follow on the same line; where it began when there are none. Nothing inline goes behind `//`. */
function afterComments(body: string, from: number, inline: boolean): number {
  const blocks = /(?:[ \t]*\/\*(?:[^*\r\n]|\*(?!\/))*\*\/)*/y;
  blocks.lastIndex = from;
  const end = from + (blocks.exec(body)?.[0].length ?? 0);
  const line = /[ \t]*\/\/[^\r\n]*/y;
  line.lastIndex = end;
  return inline ? end : end + (line.exec(body)?.[0].length ?? 0);
}

/** One-line style: the first member stands on the line of the opening brace, or the whole file is one line. */
function isInline({ body, isOneLine }: Draft, node: DocumentNode): boolean {
  const first = node.children?.[0];
  return first ? !body.slice(node.offset, first.offset).includes("\n") : isOneLine;
}

/** Written without spaces, as programs do. */
function isTight(draft: Draft, node: DocumentNode): boolean {
  return draft.isTight && isInline(draft, node) && !/^[{[]\s|":\s|,\s/.test(draft.body.slice(node.offset, endOf(node)));
}

function indentUnit({ body, tree }: ConfigDocument): string {
  const first = tree.children?.[0];
  const indent = first && body.slice(tree.offset, first.offset).includes("\n") ? lineIndent(body, first.offset) : "";
  return indent === "" ? "  " : indent;
}

function lineIndent(body: string, offset: number): string {
  const line = body.slice(body.lastIndexOf("\n", offset - 1) + 1, offset);
  return (/^[ \t]*/.exec(line) as RegExpExecArray)[0];
}

function endOf(node: DocumentNode): number {
  return node.offset + node.length;
}

function keyOf(member: DocumentNode): string {
  return member.children?.[0]?.value as string;
}
