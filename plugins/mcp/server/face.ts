/**
 * `/mcp`: what the gateway offers to MCP clients, with sessions and without. Each request is its own identity's, also within a
 * session; who loses his credential loses his sessions.
 */
import { GatewayError, type Identity, type Reply, type RouteRequest } from "@chela/sdk";
import type { LazyFleet } from "../lazy-fleet.ts";
import type { Ctx } from "../needs.ts";
import { createPeer, type Peer } from "./door.ts";
import { Notices } from "./notices.ts";
import { offerOf } from "./offer.ts";
import { Sessions } from "./sessions.ts";
import { refusal, replyOf, webRequest } from "./web.ts";

const requestLimit = 16;

export class Face {
  readonly #peer: Peer<Identity>;
  readonly #sessions = new Sessions();
  readonly #notices: Notices;

  constructor(ctx: Ctx, fleet: LazyFleet) {
    const { version } = ctx.use.gateway.status();
    this.#peer = createPeer(offerOf(ctx, fleet), version, (error) =>
      ctx.log.debug({ error }, "an MCP client's request failed"),
    );
    this.#notices = new Notices(ctx, (notice) => {
      this.#sessions.tell(notice);
      this.#peer.tell(notice);
    });
    ctx.stopping.addEventListener("abort", () => void this.close(), { once: true });
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

  async sweep(): Promise<void> {
    await this.#sessions.sweep();
  }

  async close(): Promise<void> {
    this.#notices.close();
    await this.#sessions.close();
    await this.#peer.close();
  }

  async #within(id: string, web: Request, { body, identity, signal }: RouteRequest): Promise<Reply> {
    const held = this.#sessions.find(id, identity);
    if (!held) return refusal(404, -32_001, "Session not found");
    const release = this.#sessions.use(held);
    const done = () => {
      release();
      if (isCutOff(signal)) void this.#sessions.endOf(held.owner);
    };
    try {
      return replyOf(await held.session.answer(web, body, identity), done);
    } catch (error) {
      done();
      throw error;
    }
  }

  async #begin(web: Request, { body, identity }: RouteRequest): Promise<Reply> {
    await this.#sessions.makeRoom(identity.id);
    const session = await this.#peer.begin({
      opened: (id, opened) => this.#sessions.add(id, opened, identity.id),
      ended: (id) => void this.#sessions.end(id),
    });
    return replyOf(await session.answer(web, body, identity));
  }
}

/** It was not the client who left: the gateway took the request away, as it does when its credential is gone. */
function isCutOff({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(GatewayError.is(reason) && reason.code === "CLIENT_GONE");
}

function isInitialize(body: unknown): boolean {
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  return messages.some((each) => (each as { method?: unknown } | null)?.method === "initialize");
}
