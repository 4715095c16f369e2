/**
 * Long blocks in pieces that can be drawn one after the other and look like the whole: paragraphs between two words, lists
 * between two items, tables between two rows, with their head again.
 */
import type { Token, Tokens } from "marked";

export interface Piece {
  readonly block: Token;
  /** So many characters of the text. */
  readonly size: number;
  /** More of the same block follows it. */
  readonly goesOn: boolean;
  /** What stands before the rest of the text, so that it means the same without what is before it. */
  readonly head: string;
}

export interface Cutting {
  /** The `head` that was put before the text; empty: none. */
  readonly head: string;
  lex(text: string): readonly Token[];
}

const most = 8_000;
/** What could belong to something that comes later. */
const open = /[*_~`[<\\]/;
/** Between two words, where no line could begin as anything else. */
const gap = /[\s\p{Script=Han}，。！？；：、](?=\p{L})/gu;

export function piecesOf(block: Token, { head, lex }: Cutting): readonly Piece[] {
  if (head !== "" && block.type === "table") return rows(block as Tokens.Table, head.length);
  if (block.raw.length <= most) return [whole(block)];
  if (block.type === "table") return rows(block as Tokens.Table, 0);
  if (block.type === "paragraph") return words(block as Tokens.Paragraph);
  if (block.type === "list") return items(block.raw).flatMap((raw) => lex(raw).map(whole));
  return [whole(block)];
}

/** The end of the text may show that this piece was something else. */
export function isUnsure({ block }: Piece): boolean {
  if (block.type !== "paragraph") return false;
  return (block as Tokens.Paragraph).tokens.some(({ type, raw }) => type === "text" && open.test(raw));
}

function whole(block: Token): Piece {
  return { block, size: block.raw.length, goesOn: false, head: "" };
}

/** `known`: so many characters were put before it. */
function rows(block: Tokens.Table, known: number): readonly Piece[] {
  const lines = block.raw.split(/(?<=\n)/);
  const head = lines.slice(0, 2).join("");
  const pieces: Piece[] = [];
  let from = 0;
  let size = head.length - known;
  for (const [index, line] of lines.slice(2).entries()) {
    size += line.length;
    if (size < most || index + 1 >= block.rows.length) continue;
    pieces.push({ block: { ...block, rows: block.rows.slice(from, index + 1) }, size, goesOn: true, head });
    from = index + 1;
    size = 0;
  }
  const rest = block.rows.slice(from);
  const last = rest.length === 0 ? { type: "space", raw: "" } : { ...block, rows: rest };
  return [...pieces, { block: last, size, goesOn: false, head: "" }];
}

function words(block: Tokens.Paragraph): readonly Piece[] {
  const pieces: Piece[] = [];
  let tokens: Token[] = [];
  let size = 0;
  for (const token of block.tokens) {
    let rest = token;
    while (size + rest.raw.length > most) {
      const cut = gapIn(rest, most - size);
      if (cut === 0) break;
      tokens.push(part(rest, 0, cut));
      pieces.push({ block: { ...block, tokens }, size: size + cut, goesOn: true, head: "" });
      rest = part(rest, cut);
      tokens = [];
      size = 0;
    }
    tokens.push(rest);
    size += rest.raw.length;
  }
  const before = pieces.reduce((sum, piece) => sum + piece.size, 0);
  return [...pieces, { block: { ...block, tokens }, size: block.raw.length - before, goesOn: false, head: "" }];
}

/** The last place within `room` where bare words can be cut, or the first one behind it; 0: there is none. */
function gapIn({ type, raw, text }: Token & { text?: string }, room: number): number {
  if (type !== "text" || text !== raw) return 0;
  const places = [...raw.matchAll(gap)].map(({ index }) => index + 1);
  return places.findLast((place) => place <= room) ?? places[0] ?? 0;
}

function part(token: Token, from: number, to?: number): Token {
  const raw = token.raw.slice(from, to);
  return { ...(token as Tokens.Text), raw, text: raw };
}

/** At the last item at the margin that begins within each piece. */
function items(raw: string): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  while (raw.length - from > most) {
    const begins = raw.slice(from, from + most).matchAll(/\n(?=(?:[-*+]|\d+[.)]) )/g);
    const cut = ([...begins].at(-1)?.index ?? -1) + 1;
    if (cut <= 0) break;
    pieces.push(raw.slice(from, from + cut));
    from += cut;
  }
  return [...pieces, raw.slice(from)];
}
