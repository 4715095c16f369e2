/**
 * Tells once that a request is to be given up. One is made for almost every request of a model: an AbortController with its
 * listener would cost a tenth of such a request.
 */
import type { Cancellation } from "@chela/sdk";

export class Canceller implements Cancellation {
  readonly #listeners: (() => void)[] = [];
  #aborted = false;
  #reason: unknown;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.#aborted && !this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    // Whom another one's listener takes off meanwhile is not told.
    for (let next = this.#listeners.shift(); next; next = this.#listeners.shift()) told(next);
  }
}

/** One that throws keeps nobody else from being told; as with an AbortSignal, its error is nobody's. */
function told(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
