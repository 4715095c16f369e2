/**
 * The port. A change of it binds the new listener before the old one stops accepting, or hands the very socket on;
 * requests and sockets on the old one end in their own time.
 */
import type { IncomingMessage } from "node:http";
import { createServer, type Server as HttpServer, type RequestListener } from "node:http";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Server as TlsServer } from "node:tls";
import { GatewayError } from "@chela/sdk";
import { hangUp } from "./hang-up.ts";
import { goOn, isWebSocket, takesAway } from "./other-upgrade.ts";
import { readTls, type TlsFiles, type TlsMaterial } from "./tls.ts";

export interface ListenPlace {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsFiles;
}

export interface ListenerParts {
  readonly request: RequestListener;
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly headersMs: number;
}

export interface Listener {
  /** As it was asked for. */
  readonly place: ListenPlace;
  /** The port in fact, when 0 was asked for. */
  readonly port: number;
  /** `http://127.0.0.1:18790` */
  readonly url: string;
  /** The one it shows, in PEM form, when it speaks TLS. */
  readonly certificate: string | undefined;
  /** Stops accepting at once and lets go of the port; what is connected stays. */
  release(): void;
  /** Gives the listening socket to another server; what is connected stays here. */
  handOver(heir: HttpServer): void;
  /** Stops accepting; resolves when the last request ended or `graceMs` passed. Idle connections end after `idleMs`. */
  close(graceMs: number, idleMs: number): Promise<void>;
  /** Takes over other TLS files: new connections meet the new certificate, what is connected stays. */
  renew(place: ListenPlace, material: TlsMaterial): void;
  /** Cuts every connection that is left, upgraded ones too. */
  abandon(): void;
}

/** A server that is complete but for its socket. */
export interface Unbound {
  /** Throws `PORT_IN_USE`, `PORT_DENIED`, `LISTEN_FAILED`. */
  bind(port: number): Promise<Listener>;
  /** Goes on with the socket of `old`: at no moment does nobody listen, and nobody else can take the port. */
  inherit(old: Listener): Listener;
}

/** Throws when the TLS files cannot be used. */
export async function prepareServer(place: ListenPlace, parts: ListenerParts): Promise<Unbound> {
  const tls = place.tls && (await readTls(place.tls));
  const server = await createFor(tls, parts);
  server.headersTimeout = parts.headersMs;
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  // node drops headers above a count without a word, an Origin or X-Forwarded-For at the end included; bytes bound them.
  server.maxHeadersCount = 0;
  server.on("upgrade", (req, socket, head) => {
    if (isWebSocket(req)) parts.upgrade(req, socket, head);
    else goOn(server, tls ? "secureConnection" : "connection", { req, socket, rest: head });
  });
  // Else node would ask for a body before anybody knows whether it is wanted.
  server.on("checkContinue", parts.request);
  server.on("clientError", onClientError);
  const sockets = new Set<Socket>();
  /** By peer: the socket on which a handshake is spoken is another one than that of the requests after it. */
  const handshakes = new Map<string, Socket>();
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    sockets.add(socket);
    if (tls) handshakes.set(peer, socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (handshakes.get(peer) === socket) handshakes.delete(peer);
    });
  });
  server.on("secureConnection", (socket: Socket) => handshakes.delete(peerOf(socket)));
  const unspoken = () => [...silent(sockets), ...handshakes.values()];
  const listener = () => listenerOf(server, { place, tls, sockets, unspoken });
  return {
    async bind(port) {
      await bind(server, place.host, port);
      return listener();
    },
    inherit(old) {
      old.handOver(server);
      return listener();
    },
  };
}

interface Listening {
  readonly place: ListenPlace;
  readonly tls: TlsMaterial | undefined;
  readonly sockets: ReadonlySet<Socket>;
  /** Those that never asked for anything. */
  readonly unspoken: () => readonly Socket[];
}

function listenerOf(server: HttpServer, { place: asked, tls: first, sockets, unspoken }: Listening): Listener {
  let place = asked;
  let tls = first;
  const { port } = server.address() as AddressInfo;
  const shown = place.host === "0.0.0.0" || place.host === "::" ? "127.0.0.1" : place.host;
  const name = shown.includes(":") ? `[${shown}]` : shown;
  return {
    get place() {
      return place;
    },
    port,
    url: `${place.tls ? "https" : "http"}://${name}:${port}`,
    get certificate() {
      return tls?.leaf;
    },
    release: () => void stopAccepting(server),
    handOver: (heir) => {
      heir.listen(server);
      // The socket is the heir's: a server that still held it would close it with itself.
      (server as unknown as { _handle: unknown })._handle = null;
    },
    close: (graceMs, idleMs) => closeServer(server, unspoken, { graceMs, idleMs }),
    renew: (next, material) => {
      const { cert, key } = material;
      (server as unknown as TlsServer).setSecureContext({ cert, key });
      place = next;
      tls = material;
    },
    abandon: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function silent(sockets: ReadonlySet<Socket>): readonly Socket[] {
  return [...sockets].filter(({ bytesRead }) => bytesRead === 0);
}

async function createFor(tls: TlsMaterial | undefined, parts: ListenerParts): Promise<HttpServer> {
  const { request, headersMs } = parts;
  const options = {
    noDelay: true,
    connectionsCheckingInterval: 2000,
    maxHeaderSize: 32_768,
    shouldUpgradeCallback: takesAway,
  };
  if (!tls) return createServer(options, request);
  const { createServer: createTlsServer } = await import("node:https");
  const { cert, key } = tls;
  // A handshake is part of what has to come before the first byte of a body.
  return createTlsServer({ ...options, cert, key, handshakeTimeout: headersMs }, request) as unknown as HttpServer;
}

function bind(server: HttpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(bindError(error, host, port)));
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
}

function bindError(error: NodeJS.ErrnoException, host: string, port: number): GatewayError {
  if (error.code === "EADDRINUSE") {
    return new GatewayError(
      "PORT_IN_USE",
      409,
      `port ${port} on ${host} is in use; stop what listens there, or choose another with --port or gateway.port`,
    );
  }
  if (error.code === "EACCES") {
    return new GatewayError(
      "PORT_DENIED",
      403,
      `port ${port} needs more rights; choose one above 1023 with --port or gateway.port`,
    );
  }
  return new GatewayError("LISTEN_FAILED", 500, `cannot listen on ${host}:${port}: ${error.message}`);
}

function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const large = error.code === "HPE_HEADER_OVERFLOW";
  const status = late ? "408 Request Timeout" : large ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const text = late ? "request timeout" : large ? "headers too large" : "bad request";
  hangUp(
    socket,
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: ${text.length + 1}\r\n\r\n${text}\n`,
  );
}

const lateHeadersMs = 500;
const stopped = new WeakMap<HttpServer, Promise<void>>();

/**
 * `net.Server.close` stops accepting without cutting idle keep-alive connections, which `http.Server.close` would: a
 * client may be writing its next request on one. They are told to close with their next reply, or swept at the end.
 */
function stopAccepting(server: HttpServer): Promise<void> {
  const already = stopped.get(server);
  if (already) return already;
  server.prependListener("request", (_req, res) => {
    res.shouldKeepAlive = false;
  });
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  stopped.set(server, closed);
  return closed;
}

async function closeServer(
  server: HttpServer,
  unspoken: () => readonly Socket[],
  { graceMs, idleMs }: { graceMs: number; idleMs: number },
): Promise<void> {
  const closed = stopAccepting(server);
  // Who has not finished asking by now is not waited for as long as who waits for an answer.
  server.headersTimeout = Math.min(server.headersTimeout, lateHeadersMs);
  const from = performance.now();
  const cut = () => {
    server.closeIdleConnections();
    // node does not count a connection as idle that never asked for anything; it would hold the stop up for the whole grace.
    for (const socket of unspoken()) socket.destroy();
  };
  // After what has arrived was read: a busy process would cut connections on which a request waits.
  const sweep = setInterval(() => {
    if (performance.now() - from >= Math.min(graceMs, idleMs)) setImmediate(cut);
  }, 20);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
  // Ends the interval in which node looks for connections that are too slow.
  server.close();
}
