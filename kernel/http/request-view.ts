/** The request a handler sees. What tells of its end is made on first use: most handlers never look at it. */
import type { IncomingHttpHeaders } from "node:http";
import {
  type Cancellation,
  GatewayError,
  type Identity,
  type RouteRequest,
  signalOf,
  type UploadedFile,
} from "@chela/sdk";
import type { Scope } from "../instance/scope.ts";
import { Canceller } from "./canceller.ts";

export interface ViewParts {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly base: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
}

const noFiles: readonly UploadedFile[] = Object.freeze([]);

export class RequestView implements RouteRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly base: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
  params: Readonly<Record<string, string>> = {};
  query: unknown = {};
  body: unknown = undefined;
  identity: Identity;
  files: readonly UploadedFile[] = noFiles;
  readonly #scope: Pick<Scope, "signal" | "endings">;
  #cancel: Canceller | undefined;
  #signal: AbortSignal | undefined;
  #place: number | undefined;
  #left = false;
  #streamed = false;
  #revoked = false;
  #done = false;

  /** `scope`: of the plugin that answers. */
  constructor(parts: ViewParts, identity: Identity, scope: Pick<Scope, "signal" | "endings">) {
    this.id = parts.id;
    this.method = parts.method;
    this.path = parts.path;
    this.base = parts.base;
    this.headers = parts.headers;
    this.address = parts.address;
    this.identity = identity;
    this.#scope = scope;
  }

  get cancellation(): Cancellation {
    return this.#cancel ?? this.#watched();
  }

  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.cancellation);
    return this.#signal;
  }

  /** Of a reply that is a stream: from here on it ends when its credential goes. */
  streamed(): Cancellation {
    this.#streamed = true;
    if (this.#revoked) this.revoke();
    return this.cancellation;
  }

  /** The credential has gone. True when that ends a stream. */
  revoke(): boolean {
    this.#revoked = true;
    if (!this.#streamed || this.cancellation.aborted) return false;
    this.#cancel?.abort(new GatewayError("UNAUTHORIZED", 401, "credential replaced"));
    return true;
  }

  /** The client went away before the reply was complete. */
  leave(): void {
    this.#left = true;
    this.#cancel?.abort(new GatewayError("CLIENT_GONE", 499, "the client closed the connection"));
  }

  /** The reply is complete: nothing keeps the view alive any more, nor will whoever asks it for a cancellation only now. */
  done(): void {
    this.#done = true;
    if (this.#place !== undefined) this.#scope.endings.clear(this.#place);
    this.#place = undefined;
  }

  #watched(): Cancellation {
    const cancel = new Canceller();
    const { signal, endings } = this.#scope;
    this.#cancel = cancel;
    if (this.#left) this.leave();
    else if (signal.aborted) cancel.abort(signal.reason);
    else if (!this.#done) this.#place = endings.put((reason) => cancel.abort(reason));
    return cancel;
  }
}

/** Query values: the first of each name, all of them where the schema says array. */
export function queryObject(search: string, schema: unknown): Record<string, unknown> {
  const query: Record<string, unknown> = Object.create(null);
  if (search.length < 2) return query;
  const properties = (schema as { properties?: Record<string, { type?: string }> } | undefined)?.properties;
  const parameters = new URLSearchParams(search);
  for (const name of new Set(parameters.keys())) {
    query[name] = properties?.[name]?.type === "array" ? parameters.getAll(name) : parameters.get(name);
  }
  return query;
}
