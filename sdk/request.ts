/** What reaches the handler of a route. */
import type { Cancellation } from "./cancellation.ts";
import type { Identity } from "./identity.ts";

/** One request, as a handler sees it: validated, authenticated, read to the end. */
export interface RouteRequest<Q = unknown, B = unknown> {
  /** Request id; also in the `x-request-id` reply header and the log. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** From `:name` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly identity: Identity;
  readonly address: string;
  /** Aborts when the client leaves or the plugin is stopped. */
  readonly signal: AbortSignal;
  /** Tells the same as `signal`, which is made when it is first asked for and costs as much as a small request. */
  readonly cancellation: Cancellation;
  /** Uploaded files, only on routes with `upload`. */
  readonly files: readonly UploadedFile[];
}

/** One file of a `multipart/form-data` body. */
export interface UploadedFile {
  readonly field: string;
  /** Base name as the client sent it; never a path. */
  readonly name: string;
  readonly type: string;
  readonly size: number;
  /** A temporary file, deleted when the handler has answered. Move it to keep it. */
  readonly path: string;
}
