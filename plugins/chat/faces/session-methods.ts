/** The RPC methods of sessions: what `chela sessions` and other programs call. */
import { type Context, Type } from "@chela/sdk";
import { chooseSession, sessionKey } from "../sessions/session-key.ts";
import type { SessionService } from "../sessions/session-service.ts";

const key = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });
const Key = key("Key of the session");
const Seq = Type.Integer({ minimum: 1, description: "Number of a message" });
const Kinds = Type.Optional(
  Type.Array(Type.String(), { maxItems: 100, description: "Only sessions of these kinds: main, cron, subagent …" }),
);
const ListParams = Type.Object({
  includeInternal: Type.Boolean({ default: false, description: "Internal sessions, too" }),
  kinds: Kinds,
  limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 10_000, description: "Sessions of one page" }),
  cursor: Type.Optional(Type.String({ description: "next of the page before" })),
  details: Type.Boolean({ default: false, description: "With epoch, first, preview, running and agent" }),
});
const SearchParams = Type.Object({
  query: Type.String({ maxLength: 10_000, description: "Words to look for" }),
  kinds: Kinds,
  except: Type.Optional(key("Not in this session")),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 5, description: "Sessions at most" }),
});
const ExportParams = Type.Object({
  key: Key,
  format: Type.Optional(
    Type.Union([Type.Literal("jsonl"), Type.Literal("markdown")], { description: "Default jsonl" }),
  ),
  after: Type.Integer({ minimum: 0, default: 0, description: "next of the page before" }),
  limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 200, description: "Messages of one page" }),
});
const ImportParams = Type.Object({
  key: Key,
  jsonl: Type.String({ description: "The transcript" }),
  dryRun: Type.Boolean({ default: false, description: "Only tell what would be done" }),
});
const pageChars = 4_000_000;

/** Loaded with the first call. */
const actions = () => import("./session-actions.ts");

type Face = Pick<Context, "method" | "emit">;

export function registerSessionMethods(ctx: Face, sessions: SessionService): void {
  ctx.method({
    name: "sessions.list",
    access: "read",
    about: "Sessions, the most recently used first",
    params: ListParams,
    handler: async ({ includeInternal, ...query }) => {
      const { sessionPage } = await actions();
      const { rows, next } = await sessionPage(sessions, { internal: includeInternal, ...query });
      return { sessions: rows, ...(next !== undefined && { nextCursor: next }) };
    },
  });
  ctx.method({
    name: "sessions.info",
    access: "read",
    about: "One session as sessions.list shows it with details; null where there is none",
    params: Type.Object({ key: Key }),
    handler: async ({ key }) => {
      const { sessionRow } = await actions();
      return { session: await sessionRow(sessions, key) };
    },
  });
  ctx.method({
    name: "sessions.search",
    access: "read",
    about: "Sessions in which something was said; missing counts messages that could not be looked at yet",
    params: SearchParams,
    handler: async ({ query, ...rest }) => {
      const { hitRow } = await actions();
      const { hits, missing } = await sessions.find({ words: query, ...rest });
      return { query, results: hits.map(hitRow), missing };
    },
  });
  registerChanges(ctx, sessions);
  registerTransfers(ctx, sessions);
}

function registerChanges(ctx: Face, sessions: SessionService): void {
  ctx.method({
    name: "sessions.rename",
    access: "write",
    about: "Moves a session to another key; what runs in it is ended",
    params: Type.Object({ key: Key, to: key("The new key") }),
    handler: async (params) => (await actions()).rename(ctx, sessions, params),
  });
  ctx.method({
    name: "sessions.title",
    access: "write",
    about: "Gives a session a name for people; an empty one takes it away",
    params: Type.Object({ key: Key, title: Type.String({ maxLength: 2_000, description: "Empty takes it away" }) }),
    handler: async (params) => (await actions()).retitle(ctx, sessions, params),
  });
  ctx.method({
    name: "sessions.remove",
    access: "write",
    about: "Ends what runs in a session and deletes its messages",
    params: Type.Object({ key: Key }),
    handler: async ({ key }) => (await actions()).remove(ctx, sessions, key),
  });
  ctx.method({
    name: "sessions.rewind",
    access: "write",
    about: "Ends what runs in a session and removes its messages from a number on: the next one gets this number",
    params: Type.Object({
      session: Key,
      seq: Seq,
      epoch: Type.Optional(Type.String({ description: "Refused when the session has another one now" })),
    }),
    handler: async ({ session, seq, epoch }) => {
      const { rewind } = await actions();
      return { session, ...(await rewind(ctx, sessions, { key: session, seq, epoch })) };
    },
  });
  ctx.method({
    name: "sessions.fork",
    access: "write",
    about: "Begins another session with the messages before a number",
    params: Type.Object({ session: Key, seq: Seq, to: key("Key of the new session") }),
    handler: async ({ session, seq, to }) => {
      const { fork } = await actions();
      const { target, epoch } = await fork(ctx, sessions, { key: session, seq, to });
      return { session: target, forkedFrom: session, epoch };
    },
  });
  ctx.method({
    name: "sessions.reindex",
    access: "admin",
    about: "Reads all messages into the search index again; what is found already stays found meanwhile",
    handler: async () => {
      await sessions.reindex();
      return { ok: true };
    },
  });
}

function registerTransfers(ctx: Face, sessions: SessionService): void {
  ctx.method({
    name: "sessions.export",
    access: "read",
    about: "A page of a session as a transcript; next is null at the end",
    params: ExportParams,
    handler: async ({ key, format = "jsonl", after, limit }) => {
      const { exportPage } = await import("../sessions/transcript/export.ts");
      const room = { messages: limit, chars: pageChars };
      return { key, format, ...(await exportPage(sessions.table, sessionKey(key), { format, after, room })) };
    },
  });
  ctx.method({
    name: "sessions.import",
    access: "admin",
    about: "Imports a transcript of at most the size of one call; larger ones go to POST /api/sessions/import",
    params: ImportParams,
    handler: async ({ key: named, jsonl, dryRun }, { signal }) => {
      const { announce, importAnswer } = await import("./session-import.ts");
      const key = chooseSession(named);
      const source = { key, files: [{ name: "jsonl", bytes: () => [Buffer.from(jsonl)] }] };
      const report = await sessions.import(source, { dryRun, signal });
      if (!dryRun) announce(ctx, [report]);
      return importAnswer([report], dryRun);
    },
  });
}
