/**
 * A simulated iLink API on two loopback ports that share their state, as two data centres do: real holding of questions, the
 * verdict in the body, rules of the wire checked on every call, faults on demand. This is its login half.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { controls } from "./control.ts";
import { type FaultRule, Faults } from "./faults.ts";
import { type Asked, type Side, violationsOf } from "./journal.ts";
import { type Json, type LoginOptions, Logins } from "./logins.ts";

export interface SimOptions extends Partial<LoginOptions> {
  /** Before every path, to catch clients that join addresses badly: `/x`. */
  readonly prefix?: string;
  /** As servers of before 2.3.1: a QR code is asked for by GET. */
  readonly getOnly?: boolean;
}

export interface Sim {
  /** Of the two listeners, with the prefix. */
  readonly apiBase: string;
  readonly altApiBase: string;
  readonly logins: Logins;
  readonly journal: Asked[];
  readonly violations: string[];
  asked(path: string, side?: Side): readonly Asked[];
  fault(rule: FaultRule): void;
  clearFaults(): void;
  close(): Promise<void>;
}

type Handler = (asked: Asked, gone: AbortSignal) => Json | undefined | Promise<Json>;

export async function startSim(options: SimOptions = {}): Promise<Sim> {
  const { prefix = "", getOnly = false, qrHoldMs = 200, qrTtlMs = 120_000 } = options;
  const logins = new Logins({ qrHoldMs, qrTtlMs });
  const faults = new Faults();
  const journal: Asked[] = [];
  const violations: string[] = [];
  const handlers: Readonly<Record<string, Handler>> = {
    "/ilink/bot/get_bot_qrcode": (asked) => (getOnly && asked.method === "POST" ? undefined : logins.make(asked)),
    "/ilink/bot/get_qrcode_status": (asked, gone) => logins.state(asked, gone),
  };
  const listener = (side: Side) => async (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith("/_sim/")) return steer(sim, request, response);
    const { asked, bytes } = await read(request, side, prefix);
    violations.push(
      ...violationsOf(
        asked,
        journal.findLast(({ method }) => method === "POST"),
        bytes,
      ),
    );
    journal.push(asked);
    const gone = new AbortController();
    response.on("close", () => {
      asked.finishedAt = Date.now();
      asked.aborted = !response.writableFinished;
      gone.abort();
    });
    if (await faults.strike(asked, response)) return;
    const body = await handlers[asked.path]?.(asked, gone.signal);
    asked.answer = { status: body ? 200 : 404, body };
    response.writeHead(body ? 200 : 404).end(body ? JSON.stringify(body) : "404 page not found");
  };
  const servers = await Promise.all([listen(listener("A")), listen(listener("B"))]);
  const [apiBase, altApiBase] = servers.map((server) => originOf(server) + prefix) as [string, string];
  const sim: Sim = {
    apiBase,
    altApiBase,
    logins,
    journal,
    violations,
    asked: (path, side) => journal.filter((one) => one.path.endsWith(path) && (!side || one.side === side)),
    fault: (rule) => faults.add(rule),
    clearFaults: () => faults.clear(),
    close: async () => {
      logins.release();
      await Promise.all(servers.map(stop));
    },
  };
  return sim;
}

async function steer(sim: Sim, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const verb = controls(sim)[(request.url ?? "").slice("/_sim/".length)];
  const text = (await bytesOf(request)).toString("utf8") || "[]";
  if (!verb) return void response.writeHead(404).end("there is no such verb\n");
  try {
    const result = verb(...(JSON.parse(text) as never[]));
    response.writeHead(200, { "content-type": "application/json" }).end(`${JSON.stringify(result ?? null)}\n`);
  } catch (error) {
    response.writeHead(400).end(`${String(error)}\n`);
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

function listen(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function read(request: IncomingMessage, side: Side, prefix: string) {
  const bytes = await bytesOf(request);
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
  const asked: Asked = {
    side,
    method: request.method ?? "",
    path: pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : `outside ${pathname}`,
    query: searchParams,
    headers: request.headers,
    body: bytes.length === 0 ? undefined : (JSON.parse(bytes.toString("utf8")) as Json),
    at: Date.now(),
    finishedAt: 0,
    aborted: false,
    answer: undefined,
  };
  return { asked, bytes: bytes.length };
}
