/**
 * Writes a streamed body as it comes: respects back-pressure, ends when the client leaves, and a body that fails half-way cuts the
 * connection, so that nobody takes it for complete. A loop of callbacks: a promise of its own for each chunk would cost more than the chunk.
 */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Cancellation } from "@chela/sdk";
import type { ReplyBatch } from "./reply-batch.ts";

type Chunk = string | Uint8Array;

export interface PumpOptions {
  readonly res: ServerResponse;
  /** Ends the stream as the client's leaving does. */
  readonly cancellation: Cancellation;
  /** Sends the headers when the first chunk is late. */
  readonly early: NodeJS.Immediate;
  readonly batch: ReplyBatch;
}

/** Resolves with the last byte or when the client left; rejects when the body failed. */
export function pump(body: AsyncIterable<Chunk>, options: PumpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    new Pump(body, options, { resolve, reject }).next();
  });
}

/** Of a body that nobody reads any more, or ever will. */
export function letGo(body: AsyncIterable<unknown>, chunks?: AsyncIterator<unknown>): void {
  // The iterator of a stream of Node's ends nothing while it waits, nor what it has not begun.
  if (body instanceof Readable) return void body.destroy();
  void Promise.resolve()
    .then(() => (chunks ?? body[Symbol.asyncIterator]()).return?.())
    .catch(() => undefined);
}

interface Settle {
  resolve(): void;
  reject(error: unknown): void;
}

class Pump {
  readonly #body: AsyncIterable<Chunk>;
  readonly #chunks: AsyncIterator<Chunk>;
  readonly #options: PumpOptions;
  readonly #settle: Settle;
  #over = false;

  constructor(body: AsyncIterable<Chunk>, options: PumpOptions, settle: Settle) {
    this.#body = body;
    this.#chunks = body[Symbol.asyncIterator]();
    this.#options = options;
    this.#settle = settle;
    options.cancellation.addEventListener("abort", this.#leave, { once: true });
    options.res.once("close", this.#leave);
  }

  readonly next = (): void => {
    const { res, cancellation } = this.#options;
    if (cancellation.aborted || res.destroyed) this.#leave();
    if (this.#over) return;
    try {
      this.#chunks.next().then(this.#take, this.#fail);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #take = (result: IteratorResult<Chunk>): void => {
    if (this.#over) return;
    clearImmediate(this.#options.early);
    try {
      this.#write(result);
    } catch (error) {
      this.#fail(error);
    }
  };

  #write({ done, value }: IteratorResult<Chunk>): void {
    const { res, batch } = this.#options;
    if (done) {
      batch.endNow(res, undefined);
      this.#end();
      this.#settle.resolve();
    } else if (res.write(value)) {
      this.next();
    } else {
      batch.mind(res);
      res.once("drain", this.next);
    }
  }

  readonly #fail = (error: unknown): void => {
    if (this.#over) return;
    this.#end();
    this.#options.res.destroy();
    this.#settle.reject(error);
  };

  readonly #leave = (): void => {
    if (this.#over) return;
    this.#end();
    this.#options.res.destroy();
    this.#settle.resolve();
  };

  #end(): void {
    const { res, cancellation, early } = this.#options;
    this.#over = true;
    clearImmediate(early);
    cancellation.removeEventListener("abort", this.#leave);
    res.off("close", this.#leave).off("drain", this.next);
    letGo(this.#body, this.#chunks);
  }
}
