/** Bytes to lines, in bounded memory: a line that is too long or no UTF-8 is told of and passed over, never held or guessed at. */
import { isUtf8 } from "node:buffer";

/** ClawGo's own limit. */
export const maxLineBytes = 8 * 1024 * 1024;

/** `number` is 1-based. */
export type Line = { readonly number: number } & ({ readonly text: string } | { readonly problem: string });

/** Blank lines are left out but count. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncIterable<Line> {
  let number = 0;
  let held: Uint8Array[] = [];
  let size = 0;
  const end = (): Line => {
    number += 1;
    const read = size > maxLineBytes ? { problem: `it is longer than ${maxLineBytes} bytes` } : decoded(held);
    held = [];
    size = 0;
    return { number, ...read };
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      hold(chunk.subarray(from, at));
      const line = end();
      if (!isBlank(line)) yield line;
      from = at + 1;
    }
    hold(chunk.subarray(from));
  }
  const last = end();
  if (!isBlank(last)) yield last;

  function hold(piece: Uint8Array): void {
    size += piece.length;
    if (size > maxLineBytes) held = [];
    else if (piece.length > 0) held.push(piece);
  }
}

function isBlank(line: Line): boolean {
  return "text" in line && line.text === "";
}

function decoded(pieces: readonly Uint8Array[]): { text: string } | { problem: string } {
  const bytes = Buffer.concat(pieces);
  if (!isUtf8(bytes)) return { problem: "it is no UTF-8" };
  // A byte order mark goes with the blanks.
  return { text: bytes.toString("utf8").trim() };
}
