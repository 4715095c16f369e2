/**
 * Replies that became ready in one turn of the event loop leave together at its end. Writing each at once wakes the
 * clients one by one, which costs more than the rest of a small request; together they cost about half, and no reply
 * waits longer than the turn it was made in. Nor does any wait for ever: a client that stops reading is cut off.
 */
import type { ServerResponse } from "node:http";

interface Waiting {
  readonly res: ServerResponse;
  readonly body: string | Uint8Array | undefined;
}

export class ReplyBatch {
  readonly #stallMs: () => number;
  #waiting: Waiting[] = [];

  /** `stallMs`: how long bytes may wait for a client of which it takes none. */
  constructor(stallMs: () => number) {
    this.#stallMs = stallMs;
  }

  readonly #flush = (): void => {
    const ready = this.#waiting;
    this.#waiting = [];
    for (const { res, body } of ready) this.endNow(res, body);
  };

  /** Ends the reply with `body`; its head must be written already. */
  end(res: ServerResponse, body: string | Uint8Array | undefined): void {
    if (this.#waiting.length === 0) setImmediate(this.#flush);
    this.#waiting.push({ res, body });
  }

  /** The same at once. */
  endNow(res: ServerResponse, body: string | Uint8Array | undefined): void {
    res.end(body);
    if (res.writableLength > 0) this.mind(res);
  }

  /** From now on the connection is cut when bytes wait for the client and none of them has moved for too long. */
  mind(res: ServerResponse): void {
    if (res.listenerCount("timeout") > 0) return;
    res.on("timeout", () => void (res.writableLength > 0 && res.destroy()));
    res.setTimeout(this.#stallMs());
  }
}
