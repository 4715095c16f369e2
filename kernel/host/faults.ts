/** Counts the faults of each plugin in a sliding window; each time the limit is reached it is reported, for quarantine, and counting begins anew. */

export interface FaultLimits {
  readonly faults: number;
  readonly windowSec: number;
}

export interface Fault {
  readonly at: number;
  readonly where: string;
  readonly message: string;
}

const longestMessage = 2000;

export class FaultLedger {
  readonly #recent = new Map<string, number[]>();
  readonly #last = new Map<string, Fault>();
  readonly #now: () => number;
  readonly #limits: () => FaultLimits;
  readonly #reasonOf: (error: unknown) => string;
  readonly #over: (owner: string, reason: string) => void;

  constructor(options: {
    now: () => number;
    limits: () => FaultLimits;
    reasonOf: (error: unknown) => string;
    over: (owner: string, reason: string) => void;
  }) {
    this.#now = options.now;
    this.#limits = options.limits;
    this.#reasonOf = options.reasonOf;
    this.#over = options.over;
  }

  record(owner: string, where: string, error: unknown): void {
    const { faults, windowSec } = this.#limits();
    const now = this.#now();
    const times = (this.#recent.get(owner) ?? []).filter((at) => now - at < windowSec * 1000);
    times.push(now);
    this.#recent.set(owner, times);
    const message = this.#reasonOf(error).slice(0, longestMessage);
    this.#last.set(owner, { at: now, where, message });
    if (times.length < faults) return;
    this.#recent.delete(owner);
    const last = `the last in ${where}: ${message}`;
    this.#over(owner, `${faults} faults within ${windowSec} s, ${last}; fix it, then: chela plugins release ${owner}`);
  }

  /** Faults within the window. */
  count(owner: string): number {
    const since = this.#now() - this.#limits().windowSec * 1000;
    return (this.#recent.get(owner) ?? []).filter((at) => at > since).length;
  }

  /** The last one since it was forgotten. */
  last(owner: string): Fault | null {
    return this.#last.get(owner) ?? null;
  }

  forget(owner: string): void {
    this.#last.delete(owner);
    this.#recent.delete(owner);
  }
}
