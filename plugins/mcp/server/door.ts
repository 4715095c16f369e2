/** The door to the official server package: Request in, Response out, for both protocol generations and with or without sessions. */
import {
  type AuthInfo,
  createMcpHandler,
  isLegacyRequest,
  legacyStatelessFallback,
  type McpHttpHandler,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";

/** A tool as a client sees it. */
export interface ShownTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: "object"; readonly [word: string]: unknown };
  readonly annotations: { readonly readOnlyHint: boolean };
}

/** What is served; `who` is what came with the request. */
export interface Offer<W> {
  list(who: W): readonly ShownTool[];
  /** Undefined: there is no such tool. */
  call(
    call: { readonly name: string; readonly input: unknown },
    who: W,
    signal: AbortSignal,
  ): Promise<ToolResult | undefined>;
}

export interface ToolResult {
  readonly ok: boolean;
  readonly text: string;
}

/** One client's session; ended by the client's DELETE or by `close`. */
export interface Session<W> {
  answer(request: Request, body: unknown, who: W): Promise<Response>;
  toolsChanged(): void;
  close(): Promise<void>;
}

export interface SessionListener<W> {
  opened(id: string, session: Session<W>): void;
  ended(id: string): void;
}

export interface Peer<W> {
  /** Of a client that knows sessions: belongs to one, or begins one. */
  isOfSession(request: Request, body: unknown): Promise<boolean>;
  begin(listener: SessionListener<W>): Promise<Session<W>>;
  /** One request by itself. */
  answer(request: Request, body: unknown, who: W): Promise<Response>;
  toolsChanged(): void;
  close(): Promise<void>;
}

export function createPeer<W>(offer: Offer<W>, version: string, failed: (error: Error) => void): Peer<W> {
  const factory = () => newServer(offer, version);
  const modern: McpHttpHandler = createMcpHandler(factory, { legacy: "reject", onerror: failed, maxSubscriptions: 64 });
  const single = legacyStatelessFallback(factory, failed);
  return {
    isOfSession: (request, body) => isLegacyRequest(request, body),
    begin: (listener) => begin(factory(), listener),
    answer: async (request, body, who) => {
      const options = { parsedBody: body, authInfo: carry(who) };
      return (await isLegacyRequest(request, body))
        ? await single(request, options)
        : await modern.fetch(request, options);
    },
    toolsChanged: () => modern.notify.toolsChanged(),
    close: () => modern.close(),
  };
}

async function begin<W>(server: Server, listener: SessionListener<W>): Promise<Session<W>> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: (id) => listener.opened(id, session),
    onsessionclosed: (id) => listener.ended(id),
  });
  await server.connect(transport);
  const session: Session<W> = {
    answer: (request, body, who) => transport.handleRequest(request, { parsedBody: body, authInfo: carry(who) }),
    toolsChanged: () => void server.sendToolListChanged().catch(() => undefined),
    close: () => server.close(),
  };
  return session;
}

function newServer<W>(offer: Offer<W>, version: string): Server {
  const server = new Server({ name: "chela", version }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler("tools/list", (_request, { http }) => ({
    tools: offer.list(carried(http?.authInfo)) as never,
  }));
  server.setRequestHandler("tools/call", async ({ params }, { http, mcpReq }) => {
    const call = { name: params.name, input: params.arguments ?? {} };
    const result = await offer.call(call, carried(http?.authInfo), mcpReq.signal);
    if (!result) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name.slice(0, 100)}`);
    return { content: [{ type: "text" as const, text: result.text }], isError: !result.ok };
  });
  return server;
}

/** The package hands on what it is given here, and no header of the request. */
function carry<W>(who: W): AuthInfo {
  return { token: "", clientId: "", scopes: [], extra: { who } };
}

function carried<W>(info: AuthInfo | undefined): W {
  if (!info?.extra || !("who" in info.extra)) throw new Error("a request came without its identity");
  return info.extra.who as W;
}
