/**
 * What a handler returns when plain data is not enough: another status, headers, text, bytes or a stream.
 * Handlers never touch the socket; the host writes the reply, counts it and ends it when the client leaves.
 */

const brand = Symbol.for("chela.Reply");

/** What a reply may consist of. Streams are sent as they come, and ended when the client leaves. */
export type ReplyBody =
  | string
  | Uint8Array
  | AsyncIterable<string | Uint8Array>
  | ReadableStream<string | Uint8Array>
  | null;

/** Status and headers of a reply. */
export interface ReplyInit {
  /** 200 to 599; default 200. 204, 205 and 304 have no body. */
  status?: number;
  headers?: Record<string, string>;
}

/** A reply in the making: `Reply.json`, `Reply.text`, `Reply.sse` and their like make one. */
export class Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: ReplyBody;

  constructor(body: ReplyBody, init: ReplyInit = {}) {
    this.status = init.status ?? 200;
    this.headers = init.headers ?? {};
    this.body = body;
  }

  static {
    Object.defineProperty(Reply.prototype, brand, { value: true });
  }

  /** True for a Reply of any copy of the SDK. */
  static is(value: unknown): value is Reply {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** `application/json`. Same bytes as returning `data`, with a status and headers of your own. */
  static json(data: unknown, init: ReplyInit = {}): Reply {
    const headers = { "content-type": "application/json", ...init.headers };
    return new Reply(`${JSON.stringify(data) ?? null}\n`, { status: init.status ?? 200, headers });
  }

  /** `text/plain; charset=utf-8`. */
  static text(text: string, init: ReplyInit = {}): Reply {
    const headers = { "content-type": "text/plain; charset=utf-8", ...init.headers };
    return new Reply(text, { status: init.status ?? 200, headers });
  }

  /** Server-sent events. Each item is one whole event, already framed (`data: …\n\n`). */
  static sse(events: AsyncIterable<string | Uint8Array>, init: ReplyInit = {}): Reply {
    const headers = {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      ...init.headers,
    };
    return new Reply(events, { status: init.status ?? 200, headers });
  }
}
