/** Work on one key runs one after the other, in the order it came; other keys do not wait for it, and a key at rest costs nothing. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<unknown>>();

  /** What `work` returns or throws. One that fails does not stop the next. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const mine = before ? before.then(work, work) : work();
    this.#last.set(key, mine);
    const forget = () => {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  }
}
