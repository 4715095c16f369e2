/** The last bytes of an output, with their place in the whole: a reader goes on where it stopped, and learns what it missed. */

export interface RingRead {
  readonly text: string;
  /** Offset to go on from. */
  readonly next: number;
  /** Bytes before `text` that are gone. */
  readonly missed: number;
}

export class Ring {
  readonly #max: number;
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes ever pushed. */
  #end = 0;

  constructor(maxBytes: number) {
    this.#max = maxBytes;
  }

  push(part: Buffer): void {
    this.#end += part.length;
    // A copy: a slice would hold the whole chunk it was cut from.
    this.#parts.push(Buffer.from(part.subarray(-this.#max)));
    this.#size += Math.min(part.length, this.#max);
    if (this.#size <= this.#max * 2 && this.#parts.length < 512) return;
    this.#join();
  }

  /** At most `maxBytes` from `from` on; a character that is cut in two is left for the next read. */
  read(from: number, maxBytes: number): RingRead {
    const bytes = this.#join();
    const begin = this.#end - bytes.length;
    const at = Math.min(Math.max(from, begin), this.#end);
    const piece = bytes.subarray(at - begin, at - begin + maxBytes);
    const whole = at + piece.length < this.#end ? wholeCharacters(piece) : piece.length;
    return {
      text: piece.toString("utf8", 0, whole),
      next: at + whole,
      missed: Math.max(0, begin - Math.max(0, from)),
    };
  }

  #join(): Buffer {
    const bytes = Buffer.concat(this.#parts).subarray(-this.#max);
    this.#parts = [bytes];
    this.#size = bytes.length;
    return bytes;
  }
}

/** Length without the beginning of a character at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length - 1); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (byte >= 0xc0) return bytes.length - back;
    if (byte < 0x80) return bytes.length;
  }
  return bytes.length;
}
