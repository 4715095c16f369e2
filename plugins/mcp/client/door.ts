/** The door to the official client package: the transports and one connection. What servers answer is not judged here. */
import {
  Client,
  type JSONRPCMessage,
  ProtocolError,
  SdkHttpError,
  SSEClientTransport,
  SseError,
  StreamableHTTPClientTransport,
  type Transport,
} from "@modelcontextprotocol/client";

export type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";

export interface RequestLimits {
  readonly timeoutMs: number;
  /** However much progress it tells. */
  readonly totalMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A connection whose handshake is done. */
export interface Link {
  readonly name: string;
  readonly version: string;
  readonly protocol: string;
  has(capability: "tools" | "resources" | "prompts"): boolean;
  /** The result as it came. Rejects with the server's error, `REQUEST_TIMEOUT`, or the reason of the signal. */
  request(method: string, params: Readonly<Record<string, unknown>>, limits: RequestLimits): Promise<unknown>;
  /** Rejects as `request` does. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface LinkListener {
  /** Absolute folder that the server may see, or undefined. */
  readonly root: string | undefined;
  log(level: string, data: unknown): void;
  changed(): void;
  closed(): void;
  /** `isLast`: its stream of events broke, and its session with it. */
  failed(error: Error, isLast: boolean): void;
}

/** Any answer is taken as it is. */
const anything = {
  "~standard": { version: 1 as const, vendor: "chela", validate: (value: unknown) => ({ value }) },
};

export async function openLink(
  transport: Transport,
  listener: LinkListener,
  limits: RequestLimits & { readonly newest: boolean },
): Promise<Link> {
  const client = newClient(listener, limits.newest);
  const signal = limits.signal ? { signal: limits.signal } : {};
  await client.connect(transport, { timeout: limits.timeoutMs, ...signal });
  const { name = "", version = "" } = client.getServerVersion() ?? {};
  return {
    name,
    version,
    protocol: client.getNegotiatedProtocolVersion() ?? "",
    has: (capability) => client.getServerCapabilities()?.[capability] !== undefined,
    request: (method, params, { timeoutMs, totalMs, signal: abort }) =>
      client.request({ method, params: { ...params } }, anything, {
        timeout: timeoutMs,
        onprogress: () => undefined,
        resetTimeoutOnProgress: true,
        ...(totalMs === undefined ? {} : { maxTotalTimeout: totalMs }),
        ...(abort ? { signal: abort } : {}),
      }),
    ping: async (timeoutMs) => void (await client.ping({ timeout: timeoutMs })),
    close: () => client.close(),
  };
}

/** It offers roots and nothing else: asked to sample or to elicit, it answers that it knows no such method. */
function newClient(listener: LinkListener, newest: boolean): Client {
  const client = new Client(
    { name: "chela", version: "1.0.0" },
    {
      capabilities: { roots: {} },
      jsonSchemaValidator: { getValidator: () => (data) => trusting(data) },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => listener.changed() } },
      ...(newest ? { versionNegotiation: { mode: "auto" as const } } : {}),
    },
  );
  client.setRequestHandler("roots/list", () => ({
    roots: listener.root === undefined ? [] : [{ uri: folderUrl(listener.root), name: "working directory" }],
  }));
  client.setNotificationHandler("notifications/message", ({ params }) => listener.log(params.level, params.data));
  client.onclose = () => listener.closed();
  client.onerror = (error) => listener.failed(error, error instanceof SseError);
  return client;
}

/** Outputs are text for a model; a schema of the server's own is not compiled to check them. */
function trusting(data: unknown) {
  return { valid: true as const, data: data as never, errorMessage: undefined };
}

function folderUrl(folder: string): string {
  return new URL(`file://${folder.split("/").map(encodeURIComponent).join("/")}`).href;
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const goodbyeMs = 1000;

/** Redirects are followed within the origin only, so that headers reach no other (the package's default). */
export function httpTransport(
  url: URL,
  headers: Readonly<Record<string, string>>,
  fetch: Fetch,
): { readonly transport: Transport; leave(): Promise<void> } {
  let leaving = false;
  const bounded: Fetch = (target, init) =>
    fetch(target, leaving ? { ...init, signal: AbortSignal.timeout(goodbyeMs) } : init);
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { ...headers } },
    fetch: bounded,
    redirectPolicy: "same-origin",
  });
  const leave = async () => {
    leaving = true;
    await transport.terminateSession().catch(() => undefined);
  };
  return { transport, leave };
}

export function sseTransport(url: URL, headers: Readonly<Record<string, string>>, fetch: Fetch): Transport {
  return new SSEClientTransport(url, {
    requestInit: { headers: { ...headers } },
    fetch,
    redirectPolicy: "same-origin",
  });
}

/** An answer that says no to the handshake itself: perhaps the server knows only a newer one. */
export function refusesHandshake(error: unknown): boolean {
  return error instanceof ProtocolError || (error instanceof SdkHttpError && error.status === 400);
}

/** What the message is to the flood count: an answer, and to which request. */
export function answered(message: JSONRPCMessage): string | number | undefined {
  return "id" in message && !("method" in message) ? (message.id ?? undefined) : undefined;
}

/** An answer in the place of one that could not be taken. */
export function failure(id: string | number, message: string): JSONRPCMessage {
  return { jsonrpc: "2.0", id, error: { code: -32_000, message } };
}
