/** A bounded queue between a socket and the one loop that reads it: when it is full the socket is paused, nothing is dropped. */

export interface InboxOptions {
  readonly limit: number;
  pause(): void;
  resume(): void;
}

export class Inbox<T> {
  readonly #options: InboxOptions;
  readonly #queue: T[] = [];
  #waiting: ((result: IteratorResult<T>) => void) | undefined;
  #ended = false;
  #paused = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  push(value: T): void {
    if (this.#ended) return;
    if (this.#waiting) {
      const deliver = this.#waiting;
      this.#waiting = undefined;
      deliver({ value, done: false });
      return;
    }
    this.#queue.push(value);
    if (this.#queue.length >= this.#options.limit && !this.#paused) {
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
    const value = this.#queue.shift();
    if (this.#paused && this.#queue.length < this.#options.limit / 2) {
      this.#paused = false;
      this.#options.resume();
    }
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
