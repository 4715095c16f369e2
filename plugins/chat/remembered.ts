/** What was found out about sessions, in bounded memory. Invariant: at most `most` entries; the one that was not set for the longest time goes first. */
export class Remembered<T> extends Map<string, T> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override set(session: string, value: T): this {
    this.delete(session);
    super.set(session, value);
    const [oldest] = this.keys();
    if (this.size > this.#most && oldest !== undefined) this.delete(oldest);
    return this;
  }
}
