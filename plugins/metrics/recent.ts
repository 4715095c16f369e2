/**
 * The last quarter of an hour in samples, for charts: one every five seconds, in bounded memory. Rates are counted from one
 * sample to the next, so that the first look gives none. Loaded with it.
 */
import type { GatewayStats } from "@chela/sdk";
import { Lag } from "./lag.ts";

/** A quarter of an hour. */
const kept = 180;
/** So seldom that an idle process does not notice; what blocks the loop for longer than this is always seen. */
const lagEveryMs = 100;

export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Fraction of one core. */
  readonly cpu: number;
  readonly rss: number;
  readonly heap: number;
  readonly lag_p99_ms: number;
  readonly lag_max_ms: number;
  /** Answered in a second. */
  readonly requests: number;
  /** Of them those with a status of 500 and above. */
  readonly errors: number;
  readonly sockets: number;
}

interface Counted {
  readonly at: number;
  readonly cpuMicros: number;
  readonly requests: number;
  readonly errors: number;
}

export class Recent {
  readonly #stats: () => GatewayStats;
  readonly #lag = new Lag(lagEveryMs);
  readonly #samples: Sample[] = [];
  #before: Counted | undefined;

  constructor(stats: () => GatewayStats) {
    this.#stats = stats;
  }

  take(): void {
    const { routes, sockets } = this.#stats();
    const { user, system } = process.cpuUsage();
    const failed = routes.filter(({ status }) => status >= 500);
    const now = { at: performance.now(), cpuMicros: user + system, requests: countOf(routes), errors: countOf(failed) };
    const { p99, max } = this.#lag.take();
    const before = this.#before;
    this.#before = now;
    if (!before) return;
    const seconds = Math.max((now.at - before.at) / 1_000, 0.001);
    const { rss, heapUsed: heap } = process.memoryUsage();
    const rate = (key: "requests" | "errors") => rounded(Math.max(0, now[key] - before[key]) / seconds);
    const at = Date.now();
    // The clock was set back: time goes on from there.
    while (this.#newest > at) this.#samples.pop();
    this.#samples.push({
      at,
      cpu: rounded((now.cpuMicros - before.cpuMicros) / 1e6 / seconds),
      rss,
      heap,
      lag_p99_ms: rounded(p99 * 1_000),
      lag_max_ms: rounded(max * 1_000),
      requests: rate("requests"),
      errors: rate("errors"),
      sockets: sockets.reduce((sum, { open }) => sum + open, 0),
    });
    if (this.#samples.length > kept) this.#samples.shift();
  }

  /** After `since`, oldest first; all of them to whom a clock told that was set back meanwhile. */
  samples(since = 0): readonly Sample[] {
    return since > this.#newest ? [...this.#samples] : this.#samples.filter(({ at }) => at > since);
  }

  get #newest(): number {
    return this.#samples.at(-1)?.at ?? 0;
  }

  /** Ends the sampling. */
  close(): void {
    this.#lag.close();
  }
}

function countOf(routes: readonly { readonly count: number }[]): number {
  return routes.reduce((sum, { count }) => sum + count, 0);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
