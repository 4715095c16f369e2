/**
 * `/mcp`: the gateway's tools for MCP clients. Each call runs through the gateway's dispatch path as the identity of its own
 * request. A session belongs to the identity that began it, is bounded in number and ends when it is not used.
 */
import { allows, GatewayError, type Identity, Reply, type RouteRequest, type ToolInfo, type Turn } from "@chela/sdk";
import type { LazyFleet } from "../lazy-fleet.ts";
import type { Ctx } from "../needs.ts";
import { createPeer, type Offer, type Peer, type Session, type ShownTool } from "./door.ts";

const maxSessions = 200;
const maxSessionsEach = 50;
const idleMs = 30 * 60_000;
const noticeMs = 250;
const requestLimit = 16;

interface Held {
  readonly session: Session<Identity>;
  readonly owner: string;
  usedAt: number;
  busy: number;
}

export class Face {
  readonly #ctx: Ctx;
  readonly #peer: Peer<Identity>;
  readonly #sessions = new Map<string, Held>();
  #notice: NodeJS.Timeout | undefined;

  constructor(ctx: Ctx, fleet: LazyFleet) {
    this.#ctx = ctx;
    const { version } = ctx.use.gateway.status();
    this.#peer = createPeer(offerOf(ctx, fleet), version, (error) =>
      ctx.log.debug({ error }, "an MCP client's request failed"),
    );
    ctx.use.events.subscribe(({ type }) => {
      if (type === "tools_changed" || type === "plugin_state") this.#announce();
    });
    ctx.stopping.addEventListener("abort", () => void this.close(), { once: true });
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  async answer(request: RouteRequest): Promise<Reply> {
    const { body, identity } = request;
    const web = webRequest(request);
    if (Array.isArray(body) && body.length > requestLimit)
      throw new GatewayError("INVALID", 400, `a batch holds at most ${requestLimit} messages`);
    if (!(await this.#peer.isOfSession(web, body))) return replyOf(await this.#peer.answer(web, body, identity));
    const id = web.headers.get("mcp-session-id");
    if (id !== null) return await this.#within(id, web, request);
    if (isInitialize(body)) return await this.#begin(web, request);
    if (request.method === "POST") return replyOf(await this.#peer.answer(web, body, identity));
    return refusal(405, -32_000, "Method not allowed: a session is begun by POST", { allow: "POST" });
  }

  /** Ends what nobody used for long. */
  async sweep(): Promise<void> {
    const old = Date.now() - idleMs;
    const idle = [...this.#sessions].filter(([, { busy, usedAt }]) => busy === 0 && usedAt < old);
    await Promise.all(idle.map(([id]) => this.#end(id)));
  }

  async close(): Promise<void> {
    clearTimeout(this.#notice);
    await Promise.all([...this.#sessions.keys()].map((id) => this.#end(id)));
    await this.#peer.close();
  }

  async #within(id: string, web: Request, { body, identity }: RouteRequest): Promise<Reply> {
    const held = this.#sessions.get(id);
    if (held?.owner !== identity.id) return refusal(404, -32_001, "Session not found");
    held.usedAt = Date.now();
    held.busy += 1;
    const done = once(() => {
      held.busy -= 1;
      held.usedAt = Date.now();
    });
    try {
      return replyOf(await held.session.answer(web, body, identity), done);
    } catch (error) {
      done();
      throw error;
    }
  }

  async #begin(web: Request, { body, identity }: RouteRequest): Promise<Reply> {
    await this.#makeRoom(identity.id);
    const session = await this.#peer.begin({
      opened: (id, opened) =>
        this.#sessions.set(id, { session: opened, owner: identity.id, usedAt: Date.now(), busy: 0 }),
      ended: (id) => this.#sessions.delete(id),
    });
    return replyOf(await session.answer(web, body, identity));
  }

  /** The session of his that was used longest ago gives way, else that of anybody. */
  async #makeRoom(owner: string): Promise<void> {
    const all = [...this.#sessions].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    const own = all.filter(([, held]) => held.owner === owner);
    const [oldest] = own.length >= maxSessionsEach ? own : all.length >= maxSessions ? all : [];
    if (oldest) await this.#end(oldest[0]);
  }

  async #end(id: string): Promise<void> {
    const held = this.#sessions.get(id);
    this.#sessions.delete(id);
    await held?.session.close().catch(() => undefined);
  }

  #announce(): void {
    if (this.#ctx.stopping.aborted) return;
    this.#notice ??= setTimeout(() => {
      this.#notice = undefined;
      for (const { session } of this.#sessions.values()) session.toolsChanged();
      this.#peer.toolsChanged();
    }, noticeMs);
  }
}

function offerOf(ctx: Ctx, fleet: LazyFleet): Offer<Identity> {
  /** What another Chela gave us is not passed on: two that list each other would never come to an end. */
  const isShared = ({ remote }: ToolInfo) =>
    remote !== undefined &&
    !fleet
      .opened()
      ?.rows()
      .some((row) => row.name === remote.server && row.remote.startsWith("chela "));
  const isOffered = (tool: ToolInfo) => tool.remote === undefined || isShared(tool);
  return {
    list: (identity) =>
      ctx.use.tools
        .list()
        .filter((tool) => isOffered(tool) && allows(identity, tool.access))
        .map(shown),
    call: async ({ name, input }, identity, signal) => {
      if (!ctx.use.tools.list().some((tool) => tool.name === name && isOffered(tool))) return undefined;
      const id = `mcp-${crypto.randomUUID()}`;
      const turn: Turn = { id, session: null, agent: "main", identity, signal, origin: "direct", channel: "mcp" };
      const { ok, output } = await ctx.use.tools.run({ id, name, arguments: JSON.stringify(input) }, turn);
      return { ok, text: output };
    },
  };
}

function shown({ name, about, input, risk }: ToolInfo): ShownTool {
  return {
    name,
    description: about,
    inputSchema: { ...input, type: "object" },
    annotations: { readOnlyHint: risk === "read" },
  };
}

/** Credentials stay behind. */
function webRequest({ method, path, headers, body, signal }: RouteRequest): Request {
  const kept = new Headers();
  for (const name of [
    "accept",
    "content-type",
    "mcp-session-id",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "last-event-id",
  ]) {
    const value = headers[name];
    if (value !== undefined) kept.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const init = { method, headers: kept, signal };
  return new Request(
    `http://gateway${path}`,
    method === "POST" ? { ...init, body: JSON.stringify(body ?? null) } : init,
  );
}

function isInitialize(body: unknown): boolean {
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return messages.some((each) => (each as { method?: unknown } | null)?.method === "initialize");
}

/** `done` is called when the reply is over, however it ends. */
function replyOf({ status, headers, body }: Response, done: () => void = () => undefined): Reply {
  const plain = Object.fromEntries(headers);
  if (body) return new Reply(watched(body, done), { status, headers: plain });
  done();
  return new Reply(null, { status, headers: plain });
}

/** No generator: that would wait for a chunk that never comes before it could be left. */
function watched(body: ReadableStream<Uint8Array>, done: () => void): AsyncIterable<Uint8Array> {
  const reader = body.getReader();
  const leave = async () => {
    done();
    await reader.cancel().catch(() => undefined);
    return { done: true as const, value: undefined };
  };
  const next = async () => {
    const chunk = await reader.read();
    if (chunk.done) done();
    return chunk as IteratorResult<Uint8Array>;
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
}

function refusal(status: number, code: number, message: string, headers: Record<string, string> = {}): Reply {
  return Reply.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}

function once(work: () => void): () => void {
  let left = 1;
  return () => {
    if (left-- > 0) work();
  };
}
