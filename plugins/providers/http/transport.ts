/** How a request reaches its upstream: over HTTP of our own, or through a client that carries it out for us. */
import type { Cancellation } from "@chela/sdk";
import type { Culprit } from "../failover/faults.ts";

/** One request with every deadline and cap. */
export interface Ask {
  readonly culprit: Culprit;
  readonly method: "GET" | "POST";
  /** With its query, below the origin. */
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: string | null;
  readonly signal: Cancellation;
  /** Until the headers. */
  readonly firstByteMs: number;
  /** Between two chunks. */
  readonly idleMs: number;
  /** Everything, up to the last byte. */
  readonly totalMs: number;
  readonly maxBytes: number;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A reply whose head is here; its body is the iterable. Leaving it early gives the request up. */
export interface Answer extends AsyncIterableIterator<Uint8Array> {
  readonly status: number;
  readonly headers: Headers;
  next(): Promise<IteratorResult<Uint8Array>>;
  return(): Promise<IteratorResult<Uint8Array>>;
  /** The reader has what it wants: the rest may run dry. */
  release(): void;
  /** The whole body as text. More than `maxBytes` is a fault. */
  text(maxBytes: number): Promise<string>;
}

export interface Transport {
  /** Resolves when the reply's head is here; rejects with an upstream's fault. */
  open(ask: Ask): Promise<Answer>;
}
