/** Counts the faults of each plugin in a sliding window; each time the limit is reached it is reported, for quarantine, and counting begins anew. */
import { messageOf } from "@chela/sdk";

export interface FaultLimits {
  readonly faults: number;
  readonly windowSec: number;
}

export class FaultLedger {
  readonly #recent = new Map<string, number[]>();
  readonly #now: () => number;
  readonly #limits: () => FaultLimits;
  readonly #over: (owner: string, reason: string) => void;

  constructor(options: {
    now: () => number;
    limits: () => FaultLimits;
    over: (owner: string, reason: string) => void;
  }) {
    this.#now = options.now;
    this.#limits = options.limits;
    this.#over = options.over;
  }

  record(owner: string, where: string, error: unknown): void {
    const { faults, windowSec } = this.#limits();
    const now = this.#now();
    const times = (this.#recent.get(owner) ?? []).filter((at) => now - at < windowSec * 1000);
    times.push(now);
    this.#recent.set(owner, times);
    if (times.length < faults) return;
    this.#recent.delete(owner);
    const last = `the last in ${where}: ${messageOf(error)}`;
    this.#over(owner, `${faults} faults within ${windowSec} s, ${last}; fix it, then: chela plugins release ${owner}`);
  }

  /** Faults within the window. */
  count(owner: string): number {
    const since = this.#now() - this.#limits().windowSec * 1000;
    return (this.#recent.get(owner) ?? []).filter((at) => at > since).length;
  }

  forget(owner: string): void {
    this.#recent.delete(owner);
  }
}
