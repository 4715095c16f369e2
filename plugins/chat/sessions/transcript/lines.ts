/** Bytes to lines, in bounded memory: a line that is too long is told of and passed over, never held. */

/** ClawGo's own limit. */
export const maxLineBytes = 8 * 1024 * 1024;

export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Undefined: longer than `maxLineBytes`. */
  readonly text: string | undefined;
}

/** Blank lines are left out but count. Bytes that are no UTF-8 become replacement characters. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncIterable<Line> {
  let number = 0;
  let held: Uint8Array[] = [];
  let size = 0;
  const end = (): Line => {
    number += 1;
    const text = size > maxLineBytes ? undefined : decoded(held);
    held = [];
    size = 0;
    return { number, text };
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      hold(chunk.subarray(from, at));
      const line = end();
      if (line.text !== "") yield line;
      from = at + 1;
    }
    hold(chunk.subarray(from));
  }
  const last = end();
  if (last.text !== "") yield last;

  function hold(piece: Uint8Array): void {
    size += piece.length;
    if (size > maxLineBytes) held = [];
    else if (piece.length > 0) held.push(piece);
  }
}

function decoded(pieces: readonly Uint8Array[]): string {
  const text = Buffer.concat(pieces).toString("utf8").trim();
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
