/**
 * Tells whose rests are others now: some began, were ended, or are over by themselves. However many there are, a provider is told
 * of once in a moment.
 */

export interface RestNewsOptions {
  /** Every rest that ends by itself, and when: milliseconds from now. */
  readonly ends: () => Iterable<{ readonly provider: string; readonly ms: number }>;
  readonly tell: (provider: string) => void;
}

const togetherMs = 250;
/** No timer holds more than 24 days. */
const longestMs = 3_600_000;

export class RestNews {
  readonly #options: RestNewsOptions;
  readonly #changed = new Set<string>();
  #telling: NodeJS.Timeout | undefined;
  #ending: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RestNewsOptions) {
    this.#options = options;
  }

  changed(provider: string): void {
    if (this.#closed) return;
    this.#changed.add(provider);
    this.#telling ??= setTimeout(() => this.#tell(), togetherMs).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#telling);
    clearTimeout(this.#ending);
  }

  #tell(): void {
    this.#telling = undefined;
    const providers = [...this.#changed];
    this.#changed.clear();
    this.#await();
    for (const provider of providers) this.#options.tell(provider);
  }

  /** The next end; those that come right after it are told with it. */
  #await(): void {
    clearTimeout(this.#ending);
    const ends = [...this.#options.ends()];
    const next = Math.min(...ends.map(({ ms }) => ms)) + togetherMs;
    if (next === Number.POSITIVE_INFINITY) return;
    const due = ends.filter(({ ms }) => ms <= next && next <= longestMs);
    this.#ending = setTimeout(
      () => {
        for (const { provider } of due) this.changed(provider);
        if (due.length === 0) this.#await();
      },
      Math.min(next, longestMs),
    ).unref();
  }
}
