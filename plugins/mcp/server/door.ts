/** The door to the official server package: Request in, Response out, for both protocol generations and with or without sessions. */
import { GatewayError } from "@chela/sdk";
import {
  type AuthInfo,
  createMcpHandler,
  isLegacyRequest,
  legacyStatelessFallback,
  type McpHttpHandler,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { maxListeners } from "./listeners.ts";
import type { Notice, Offer, PromptOffer, ResourceOffer, ToolOffer } from "./offered.ts";
import { pageOf } from "./page.ts";

/** Subscriptions of one session. */
const maxSubscribed = 1000;
/** More the protocol does not allow. */
const maxCompletions = 100;

/** One client's session; ended by the client's DELETE or by `close`. */
export interface Session<W> {
  answer(request: Request, body: unknown, who: W): Promise<Response>;
  tell(notice: Notice): void;
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
  /** Tells the clients that have no session and listen. */
  tell(notice: Notice): void;
  close(): Promise<void>;
}

export function createPeer<W>(offer: Offer<W>, version: string, failed: (error: Error) => void): Peer<W> {
  const make = () => newServer(offer, version, failed);
  const factory = () => make().server;
  const modern: McpHttpHandler = createMcpHandler(factory, {
    legacy: "reject",
    onerror: failed,
    maxSubscriptions: maxListeners,
  });
  const single = legacyStatelessFallback(factory, failed);
  return {
    isOfSession: (request, body) => isLegacyRequest(request, body),
    begin: (listener) => begin(make(), listener),
    answer: async (request, body, who) => {
      const options = { parsedBody: body, authInfo: carry(who) };
      return (await isLegacyRequest(request, body))
        ? await single(request, options)
        : await modern.fetch(request, options);
    },
    tell: ({ tools, prompts, resources, updated }) => {
      if (tools) modern.notify.toolsChanged();
      if (prompts) modern.notify.promptsChanged();
      if (resources) modern.notify.resourcesChanged();
      for (const uri of updated) modern.notify.resourceUpdated(uri);
    },
    close: () => modern.close(),
  };
}

/** A server for one client or one request, and the addresses that this client wants to hear of. */
interface Made {
  readonly server: Server;
  readonly subscribed: ReadonlySet<string>;
}

async function begin<W>({ server, subscribed }: Made, listener: SessionListener<W>): Promise<Session<W>> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: (id) => listener.opened(id, session),
    onsessionclosed: (id) => listener.ended(id),
  });
  await server.connect(transport);
  const { prompts: hasPrompts, resources: hasResources } = server.getCapabilities();
  const session: Session<W> = {
    answer: (request, body, who) => transport.handleRequest(request, { parsedBody: body, authInfo: carry(who) }),
    tell: ({ tools, prompts, resources, updated }) => {
      const sent = [
        tools && server.sendToolListChanged(),
        prompts && hasPrompts && server.sendPromptListChanged(),
        resources && hasResources && server.sendResourceListChanged(),
        ...updated.filter((uri) => subscribed.has(uri)).map((uri) => server.sendResourceUpdated({ uri })),
      ];
      // Nobody may be listening.
      void Promise.allSettled(sent);
    },
    close: () => server.close(),
  };
  return session;
}

/** What there is not at this moment is not announced. */
function newServer<W>({ tools, resources, prompts }: Offer<W>, version: string, failed: (error: Error) => void): Made {
  const server = new Server({ name: "chela", version }, { capabilities: { tools: { listChanged: true } } });
  const subscribed = new Set<string>();
  const told = tellingFor(failed);
  serveTools(server, tools);
  if (resources.isThere()) {
    serveResources(server, resources, { subscribed, told });
    serveCompletions(server, { resources, prompts }, told);
  }
  if (prompts.isThere()) servePrompts(server, prompts, told);
  return { server, subscribed };
}

function serveTools<W>(server: Server, tools: ToolOffer<W>): void {
  server.setRequestHandler("tools/list", (_request, { http }) => ({
    tools: tools.list(carried(http?.authInfo)) as never,
  }));
  server.setRequestHandler("tools/call", async ({ params }, { http, mcpReq }) => {
    const call = { name: params.name, input: params.arguments ?? {} };
    const result = await tools.call(call, carried(http?.authInfo), mcpReq.signal);
    if (!result) throw invalid(`Unknown tool: ${params.name.slice(0, 100)}`);
    return { content: [{ type: "text" as const, text: result.text }, ...result.media], isError: !result.ok };
  });
}

function serveResources<W>(
  server: Server,
  resources: ResourceOffer<W>,
  { subscribed, told }: { readonly subscribed: Set<string>; readonly told: Telling },
): void {
  server.registerCapabilities({ resources: { listChanged: true, subscribe: true } });
  server.setRequestHandler("resources/list", async ({ params }, { http }) => {
    const all = await told(resources.list(carried(http?.authInfo)));
    const { items, ...next } = paged(all, ({ uri }) => uri, params?.cursor);
    return { resources: [...items], ...next };
  });
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [...resources.templates] }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }, { http }) => {
    const text = await told(resources.read(uri, carried(http?.authInfo)));
    if (!text) throw unknown(uri);
    return { contents: [text] };
  });
  server.setRequestHandler("resources/subscribe", ({ params: { uri } }) => {
    if (!resources.isOurs(uri)) throw unknown(uri);
    if (subscribed.size >= maxSubscribed) throw invalid(`A session subscribes to ${maxSubscribed} resources at most`);
    subscribed.add(uri);
    return {};
  });
  server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
    subscribed.delete(uri);
    return {};
  });
}

function serveCompletions<W>(
  server: Server,
  { resources, prompts }: Pick<Offer<W>, "resources" | "prompts">,
  told: Telling,
): void {
  server.registerCapabilities({ completions: {} });
  server.setRequestHandler("completion/complete", async ({ params: { ref, argument } }, { http }) => {
    const who: W = carried(http?.authInfo);
    const asked =
      ref.type === "ref/prompt"
        ? prompts.complete(ref.name, argument, who)
        : resources.complete(ref.uri, argument, who);
    const all = await told(asked);
    if (!all) throw invalid(`There is no such argument: ${argument.name.slice(0, 100)}`);
    const values = all.slice(0, maxCompletions);
    return { completion: { values, total: all.length, hasMore: all.length > values.length } };
  });
}

function servePrompts<W>(server: Server, prompts: PromptOffer<W>, told: Telling): void {
  server.registerCapabilities({ prompts: { listChanged: true } });
  server.setRequestHandler("prompts/list", async ({ params }, { http }) => {
    const all = await told(prompts.list(carried(http?.authInfo)));
    const { items, ...next } = paged(all, ({ name }) => name, params?.cursor);
    return { prompts: items.map((prompt) => ({ ...prompt, arguments: [...prompt.arguments] })), ...next };
  });
  server.setRequestHandler("prompts/get", async ({ params }, { http }) => {
    const prompt = await told(prompts.get(params.name, params.arguments ?? {}, carried(http?.authInfo)));
    if (!prompt) throw invalid(`Unknown prompt: ${params.name.slice(0, 100)}`);
    const { description, text } = prompt;
    return { description, messages: [{ role: "user" as const, content: { type: "text" as const, text } }] };
  });
}

function paged<T>(items: readonly T[], keyOf: (item: T) => string, cursor: string | undefined) {
  const page = pageOf(items, keyOf, cursor);
  if (!page) throw invalid("Invalid cursor");
  return page;
}

type Telling = <T>(work: Promise<T>) => Promise<T>;

/** The package tells clients every message of an error: a refusal's is for them, any other is not. */
function tellingFor(failed: (error: Error) => void): Telling {
  return async (work) => {
    try {
      return await work;
    } catch (error) {
      if (GatewayError.is(error)) throw new ProtocolError(ProtocolErrorCode.InternalError, error.message);
      failed(error as Error);
      throw new ProtocolError(ProtocolErrorCode.InternalError, "Internal error");
    }
  };
}

function unknown(uri: string): ProtocolError {
  return new ResourceNotFoundError(uri.slice(0, 500));
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

/** The package hands on what it is given here, and no header of the request. */
function carry<W>(who: W): AuthInfo {
  return { token: "", clientId: "", scopes: [], extra: { who } };
}

function carried<W>(info: AuthInfo | undefined): W {
  if (!info?.extra || !("who" in info.extra)) throw new Error("a request came without its identity");
  return info.extra.who as W;
}
