/**
 * What stands between a server and the official client, whatever the transport: messages nobody asked for are counted, and
 * bodies are bounded message by message.
 */
import { GatewayError } from "@chela/sdk";
import { answered, type JSONRPCMessage, type Transport } from "./door.ts";
import { type Flood, maxMessageBytes } from "./flood.ts";
import { purge } from "./secrets.ts";

const maxPending = 10_000;

/** The same transport; too many messages end it, and `secrets` are not in what it hands on. */
export function guarded(transport: Transport, flood: Flood, secrets: readonly string[]): Transport {
  const pending = new Set<string | number>();
  const outer: Transport = {
    start: () => {
      transport.onclose = () => outer.onclose?.();
      transport.onerror = (error) => outer.onerror?.(error);
      transport.onmessage = (message, extra) => receive(message, extra as never);
      return transport.start();
    },
    send: (message, options) => {
      if ("id" in message && "method" in message && pending.size < maxPending) pending.add(message.id);
      return transport.send(message, options);
    },
    close: () => transport.close(),
    get sessionId() {
      return transport.sessionId;
    },
    setProtocolVersion: (version) => transport.setProtocolVersion?.(version),
    setSupportedProtocolVersions: (versions) => transport.setSupportedProtocolVersions?.(versions),
    ...(transport.hasPerRequestStream === undefined ? {} : { hasPerRequestStream: transport.hasPerRequestStream }),
  };
  const receive = (message: JSONRPCMessage, extra: never) => {
    const id = answered(message);
    try {
      if (id === undefined || !pending.delete(id)) flood.count("messages", 1);
    } catch (error) {
      outer.onerror?.(error as Error);
      return void transport.close().catch(() => undefined);
    }
    purge(secrets, message);
    outer.onmessage?.(message, extra);
  };
  return outer;
}

/**
 * The response with a body that fails once one message of it is too large: a JSON body, or one event of a stream. It simply
 * ends when it is given up: that is no trouble of the server.
 */
export function boundedBody(response: Response, givenUp?: AbortSignal): Response {
  if (response.body === null) return response;
  const stream = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => givenUp?.addEventListener("abort", () => controller.terminate(), { once: true }),
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > maxMessageBytes)
        throw new GatewayError("MCP_TOO_LARGE", 502, `the answer has more than ${maxMessageBytes} bytes`);
      if (stream) bytes = afterLastEvent(chunk) ?? bytes;
      controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  const limited = new Response(response.body.pipeThrough(counter), { status, statusText, headers });
  return Object.defineProperty(limited, "url", { value: response.url });
}

/** Bytes after the last empty line, which ends an event. */
function afterLastEvent(chunk: Uint8Array): number | undefined {
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const end = Math.max(text.lastIndexOf("\n\n"), text.lastIndexOf("\n\r\n"));
  return end < 0 ? undefined : chunk.byteLength - end;
}
