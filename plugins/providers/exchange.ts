/**
 * One HTTP exchange with an upstream, with every deadline and cap. Speaks undici's dispatch interface directly: a chunk
 * costs one array push and one promise, which is what passing streams through at full speed needs. The reply body is an
 * async iterator with back-pressure; leaving it early aborts the upstream request.
 */
import type { GatewayError } from "@chela/sdk";
import type { Dispatcher, Pool } from "undici";
import { aborted, type Culprit, fault, socketFault } from "./faults.ts";
import { limits } from "./limits.ts";

export interface Ask {
  readonly culprit: Culprit;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: string | null;
  readonly signal: AbortSignal;
  /** Until the headers. */
  readonly firstByteMs: number;
  /** Between two chunks. */
  readonly idleMs: number;
  /** Everything, up to the last byte. */
  readonly totalMs: number;
  readonly maxBytes: number;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

interface Waiter {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: GatewayError): void;
}

const end: IteratorResult<Uint8Array> = { done: true, value: undefined };

export class Exchange implements AsyncIterableIterator<Uint8Array> {
  readonly #ask: Ask;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #total = 0;
  #waiter: Waiter | undefined;
  #finished = false;
  #discarding = false;
  #fault: GatewayError | undefined;
  #begin: { resolve(exchange: Exchange): void; reject(error: GatewayError): void } | undefined;
  status = 0;
  headers: Headers = {};

  private constructor(ask: Ask) {
    this.#ask = ask;
    this.#timer = setTimeout(() => this.#expire(), ask.totalMs);
    ask.signal.addEventListener("abort", this.#leave, { once: true });
  }

  /** Sends the request; resolves when the reply's headers are here. */
  static open(pool: Pool, ask: Ask): Promise<Exchange> {
    if (ask.signal.aborted) return Promise.reject(aborted(ask.culprit, ask.signal.reason));
    const exchange = new Exchange(ask);
    const begun = new Promise<Exchange>((resolve, reject) => {
      exchange.#begin = { resolve, reject };
    });
    pool.dispatch(
      {
        method: ask.method,
        path: ask.path,
        headers: ask.headers,
        body: ask.body,
        headersTimeout: ask.firstByteMs,
        bodyTimeout: ask.idleMs,
      },
      exchange.#handler(),
    );
    return begun;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#queued > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#fault) return Promise.reject(this.#fault);
    if (this.#finished) return Promise.resolve(end);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    // Most readers end a reply that has ended: no error is made for them.
    if (!this.#finished && !this.#fault) this.#stop(aborted(this.#ask.culprit));
    return Promise.resolve(end);
  }

  /** The reader has what it wants: lets the rest run dry so that the connection can be used again. */
  release(): void {
    if (this.#finished || this.#fault) return;
    this.#discarding = true;
    this.#queue = [];
    this.#queued = 0;
    this.#controller?.resume();
    setTimeout(() => this.#stop(aborted(this.#ask.culprit)), limits.drainMs).unref();
  }

  /** The whole body as text. More than `maxBytes` is a fault. */
  async text(maxBytes: number): Promise<string> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of this) {
      size += part.byteLength;
      if (size > maxBytes) throw this.#tooLarge(maxBytes);
      parts.push(part);
    }
    return Buffer.concat(parts).toString("utf8");
  }

  #handler(): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller) => {
        this.#controller = controller;
        if (this.#fault) controller.abort(this.#fault);
      },
      onResponseStart: (_controller, status, headers) => {
        if (status < 200) return;
        this.status = status;
        this.headers = headers as Headers;
        this.#begin?.resolve(this);
        this.#begin = undefined;
      },
      onResponseData: (controller, chunk) => this.#receive(controller, chunk),
      onResponseEnd: () => this.#finish(),
      onResponseError: (_controller, error) => {
        this.#controller = undefined;
        this.#stop(socketFault(this.#ask.culprit, error, this.status !== 0));
      },
    };
  }

  #receive(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#total += chunk.byteLength;
    if (this.#total > this.#ask.maxBytes) this.#stop(this.#tooLarge(this.#ask.maxBytes));
    if (this.#discarding || this.#fault) return;
    const waiter = this.#waiter;
    if (waiter) {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: chunk });
      return;
    }
    this.#queue.push(chunk);
    this.#queued += chunk.byteLength;
    if (this.#queued > limits.queueBytes) controller.pause();
  }

  #take(): Uint8Array {
    const chunk = this.#queue.length === 1 ? this.#queue[0] : Buffer.concat(this.#queue);
    this.#queue = [];
    this.#queued = 0;
    if (this.#controller?.paused) this.#controller.resume();
    return chunk as Uint8Array;
  }

  #finish(): void {
    this.#settle();
    this.#finished = true;
    this.#waiter?.resolve(end);
    this.#waiter = undefined;
  }

  #stop(error: GatewayError): void {
    if (this.#finished || this.#fault) return;
    this.#settle();
    this.#fault = error;
    this.#begin?.reject(error);
    this.#begin = undefined;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
    this.#controller?.abort(error);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#ask.signal.removeEventListener("abort", this.#leave);
  }

  readonly #leave = (): void => this.#stop(aborted(this.#ask.culprit, this.#ask.signal.reason));

  #expire(): void {
    const seconds = this.#ask.totalMs / 1000;
    this.#stop(fault("UPSTREAM_TIMEOUT", this.#ask.culprit, `no complete reply within ${seconds} s`));
  }

  #tooLarge(max: number): GatewayError {
    const error = fault("UPSTREAM_PROTOCOL", this.#ask.culprit, `the reply is larger than ${max} bytes`);
    this.#stop(error);
    return error;
  }
}
