/** A WebSocket to the gateway, for `chat` and `logs --follow`: JSON frames out, JSON frames in, one reader. */
import type { IncomingMessage } from "node:http";
import { GatewayError } from "@chela/sdk";
import type { RawData } from "ws";
import { type Gateway, unauthorized, unreachable } from "./client.ts";
import { pinned } from "./transport.ts";

export interface GatewaySocket {
  send(frame: unknown): void;
  /** Ends when the socket closes. May be iterated once. */
  frames(): AsyncIterableIterator<Readonly<Record<string, unknown>>>;
  /** The close code, once the frames ended. */
  closeCode(): number;
  close(): void;
}

const frameBytes = 64 * 1024 * 1024;
const handshakeMs = 10_000;
const refusalMs = 2_000;
const refusalBytes = 1_000;

type Frame = Readonly<Record<string, unknown>>;

export async function openSocket(gateway: Gateway, path: string): Promise<GatewaySocket> {
  const { WebSocket } = await import("ws");
  const url = gateway.url.replace(/^http/, "ws") + path;
  const headers = gateway.token ? { authorization: `Bearer ${gateway.token}` } : {};
  const socket = new WebSocket(url, {
    headers,
    maxPayload: frameBytes,
    handshakeTimeout: handshakeMs,
    ...pinned(gateway.certificate),
  });
  const queue: Frame[] = [];
  let closed = 0;
  let wake: () => void = () => undefined;
  socket.on("message", (data: RawData) => {
    const frame = parse(String(data));
    if (frame) queue.push(frame);
    wake();
  });
  socket.on("close", (code) => {
    closed = code || 1006;
    wake();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("unexpected-response", (_request, response) => {
      void refusal(gateway, url, response).then((error) => {
        reject(error);
        socket.terminate();
      });
    });
    socket.on("error", (error) => reject(unreachable(gateway, error)));
  });
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    async *frames() {
      for (;;) {
        const frame = queue.shift();
        if (frame) yield frame;
        else if (closed) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
    closeCode: () => closed,
    close: () => socket.close(),
  };
}

/** The gateway's own sentence where it gives one: a missing scope is no missing plugin. */
async function refusal(gateway: Gateway, url: string, response: IncomingMessage): Promise<GatewayError> {
  const status = response.statusCode ?? 0;
  if (status === 401) return unauthorized(gateway);
  const reason = await bodyOf(response);
  if (status === 403 && reason) return new GatewayError("FORBIDDEN", 403, reason, { url });
  const sentence = `${url} was refused with status ${status}. Is the plugin that serves it running? See: chela plugins list`;
  return new GatewayError("GATEWAY_REPLY", 502, sentence, { status });
}

/** The beginning of a refusal's text; empty when it does not come. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  let text = "";
  try {
    response.setTimeout(refusalMs, () => response.destroy());
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > refusalBytes) break;
    }
  } catch {
    // What came counts.
  }
  return text.slice(0, refusalBytes).trim();
}

function parse(text: string): Frame | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Frame) : null;
  } catch {
    return null;
  }
}
