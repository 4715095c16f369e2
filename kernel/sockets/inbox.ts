/**
 * A queue between a socket and the one loop that reads it, bounded in frames and in bytes: when it is full the socket is
 * paused, nothing is dropped.
 */

export interface InboxOptions {
  /** Frames. */
  readonly limit: number;
  readonly maxBytes: number;
  pause(): void;
  resume(): void;
}

export class Inbox<T> {
  readonly #options: InboxOptions;
  readonly #queue: { readonly value: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #waiting: ((result: IteratorResult<T>) => void) | undefined;
  #ended = false;
  #paused = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  push(value: T, bytes: number): void {
    if (this.#ended) return;
    if (this.#waiting) {
      const deliver = this.#waiting;
      this.#waiting = undefined;
      deliver({ value, done: false });
      return;
    }
    this.#queue.push({ value, bytes });
    this.#bytes += bytes;
    if (!this.#paused && this.#reaches(1)) {
      this.#paused = true;
      this.#options.pause();
    }
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.({ value: undefined, done: true });
    this.#waiting = undefined;
  }

  iterate(): AsyncIterableIterator<T> {
    const iterator: AsyncIterableIterator<T> = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => this.#next(),
      return: async () => ({ value: undefined, done: true }),
    };
    return iterator;
  }

  #next(): Promise<IteratorResult<T>> {
    const next = this.#queue.shift();
    this.#bytes -= next?.bytes ?? 0;
    if (this.#paused && !this.#reaches(0.5)) {
      this.#paused = false;
      this.#options.resume();
    }
    if (next !== undefined) return Promise.resolve({ value: next.value, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** True from this share of either bound on. */
  #reaches(share: number): boolean {
    const { limit, maxBytes } = this.#options;
    return this.#queue.length >= limit * share || this.#bytes >= maxBytes * share;
  }
}
