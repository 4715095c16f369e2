/**
 * The door to ws: upgrades on the one port, and the registry of all open sockets — nothing else ends an upgraded socket.
 * Every upgrade passes the gate before the handshake; buffers are bounded; a client that stops reading or answering
 * pings is closed; a socket whose credential is gone is closed with 4001.
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { GatewayError, type Identity } from "@chela/sdk";
import type { WebSocketServer } from "ws";
import type { Gate } from "./auth/gate.ts";
import { type Held, Rechecks, recheckAll, stillHolds } from "./auth/recheck.ts";
import type { GatewaySettings } from "./config/gateway-schema.ts";
import type { FaultReporter } from "./hooks.ts";
import type { Generation, Owned } from "./host/compose.ts";
import { asGatewayError } from "./http/errors.ts";
import { canonicalPath } from "./http/urls.ts";
import type { AnyStream } from "./instance/instance.ts";
import { hangUp } from "./net/hang-up.ts";
import { LiveSocket } from "./sockets/socket.ts";

export interface StreamsHost {
  current(): Generation;
  settings(): GatewaySettings;
  readonly gate: Gate;
  readonly report: FaultReporter;
  requestId(): string;
}

const pingMs = 30_000;
const strangerFrameBytes = 65_536;

export class Streams {
  readonly #host: StreamsHost;
  readonly #sockets = new Set<LiveSocket>();
  readonly #rechecks = new Rechecks();
  /** By the bytes that a frame may have. */
  readonly #servers = new Map<number, WebSocketServer>();
  #pinger: NodeJS.Timeout | undefined;

  constructor(host: StreamsHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#sockets.size;
  }

  byStream(): { stream: string; open: number }[] {
    const counts = new Map<string, number>();
    for (const { path } of this.#sockets) counts.set(path, (counts.get(path) ?? 0) + 1);
    return [...counts].map(([stream, open]) => ({ stream, open }));
  }

  /** The `upgrade` listener of every listener. */
  readonly upgrade = (req: IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const id = this.#host.requestId();
    duplex.on("error", () => duplex.destroy());
    void this.#upgrade(req, duplex, head, id).catch((error: unknown) => refuse(duplex, asGatewayError(error, id)));
  };

  async #upgrade(req: IncomingMessage, duplex: Duplex, head: Buffer, id: string): Promise<void> {
    const generation = this.#host.current();
    const { path, search } = canonicalPath(req.url, this.#host.settings().basePath);
    const found = generation.streams.get(path);
    if (!found) throw new GatewayError("NOT_FOUND", 404, "404 page not found");
    if (this.#sockets.size >= this.#host.settings().limits.sockets) {
      throw new GatewayError("TOO_MANY_SOCKETS", 503, "too many open sockets (gateway.limits.sockets)");
    }
    const { owner, item } = found;
    owner.scope.enter();
    try {
      const { gate } = this.#host;
      const noted = this.#rechecks.count;
      const credentials = gate.credentials(req, search, "stream");
      const identity = await gate.identify(req, credentials, generation, { what: "stream", access: item.access });
      const want = { name: item.path, access: item.access, owner: owner.id };
      await gate.authorize(identity, { what: "stream", ...want }, generation);
      if (generation.blocked) throw new GatewayError("CRITICAL_DOWN", 503, generation.blocked);
      const facts = { id, method: "GET", path, headers: req.headers, address: credentials.address, identity };
      const refusal = await generation.hooks.run("ws:upgrade", facts);
      if (refusal) throw refusal;
      const server = await this.#server(identity, item.maxFrameBytes ?? this.#host.settings().limits.frameBytes);
      await this.#rechecks.assert(noted, { identity, credentials }, gate, () => this.#host.current());
      if (owner.scope.closing)
        throw new GatewayError("PLUGIN_STOPPED", 503, `plugin "${owner.id}" is stopping; try again`);
      // The client learns that it is connected once `open` has begun, so that nothing it does next goes unseen.
      duplex.cork();
      server.handleUpgrade(req, duplex, head, (ws) => {
        const query = Object.fromEntries(new URLSearchParams(search));
        const socket = new LiveSocket({
          id,
          ws,
          found,
          identity,
          credentials,
          query,
          headers: req.headers,
          settings: this.#host.settings(),
          authorize: () => gate.authorize(identity, { what: "frame", ...want }, this.#host.current()),
          report: this.#host.report,
        });
        this.#adopt(socket, found);
        queueMicrotask(() => duplex.uncork());
      });
    } finally {
      owner.scope.leave();
    }
  }

  #adopt(socket: LiveSocket, found: Owned<AnyStream>): void {
    this.#sockets.add(socket);
    const forget = found.owner.scope.own("socket", socket.path, () => socket.end(1012, "plugin stopped"));
    socket.onClosed(() => {
      this.#sockets.delete(socket);
      forget();
      if (this.#sockets.size === 0) this.#stopPinging();
    });
    this.#startPinging();
    socket.open();
  }

  async #server(identity: Identity, frameBytes: number): Promise<WebSocketServer> {
    const maxPayload = identity.kind === "anonymous" ? Math.min(strangerFrameBytes, frameBytes) : frameBytes;
    const { WebSocketServer: Server } = await import("ws");
    const known = this.#servers.get(maxPayload);
    if (known) return known;
    // Servers of limits that were changed meanwhile: nothing but a number each, and here until so many were.
    if (this.#servers.size >= 16) this.#servers.clear();
    const made = new Server({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload });
    this.#servers.set(maxPayload, made);
    return made;
  }

  #startPinging(): void {
    this.#pinger ??= setInterval(() => {
      for (const socket of this.#sockets) socket.ping();
    }, pingMs).unref();
  }

  #stopPinging(): void {
    clearInterval(this.#pinger);
    this.#pinger = undefined;
  }

  /** Identifies every socket anew; closes (4001) those that could not come back with the same rights. */
  async recheck(): Promise<number> {
    const generation = this.#host.current();
    this.#rechecks.begin();
    const holds = (held: Held) => stillHolds(held, this.#host.gate, generation);
    return recheckAll([...this.#sockets], holds, (socket) => {
      void socket.end(4001, "credential replaced");
      return true;
    });
  }

  /** Closes what was opened by somebody who is leaving; how many it were. */
  async endThose(which: (socket: LiveSocket) => boolean): Promise<number> {
    const ended = [...this.#sockets].filter(which);
    await Promise.all(ended.map((socket) => socket.end(4001, "signed out")));
    return ended.length;
  }

  /** Tells every client that the gateway goes away and closes what is left; resolves when all are closed. */
  async closeAll(reason: string): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => socket.end(1012, reason)));
    this.#stopPinging();
  }
}

function refuse(duplex: Duplex, error: GatewayError): void {
  if (duplex.destroyed) return;
  const body = `${error.message}\n`;
  const extra = Object.entries(error.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  hangUp(
    duplex,
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? "Error"}\r\ncontent-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n` +
      `connection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${extra.join("")}\r\n${body}`,
  );
}
