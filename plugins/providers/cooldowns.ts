/**
 * Which candidates should not be asked right now. A window lasts what the upstream said in Retry-After, else it grows
 * from one second to one minute with each failure in a row. While a window is open nothing moves it, and a success ends it.
 */
import type { GatewayError } from "@chela/sdk";

interface Entry {
  until: number;
  failures: number;
  code: string;
}

const maxEntries = 4096;
const longestMs = 60_000;

export class Cooldowns {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds until `key` may be asked again; 0 when it may now. */
  remaining(key: string): number {
    if (this.#entries.size === 0) return 0;
    return Math.max(0, Math.ceil((this.#entries.get(key)?.until ?? 0) - this.#now()));
  }

  fail(key: string, error: GatewayError): void {
    const now = this.#now();
    const entry = this.#entries.get(key) ?? { until: 0, failures: 0, code: "" };
    if (entry.until > now) return;
    entry.failures += 1;
    entry.code = error.code;
    entry.until = now + windowMs(error, entry.failures);
    if (!this.#entries.has(key) && this.#entries.size >= maxEntries) this.#forgetOldest();
    this.#entries.set(key, entry);
  }

  succeed(key: string): void {
    if (this.#entries.size > 0) this.#entries.delete(key);
  }

  /** Open windows, for people. */
  list(): readonly { readonly key: string; readonly ms: number; readonly code: string }[] {
    return [...this.#entries]
      .map(([key, entry]) => ({ key, ms: this.remaining(key), code: entry.code }))
      .filter((row) => row.ms > 0);
  }

  /** Forgets every key that `keep` does not name. */
  retain(keep: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (!keep(key)) this.#entries.delete(key);
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

function windowMs(error: GatewayError, failures: number): number {
  const told = error.details?.retryAfterMs;
  if (typeof told === "number") return told;
  return error.code === "UPSTREAM_AUTH" ? longestMs : Math.min(longestMs, 1000 * 2 ** Math.min(failures - 1, 10));
}
