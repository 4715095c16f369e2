/** ClawGo's session routes and what was added beside them: the list, search, rename, title, delete. */
import { type Context, GatewayError, Type } from "@chela/sdk";
import type { SessionService } from "../sessions/session-service.ts";
import { hitRow, remove, rename, required, retitle, sessionPage } from "./session-actions.ts";

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

export function registerSessionRoutes(ctx: SessionFace, sessions: SessionService): void {
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
      const current = isYes(query.exclude_current);
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

/** Separated by commas, repeated, or both; undefined when none is named. */
function kindList(value: string | readonly string[] | undefined): readonly string[] | undefined {
  const list = (typeof value === "string" ? [value] : (value ?? []))
    .flatMap((text) => text.split(","))
    .map((kind) => kind.trim().toLowerCase())
    .filter((kind) => kind !== "");
  return list.length === 0 ? undefined : [...new Set(list)].slice(0, 100);
}

/** ClawGo's rule for numbers: no positive integer means the default, too much means the most. */
function bounded(text: string | undefined, usual: number, most: number): number {
  const value = (text ?? "").trim();
  const number = /^\+?\d+$/.test(value) ? Number(value) : 0;
  return number > 0 ? Math.min(number, most) : usual;
}

export function isYes(text = ""): boolean {
  return ["1", "true", "yes"].includes(text.trim().toLowerCase());
}
