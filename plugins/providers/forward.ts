/**
 * Straight through: the client's own OpenAI request with only `model` replaced, and the upstream's bytes back, unread.
 * A 4xx keeps status, message and Retry-After; anything else that goes wrong before the first byte is a GatewayError.
 */
import {
  type ForwardReply,
  type ForwardRequest,
  type GatewayError,
  isObject,
  jsonOf,
  objectOf,
  type Usage,
} from "@chela/sdk";
import { errorText, noCompletion, plainType, withSecret } from "./call.ts";
import { blank, bodyFault, fault, statusFault } from "./failover/faults.ts";
import { Exchange } from "./http/exchange.ts";
import { asBuffer } from "./http/tail.ts";
import type { Answer, Headers } from "./http/transport.ts";
import { limits } from "./limits.ts";
import { type CallOptions, type Upstream, wayTo, withQuery } from "./send.ts";
import type { ProviderSpec } from "./settings.ts";
import { openAiBody, signWithKey } from "./wire/chat/index.ts";
import { isOpen, withoutUsage, withUsage } from "./wire/metered.ts";
import { usageIn } from "./wire/usage-tail.ts";

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
/** More than the longest event of a usage, and what ends a stream. */
const eventBytes = 2048;
const blankLine = /\r?\n\r?\n/;

export interface Forwarded {
  readonly reply: ForwardReply;
  /** How the body begins. */
  readonly head?: Buffer;
  /** What a 4xx reply means, for cooldowns. */
  readonly refused?: GatewayError;
}

export interface ForwardOptions extends Pick<CallOptions, "pools" | "signed" | "totalMs" | "firstByteMs"> {
  /** Told once, when the reply has ended, broke off or was left: what it had cost, where it said so. Not of one that was refused. */
  readonly onEnd?:
    | ((end: { readonly usage: Usage | null; readonly error?: GatewayError | undefined }) => void)
    | undefined;
}

export async function forwardTo(
  upstream: Upstream,
  request: ForwardRequest,
  options: ForwardOptions,
): Promise<Forwarded> {
  const metered = isMetered(request, upstream.spec);
  const exchange = await opened(upstream, metered ? { ...request, body: withUsage(request.body) } : request, options);
  if (exchange.status >= 300) return refusal(exchange, withSecret(upstream, options.signed));
  const type = plainType(exchange, upstream);
  if (type.startsWith("text/html")) throw noCompletion(exchange, upstream, type);
  const isStream = type.startsWith("text/event-stream");
  if (isStream) expectEnd(exchange, request.path);
  const { onEnd } = options;
  if (onEnd) exchange.keepTail();
  // Most whole replies come in one piece with their head.
  const whole = isStream ? undefined : exchange.takeAll();
  const first = whole ? { done: false as const, value: whole } : await exchange.next();
  if (first.done) throw fault("UPSTREAM_CUT", upstream, `answered ${exchange.status} without a body`);
  const head = asBuffer(first.value);
  if (beginsWithError.test(head.toString("latin1", 0, 200)))
    return toldError(head, exchange, withSecret(upstream, options.signed));
  // The events of a completion end with that of its usage; a response tells its other fields behind it.
  const tailBytes = request.body.stream === true && request.path === "/chat/completions" ? eventBytes : undefined;
  if (onEnd) exchange.onEnd((tail, error) => onEnd({ usage: usageIn(tail.text(tailBytes)), error }));
  const { status, headers } = exchange;
  if (whole) return { head, reply: { status, headers: pick(headers), body: one(whole), whole, model: upstream.id } };
  const body = prefixed(first, exchange);
  const shown = metered && isStream ? withoutUsage(body) : body;
  return { head, reply: { status, headers: pick(headers), body: shown, model: upstream.id } };
}

async function opened(upstream: Upstream, request: ForwardRequest, options: ForwardOptions): Promise<Exchange> {
  const { spec } = upstream;
  const { signed, totalMs } = options;
  const { prefix, line } = wayTo(upstream, options);
  return Exchange.open(line instanceof Promise ? await line : line, {
    culprit: withSecret(upstream, signed),
    method: "POST",
    path: withQuery(`${prefix}${request.path}`, spec.query),
    headers: [...spec.headers, ...signWithKey(signed, spec)],
    body: openAiBody(request.body, upstream.model, spec),
    signal: request.signal,
    firstByteMs: Math.min(spec.timeoutMs, options.firstByteMs),
    idleMs: spec.timeoutMs,
    totalMs: request.body.stream === true ? totalMs : Math.min(spec.timeoutMs, totalMs),
    maxBytes: limits.passBytes,
  });
}

/** What an API key uses counts against its budget, so its streams are asked for their usage even where the client was not. */
function isMetered({ caller, path, body }: ForwardRequest, spec: ProviderSpec): boolean {
  return caller?.identity?.kind === "key" && spec.usage && path === "/chat/completions" && isOpen(body);
}

function expectEnd(exchange: Exchange, path: string): void {
  if (path === "/chat/completions") exchange.expectEnd("chat");
  else if (path === "/responses") exchange.expectEnd("responses");
}

/** An error with status 200, as some upstreams tell it: as the whole reply, or as the first event of a stream. */
async function toldError(head: Buffer, exchange: Exchange, upstream: Upstream): Promise<Forwarded> {
  let text = head.toString("utf8", head.indexOf("{"));
  if (blankLine.test(text)) exchange.release();
  else text += await errorText(exchange);
  const [json = ""] = blank(text, upstream.secrets).split(blankLine, 1);
  const error = bodyFault(upstream, objectOf(jsonOf(json)).error ?? json);
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

function refused(error: GatewayError, model: string, text: string, { status, headers: all }: Answer): Forwarded {
  const { "content-length": _, ...headers } = pick(all);
  const told = (error.details?.upstream ?? {}) as Record<string, unknown>;
  const body = isObject(objectOf(jsonOf(text)).error)
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
