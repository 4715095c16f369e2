/**
 * Straight through to one upstream. A stream's bytes are passed on unread; a whole reply is read to its end first, so that one that
 * is cut becomes a 502 instead of half a JSON text with status 200.
 */
import { type ForwardRequest, type Providers, Reply } from "@chela/sdk";
import { asGatewayError, errorEvent } from "../errors.ts";

/** Up to here a whole reply waits for its end. */
const wholeBytes = 4 * 1024 * 1024;
const streamHeaders = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" };

export async function straight(providers: Pick<Providers, "forward">, request: ForwardRequest): Promise<Reply> {
  const { status, headers, body, whole: bytes } = await providers.forward(request);
  if (headers["content-type"]?.toLowerCase().startsWith("text/event-stream"))
    return new Reply(withErrorEvent(body), { status, headers: asEvents(headers) });
  const text = bytes ?? (await whole(body));
  const events = request.body.stream === true && text instanceof Uint8Array ? asStream(text, request) : undefined;
  if (events === undefined) return new Reply(text, { status, headers });
  return new Reply(events, { headers: { ...asEvents(headers), "content-type": "text/event-stream; charset=utf-8" } });
}

function asEvents({ "content-length": _, ...headers }: Readonly<Record<string, string>>): Record<string, string> {
  return { ...streamHeaders, ...headers };
}

/** For an upstream that answers whole though a stream was asked for: a client that reads events would see none. */
function asStream(bytes: Uint8Array, { body }: ForwardRequest): string | undefined {
  try {
    const { choices, usage, ...envelope } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Completion;
    if (choices.length === 0) return undefined;
    const { include_usage: wanted } = (body.stream_options ?? {}) as { include_usage?: unknown };
    const event = (rest: object) =>
      `data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", ...rest })}\n\n`;
    const said = choices.map(({ index, message }) => {
      const calls = message?.tool_calls?.map((call, at) => ({ index: at, ...call }));
      return { index, delta: { ...message, ...(calls && { tool_calls: calls }) }, finish_reason: null };
    });
    const ends = choices.map(({ index, finish_reason = null }) => ({ index, delta: {}, finish_reason }));
    const figures = wanted === true && usage ? [event({ choices: [], usage })] : [];
    return [event({ choices: said }), event({ choices: ends }), ...figures, "data: [DONE]\n\n"].join("");
  } catch {
    // No completion: the client gets it as it is.
    return undefined;
  }
}

interface Completion {
  readonly choices: readonly {
    readonly index?: number;
    readonly message?: { readonly tool_calls?: readonly object[] | null } | null;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: unknown;
}

/** The body as one piece, or, when it is large, as a stream of what was read and what follows. */
async function whole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const iterator = body[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    parts.push(next.value);
    size += next.value.byteLength;
    if (size > wholeBytes) return resume(parts, iterator);
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

async function* resume(parts: readonly Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* parts;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/** After a cut between two events the client is told; inside an event the connection is broken off, which says the same. */
function withErrorEvent(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  let last: Uint8Array | undefined;
  let failed = false;
  const tell = (thrown: unknown): IteratorResult<Uint8Array> => {
    failed = true;
    if (last && !endsEvent(last)) throw thrown;
    return { done: false, value: Buffer.from(errorEvent(asGatewayError(thrown))) };
  };
  const keep = (result: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> => {
    last = result.value ?? last;
    return result;
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => (failed ? Promise.resolve({ done: true, value: undefined }) : iterator.next().then(keep, tell)),
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

function endsEvent(chunk: Uint8Array): boolean {
  const text = Buffer.from(chunk.subarray(-4)).toString("latin1");
  return text.endsWith("\n\n") || text.endsWith("\r\n\r\n");
}
