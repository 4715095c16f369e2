/** The last bytes of a body that passes by: chunks are kept as they are, text is made of them when it is asked for. */
const keptBytes = 4096;

export class Tail {
  #chunks: Uint8Array[] = [];
  #size = 0;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
    for (;;) {
      const rest = this.#size - (this.#chunks[0] as Uint8Array).byteLength;
      if (rest < keptBytes) break;
      this.#chunks.shift();
      this.#size = rest;
    }
  }

  /** Joined as text: bytes put together would be an allocation outside the heap for each stream. */
  text(bytes = keptBytes): string {
    let text = "";
    for (let at = this.#chunks.length - 1; at >= 0 && text.length < bytes; at--) {
      const chunk = asBuffer(this.#chunks[at] as Uint8Array);
      text = chunk.toString("latin1", Math.max(0, chunk.length - (bytes - text.length))) + text;
    }
    return text;
  }
}

/** The same bytes. */
export function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
