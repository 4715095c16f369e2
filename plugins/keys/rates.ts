/** Requests of each key in its current minute. A request is counted before anything is done for it. */
import { GatewayError, type RateFacts, rateHeaders } from "@chela/sdk";

const minute = 60_000;
const maxKeys = 10_000;

interface Window {
  /** Milliseconds of a clock that never jumps. */
  readonly until: number;
  used: number;
}

export class Rates {
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes one request. A refusal when the minute's are used up. */
  take(key: { readonly id: string; readonly name: string }, limit: number): GatewayError | undefined {
    const now = this.#now();
    let window = this.#windows.get(key.id);
    if (!window || window.until <= now) {
      if (!window && this.#windows.size >= maxKeys) this.#sweep(now);
      window = { until: now + minute, used: 0 };
      this.#windows.set(key.id, window);
    }
    if (window.used < limit) {
      window.used += 1;
      return undefined;
    }
    const seconds = Math.max(1, Math.ceil((window.until - now) / 1000));
    const message = `Rate limit of key "${key.name}" reached: ${limit} requests per minute. Try again in ${seconds} s.`;
    const headers = {
      "retry-after": String(seconds),
      ...rateHeaders({ limit, remaining: 0, resetMs: seconds * 1000 }),
    };
    return new GatewayError("RATE_LIMITED", 429, message, { limit, resetSeconds: seconds }, { headers });
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  facts(id: string, limit: number): RateFacts {
    const now = this.#now();
    const window = this.#windows.get(id);
    if (!window || window.until <= now) return { limit, remaining: limit, resetMs: 0 };
    return { limit, remaining: Math.max(0, limit - window.used), resetMs: Math.ceil(window.until - now) };
  }

  #sweep(now: number): void {
    for (const [id, { until }] of this.#windows) if (until <= now) this.#windows.delete(id);
  }
}
