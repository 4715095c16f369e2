/**
 * A request that offers another protocol than WebSocket (`Upgrade: h2c`, which `curl --http2` and Java's client send with
 * every plain request) is answered in HTTP/1.1, as if it had not offered. node takes the connection away from HTTP; it is
 * given back with the same request, but for the offer.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { hasBody } from "../http/body.ts";

export interface TakenAway {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the request's headers. */
  readonly rest: Buffer;
}

const offers: ReadonlySet<string> = new Set(["upgrade", "http2-settings"]);

export function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.trim().toLowerCase() === "websocket";
}

/**
 * What newer node asks before it takes a connection away. It would read a body first, which then cannot be given back;
 * without one it forgets what follows on a connection that it keeps, so that one is better given back.
 */
export function takesAway(req: IncomingMessage): boolean {
  return isWebSocket(req) || !hasBody(req);
}

/** Feeds the request to `server` once more, by the event that brings connections, after the answers to those before it. */
export function goOn(server: Server, event: "connection" | "secureConnection", taken: TakenAway): void {
  const { req, socket, rest } = taken;
  if (socket.destroyed) return;
  // node's own mark of the answer that is being written to a connection.
  const { _httpMessage: before } = socket as { _httpMessage?: ServerResponse | null };
  if (before) return void before.once("close", () => goOn(server, event, taken));
  socket.unshift(Buffer.concat([Buffer.from(headOf(req), "latin1"), rest]));
  server.emit(event, socket);
}

function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = rawHeaders.slice(at, at + 2);
    const kept = name.toLowerCase() === "connection" ? withoutOffers(value) : value;
    if (!offers.has(name.toLowerCase()) && (kept !== "" || value === "")) lines.push(`${name}: ${kept}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function withoutOffers(connection: string): string {
  const options = connection.split(",").map((option) => option.trim());
  return options.filter((option) => !offers.has(option.toLowerCase())).join(", ");
}
