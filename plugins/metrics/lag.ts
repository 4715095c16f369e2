/** Event-loop delay since the last look: by how much a timer comes too late. The sampler starts with the first look, and costs more the finer it looks. */
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** Seconds. */
export type LagFigures = Readonly<Record<"mean" | "p50" | "p99" | "max", number>>;

const none: LagFigures = Object.freeze({ mean: 0, p50: 0, p99: 0, max: 0 });

export class Lag {
  readonly #everyMs: number;
  #histogram: IntervalHistogram | undefined;

  constructor(everyMs = 20) {
    this.#everyMs = everyMs;
  }

  /** Zeros on the first look. */
  take(): LagFigures {
    if (!this.#histogram) {
      this.#histogram = monitorEventLoopDelay({ resolution: this.#everyMs });
      this.#histogram.enable();
      return none;
    }
    const { mean, max, count } = this.#histogram;
    const p50 = this.#histogram.percentile(50);
    const p99 = this.#histogram.percentile(99);
    this.#histogram.reset();
    if (count === 0) return none;
    return { mean: this.#delay(mean), p50: this.#delay(p50), p99: this.#delay(p99), max: this.#delay(max) };
  }

  /** Node tells the time from one sample to the next, in nanoseconds. */
  #delay(between: number): number {
    return Math.max(0, between / 1e9 - this.#everyMs / 1e3);
  }

  /** Idempotent. */
  close(): void {
    this.#histogram?.disable();
    this.#histogram = undefined;
  }
}
