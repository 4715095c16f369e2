/** A client of `/v1/ws` as a page in a browser is one: carries out the gateway's HTTP requests with fetch, streams as they come. */
import { WebSocket } from "ws";

export interface ClientOptions {
  /** `http://127.0.0.1:PORT` of the gateway. */
  readonly gateway: string;
  readonly token: string;
  readonly provider?: string;
  /** Replaces the origin of every URL, as a page behind a login would. */
  readonly origin?: string;
  /** Bodies that are no text go as base64, which the gateway offers. Default true. */
  readonly base64?: boolean;
  /** Says that it takes `cancel`. Default true. */
  readonly cancel?: boolean;
}

export interface RelayClient {
  readonly ws: WebSocket;
  /** Frames of the gateway, as they came. */
  readonly seen: { readonly id: string; readonly type: string; readonly payload?: Record<string, unknown> }[];
  /** Requests that the gateway gave up. */
  readonly cancelled: string[];
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

interface RequestPayload {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string[]>;
  readonly body: string;
  readonly encoding?: string;
  readonly encodings?: readonly string[];
}

/** Resolves when it is connected. */
export async function relayClient(options: ClientOptions): Promise<RelayClient> {
  const { gateway, token, provider, cancel = true } = options;
  const url = new URL("/v1/ws", gateway.replace(/^http/, "ws"));
  if (provider) url.searchParams.set("provider", provider);
  if (cancel) url.searchParams.set("features", "cancel");
  const ws = new WebSocket(url, { headers: { authorization: `Bearer ${token}` }, maxPayload: 128 * 1024 * 1024 });
  const running = new Map<string, AbortController>();
  const client: RelayClient = {
    ws,
    seen: [],
    cancelled: [],
    closed: new Promise((resolve) =>
      ws.on("close", (code, reason) => {
        for (const controller of running.values()) controller.abort();
        resolve({ code, reason: String(reason) });
      }),
    ),
    close: () => ws.close(),
  };
  ws.on("error", () => ws.terminate());
  ws.on("message", (data) => {
    const frame = JSON.parse(String(data)) as RelayClient["seen"][number];
    client.seen.push(frame);
    if (frame.type === "cancel") {
      client.cancelled.push(frame.id);
      running.get(frame.id)?.abort();
    }
    if (frame.type !== "http_request") return;
    const controller = new AbortController();
    running.set(frame.id, controller);
    void carryOut(options, { ws, frame, signal: controller.signal }).finally(() => running.delete(frame.id));
  });
  await new Promise((resolve, reject) => ws.once("open", resolve).once("error", reject));
  return client;
}

interface Job {
  readonly ws: WebSocket;
  readonly frame: RelayClient["seen"][number];
  readonly signal: AbortSignal;
}

async function carryOut(options: ClientOptions, { ws, frame, signal }: Job): Promise<void> {
  const request = frame.payload as unknown as RequestPayload;
  const say = (type: string, payload?: unknown) => ws.send(JSON.stringify({ id: frame.id, type, payload }));
  const base64 = options.base64 !== false && (request.encodings ?? []).includes("base64");
  try {
    const reply = await fetch(urlOf(options, request.url), {
      method: request.method,
      headers: Object.entries(request.headers).map(([name, values]) => [name, values.join(", ")] as [string, string]),
      signal,
      ...(request.body !== "" && { body: bodyOf(request) }),
    });
    const head = { status: reply.status, headers: Object.fromEntries(reply.headers) };
    const type = reply.headers.get("content-type") ?? "";
    if (!type.includes("event-stream")) {
      return say("http_response", { ...head, ...encoded(Buffer.from(await reply.arrayBuffer()), "body", base64) });
    }
    say("stream_start", head);
    for await (const chunk of reply.body ?? []) say("stream_chunk", encoded(Buffer.from(chunk), "data", base64));
    say("stream_end");
  } catch (error) {
    if (!signal.aborted) say("error", { error: (error as Error).message });
  }
}

function urlOf({ origin }: ClientOptions, url: string): string {
  if (!origin) return url;
  const { pathname, search } = new URL(url);
  return `${origin}${pathname}${search}`;
}

function bodyOf({ body, encoding }: RequestPayload): string | Uint8Array<ArrayBuffer> {
  return encoding === "base64" ? new Uint8Array(Buffer.from(body, "base64")) : body;
}

function encoded(bytes: Buffer, name: "body" | "data", base64: boolean): Record<string, string> {
  const text = bytes.toString("utf8");
  if (!base64 || Buffer.from(text).equals(bytes)) return { [name]: text };
  return { [name]: bytes.toString("base64"), encoding: "base64" };
}
