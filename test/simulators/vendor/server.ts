/**
 * What the simulated vendors share: a real HTTP server on a free port that checks each request as the vendor would, takes
 * the next scripted turn (or echoes), and writes it whole, streamed, or with the fault that was asked for.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";

export type Body = Readonly<Record<string, unknown>>;

/** One scripted answer. */
export interface Turn {
  readonly text?: string;
  /** How the text is divided over the events; default two pieces. */
  readonly pieces?: readonly string[];
  readonly reasoning?: string;
  readonly calls?: readonly { readonly name: string; readonly args: Body }[];
  /** In the vendor's own words. */
  readonly stop?: string;
  readonly usage?: Body;
  /** An error instead of an answer. */
  readonly status?: number;
  readonly error?: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** `cut`: the socket closes half-way; `short`: the stream ends half-way; `stall`: it stops; `error`: an error event half-way; `garbage`: an event that is no JSON. */
  readonly fault?: "cut" | "short" | "stall" | "error" | "garbage";
  /** JSON although a stream was asked for. */
  readonly whole?: boolean;
  /** Events as they are, beside those of the answer, in its middle. */
  readonly noise?: readonly string[];
  /** How the bytes of the stream are divided. */
  readonly split?: (bytes: Buffer) => readonly Uint8Array[];
  /** Between two of its pieces. */
  readonly pauseMs?: number;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Body;
  /** The client left before the reply was complete. */
  aborted: boolean;
}

/** What a vendor makes of a request. */
export type Verdict =
  | { readonly refuse: { readonly status: number; readonly body: unknown } }
  | { readonly reply: unknown }
  | { readonly stream: boolean; encode(turn: Turn): Encoded };

export interface Encoded {
  /** Whole server-sent events. */
  readonly events: readonly string[];
  readonly whole: unknown;
  readonly errorEvent: string;
  /** The body of an error with this status. */
  error(status: number, told: Body): unknown;
}

export interface Vendor {
  readonly origin: string;
  readonly asked: Asked[];
  /** Answers for the next requests, in order; after them it echoes. */
  script(...turns: readonly Turn[]): void;
}

export async function startVendor(judge: (asked: Asked) => Verdict): Promise<Vendor> {
  const asked: Asked[] = [];
  const turns: Turn[] = [];
  const server = createServer((request, response) => {
    void read(request).then(async (one) => {
      asked.push(one);
      response.on("close", () => {
        one.aborted = !response.writableFinished;
      });
      await answer(judge(one), response, () => turns.shift() ?? {});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, asked, script: (...more) => void turns.push(...more) };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
  const text = Buffer.concat(parts).toString("utf8");
  return {
    method: request.method ?? "",
    path: pathname,
    query: searchParams,
    headers: request.headers,
    body: text === "" ? {} : (JSON.parse(text) as Body),
    aborted: false,
  };
}

async function answer(verdict: Verdict, response: ServerResponse, take: () => Turn): Promise<void> {
  if ("refuse" in verdict) return json(response, verdict.refuse.status, verdict.refuse.body);
  if ("reply" in verdict) return json(response, 200, verdict.reply);
  const turn = take();
  const encoded = verdict.encode(turn);
  if (turn.status !== undefined)
    return json(response, turn.status, encoded.error(turn.status, turn.error ?? {}), turn.headers);
  if (!verdict.stream || turn.whole) return json(response, 200, encoded.whole, turn.headers);
  await stream(response, turn, encoded);
}

async function stream(response: ServerResponse, turn: Turn, { events, errorEvent }: Encoded): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", ...turn.headers });
  const half = Math.ceil(events.length / 2);
  const kept = turn.fault && turn.fault !== "garbage" ? events.slice(0, half) : events;
  const middle = [...(turn.noise ?? []), ...(turn.fault === "garbage" ? ["data: {this is not JSON\n\n"] : [])];
  const all = [...kept.slice(0, half), ...middle, ...kept.slice(half), ...(turn.fault === "error" ? [errorEvent] : [])];
  const bytes = Buffer.from(all.join(""));
  for (const piece of turn.split?.(bytes) ?? [bytes]) {
    if (response.destroyed) return;
    response.write(piece);
    // A tick, so that pieces stay pieces.
    if (turn.split) await pause(turn.pauseMs ?? 0);
  }
  if (turn.fault === "stall") return;
  if (turn.fault === "cut") response.write(": \n\n", () => response.socket?.destroy());
  else response.end();
}

function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

/** The text in pieces: as told, or cut in two. */
export function piecesOf({ text = "", pieces }: Turn): readonly string[] {
  if (pieces) return pieces;
  const half = Math.ceil(text.length / 2);
  return [text.slice(0, half), text.slice(half)].filter((piece) => piece !== "");
}

/** Fields that are not among `known`. */
export function unknownKeys(value: unknown, known: readonly string[]): readonly string[] {
  return Object.keys((value ?? {}) as Body).filter((key) => !known.includes(key));
}

export function listOf(value: unknown): readonly Body[] {
  return Array.isArray(value) ? (value as Body[]) : [];
}
