/** ClawGo's session routes and what was added beside them: the list, search, rename, title, delete. */
import { type Context, GatewayError, type SessionHit, type SessionInfo, Type } from "@chela/sdk";
import { channelOf, sessionKey } from "../sessions/session-key.ts";
import type { Behind } from "../sessions/session-rows.ts";
import type { SessionService } from "../sessions/session-service.ts";

type SessionFace = Pick<Context, "route" | "emit">;

const Text = Type.Optional(Type.String());

const Kinds = Type.Optional(
  Type.Array(Type.String(), { description: "Only sessions of these kinds: main, cron, subagent …" }),
);
const Words = (description: string) => Type.Optional(Type.String({ description }));

const ListQuery = Type.Object({
  include_internal: Words("1: internal sessions, too"),
  kinds: Kinds,
  limit: Type.Optional(Type.String({ description: "Sessions of one page: at most and by default 10000" })),
  cursor: Type.Optional(Type.String({ description: "next_cursor of the page before" })),
});
const SearchQuery = Type.Object({
  query: Words("Words to look for; empty finds nothing"),
  kinds: Kinds,
  kind: Words("The same, one kind or several with commas"),
  exclude_current: Words("1, true or yes: not in the session that is named"),
  session: Words("Key of the session that exclude_current means"),
  limit: Type.Optional(Type.String({ description: "Sessions: default 5, at most 100" })),
});

const SessionsReply = Type.Object({
  ok: Type.Boolean(),
  sessions: Type.Array(Type.Object({ key: Type.String(), channel: Text }, { additionalProperties: true })),
  next_cursor: Text,
});
const SearchReply = Type.Object({
  ok: Type.Boolean(),
  query: Text,
  results: Type.Array(Type.Object({ key: Type.String() }, { additionalProperties: true })),
  missing: Type.Optional(Type.Integer({ description: "Messages that the index does not hold yet" })),
});

const maxPage = 10_000;
const maxHits = 100;
const defaultHits = 5;

export function registerSessions(ctx: SessionFace, sessions: SessionService): void {
  ctx.route({
    method: "GET",
    path: "/api/sessions",
    access: "read",
    about: "Sessions, the most recently used first; internal ones only with include_internal=1",
    query: ListQuery,
    reply: SessionsReply,
    handler: async ({ query }) => {
      const { rows, next } = await sessionPage(sessions, {
        internal: query.include_internal === "1",
        kinds: kindList(query.kinds),
        limit: bounded(query.limit, maxPage, maxPage),
        cursor: query.cursor,
      });
      return { ok: true, sessions: rows, ...(next !== undefined && { next_cursor: next }) };
    },
  });
  ctx.route({
    method: "GET",
    path: "/api/sessions/search",
    access: "read",
    about: "Sessions in which something was said, the best first, with the passages",
    query: SearchQuery,
    reply: SearchReply,
    handler: async ({ query }) => {
      const words = (query.query ?? "").trim();
      if (words === "") return { ok: true, results: [] };
      const current = ["1", "true", "yes"].includes((query.exclude_current ?? "").trim().toLowerCase());
      const found = await sessions.find({
        words,
        kinds: kindList(query.kinds) ?? kindList(query.kind),
        except: current ? (query.session ?? "").trim() || undefined : undefined,
        limit: bounded(query.limit, defaultHits, maxHits),
      });
      return {
        ok: true,
        query: words,
        results: found.hits.map(hitRow),
        ...(found.missing > 0 && { missing: found.missing }),
      };
    },
  });
  registerChanges(ctx, sessions);
}

function registerChanges(ctx: SessionFace, sessions: SessionService): void {
  ctx.route({
    method: "POST",
    path: "/api/sessions",
    access: "write",
    about: "Changes a session: action rename (to), title (title) or delete",
    body: Type.Object(
      {
        action: Words("rename, title or delete"),
        key: Words("Key of the session"),
        to: Words("For rename: the new key"),
        title: Words("For title: the new name; empty takes it away"),
      },
      { additionalProperties: true },
    ),
    handler: async ({ body: { action, key, to, title } }) => {
      if (!key) throw required("key");
      if (action === "rename") return { ok: true, ...(await rename(ctx, sessions, { key, to: to ?? "" })) };
      if (action === "title") return { ok: true, ...(await retitle(ctx, sessions, { key, title: title ?? "" })) };
      if (action === "delete") return { ok: true, ...(await remove(ctx, sessions, key)) };
      throw new GatewayError("INVALID", 400, "unsupported action: use rename, title or delete");
    },
  });
  ctx.route({
    method: "DELETE",
    path: "/api/sessions",
    access: "write",
    about: "Ends what runs in a session and deletes its messages; deleted says whether there was one",
    query: Type.Object({ key: Words("Key of the session") }),
    handler: async ({ query: { key } }) => {
      if (!key) throw required("key");
      return { ok: true, ...(await remove(ctx, sessions, key)) };
    },
  });
}

export async function rename(
  ctx: Pick<Context, "emit">,
  sessions: SessionService,
  { key, to }: { key: string; to: string },
) {
  if (to.trim() === "") throw required("to");
  const target = sessionKey(to.trim());
  await sessions.rename(sessionKey(key), target);
  ctx.emit("session_changed", { session: target, renamed_from: key });
  return { key: target, renamed_from: key };
}

export async function retitle(
  ctx: Pick<Context, "emit">,
  sessions: SessionService,
  { key, title }: { key: string; title: string },
) {
  const kept = await sessions.table.title(sessionKey(key), title);
  ctx.emit("session_changed", { session: key });
  return { key, title: kept };
}

export async function remove(ctx: Pick<Context, "emit">, sessions: SessionService, key: string) {
  const deleted = await sessions.remove(sessionKey(key));
  if (deleted) ctx.emit("session_changed", { session: key, deleted: true });
  return { key, deleted };
}

export interface PageQuery {
  readonly internal: boolean;
  readonly kinds: readonly string[] | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** The first page is never empty: a client always has a session to begin with. */
export async function sessionPage(sessions: SessionService, { internal, kinds, limit, cursor }: PageQuery) {
  const after = cursor ? readCursor(cursor) : undefined;
  const found = await sessions.table.list({ internal, kinds, limit: limit + 1, after });
  if (found.length === 0 && !after && !kinds) return { rows: [{ key: "main", channel: "main" }], next: undefined };
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { rows: page.map(listRow), next: last && found.length > limit ? cursorOf(last) : undefined };
}

function listRow({ key, kind, messages, updatedAt, title }: SessionInfo): Record<string, unknown> {
  const channel = channelOf(key);
  return {
    key,
    ...(channel !== undefined && { channel }),
    kind,
    messages,
    updated_at: updatedAt,
    ...(title !== "" && { title }),
  };
}

/** ClawGo's keys; `segment` is the one log that a session has here. */
export function hitRow({ session, summary, score, snippets }: SessionHit): Record<string, unknown> {
  return {
    key: session.key,
    kind: session.kind,
    updated_at: session.updatedAt,
    ...(session.title !== "" && { title: session.title }),
    summary,
    score,
    snippets: snippets.map(({ seq, role, text }) => ({ seq, role, segment: "active", content: text })),
  };
}

/** Separated by commas, repeated, or both; undefined when none is named. */
export function kindList(value: string | readonly string[] | undefined): readonly string[] | undefined {
  const list = (typeof value === "string" ? [value] : (value ?? []))
    .flatMap((text) => text.split(","))
    .map((kind) => kind.trim().toLowerCase())
    .filter((kind) => kind !== "");
  return list.length === 0 ? undefined : [...new Set(list)].slice(0, 100);
}

/** ClawGo's rule for numbers: no positive integer means the default, too much means the most. */
export function bounded(text: string | undefined, usual: number, most: number): number {
  const value = (text ?? "").trim();
  const number = /^\+?\d+$/.test(value) ? Number(value) : 0;
  return number > 0 ? Math.min(number, most) : usual;
}

function cursorOf({ updatedAt, key }: SessionInfo): string {
  return Buffer.from(JSON.stringify([updatedAt, key])).toString("base64url");
}

function readCursor(cursor: string): Behind {
  try {
    const [updatedAt, key] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (typeof updatedAt === "number" && typeof key === "string") return { updatedAt, key };
  } catch {
    // Answered below.
  }
  throw new GatewayError("INVALID", 400, "the cursor is none that this gateway gave out: begin without one");
}

function required(name: string): GatewayError {
  return new GatewayError("INVALID", 400, `${name} required`);
}
