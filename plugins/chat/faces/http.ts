/** ClawGo's chat and session routes: thin adapters over the agent and the sessions. */
import { type Agent, type Context, GatewayError, type HistoryWindow, type Sessions, Type } from "@chela/sdk";
import { channelOf, chooseSession, isInternal, sessionKey } from "../session-key.ts";
import { askSchema, chatError, historyEntry, invalidJson, readAsk } from "./ask.ts";

export interface Services {
  readonly agent: Agent;
  readonly sessions: Sessions;
}

const Text = Type.Optional(Type.String());
const ChatQuery = Type.Object({ session: Text });
const HistoryQuery = Type.Object({ session: Text, around: Text, before: Text, after: Text, limit: Text });
const SessionsQuery = Type.Object({ include_internal: Text });
const RemoveQuery = Type.Object({ key: Text });

const ChatReply = Type.Object({
  ok: Type.Boolean(),
  reply: Type.String(),
  session: Type.String(),
  turn: Text,
  model: Text,
  stop: Type.Optional(Type.String({ description: "stop, length, aborted …: why the reply ended" })),
});

const HistoryReply = Type.Object({
  ok: Type.Boolean(),
  session: Type.String(),
  messages: Type.Array(
    Type.Object(
      { role: Type.String(), content: Type.String(), seq: Type.Integer(), at: Type.String(), state: Type.String() },
      { additionalProperties: true },
    ),
  ),
});

const SessionsReply = Type.Object({
  ok: Type.Boolean(),
  sessions: Type.Array(Type.Object({ key: Type.String(), channel: Text }, { additionalProperties: true })),
});

export function registerRoutes(ctx: Pick<Context, "route">, services: Services): void {
  ctx.route({
    method: "POST",
    path: "/api/chat",
    access: "write",
    about: "Says something in a session and answers with the whole reply",
    query: ChatQuery,
    body: askSchema,
    reply: ChatReply,
    handler: async ({ body, query, headers, identity }) => {
      if (isEmpty(headers)) throw invalidJson();
      const ask = readAsk(body, query.session);
      if (ask.text.trim() === "") return { ok: true, reply: "", session: ask.session };
      const idempotencyKey = single(headers["idempotency-key"]) ?? ask.idempotencyKey;
      // Not tied to the request: the turn belongs to the session and is finished when the client has left.
      const run = services.agent.run({ ...ask, channel: "web", identity, idempotencyKey });
      try {
        const { text, turn, model, stop } = await run.done;
        return { ok: true, reply: text, session: ask.session, turn, model, stop };
      } catch (error) {
        throw chatError(error, single(headers.accept));
      }
    },
  });
  registerHistory(ctx, services.sessions);
  registerSessions(ctx, services.sessions);
}

function registerHistory(ctx: Pick<Context, "route">, sessions: Sessions): void {
  ctx.route({
    method: "GET",
    path: "/api/chat/history",
    access: "read",
    about: "Stored messages of a session: the newest, or a window by sequence number",
    query: HistoryQuery,
    reply: HistoryReply,
    handler: async ({ query }) => {
      const session = chooseSession(query.session);
      const messages = await sessions.history(session, readWindow(query));
      return { ok: true, session, messages: messages.map(historyEntry) };
    },
  });
}

function registerSessions(ctx: Pick<Context, "route">, sessions: Sessions): void {
  ctx.route({
    method: "GET",
    path: "/api/sessions",
    access: "read",
    about: "Sessions, the most recently used first; internal ones only with include_internal=1",
    query: SessionsQuery,
    reply: SessionsReply,
    handler: async ({ query }) => ({ ok: true, sessions: await sessionRows(sessions, query.include_internal === "1") }),
  });
  ctx.route({
    method: "DELETE",
    path: "/api/sessions",
    access: "write",
    about: "Ends what runs in a session and deletes its messages; deleted says whether there was one",
    query: RemoveQuery,
    handler: async ({ query: { key } }) => {
      if (!key) throw new GatewayError("INVALID", 400, "key required");
      return { ok: true, key, deleted: await sessions.remove(sessionKey(key)) };
    },
  });
}

/** Never empty: a client always has a session to begin with. */
export async function sessionRows(sessions: Sessions, internal: boolean): Promise<Record<string, unknown>[]> {
  const infos = (await sessions.list()).filter(({ key }) => internal || !isInternal(key));
  if (infos.length === 0) return [{ key: "main", channel: "main" }];
  return infos.map(({ key, kind, messages, updatedAt }) => {
    const channel = channelOf(key);
    return { key, ...(channel !== undefined && { channel }), kind, messages, updated_at: updatedAt };
  });
}

/** Anything that is not a positive integer counts as absent. */
export function readWindow(query: { readonly [name in keyof HistoryWindow]?: unknown }): HistoryWindow {
  return {
    around: count(query.around),
    before: count(query.before),
    after: count(query.after),
    limit: count(query.limit),
  };
}

function count(value: unknown): number | undefined {
  const text = String(value ?? "").trim();
  if (!/^\+?\d+$/.test(text)) return undefined;
  const number = Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  return number > 0 ? number : undefined;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function isEmpty(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
}
