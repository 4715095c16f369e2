/** Time for `every`: real by default, stepped by hand in tests. */

export interface Clock {
  now(): number;
  /** Calls `fn` every `ms`; returns its undo. */
  every(ms: number, fn: () => void): () => void;
}

export const realClock: Clock = {
  now: Date.now,
  every(ms, fn) {
    const timer = setInterval(fn, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** A clock that moves only when told. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<{ readonly ms: number; readonly fn: () => void; due: number }>();

  constructor(startAt = 1_700_000_000_000) {
    this.#now = startAt;
  }

  /** Bound: the host hands it around. */
  readonly now = (): number => this.#now;

  every(ms: number, fn: () => void): () => void {
    const timer = { ms, fn, due: this.#now + ms };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time; due timers fire in order, each as often as it is due. */
  tick(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due)[0];
      if (!next) break;
      this.#now = next.due;
      next.due += next.ms;
      next.fn();
    }
    this.#now = until;
  }
}
