/**
 * `/mcp`: what the gateway offers to MCP clients, with sessions and without. Each request is its own identity's, also within a
 * session; a session ends with the credential it was begun with.
 */
import { GatewayError, type Identity, type Reply, type RouteRequest } from "@chela/sdk";
import type { LazyFleet } from "../lazy-fleet.ts";
import type { Ctx } from "../needs.ts";
import { createPeer, type Peer } from "./door.ts";
import { Listeners } from "./listeners.ts";
import { Notices } from "./notices.ts";
import { offerOf } from "./offer.ts";
import { Sessions } from "./sessions.ts";
import { refusal, replyOf, webRequest } from "./web.ts";

const requestLimit = 16;

export class Face {
  readonly #ctx: Ctx;
  readonly #peer: Peer<Identity>;
  readonly #sessions = new Sessions();
  readonly #listeners = new Listeners();
  readonly #notices: Notices;

  constructor(ctx: Ctx, fleet: LazyFleet) {
    this.#ctx = ctx;
    const { version } = ctx.use.gateway.status();
    this.#peer = createPeer(offerOf(ctx, fleet), version, (error) =>
      ctx.log.debug({ error }, "an MCP client's request failed"),
    );
    this.#notices = new Notices(ctx, (notice) => {
      this.#sessions.tell(notice);
      this.#peer.tell(notice);
    });
  }

  async answer(request: RouteRequest): Promise<Reply> {
    const { body, identity } = request;
    const web = webRequest(request);
    if (Array.isArray(body) && body.length > requestLimit)
      throw new GatewayError("INVALID", 400, `a batch holds at most ${requestLimit} messages`);
    if (!(await this.#peer.isOfSession(web, body))) return await this.#alone(web, request);
    const id = web.headers.get("mcp-session-id");
    if (id !== null) return await this.#within(id, web, request);
    if (isInitialize(body)) return await this.#begin(web, request);
    if (request.method === "POST") return replyOf(await this.#peer.answer(web, body, identity));
    return refusal(405, -32_000, "Method not allowed: a session is begun by POST", { allow: "POST" });
  }

  async sweep(): Promise<void> {
    await this.#sessions.sweep();
  }

  async close(): Promise<void> {
    this.#notices.close();
    await this.#sessions.close();
    await this.#peer.close();
  }

  async #alone(web: Request, { body, identity }: RouteRequest): Promise<Reply> {
    const leave = isListen(body) ? this.#listeners.enter(identity.id) : () => undefined;
    if (!leave) return refusal(429, -32_000, "Too many subscriptions are open: close one first");
    try {
      return replyOf(await this.#peer.answer(web, body, identity), leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #within(id: string, web: Request, { body, identity }: RouteRequest): Promise<Reply> {
    const held = this.#sessions.find(id, identity);
    if (!held) return refusal(404, -32_001, "Session not found");
    const done = this.#sessions.use(held);
    try {
      return replyOf(await held.session.answer(web, body, identity), done);
    } catch (error) {
      done();
      throw error;
    }
  }

  async #begin(web: Request, request: RouteRequest): Promise<Reply> {
    const { body, identity } = request;
    const end = (id: string) => void this.#sessions.end(id);
    const session = await this.#peer.begin({
      opened: (id, opened) => {
        const ended = this.#ctx.use.gateway.onCredentialEnd(() => end(id), request);
        this.#sessions.add(id, { session: opened, owner: identity.id, ended });
      },
      ended: end,
    });
    return replyOf(await session.answer(web, body, identity));
  }
}

/** In the newest protocol: a stream that stays open. */
function isListen(body: unknown): boolean {
  return (body as { method?: unknown } | null)?.method === "subscriptions/listen";
}

function isInitialize(body: unknown): boolean {
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return messages.some((each) => (each as { method?: unknown } | null)?.method === "initialize");
}
