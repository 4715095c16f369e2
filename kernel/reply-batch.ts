/**
 * Replies that became ready in one turn of the event loop leave together at its end. Writing each at once wakes the
 * clients one by one, which costs more than the rest of a small request; together they cost about half, and no reply
 * waits longer than the turn it was made in.
 */
import type { ServerResponse } from "node:http";

interface Waiting {
  readonly res: ServerResponse;
  readonly body: string | Uint8Array | undefined;
}

export class ReplyBatch {
  #waiting: Waiting[] = [];

  readonly #flush = (): void => {
    const ready = this.#waiting;
    this.#waiting = [];
    for (const { res, body } of ready) res.end(body);
  };

  /** Ends the reply with `body`; its head must be written already. */
  end(res: ServerResponse, body: string | Uint8Array | undefined): void {
    if (this.#waiting.length === 0) setImmediate(this.#flush);
    this.#waiting.push({ res, body });
  }
}
