/** The body of one reply on its way: what has arrived and was not read yet, counted in bytes, for one reader. */
export interface BodyOwner {
  /** The queue became this much longer or shorter. */
  queued(bytes: number): void;
  /** The reader left before the end. */
  left(): void;
}

export class ReplyBody implements AsyncIterable<Uint8Array> {
  readonly #owner: BodyOwner;
  #queue: Uint8Array[] = [];
  #bytes = 0;
  #waiting: { resolve(result: IteratorResult<Uint8Array>): void; reject(error: unknown): void } | undefined;
  #end: { readonly error: unknown } | undefined;
  #reading = false;
  /** Pieces handed over so far. */
  #taken = 0;

  constructor(owner: BodyOwner) {
    this.#owner = owner;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get taken(): number {
    return this.#taken;
  }

  push(piece: Uint8Array): void {
    if (this.#end || piece.length === 0) return;
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      this.#taken += 1;
      waiting.resolve({ value: piece, done: false });
      return;
    }
    this.#queue.push(piece);
    this.#count(piece.length);
  }

  /** What has arrived can still be read; with an error, it is thrown after it. */
  end(error?: unknown): void {
    if (this.#end) return;
    this.#end = { error };
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (error === undefined) waiting?.resolve({ value: undefined, done: true });
    else waiting?.reject(error);
  }

  /** Drops what nobody reads. */
  drop(error: unknown): void {
    this.end(error);
    this.#end = { error };
    this.#queue = [];
    this.#count(-this.#bytes);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#reading) throw new TypeError("the body of a relay's reply is read once");
    this.#reading = true;
    return {
      next: () => this.#next(),
      return: async () => {
        const early = this.#end === undefined;
        this.drop(undefined);
        if (early) this.#owner.left();
        return { value: undefined, done: true };
      },
    };
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    const piece = this.#queue.shift();
    if (piece) {
      this.#taken += 1;
      this.#count(-piece.length);
      return Promise.resolve({ value: piece, done: false });
    }
    if (!this.#end) {
      return new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    }
    const { error } = this.#end;
    this.#end = { error: undefined };
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (bytes !== 0) this.#owner.queued(bytes);
  }
}
