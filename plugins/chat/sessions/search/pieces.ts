/** A message as the text index holds it: long ones in pieces, each under a number that says which message and which piece. */
import { plainText } from "../plain-text.ts";
import { toMessage } from "../tables.ts";

/** Pieces of one message; what is longer than all of them is not found by its end. */
const maxPieces = 64;
const pieceChars = 8_192;
/** So that a word at a seam is whole in one of them. */
const overlapChars = 64;

export interface TextRow {
  readonly seq: number;
  readonly role: string;
  readonly content: string;
}

export function piecesOf(row: TextRow): { id: number; text: string }[] {
  const text = textOf(row);
  const pieces: { id: number; text: string }[] = [];
  for (let piece = 0; piece < maxPieces && piece * pieceChars < text.length; piece++) {
    const from = piece * pieceChars;
    pieces.push({ id: firstPiece(row.seq) + piece, text: text.slice(from, from + pieceChars + overlapChars) });
  }
  return pieces;
}

/** The number of the first piece of a message: all that follow are its own or of later messages. */
export function firstPiece(seq: number): number {
  return seq * maxPieces;
}

/** The piece that a number of `piecesOf` means. */
export function pieceAt(id: number): { seq: number; from: number; until: number } {
  const from = (id % maxPieces) * pieceChars;
  return { seq: Math.floor(id / maxPieces), from, until: from + pieceChars + overlapChars };
}

/** Also of a row that was cut in the middle. */
export function textOf({ role, content }: TextRow): string {
  const message = toMessage({ role, content, tool_calls: null, tool_call_id: null });
  const text = plainText(message.content);
  return text === content ? textOfCut(content) : text;
}

const firstText = /^\[\{"type":"text","text":"([^"\\]*(?:\\.[^"\\]*)*)/;

/** Of JSON that ends in the middle: what is said in it before the first picture. */
function textOfCut(content: string): string {
  const said = content.startsWith('[{"type":') ? (firstText.exec(content)?.[1] ?? "") : content.replace(/^"/, "");
  return said.replaceAll(/\\[nrt"]/g, " ");
}
