/** Lines out of chunks of bytes. A line beyond the limit is not kept: its beginning and end are told instead, once it is over. */

export interface Line {
  readonly text: string;
  /** Above zero: the line had that many bytes, and `text` is only how it began and ended. */
  readonly oversize: number;
}

const sampleBytes = 512;

export class Lines {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #size = 0;
  #head: Buffer | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *push(chunk: Buffer): Generator<Line> {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#keep(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = this.#take();
      if (line.text.trim() !== "") yield line;
    }
    this.#keep(rest);
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#size += part.length;
    this.#parts.push(part);
    if (this.#size <= this.#maxBytes) return;
    const all = Buffer.concat(this.#parts);
    this.#head ??= Buffer.from(all.subarray(0, sampleBytes));
    this.#parts = [Buffer.from(all.subarray(-sampleBytes))];
  }

  #take(): Line {
    const tail = Buffer.concat(this.#parts).toString("utf8");
    const line = this.#head
      ? { text: `${this.#head.toString("utf8")}\n${tail}`, oversize: this.#size }
      : { text: tail, oversize: 0 };
    this.#parts = [];
    this.#size = 0;
    this.#head = undefined;
    return line;
  }
}
