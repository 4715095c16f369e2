/**
 * Long work in pieces, so that nobody waits for it: after each piece the event loop goes round once, and of all that share a
 * Pacer one piece runs in a round.
 */

const pieceMs = 8;

/** One piece of work under a Pacer: ask `due` between small steps, and `rest` when it is. */
export interface Pace {
  due(): boolean;
  /** Rejects when the work is not wanted any more. */
  rest(): Promise<void>;
}

/** One for all work that has to share: `pace` begins a piece of it. */
export class Pacer {
  readonly #waiting: (() => void)[] = [];

  /** Due at once: the first piece waits for its turn too. */
  pace(signal: AbortSignal): Pace {
    let until = 0;
    return {
      due: () => performance.now() >= until,
      rest: async () => {
        await this.#turn();
        signal.throwIfAborted();
        until = performance.now() + pieceMs;
      },
    };
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}
