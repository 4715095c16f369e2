/** The request a handler sees. The abort signal is made on first use: most handlers never look at it. */
import type { IncomingHttpHeaders } from "node:http";
import { GatewayError, type Identity, type RouteRequest, type UploadedFile } from "@chela/sdk";

export interface ViewParts {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
}

const noFiles: readonly UploadedFile[] = Object.freeze([]);

export class RequestView implements RouteRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
  params: Readonly<Record<string, string>> = {};
  query: unknown = {};
  body: unknown = undefined;
  identity: Identity;
  files: readonly UploadedFile[] = noFiles;
  readonly #stopped: AbortSignal;
  #abort: AbortController | undefined;
  #left = false;
  #streamed = false;
  #revoked = false;
  readonly #stop = () => this.#abort?.abort(this.#stopped.reason);

  constructor(parts: ViewParts, identity: Identity, stopped: AbortSignal) {
    this.id = parts.id;
    this.method = parts.method;
    this.path = parts.path;
    this.headers = parts.headers;
    this.address = parts.address;
    this.identity = identity;
    this.#stopped = stopped;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#left) this.leave();
      else if (this.#stopped.aborted) this.#stop();
      else this.#stopped.addEventListener("abort", this.#stop, { once: true });
    }
    return this.#abort.signal;
  }

  /** Of a reply that is a stream: from here on it ends when its credential goes. */
  streamed(): AbortSignal {
    this.#streamed = true;
    if (this.#revoked) this.revoke();
    return this.signal;
  }

  /** The credential has gone. True when that ends a stream. */
  revoke(): boolean {
    this.#revoked = true;
    if (!this.#streamed || this.signal.aborted) return false;
    this.#abort?.abort(new GatewayError("UNAUTHORIZED", 401, "credential replaced"));
    return true;
  }

  /** The client went away before the reply was complete. */
  leave(): void {
    this.#left = true;
    this.#abort?.abort(new GatewayError("CLIENT_GONE", 499, "the client closed the connection"));
  }

  /** The reply is complete: nothing keeps the view alive any more. */
  done(): void {
    this.#stopped.removeEventListener("abort", this.#stop);
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
