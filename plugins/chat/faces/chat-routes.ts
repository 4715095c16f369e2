/** ClawGo's chat routes: thin adapters over the agent and the history. */
import type { Agent, Context, HistoryWindow } from "@chela/sdk";
import { Type } from "@chela/sdk";
import { chooseSession } from "../sessions/session-key.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { askSchema, chatError, historyEntry, invalidJson, type PriceOf, readAsk } from "./ask.ts";

export interface Services {
  readonly agent: Agent;
  readonly sessions: SessionService;
  readonly price: PriceOf;
}

const Text = Type.Optional(Type.String());
const Words = (description: string) => Type.Optional(Type.String({ description }));
const Session = Words("Key of the session; default main");
const ChatQuery = Type.Object({ session: Session });
const HistoryQuery = Type.Object({
  session: Session,
  around: Words("Messages on both sides of this sequence number"),
  before: Words("Messages with a smaller sequence number"),
  after: Words("Messages with a larger sequence number"),
  limit: Words("Messages at most: 1 to 2000, default 200"),
});

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
  epoch: Type.Optional(Type.String({ description: "Another one than before: read the session anew" })),
  messages: Type.Array(
    Type.Object(
      { role: Type.String(), content: Type.String(), seq: Type.Integer(), at: Type.String(), state: Type.String() },
      { additionalProperties: true },
    ),
  ),
});

export function registerChatRoutes(ctx: Pick<Context, "route">, services: Services): void {
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
      if (ask.text.trim() === "" && !ask.media) return { ok: true, reply: "", session: ask.session };
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
  registerHistory(ctx, services);
}

function registerHistory(ctx: Pick<Context, "route">, services: Services): void {
  ctx.route({
    method: "GET",
    path: "/api/chat/history",
    access: "read",
    about: "Stored messages of a session: the newest, or a window by sequence number",
    query: HistoryQuery,
    reply: HistoryReply,
    handler: async ({ query }) => {
      const session = chooseSession(query.session);
      return { ok: true, session, ...(await historyReply(services, session, readWindow(query))) };
    },
  });
}

/** The epoch is read first: a window that is newer than it is read once more than needed, one that is older is never kept. */
export async function historyReply({ sessions, price }: Services, session: string, window: HistoryWindow) {
  const epoch = await sessions.epoch(session);
  const messages = await sessions.history(session, window);
  return { ...(epoch !== undefined && { epoch }), messages: messages.map((message) => historyEntry(message, price)) };
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
