/** HTTP and WebSocket to a host without a socket: real parsers on both ends, no port. */

import type { IncomingMessage } from "node:http";
import { createServer, request as httpRequest, type RequestListener, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { duplexPair } from "./duplex.ts";
import { openSocket, type TestSocket } from "./test-socket.ts";

export interface TestRequest {
  /** Default GET, or POST when there is a body. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything but text and bytes is sent as JSON. */
  readonly body?: unknown;
  /** Default: the host's token. `null` sends none. */
  readonly token?: string | null;
  readonly signal?: AbortSignal;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  json(): unknown;
}

export interface Handlers {
  readonly request: RequestListener;
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export class MemoryClient {
  readonly #server: Server;
  readonly #token: string;

  constructor(handlers: Handlers, token: string) {
    this.#server = createServer(handlers.request);
    this.#server.on("upgrade", handlers.upgrade);
    this.#token = token;
  }

  request(path: string, init: TestRequest = {}): Promise<TestReply> {
    const { headers, body } = this.#prepare(init);
    const method = init.method ?? (body === undefined ? "GET" : "POST");
    return new Promise((resolve, reject) => {
      const options = { method, path, headers, createConnection: () => this.#connect() as never, signal: init.signal };
      const req = httpRequest(options, (res) => void collect(res).then(resolve, reject));
      req.on("error", reject);
      req.end(body);
    });
  }

  connect(path: string, init: Pick<TestRequest, "headers" | "token"> = {}): Promise<TestSocket> {
    const { headers } = this.#prepare(init);
    return openSocket(`ws://chela.test${path}`, { headers, createConnection: () => this.#connect() });
  }

  #connect(): Duplex {
    const { client, server } = duplexPair();
    this.#server.emit("connection", server);
    return client;
  }

  #prepare(init: TestRequest): { headers: Record<string, string>; body: string | Uint8Array | undefined } {
    const headers: Record<string, string> = { host: "localhost", connection: "close", ...init.headers };
    const token = init.token === undefined ? this.#token : init.token;
    if (token && !("authorization" in headers)) headers.authorization = `Bearer ${token}`;
    if (init.body === undefined || typeof init.body === "string" || init.body instanceof Uint8Array)
      return { headers, body: init.body };
    headers["content-type"] ??= "application/json";
    return { headers, body: JSON.stringify(init.body) };
  }
}

async function collect(res: IncomingMessage): Promise<TestReply> {
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const headers = Object.fromEntries(Object.entries(res.headers).map(([name, value]) => [name, String(value)]));
  return { status: res.statusCode ?? 0, headers, text, json: () => JSON.parse(text) as unknown };
}
