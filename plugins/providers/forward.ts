/**
 * Straight through: the client's own OpenAI request with only `model` replaced, and the upstream's bytes back, unread.
 * A 4xx keeps status, message and Retry-After; anything else that goes wrong before the first byte is a GatewayError.
 */
import type { ForwardReply, ForwardRequest, GatewayError } from "@chela/sdk";
import { errorText, noCompletion, plainType, type Upstream } from "./call.ts";
import { Exchange, type Headers } from "./exchange.ts";
import { blank, bodyFault, fault, statusFault } from "./faults.ts";
import { limits } from "./limits.ts";
import type { Pools } from "./pools.ts";

/** Reply headers that mean something to the client of the API. */
const passed = [
  "content-type",
  "content-length",
  "retry-after",
  "retry-after-ms",
  "openai-processing-ms",
  "openai-version",
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
] as const;

const beginsWithError = /^(?::[^\n]*\n[\r\n]*)*(?:data: ?)?\{\s*"error"\s*:\s*(?:\{|"(?!"))/;
const blankLine = /\r?\n\r?\n/;

export interface Forwarded {
  readonly reply: ForwardReply;
  /** What a 4xx reply means, for cooldowns. */
  readonly refused?: GatewayError;
}

export async function forwardTo(
  upstream: Upstream,
  request: ForwardRequest,
  pools: Pools,
  requestMs: number,
): Promise<Forwarded> {
  const { spec } = upstream;
  const streamed = request.body.stream === true;
  const exchange = await Exchange.open(await pools.get(spec.origin), {
    culprit: upstream,
    method: "POST",
    path: `${spec.prefix}${request.path}`,
    headers: spec.headers,
    body: JSON.stringify({ ...request.body, model: upstream.model }),
    signal: request.signal,
    firstByteMs: spec.timeoutMs,
    idleMs: spec.timeoutMs,
    totalMs: streamed ? requestMs : Math.min(spec.timeoutMs, requestMs),
    maxBytes: limits.passBytes,
  });
  if (exchange.status >= 300) return refusal(exchange, upstream);
  const type = plainType(exchange, upstream);
  if (type.startsWith("text/html")) throw noCompletion(exchange, upstream, type);
  if (type.startsWith("text/event-stream") && request.path === "/chat/completions") exchange.expectEnd();
  const first = await exchange.next();
  if (first.done) throw fault("UPSTREAM_CUT", upstream, `answered ${exchange.status} without a body`);
  const { buffer, byteOffset, byteLength } = first.value;
  const head = Buffer.from(buffer, byteOffset, byteLength);
  if (beginsWithError.test(head.toString("latin1", 0, 200))) return toldError(head, exchange, upstream);
  const body = prefixed(first, exchange);
  return { reply: { status: exchange.status, headers: pick(exchange.headers), body, model: upstream.id } };
}

/** An error with status 200, as some upstreams tell it: as the whole reply, or as the first event of a stream. */
async function toldError(head: Buffer, exchange: Exchange, upstream: Upstream): Promise<Forwarded> {
  let text = head.toString("utf8", head.indexOf("{"));
  if (blankLine.test(text)) exchange.release();
  else text += await errorText(exchange);
  const [json = ""] = blank(text, upstream.secrets).split(blankLine, 1);
  const error = bodyFault(upstream, errorOf(json) ?? json);
  if (error.status >= 500) throw error;
  return refused(error, upstream.id, json, exchange);
}

/** The upstream's own error body when it has OpenAI's shape, else its message in that shape. */
async function refusal(exchange: Exchange, upstream: Upstream): Promise<Forwarded> {
  const text = blank(await errorText(exchange), upstream.secrets);
  const error = statusFault(upstream, exchange.status, exchange.headers, text);
  if (exchange.status < 400 || exchange.status >= 500) throw error;
  return refused(error, upstream.id, text, exchange);
}

function refused(error: GatewayError, model: string, text: string, { status, headers: all }: Exchange): Forwarded {
  const { "content-length": _, ...headers } = pick(all);
  const told = (error.details?.upstream ?? {}) as Record<string, unknown>;
  const body =
    typeof errorOf(text) === "object"
      ? text
      : JSON.stringify({
          error: { message: told.message, type: told.type ?? "upstream_error", param: null, code: null },
        });
  const reply = {
    // One that came with status 200 has that of what it says.
    status: status < 300 ? error.status : status,
    headers: { ...headers, "content-type": "application/json" },
    body: one(Buffer.from(body)),
    model,
  };
  return { reply, refused: error };
}

/** The `error` of a JSON object, if there is one. */
function errorOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { error?: unknown } | null)?.error ?? undefined;
  } catch {
    return undefined;
  }
}

function pick(headers: Headers): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of passed) {
    const value = headers[name];
    if (typeof value === "string") picked[name] = value;
  }
  const id = headers["x-request-id"];
  if (typeof id === "string") picked["x-upstream-request-id"] = id;
  return picked;
}

/** The body with its first chunk, which had to be awaited before the status could be trusted. */
function prefixed(first: IteratorResult<Uint8Array>, exchange: Exchange): AsyncIterable<Uint8Array> {
  let head: IteratorResult<Uint8Array> | undefined = first;
  const iterator: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => iterator,
    next: () => {
      if (head === undefined) return exchange.next();
      const result = Promise.resolve(head);
      head = undefined;
      return result;
    },
    return: () => exchange.return(),
  };
  return iterator;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
