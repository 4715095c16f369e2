/** The gateway's requests and replies as the web's, and back. */
import { Reply, type RouteRequest } from "@chela/sdk";

/** Credentials stay behind. */
const passed = [
  "accept",
  "content-type",
  "mcp-session-id",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
  "last-event-id",
];

export function webRequest({ method, path, headers, body, signal }: RouteRequest): Request {
  const kept = new Headers();
  for (const name of passed) {
    const value = headers[name];
    if (value !== undefined) kept.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const init = { method, headers: kept, signal };
  return new Request(
    `http://gateway${path}`,
    method === "POST" ? { ...init, body: JSON.stringify(body ?? null) } : init,
  );
}

/** `done` is called once, when the reply is over, however it ends. */
export function replyOf({ status, headers, body }: Response, done: () => void = () => undefined): Reply {
  const plain = Object.fromEntries(headers);
  if (body) return new Reply(watched(body, once(done)), { status, headers: plain });
  done();
  return new Reply(null, { status, headers: plain });
}

export function refusal(status: number, code: number, message: string, headers: Record<string, string> = {}): Reply {
  return Reply.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}

/** No generator: that would wait for a chunk that never comes before it could be left. */
function watched(body: ReadableStream<Uint8Array>, done: () => void): AsyncIterable<Uint8Array> {
  const reader = body.getReader();
  const leave = async () => {
    done();
    await reader.cancel().catch(() => undefined);
    return { done: true as const, value: undefined };
  };
  const next = async () => {
    const chunk = await reader.read();
    if (chunk.done) done();
    return chunk as IteratorResult<Uint8Array>;
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}

function once(work: () => void): () => void {
  let left = 1;
  return () => {
    if (left-- > 0) work();
  };
}
