/** Work on one key runs one after another, in the order it came; different keys do not wait for each other. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const done = before.then(work, work);
    const settled = done
      .catch(() => undefined)
      .then(() => void (this.#last.get(key) === settled && this.#last.delete(key)));
    this.#last.set(key, settled);
    return done;
  }
}
