/**
 * One model call to one upstream: request out, ModelEvents in, as many at a time as came together. Knows how a reply is read,
 * not what its wire looks like.
 */
import type { GatewayError, ModelEvent, ModelRequest } from "@chela/sdk";
import { createParser, type EventSourceParser } from "eventsource-parser";
import type { Signed } from "./credentials/credential.ts";
import { fault, statusFault } from "./failover/faults.ts";
import type { Answer } from "./http/transport.ts";
import { limits } from "./limits.ts";
import { type CallOptions, type Carrier, carry, type Upstream } from "./send.ts";
import { chat } from "./wire/chat/index.ts";
import type { ReplyReader, Wire, WireName } from "./wire/dialect.ts";

export type { CallOptions, Upstream } from "./send.ts";

/** Never empty. One by one, each event would wait for every generator on its way. */
export type EventBatches = AsyncGenerator<readonly ModelEvent[], undefined, undefined>;

/** Resolves when the reply has begun. */
export async function callModel(
  upstream: Upstream,
  request: ModelRequest,
  options: CallOptions,
): Promise<EventBatches> {
  const { spec } = upstream;
  const loaded = wireFor(spec.wire);
  const wire = loaded instanceof Promise ? await loaded : loaded;
  const { path, body, headers } = wire.request(request, upstream.model, spec, options.toolTexts);
  const ask: Carrier = {
    upstream: withSecret(upstream, options.signed),
    path,
    headers: [...headers, ...wire.sign(options.signed, spec)],
    body: wire.enclose ? wire.enclose(body, upstream.model, options.signed, spec) : body,
    extra: request.extra,
  };
  const answer = await carry(ask, options);
  if (answer.status >= 300) {
    throw statusFault(ask.upstream, answer.status, answer.headers, await errorText(answer));
  }
  const reader = wire.reader(ask.upstream, spec, request);
  const type = plainType(answer, ask.upstream) || "text/event-stream";
  if (/\bjson\b/.test(type)) return readWhole(answer, reader);
  if (type.startsWith("text/event-stream")) return readStream(answer, reader, ask.upstream);
  throw noCompletion(answer, ask.upstream, type);
}

/** A wire: at once where it is loaded anyway, else when its module is. */
export function wireFor(name: WireName): Wire | Promise<Wire> {
  if (name === "anthropic") return import("./wire/anthropic/index.ts").then(({ anthropic }) => anthropic);
  if (name === "gemini") return import("./wire/gemini/index.ts").then(({ gemini }) => gemini);
  if (name === "responses") return import("./wire/responses/index.ts").then(({ responses }) => responses);
  return chat;
}

/** The token of an account is as secret as a key. */
export function withSecret(upstream: Upstream, { token }: Signed): Upstream {
  const { secrets = [] } = upstream;
  return token === undefined || secrets.includes(token) ? upstream : { ...upstream, secrets: [...secrets, token] };
}

/** The content type of a success, in small letters. A body that came compressed, which nobody had asked for, is refused. */
export function plainType(answer: Answer, upstream: Upstream): string {
  const coding = codingOf(answer);
  if (coding === "") return String(answer.headers["content-type"] ?? "").toLowerCase();
  answer.release();
  throw fault("UPSTREAM_PROTOCOL", upstream, `answered compressed (${coding}) although identity was asked for`);
}

function codingOf({ headers }: Answer): string {
  const coding = String(headers["content-encoding"] ?? "").toLowerCase();
  return coding === "identity" ? "" : coding;
}

/** Success in a form that no API of this kind answers in: most often a web page, because the base URL is wrong. */
export function noCompletion(answer: Answer, upstream: Upstream, type: string): GatewayError {
  answer.release();
  return fault("UPSTREAM_PROTOCOL", upstream, `answered with ${type} instead of a completion; is api_base right?`);
}

/** The body of an error reply; what is unreadable does not hide the status. */
export async function errorText(answer: Answer): Promise<string> {
  try {
    const text = await answer.text(limits.errorBytes);
    return codingOf(answer) === "" ? text : "";
  } catch {
    return "";
  }
}

async function* readStream(answer: Answer, reader: ReplyReader, upstream: Upstream): EventBatches {
  const pending: ModelEvent[] = [];
  const decoder = new TextDecoder();
  const parser = createParser({
    maxBufferSize: limits.eventChars,
    onEvent: ({ event, data }) => reader.event(event, data, pending),
    onError: ({ type, line = "" }) => {
      if (type === "max-buffer-size-exceeded") throw fault("UPSTREAM_PROTOCOL", upstream, "an event is too large");
      // What has gone wrong before the stream began is told by some in JSON alone, whatever type they gave it.
      if (line.startsWith("{")) reader.event(undefined, line, pending);
    },
  });
  try {
    while (!reader.done) {
      const { done, value } = await nextOrEnd(answer, reader);
      try {
        if (done) flush(parser);
        else parser.feed(decoder.decode(value, { stream: true }));
      } finally {
        // Also when the next event is broken: what came before it is the caller's.
        if (pending.length > 0) yield pending.splice(0);
      }
      if (done) break;
    }
    reader.finish(pending);
    yield pending;
  } finally {
    // After the last event the connection is worth keeping; after an error, or when the reader left, it is not.
    if (reader.done) answer.release();
    else await answer.return();
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
async function nextOrEnd(answer: Answer, reader: ReplyReader): Promise<IteratorResult<Uint8Array>> {
  try {
    return await answer.next();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (reader.complete && (code === "UPSTREAM_CUT" || code === "UPSTREAM_TIMEOUT"))
      return { done: true, value: undefined };
    throw error;
  }
}

async function* readWhole(answer: Answer, reader: ReplyReader): EventBatches {
  const pending: ModelEvent[] = [];
  reader.whole(await answer.text(limits.replyBytes), pending);
  reader.finish(pending);
  yield pending;
}
