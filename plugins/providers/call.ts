/** One model call to one upstream: request out, ModelEvents in. Knows the wire, not the other candidates. */
import type { GatewayError, ModelEvent, ModelRequest } from "@chela/sdk";
import { createParser, type EventSourceParser } from "eventsource-parser";
import { Exchange } from "./exchange.ts";
import { fault, statusFault } from "./faults.ts";
import { limits } from "./limits.ts";
import type { Pools } from "./pools.ts";
import type { ProviderSpec } from "./settings.ts";
import { ReplyBuilder, type Target } from "./wire/reply.ts";
import { chatBody } from "./wire/request.ts";

/** A model of a provider that speaks OpenAI's wire. */
export interface Upstream extends Target {
  readonly spec: ProviderSpec;
}

export interface CallOptions {
  readonly pools: Pools;
  readonly signal: AbortSignal;
  /** What is left of the whole request's time. */
  readonly totalMs: number;
}

export async function* callModel(
  upstream: Upstream,
  request: ModelRequest,
  { pools, signal, totalMs }: CallOptions,
): AsyncGenerator<ModelEvent> {
  const { spec } = upstream;
  const exchange = await Exchange.open(await pools.get(spec.origin), {
    culprit: upstream,
    method: "POST",
    path: `${spec.prefix}/chat/completions`,
    headers: spec.headers,
    body: chatBody(request, upstream.model, spec),
    signal,
    firstByteMs: Math.min(spec.timeoutMs, totalMs),
    idleMs: spec.timeoutMs,
    totalMs,
    maxBytes: limits.replyBytes,
  });
  if (exchange.status >= 300) {
    throw statusFault(upstream, exchange.status, exchange.headers, await errorText(exchange));
  }
  const type = plainType(exchange, upstream) || "text/event-stream";
  if (/\bjson\b/.test(type)) yield* readWhole(exchange, upstream);
  else if (type.startsWith("text/event-stream")) yield* readStream(exchange, upstream);
  else throw noCompletion(exchange, upstream, type);
}

/** The content type of a success, in small letters. A body that came compressed, which nobody had asked for, is refused. */
export function plainType(exchange: Exchange, upstream: Upstream): string {
  const coding = codingOf(exchange);
  if (coding === "") return String(exchange.headers["content-type"] ?? "").toLowerCase();
  exchange.release();
  throw fault("UPSTREAM_PROTOCOL", upstream, `answered compressed (${coding}) although identity was asked for`);
}

function codingOf({ headers }: Exchange): string {
  const coding = String(headers["content-encoding"] ?? "").toLowerCase();
  return coding === "identity" ? "" : coding;
}

/** Success in a form that no API of this kind answers in: most often a web page, because the base URL is wrong. */
export function noCompletion(exchange: Exchange, upstream: Upstream, type: string): GatewayError {
  exchange.release();
  return fault("UPSTREAM_PROTOCOL", upstream, `answered with ${type} instead of a completion; is api_base right?`);
}

/** The body of an error reply; what is unreadable does not hide the status. */
export async function errorText(exchange: Exchange): Promise<string> {
  try {
    const text = await exchange.text(limits.errorBytes);
    return codingOf(exchange) === "" ? text : "";
  } catch {
    return "";
  }
}

async function* readStream(exchange: Exchange, upstream: Upstream): AsyncGenerator<ModelEvent> {
  const builder = new ReplyBuilder(upstream);
  const pending: ModelEvent[] = [];
  const decoder = new TextDecoder();
  const parser = createParser({
    maxBufferSize: limits.eventChars,
    onEvent: ({ event, data }) => (event === "error" ? builder.fail(data) : builder.data(data, pending)),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded")
        throw fault("UPSTREAM_PROTOCOL", upstream, "an event is too large");
    },
  });
  try {
    while (!builder.done) {
      const { done, value } = await nextOrEnd(exchange, builder);
      try {
        if (done) flush(parser);
        else parser.feed(decoder.decode(value, { stream: true }));
      } finally {
        // Also when the next event is broken: what came before it is the caller's.
        for (const event of pending.splice(0)) yield event;
      }
      if (done) break;
    }
    builder.finish(pending);
    for (const event of pending) yield event;
  } finally {
    // After `[DONE]` the connection is worth keeping; after an error, or when the reader left, it is not.
    if (builder.done) exchange.release();
    else await exchange.return();
  }
}

/** A last event without its blank line counts; half an event is dropped, and what is missing is told as a cut. */
function flush(parser: EventSourceParser): void {
  try {
    parser.feed("\n\n");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "UPSTREAM_PROTOCOL") throw error;
  }
}

/** When all of the reply had arrived, a cut or silent end costs the usage at most: it counts as the end. */
async function nextOrEnd(exchange: Exchange, builder: ReplyBuilder): Promise<IteratorResult<Uint8Array>> {
  try {
    return await exchange.next();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (builder.complete && (code === "UPSTREAM_CUT" || code === "UPSTREAM_TIMEOUT"))
      return { done: true, value: undefined };
    throw error;
  }
}

async function* readWhole(exchange: Exchange, upstream: Upstream): AsyncGenerator<ModelEvent> {
  const builder = new ReplyBuilder(upstream);
  const pending: ModelEvent[] = [];
  builder.data((await exchange.text(limits.replyBytes)).trim(), pending);
  builder.finish(pending);
  for (const event of pending) yield event;
}
