/** ClawGo's session routes and what was added beside them: the list, search, rename, title, delete. */
import { type Context, Type } from "@chela/sdk";
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
  details: Words("1: with epoch, first, preview, running and agent"),
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

/** Loaded with the first request. */
const actions = () => import("./session-actions.ts");

export function registerSessionRoutes(ctx: SessionFace, sessions: SessionService): void {
  ctx.route({
    method: "GET",
    path: "/api/sessions",
    access: "read",
    about: "Sessions, the most recently used first; internal ones only with include_internal=1",
    query: ListQuery,
    reply: SessionsReply,
    handler: async ({ query }) => {
      const { sessionPage } = await actions();
      const { rows, next } = await sessionPage(sessions, {
        internal: query.include_internal === "1",
        kinds: kindList(query.kinds),
        limit: bounded(query.limit, maxPage, maxPage),
        cursor: query.cursor,
        details: query.details === "1",
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
      const { hitRow } = await actions();
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
    about: "Changes a session: action rename (to), title (title), delete, rewind (seq) or fork (seq, to)",
    body: Type.Object(
      {
        action: Words("rename, title, delete, rewind or fork"),
        key: Words("Key of the session"),
        to: Words("For rename and fork: the new key"),
        title: Words("For title: the new name; empty takes it away"),
        seq: Type.Optional(
          Type.Integer({ minimum: 1, description: "For rewind: the first message to remove; for fork: to leave out" }),
        ),
        epoch: Words("For rewind: refused when the session has another one now"),
      },
      { additionalProperties: true },
    ),
    handler: async ({ body }) => {
      const { change } = await actions();
      return { ok: true, ...(await change(ctx, sessions, body)) };
    },
  });
  ctx.route({
    method: "DELETE",
    path: "/api/sessions",
    access: "write",
    about: "Ends what runs in a session and deletes its messages; deleted says whether there was one",
    query: Type.Object({ key: Words("Key of the session") }),
    handler: async ({ query: { key } }) => {
      const { change } = await actions();
      return { ok: true, ...(await change(ctx, sessions, { action: "delete", key })) };
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
