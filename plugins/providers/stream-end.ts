/**
 * Whether a stream that is passed on unread came to its end, told from its last bytes alone: `[DONE]`, a finish reason or
 * an error. Costs a look at the end of each chunk; text is made of the kept bytes once, when the stream ends.
 */
const keptBytes = 4096;
/** More than `data: [DONE]` and what may stand before and behind it. */
const doneBytes = 64;
const newline = 0x0a;
const carriageReturn = 0x0d;
const bracket = 0x5d;
const ending = /(?:^|\n)data: ?\[DONE\]|"finish_reason": ?"|(?:^|\n)(?:data: ?\{"error":|event: ?error)/;

export class StreamEnd {
  #chunks: Uint8Array[] = [];
  #size = 0;
  #done = false;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    for (;;) {
      const rest = this.#size - (this.#chunks[0] as Uint8Array).byteLength;
      if (rest < keptBytes) break;
      this.#chunks.shift();
      this.#size = rest;
    }
    if (endsInBracket(chunk)) this.#done = /(?:^|\n)data: ?\[DONE\]\s*$/.test(this.#last(doneBytes));
  }

  /** The last chunk ended with `[DONE]`: nothing more is worth waiting for. */
  get done(): boolean {
    return this.#done;
  }

  /** The upstream had said how the reply ends. */
  get told(): boolean {
    return this.#done || ending.test(this.#last(keptBytes));
  }

  /** Joined as text: bytes put together would be an allocation outside the heap for each stream. */
  #last(bytes: number): string {
    let text = "";
    for (let at = this.#chunks.length - 1; at >= 0 && text.length < bytes; at--) {
      const { buffer, byteOffset, byteLength } = this.#chunks[at] as Uint8Array;
      const chunk = Buffer.from(buffer, byteOffset, byteLength);
      text = chunk.toString("latin1", Math.max(0, byteLength - (bytes - text.length))) + text;
    }
    return text;
  }
}

/** Events of JSON end in a brace: almost every chunk is done with here. */
function endsInBracket(chunk: Uint8Array): boolean {
  let at = chunk.byteLength - 1;
  while (at >= 0 && (chunk[at] === newline || chunk[at] === carriageReturn)) at--;
  return at < chunk.byteLength - 1 && chunk[at] === bracket;
}
