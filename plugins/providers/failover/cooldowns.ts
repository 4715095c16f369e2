/**
 * Who should not be asked right now, by key: a credential, or a model of one. While a window is open nothing moves it; when it
 * is over exactly one caller probes while the others pass on; a success ends it. Infinity: off until it is cleared.
 */
import type { GatewayError } from "@chela/sdk";
import { restMs, verdictOf } from "./verdict.ts";

interface Entry {
  until: number;
  failures: number;
  reason: string;
  /** Until when the one who was let in may take; 0: nobody probes. */
  probing: number;
}

/** An open window, for people. */
export interface Cooling {
  readonly key: string;
  /** Infinity: until it is changed, refreshed or cleared. */
  readonly ms: number;
  readonly reason: string;
  readonly failures: number;
}

const maxEntries = 4096;

export class Cooldowns {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  readonly #changed: (key: string) => void;

  /** `changed` hears of each window that opened or was closed. */
  constructor(now: () => number, changed: (key: string) => void = () => undefined) {
    this.#now = now;
    this.#changed = changed;
  }

  /** Nothing rests: what most requests meet. */
  get idle(): boolean {
    return this.#entries.size === 0;
  }

  /** Milliseconds until `key` may be asked again; 0 when it may now. */
  remaining(key: string): number {
    if (this.#entries.size === 0) return 0;
    return Math.max(0, Math.ceil((this.#entries.get(key)?.until ?? 0) - this.#now()));
  }

  /** `half`: its window is over and nobody has succeeded since. */
  state(key: string): "free" | "half" | "open" {
    const entry = this.#entries.get(key);
    if (!entry) return "free";
    return entry.until > this.#now() ? "open" : "half";
  }

  /** Whether to ask now. After a window one caller is let in, for `leaseMs` at most, until it fails, succeeds or is released. */
  admit(key: string, leaseMs: number): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return true;
    const now = this.#now();
    if (entry.until > now || entry.probing > now) return false;
    entry.probing = now + leaseMs;
    return true;
  }

  /** The probe said nothing about the window: the next one may. */
  release(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) entry.probing = 0;
  }

  /** True when this opened a window. `baseMs`: what a rate limit without Retry-After costs, where the config says. */
  fail(key: string, error: GatewayError, baseMs?: number): boolean {
    const now = this.#now();
    const entry = this.#entries.get(key) ?? { until: 0, failures: 0, reason: "", probing: 0 };
    entry.probing = 0;
    if (entry.until > now) return false;
    entry.failures += 1;
    entry.reason = verdictOf(error).reason;
    entry.until = now + restMs(error, entry.failures, baseMs);
    if (!this.#entries.has(key) && this.#entries.size >= maxEntries) this.#forgetOldest();
    this.#entries.set(key, entry);
    this.#changed(key);
    return true;
  }

  /** True when there was one. */
  succeed(key: string): boolean {
    return this.#entries.size > 0 && this.#drop(key);
  }

  /** Puts back what a restart interrupted. */
  restore(key: string, ms: number, reason: string, failures: number): void {
    this.#entries.set(key, { until: this.#now() + ms, failures, reason, probing: 0 });
    this.#changed(key);
  }

  /** Open windows. */
  list(): readonly Cooling[] {
    const rows: Cooling[] = [];
    for (const [key, { reason, failures }] of this.#entries) {
      const ms = this.remaining(key);
      if (ms > 0) rows.push({ key, ms, reason, failures });
    }
    return rows;
  }

  /** Forgets every key that `keep` does not name. Says how many. */
  retain(keep: (key: string) => boolean): number {
    let gone = 0;
    for (const key of this.#entries.keys()) if (!keep(key) && this.#drop(key)) gone += 1;
    return gone;
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#drop(oldest);
  }

  #drop(key: string): boolean {
    const was = this.#entries.delete(key);
    if (was) this.#changed(key);
    return was;
  }
}
