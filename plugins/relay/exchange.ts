/**
 * One request that a client carries out: its frames in, a head and a body out. It ends once: by a last frame, an error,
 * silence, the abort of whoever asked, or the loss of the client; what comes for it later finds nobody.
 */
import type { RelayReply, RelayRequest } from "@chela/sdk";
import { silent, told, tooSlow } from "./failures.ts";
import { bytesOf, failureOf, type Head, headOf, type Payload, payloadOf, type UpFrame } from "./frames.ts";
import { ReplyBody } from "./reply-body.ts";

/** What a timer of node can hold. */
const longestTimerMs = 2_147_483_647;

export interface ExchangeOwner {
  queued(exchange: Exchange, bytes: number): void;
  /** Once. `early`: the client does not know yet. */
  ended(exchange: Exchange, early: boolean): void;
  /** Nothing can arrive now, for reasons of ours. */
  held(): boolean;
}

export class Exchange {
  readonly id: string;
  readonly reply: Promise<RelayReply>;
  readonly body: ReplyBody;
  /** The client has nothing to do for it any more. */
  readonly over: Promise<void>;
  /** Milliseconds that its reader has held up the client so far. */
  heldMs = 0;
  readonly #owner: ExchangeOwner;
  readonly #request: Pick<RelayRequest, "timeoutMs" | "signal">;
  readonly #abort = () => this.#discard(this.#request.signal.reason);
  #answer: { resolve(reply: RelayReply): void; reject(error: unknown): void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  #end: () => void = () => undefined;
  #seen = -1;

  constructor(id: string, request: Pick<RelayRequest, "timeoutMs" | "signal">, owner: ExchangeOwner) {
    this.id = id;
    this.#owner = owner;
    this.#request = request;
    this.body = new ReplyBody({ queued: (bytes) => owner.queued(this, bytes), left: () => this.#finish(true) });
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.reply = new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
    });
    this.#listen();
  }

  /** Throws what is wrong with the frame; then the request has failed. */
  accept(frame: UpFrame): void {
    if (this.#over) return;
    this.#timer?.refresh();
    try {
      const payload = payloadOf(frame);
      if (frame.type === "error") this.#failed(payload);
      else this.#take(frame.type, payload);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** What has arrived before can still be read. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#answer?.reject(error);
    this.#answer = undefined;
    this.body.end(error);
    this.#finish(true);
  }

  /** Its reader is too slow: what waits for it goes, too. */
  drop(): void {
    this.#discard(tooSlow());
  }

  #discard(error: unknown): void {
    this.#answer?.reject(error);
    this.#answer = undefined;
    this.body.drop(error);
    this.#finish(true);
    this.#stopTimer();
  }

  #take(type: string, payload: Payload): void {
    const whole = type === "http_response";
    const last = whole || type === "stream_end";
    const bytes = last && !whole ? undefined : bytesOf(payload, whole ? "body" : "data");
    this.#start(whole || type === "stream_start" ? headOf(payload) : { status: 200, headers: {} });
    if (bytes) this.body.push(bytes);
    if (!last) return;
    this.body.end();
    this.#finish(false);
  }

  #failed(payload: Payload): void {
    const { text, status } = failureOf(payload);
    this.#answer?.reject(told(text, status));
    this.#answer = undefined;
    this.body.end(told(text, status));
    this.#finish(false);
  }

  /** Only the first head counts. */
  #start({ status, headers }: Head): void {
    this.#answer?.resolve({ status, headers, body: this.body });
    this.#answer = undefined;
  }

  #finish(early: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#end();
    this.#request.signal.removeEventListener("abort", this.#abort);
    // What nobody reads does not stay for ever: the timer goes on until the queue is empty.
    if (this.body.bytes === 0) this.#stopTimer();
    this.#owner.ended(this, early);
  }

  #listen(): void {
    const { signal, timeoutMs } = this.#request;
    if (signal.aborted) {
      queueMicrotask(this.#abort);
      return;
    }
    signal.addEventListener("abort", this.#abort, { once: true });
    this.#timer = setTimeout(() => this.#late(), Math.min(Math.max(timeoutMs, 1), longestTimerMs)).unref();
  }

  /** Silence of the client, unless it is us who do not listen, or its pieces still wait to be read. */
  #late(): void {
    if (this.body.bytes > 0) {
      if (this.#seen === this.body.taken) this.drop();
      this.#seen = this.body.taken;
    } else if (!this.#over && !this.#owner.held()) {
      this.fail(silent(this.#request.timeoutMs));
    }
    if (!this.#over || this.body.bytes > 0) this.#timer?.refresh();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
