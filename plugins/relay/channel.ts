/**
 * One connected client: requests go out when it takes them in, its frames go to the request they belong to. What readers
 * have not read yet is bounded: above it the client is not listened to, which slows it down, and a reader that holds the
 * others up for too long loses its reply.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError, type RelayChannel, type RelayReply, type RelayRequest, type Socket } from "@chela/sdk";
import { Exchange } from "./exchange.ts";
import { absent, badFrame, busy, closed } from "./failures.ts";
import { type DownFrame, errorFrame, requestFrame, type UpFrame } from "./frames.ts";
import type { RelaySettings } from "./settings.ts";

/** Bytes on their way out, above which a further request waits. */
const mostOutgoing = 1_048_576;
const lookMs = 20;
const control: ReadonlySet<string> = new Set(["ping", "pong"]);
const answers: ReadonlySet<string> = new Set(["http_response", "stream_start", "stream_chunk", "stream_end", "error"]);

export interface ChannelParts {
  settings(): RelaySettings;
  work(running: Promise<void>): void;
}

export class Channel {
  readonly id: string;
  readonly #socket: Socket<UpFrame, DownFrame>;
  readonly #settings: () => RelaySettings;
  readonly #work: (running: Promise<void>) => void;
  readonly #open = new Map<string, Exchange>();
  readonly #cancels: boolean;
  readonly #connectedAt = Date.now();
  #lastSeenAt = Date.now();
  /** Ended ones, too, as long as something of them waits. */
  readonly #unread = new Set<Exchange>();
  #queued = 0;
  #held = false;
  #eased: (() => void) | undefined;
  #sending: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(id: string, socket: Socket<UpFrame, DownFrame>, { settings, work }: ChannelParts) {
    this.id = id;
    this.#socket = socket;
    this.#settings = settings;
    this.#work = work;
    this.#cancels = (socket.query.features ?? "").split(",").includes("cancel");
  }

  info(): RelayChannel {
    return { id: this.id, connectedAt: this.#connectedAt, lastSeenAt: this.#lastSeenAt, open: this.#open.size };
  }

  /** Until the client leaves; then every request of it has failed. */
  async serve(): Promise<void> {
    try {
      for await (const frame of this.#socket.incoming()) {
        this.#lastSeenAt = Date.now();
        this.#receive(frame);
        await this.#room();
      }
    } finally {
      for (const exchange of [...this.#open.values()]) exchange.fail(closed());
    }
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  async request(request: RelayRequest): Promise<RelayReply> {
    request.signal.throwIfAborted();
    const { max_open } = this.#settings();
    if (this.#open.size >= max_open) throw busy(this.id, max_open);
    const exchange = new Exchange(randomUUID(), request, {
      queued: (unread, bytes) => this.#count(unread, bytes),
      ended: (ended, early) => this.#ended(ended, early),
      held: () => this.#held,
    });
    this.#open.set(exchange.id, exchange);
    this.#work(exchange.over);
    // Whoever awaits the reply hears of it; this only keeps a failure before that from being nobody's.
    exchange.reply.catch(() => undefined);
    const sent = await this.#send(requestFrame(exchange.id, request)).catch(() => false);
    if (!sent) exchange.fail(this.#socket.signal.aborted ? absent(this.id) : closed());
    return exchange.reply;
  }

  #receive(frame: UpFrame): void {
    const { id = "", type } = frame;
    if (control.has(type)) {
      if (type === "ping") this.#socket.send({ id, type: "pong" });
      return;
    }
    try {
      if (!answers.has(type)) throw badFrame(`unknown type ${type}`);
      this.#open.get(id)?.accept(frame);
    } catch (error) {
      this.#socket.send(errorFrame(id, GatewayError.is(error) ? error.message : "invalid frame"));
    }
  }

  #ended({ id }: Exchange, early: boolean): void {
    this.#open.delete(id);
    if (early && this.#cancels && !this.#socket.signal.aborted) this.#socket.send({ id, type: "cancel" });
    this.#eased?.();
  }

  #count(exchange: Exchange, bytes: number): void {
    this.#queued += bytes;
    if (exchange.body.bytes > 0) this.#unread.add(exchange);
    else this.#unread.delete(exchange);
    if (bytes < 0) this.#eased?.();
  }

  /** Waits while too much is unread. The longest queue pays for it: its reader has `slow_reader_ms` in all. */
  async #room(): Promise<void> {
    for (let worst = this.#worst(); worst; worst = this.#worst()) {
      const from = performance.now();
      this.#held = true;
      await this.#easedWithin(Math.max(1, this.#settings().slow_reader_ms - worst.heldMs));
      this.#held = false;
      worst.heldMs += performance.now() - from;
      if (worst.heldMs >= this.#settings().slow_reader_ms && this.#worst() === worst) worst.drop();
    }
  }

  #worst(): Exchange | undefined {
    const { reply_queue_kb, client_queue_kb } = this.#settings();
    const full = this.#queued > client_queue_kb * 1024;
    if ((!full && this.#queued <= reply_queue_kb * 1024) || this.#socket.signal.aborted) return undefined;
    let worst: Exchange | undefined;
    for (const exchange of this.#unread) {
      if (!full && exchange.body.bytes <= reply_queue_kb * 1024) continue;
      if (!worst || exchange.body.bytes > worst.body.bytes) worst = exchange;
    }
    return worst;
  }

  #easedWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#socket.signal.removeEventListener("abort", done);
        this.#eased = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#socket.signal.addEventListener("abort", done, { once: true });
      this.#eased = done;
    });
  }

  /** At once while the client takes frames in; else one after another, each when there is room. */
  #send(frame: DownFrame): Promise<boolean> {
    if (this.#waiting === 0 && this.#socket.buffered <= mostOutgoing) return Promise.resolve(this.#socket.send(frame));
    this.#waiting += 1;
    const sent = this.#sending.then(async () => {
      try {
        return (await this.#drained()) && (!this.#isOpen(frame.id) || this.#socket.send(frame));
      } finally {
        this.#waiting -= 1;
      }
    });
    this.#sending = sent.catch(() => undefined);
    return sent;
  }

  /** A request that was given up meanwhile is not sent. */
  #isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  /** False when the client is gone, or was closed because it took in nothing. */
  async #drained(): Promise<boolean> {
    let before = this.#socket.buffered;
    let since = performance.now();
    while (this.#socket.buffered > mostOutgoing) {
      await pause(lookMs, undefined, { ref: false });
      if (this.#socket.signal.aborted) return false;
      const now = this.#socket.buffered;
      if (now < before) since = performance.now();
      else if (performance.now() - since > this.#settings().write_ms) {
        this.close(4008, "client reads too slowly");
        return false;
      }
      before = now;
    }
    return !this.#socket.signal.aborted;
  }
}
