/** Requests of each key in the minute behind it, to half a second. A request is counted before anything is done for it. */
import { GatewayError, type RateFacts, rateHeaders } from "@chela/sdk";

const sliceMs = 500;
const slices = 120;
const maxKeys = 10_000;

interface Window {
  /** By slice of time, modulo `slices`. */
  readonly counts: Uint32Array;
  /** The newest slice that `counts` knows. */
  slice: number;
  /** Sum of `counts`. */
  used: number;
}

export class Rates {
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();

  /** `now`: milliseconds of a clock that never jumps. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes one request. A refusal when the minute's are used up. */
  take(key: { readonly id: string; readonly name: string }, limit: number): GatewayError | undefined {
    const now = this.#now();
    const window = this.#windows.get(key.id) ?? this.#add(key.id, now);
    roll(window, now);
    if (window.used < limit) {
      window.used += 1;
      const at = window.slice % slices;
      window.counts[at] = (window.counts[at] ?? 0) + 1;
      return undefined;
    }
    const seconds = Math.max(1, Math.ceil((freeAt(window, limit - 1) - now) / 1000));
    const message = `Rate limit of key "${key.name}" reached: ${limit} requests per minute. Try again in ${seconds} s.`;
    const headers = { "retry-after": String(seconds), ...rateHeaders(this.facts(key.id, limit)) };
    return new GatewayError("RATE_LIMITED", 429, message, { limit, resetSeconds: seconds }, { headers });
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  facts(id: string, limit: number): RateFacts {
    const now = this.#now();
    const window = this.#windows.get(id);
    if (window) roll(window, now);
    if (!window || window.used === 0) return { limit, remaining: limit, resetMs: 0 };
    return { limit, remaining: Math.max(0, limit - window.used), resetMs: Math.ceil(freeAt(window, 0) - now) };
  }

  #add(id: string, now: number): Window {
    if (this.#windows.size >= maxKeys) this.#sweep(now);
    const window = { counts: new Uint32Array(slices), slice: Math.floor(now / sliceMs), used: 0 };
    this.#windows.set(id, window);
    return window;
  }

  #sweep(now: number): void {
    for (const [id, window] of this.#windows) {
      roll(window, now);
      if (window.used === 0) this.#windows.delete(id);
    }
  }
}

/** Forgets what is a minute ago. */
function roll(window: Window, now: number): void {
  const slice = Math.floor(now / sliceMs);
  const first = Math.max(window.slice + 1, slice - slices + 1);
  for (let at = first; at <= slice; at += 1) {
    window.used -= window.counts[at % slices] ?? 0;
    window.counts[at % slices] = 0;
  }
  window.slice = Math.max(window.slice, slice);
}

/** When no more than `most` requests are left in the minute. */
function freeAt({ counts, slice, used }: Window, most: number): number {
  let [left, at] = [used, slice - slices + 1];
  for (; left > most; at += 1) left -= counts[at % slices] ?? 0;
  return (at - 1 + slices) * sliceMs;
}
