/** One lock per file: two edits at once lose nothing. Apart from everything else here, since it is there from the start. */

/** Runs work on one file after the other; different files do not wait for each other. */
export class FileLock {
  readonly #tails = new Map<string, Promise<unknown>>();

  async run<T>(file: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(file) ?? Promise.resolve();
    const mine = before.then(work);
    const tail = mine.catch(() => undefined);
    this.#tails.set(file, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(file) === tail) this.#tails.delete(file);
    }
  }
}
