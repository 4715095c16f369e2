/** An HTTP proxy (CONNECT) and a SOCKS5 proxy on loopback ports that remember whom they were asked for. */
import { createServer as createHttp } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface ProxyServer {
  readonly port: number;
  /** `host:port`, one per connection. */
  readonly asked: readonly string[];
  /** `user:password` as they came. */
  readonly credentials: readonly string[];
  close(): Promise<void>;
}

export async function httpProxy(): Promise<ProxyServer> {
  const asked: string[] = [];
  const credentials: string[] = [];
  const sockets = new Set<Socket>();
  const server = createHttp((_req, res) => res.writeHead(405).end());
  server.on("connection", (socket) => track(sockets, socket));
  server.on("connect", (req, client: Socket) => {
    asked.push(req.url ?? "");
    const basic = /^Basic (.+)$/.exec(req.headers["proxy-authorization"] ?? "")?.[1];
    if (basic) credentials.push(Buffer.from(basic, "base64").toString());
    const { hostname, port } = new URL(`http://${req.url}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      join(client, upstream);
    });
    track(sockets, upstream);
  });
  const port = await listening(server);
  return { port, asked, credentials, close: () => closing(server, sockets) };
}

export async function socksProxy(): Promise<ProxyServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    track(sockets, client);
    client.once("data", () => {
      client.write(Uint8Array.of(5, 0));
      client.once("data", (request: Buffer) => {
        const { host, port } = target(request);
        asked.push(`${host}:${port}`);
        const upstream = connect(port, host, () => {
          client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          join(client, upstream);
        });
        track(sockets, upstream);
      });
    });
  });
  const port = await listening(server);
  return { port, asked, credentials: [], close: () => closing(server, sockets) };
}

/** RFC 1928: version, command, reserved, kind of address, address, port. */
function target(request: Buffer): { host: string; port: number } {
  const named = request[3] === 3;
  const end = named ? 5 + (request[4] ?? 0) : 8;
  const host = named ? request.subarray(5, end).toString() : [...request.subarray(4, end)].join(".");
  return { host, port: request.readUInt16BE(end) };
}

function join(a: Socket, b: Socket): void {
  a.pipe(b);
  b.pipe(a);
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => sockets.delete(socket));
}

function listening(server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown }) {
  return new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );
}

function closing(server: { close(done: () => void): unknown }, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}
