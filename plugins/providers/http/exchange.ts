/**
 * One HTTP exchange with an upstream, with every deadline and cap. Speaks undici's dispatch interface directly: a chunk
 * costs one array push and one promise, which is what passing streams through at full speed needs. The reply body is an
 * async iterator with back-pressure; leaving it early aborts the upstream request.
 */

import type { GatewayError } from "@chela/sdk";
import type { Dispatcher } from "undici";
import { aborted, fault, hungUp, socketFault } from "../failover/faults.ts";
import { limits } from "../limits.ts";
import type { Line } from "./pools.ts";
import { type Ending, StreamEnd } from "./stream-end.ts";
import { Tail } from "./tail.ts";
import type { Answer, Ask, Headers } from "./transport.ts";
import { whole } from "./whole.ts";

interface Waiter {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: GatewayError): void;
}

const end: IteratorResult<Uint8Array> = { done: true, value: undefined };

export class Exchange implements Answer, Dispatcher.DispatchHandler {
  readonly #line: Line;
  readonly #ask: Ask;
  readonly #timer: NodeJS.Timeout;
  #draining: NodeJS.Timeout | undefined;
  /** Connections there were when the request was sent. */
  #made = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #total = 0;
  #waiter: Waiter | undefined;
  #finished = false;
  #discarding = false;
  #fault: GatewayError | undefined;
  #end: StreamEnd | undefined;
  #tail: Tail | undefined;
  #onEnd: ((tail: Tail, fault: GatewayError | undefined) => void) | undefined;
  #begin: { resolve(exchange: Exchange): void; reject(error: GatewayError): void } | undefined;
  status = 0;
  headers: Headers = {};

  private constructor(line: Line, ask: Ask) {
    this.#line = line;
    this.#ask = ask;
    this.#timer = setTimeout(() => this.#expire(), ask.totalMs);
    ask.signal.addEventListener("abort", this.#leave, { once: true });
  }

  /** Sends the request; resolves when the reply's headers are here. */
  static open(line: Line, ask: Ask): Promise<Exchange> {
    if (ask.signal.aborted) return Promise.reject(aborted(ask.culprit, ask.signal.reason));
    const exchange = new Exchange(line, ask);
    const begun = new Promise<Exchange>((resolve, reject) => {
      exchange.#begin = { resolve, reject };
    });
    exchange.#send();
    return begun;
  }

  #send(): void {
    const { method, path, headers, body, firstByteMs, idleMs } = this.#ask;
    this.#made = this.#line.made;
    this.#line.pool.dispatch(
      { origin: this.#line.origin, method, path, headers, body, headersTimeout: firstByteMs, bodyTimeout: idleMs },
      this,
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#queued > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#fault) return Promise.reject(this.#fault);
    if (this.#end?.done) this.release();
    if (this.#finished || this.#discarding) return Promise.resolve(end);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** The body, when all of it is here and none of it was taken. */
  takeAll(): Uint8Array | undefined {
    return this.#finished && !this.#fault && this.#queued > 0 ? this.#take() : undefined;
  }

  /**
   * The reply is a completion's stream: over with `[DONE]`, however long the upstream keeps it open, and cut when it ends
   * without having said how. To be called before the first chunk is taken.
   */
  expectEnd(how: Ending): void {
    this.#end = new StreamEnd(how);
    for (const chunk of this.#queue) this.#end.add(chunk);
    if (this.#finished && !this.#end.told) this.#fault = this.#untold();
  }

  /** For `onEnd`. To be called before the first chunk is taken, after `expectEnd`. */
  keepTail(): void {
    this.#tail = this.#end?.tail ?? new Tail();
    if (!this.#end) for (const chunk of this.#queue) this.#tail.add(chunk);
  }

  /** Calls `told` once, when the body has ended, broke off or was left, with its last bytes. */
  onEnd(told: (tail: Tail, fault: GatewayError | undefined) => void): void {
    this.#onEnd = told;
    if (this.#finished || this.#fault || this.#discarding) this.#tellEnd();
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    // Most readers end a reply that has ended: no error is made for them.
    if (!this.#finished && !this.#fault && !this.#discarding) this.#stop(aborted(this.#ask.culprit));
    return Promise.resolve(end);
  }

  /** The reader has what it wants: lets the rest run dry so that the connection can be used again. */
  release(): void {
    if (this.#finished || this.#fault || this.#discarding) return;
    this.#discarding = true;
    this.#queue = [];
    this.#queued = 0;
    if (this.#onEnd) this.#tellEnd();
    this.#controller?.resume();
    this.#draining = setTimeout(() => this.#stop(aborted(this.#ask.culprit)), limits.drainMs).unref();
  }

  /** The whole body as text. More than `maxBytes` is a fault. */
  async text(maxBytes: number): Promise<string> {
    return (await whole(this, maxBytes, (most) => this.#tooLarge(most))).toString("utf8");
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#fault) controller.abort(this.#fault);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: unknown): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers as Headers;
    this.#begin?.resolve(this);
    this.#begin = undefined;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#receive(controller, chunk);
  }

  onResponseEnd(): void {
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#controller = undefined;
    // Over a kept connection that had just been closed: nobody read the request.
    const unread = this.status === 0 && !this.#fault && this.#made === this.#line.made && hungUp(error);
    if (unread) this.#send();
    else this.#stop(socketFault(this.#ask.culprit, error, this.status !== 0));
  }

  #receive(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#total += chunk.byteLength;
    if (this.#total > this.#ask.maxBytes) this.#stop(this.#tooLarge(this.#ask.maxBytes));
    if (this.#discarding || this.#fault) return;
    if (this.#end) this.#end.add(chunk);
    else this.#tail?.add(chunk);
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
    if (this.#end && !this.#end.told && !this.#discarding) this.#fault = this.#untold();
    this.#settle();
    this.#finished = true;
    if (this.#fault) this.#waiter?.reject(this.#fault);
    else this.#waiter?.resolve(end);
    this.#waiter = undefined;
  }

  #stop(error: GatewayError): void {
    if (this.#finished || this.#fault) return;
    this.#fault = error;
    this.#settle();
    this.#begin?.reject(error);
    this.#begin = undefined;
    this.#waiter?.reject(error);
    this.#waiter = undefined;
    this.#controller?.abort(error);
  }

  /** undici may remember a request for as long as its connection lives: nothing of the reply hangs on it. */
  #settle(): void {
    if (this.#onEnd) this.#tellEnd();
    this.#end = undefined;
    clearTimeout(this.#timer);
    clearTimeout(this.#draining);
    this.#ask.signal.removeEventListener("abort", this.#leave);
  }

  #tellEnd(): void {
    const told = this.#onEnd;
    const tail = this.#tail ?? new Tail();
    this.#onEnd = undefined;
    this.#tail = undefined;
    told?.(tail, this.#fault);
  }

  readonly #leave = (): void => this.#stop(aborted(this.#ask.culprit, this.#ask.signal.reason));

  #expire(): void {
    const seconds = Math.round(this.#ask.totalMs) / 1000;
    this.#stop(fault("UPSTREAM_TIMEOUT", this.#ask.culprit, `no complete reply within ${seconds} s`));
  }

  #untold(): GatewayError {
    const message = "the stream ended without a finish reason: the reply is incomplete";
    return fault("UPSTREAM_CUT", this.#ask.culprit, message);
  }

  #tooLarge(max: number): GatewayError {
    const error = fault("UPSTREAM_PROTOCOL", this.#ask.culprit, `the reply is larger than ${max} bytes`);
    this.#stop(error);
    return error;
  }
}
