/** A request over the relay, with the deadlines and caps of any other; its client carries it out and sends back what came. */

import { GatewayError, messageOf, type Relay, type RelayReply } from "@chela/sdk";
import { aborted, fault } from "../../failover/faults.ts";
import type { Answer, Ask, Headers } from "../../http/transport.ts";
import { whole } from "../../http/whole.ts";

export interface RelayPath {
  readonly relay: Relay | undefined;
  readonly channel: string;
  readonly url: string;
}

/** What a browser says itself, and will not be told. */
const notOurs: ReadonlySet<string> = new Set(["accept-encoding", "user-agent"]);
/** What holds for the bytes on the client's own wire; those that reach us are plain. */
const notTheirs: ReadonlySet<string> = new Set(["content-encoding", "content-length", "transfer-encoding"]);

export async function openOver({ relay, channel, url }: RelayPath, ask: Ask): Promise<Answer> {
  if (ask.signal.aborted) throw aborted(ask.culprit, ask.signal.reason);
  const watch = new Watch(ask);
  try {
    if (!relay) throw new GatewayError("RELAY_ABSENT", 503, "the relay plugin is not running; enable it");
    const sent = relay.request(channel, {
      method: ask.method,
      url,
      headers: ourHeaders(ask.headers),
      ...(ask.body === null ? {} : { body: ask.body }),
      timeoutMs: Math.min(ask.idleMs, ask.totalMs),
      signal: watch.signal,
    });
    const reply = await watch.guard(sent);
    watch.begun();
    return new RelayAnswer(reply, ask, watch);
  } catch (error) {
    throw watch.faultOf(error, false);
  }
}

/** The caller's signal and our own deadlines as one. */
class Watch {
  readonly #ask: Ask;
  readonly #controller = new AbortController();
  readonly #total: NodeJS.Timeout;
  readonly #first: NodeJS.Timeout;
  #late = false;
  #interrupt: ((reason: unknown) => void) | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
    this.#total = setTimeout(() => this.#expire(), ask.totalMs);
    this.#first = setTimeout(() => this.#expire(), ask.firstByteMs);
    ask.signal.addEventListener("abort", this.#leave, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for the relay, but no longer than the caller and the deadlines do. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      work.then(resolve, reject);
      this.#interrupt = reject;
      if (this.signal.aborted) reject(this.signal.reason);
    });
  }

  begun(): void {
    clearTimeout(this.#first);
  }

  end(): void {
    clearTimeout(this.#first);
    clearTimeout(this.#total);
    this.#ask.signal.removeEventListener("abort", this.#leave);
  }

  /** Gives the request up. */
  stop(): void {
    this.end();
    this.#controller.abort();
  }

  /** `begun`: the reply's head had arrived. */
  faultOf(error: unknown, begun: boolean): GatewayError {
    this.end();
    const { culprit, signal } = this.#ask;
    if (signal.aborted) return aborted(culprit, signal.reason);
    const text = messageOf(error);
    if (this.#late || (GatewayError.is(error) && error.status === 504))
      return fault("UPSTREAM_TIMEOUT", culprit, this.#late ? "no reply over the relay in time" : text, error);
    if (GatewayError.is(error) && error.code.startsWith("UPSTREAM_")) return error;
    return fault(begun ? "UPSTREAM_CUT" : "UPSTREAM_UNREACHABLE", culprit, text, error);
  }

  #expire(): void {
    this.#late = true;
    this.#giveUp(undefined);
  }

  readonly #leave = (): void => this.#giveUp(this.#ask.signal.reason);

  #giveUp(reason: unknown): void {
    this.#controller.abort(reason);
    this.#interrupt?.(this.signal.reason);
  }
}

class RelayAnswer implements Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly #body: AsyncIterator<Uint8Array>;
  readonly #ask: Ask;
  readonly #watch: Watch;
  #size = 0;
  #over = false;

  constructor(reply: RelayReply, ask: Ask, watch: Watch) {
    this.status = reply.status;
    const theirs = Object.entries(reply.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    this.headers = Object.fromEntries(theirs.filter(([name]) => !notTheirs.has(name)));
    this.#body = reply.body[Symbol.asyncIterator]();
    this.#ask = ask;
    this.#watch = watch;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#over) return { done: true, value: undefined };
    try {
      const next = await this.#watch.guard(this.#body.next());
      if (next.done) return this.#ended();
      this.#size += next.value.byteLength;
      if (this.#size > this.#ask.maxBytes) throw this.#tooLarge(this.#ask.maxBytes);
      return next;
    } catch (error) {
      this.#over = true;
      const told = this.#watch.faultOf(error, true);
      this.#watch.stop();
      throw told;
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#over) {
      this.#over = true;
      this.#watch.stop();
      void Promise.resolve(this.#body.return?.()).catch(() => undefined);
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  release(): void {
    void this.return();
  }

  async text(maxBytes: number): Promise<string> {
    return (await whole(this, maxBytes, (most) => this.#tooLarge(most))).toString("utf8");
  }

  #ended(): IteratorResult<Uint8Array> {
    this.#over = true;
    this.#watch.end();
    return { done: true, value: undefined };
  }

  #tooLarge(max: number): GatewayError {
    return fault("UPSTREAM_PROTOCOL", this.#ask.culprit, `the reply is larger than ${max} bytes`);
  }
}

function ourHeaders(list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] as string;
    if (!notOurs.has(name)) headers[name] = list[at + 1] as string;
  }
  return headers;
}
