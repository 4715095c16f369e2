/** ClawGo's session routes and what was added beside them: the list, search, rename, title, delete. */
import { type Context, GatewayError, type SessionHit, type SessionInfo, Type } from "@chela/sdk";
import { channelOf, isInternal, sessionKey } from "../sessions/session-key.ts";
import type { SessionService } from "../sessions/session-service.ts";

type SessionFace = Pick<Context, "route" | "emit">;

const Text = Type.Optional(Type.String());
const Texts = Type.Optional(Type.Array(Type.String()));

const ListQuery = Type.Object({
  include_internal: Text,
  kinds: Texts,
  limit: Type.Optional(Type.String({ description: "Sessions of one page: at most and by default 10000" })),
  cursor: Type.Optional(Type.String({ description: "next_cursor of the page before" })),
});
const SearchQuery = Type.Object({
  query: Text,
  kinds: Texts,
  kind: Text,
  exclude_current: Text,
  session: Text,
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
    body: Type.Object({ action: Text, key: Text, to: Text, title: Text }, { additionalProperties: true }),
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
    query: Type.Object({ key: Text }),
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
  const all = (await sessions.list()).filter(
    ({ key, kind }) => (internal || !isInternal(key)) && (kinds === undefined || kinds.includes(kind)),
  );
  if (all.length === 0 && kinds === undefined) return { rows: [{ key: "main", channel: "main" }], next: undefined };
  const after = cursor ? readCursor(cursor) : undefined;
  const from = after === undefined ? 0 : all.findIndex((info) => comesAfter(info, after));
  const page = from < 0 ? [] : all.slice(from, from + limit);
  const last = page.at(-1);
  const more = last !== undefined && from + limit < all.length;
  return { rows: page.map(listRow), next: more ? cursorOf(last) : undefined };
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
export function hitRow({ session, score, snippets }: SessionHit): Record<string, unknown> {
  return {
    key: session.key,
    kind: session.kind,
    updated_at: session.updatedAt,
    summary: session.title,
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

function readCursor(cursor: string): { updatedAt: number; key: string } {
  try {
    const [updatedAt, key] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (typeof updatedAt === "number" && typeof key === "string") return { updatedAt, key };
  } catch {
    // Answered below.
  }
  throw new GatewayError("INVALID", 400, "the cursor is none that this gateway gave out: begin without one");
}

function comesAfter(info: SessionInfo, { updatedAt, key }: { updatedAt: number; key: string }): boolean {
  return info.updatedAt < updatedAt || (info.updatedAt === updatedAt && info.key > key);
}

function required(name: string): GatewayError {
  return new GatewayError("INVALID", 400, `${name} required`);
}
