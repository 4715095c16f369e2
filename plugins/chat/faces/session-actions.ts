/** What the routes and the RPC methods of sessions do alike, and how both answer. */
import { type Context, GatewayError, type SessionHit, type SessionInfo } from "@chela/sdk";
import { channelOf, sessionKey } from "../sessions/session-key.ts";
import type { Behind } from "../sessions/session-rows.ts";
import type { SessionService } from "../sessions/session-service.ts";

type Emitter = Pick<Context, "emit">;

export async function rename(ctx: Emitter, sessions: SessionService, { key, to }: { key: string; to: string }) {
  if (to.trim() === "") throw required("to");
  const target = sessionKey(to.trim());
  await sessions.rename(sessionKey(key), target);
  ctx.emit("session_changed", { session: target, renamed_from: key });
  return { key: target, renamed_from: key };
}

export async function retitle(ctx: Emitter, sessions: SessionService, { key, title }: { key: string; title: string }) {
  const kept = await sessions.table.title(sessionKey(key), title);
  ctx.emit("session_changed", { session: key });
  return { key, title: kept };
}

export async function remove(ctx: Emitter, sessions: SessionService, key: string) {
  const deleted = await sessions.remove(sessionKey(key));
  if (deleted) ctx.emit("session_changed", { session: key, deleted: true });
  return { key, deleted };
}

export interface Rewind {
  readonly key: string;
  readonly seq: number;
  /** Under which the number was learned: it may mean another message now. */
  readonly epoch?: string | undefined;
}

export async function rewind(ctx: Emitter, sessions: SessionService, { key, seq, epoch: known }: Rewind) {
  if (known !== undefined && known !== (await sessions.epoch(key))) {
    const message = "somebody took this session back meanwhile: its messages have other numbers now, look again";
    throw new GatewayError("SESSION_CHANGED", 409, message);
  }
  const removed = await sessions.rewind(sessionKey(key), seq);
  const epoch = await sessions.epoch(key);
  if (removed > 0) ctx.emit("session_changed", { session: key, rewound: seq, epoch });
  return { seq, removed, epoch };
}

export interface Fork {
  readonly key: string;
  readonly seq: number;
  readonly to: string;
}

export async function fork(ctx: Emitter, sessions: SessionService, { key, seq, to }: Fork) {
  if (to.trim() === "") throw required("to");
  const target = sessionKey(to.trim());
  await sessions.fork(sessionKey(key), seq, target);
  ctx.emit("session_changed", { session: target, forked_from: key });
  return { target, epoch: await sessions.epoch(target) };
}

export interface PageQuery {
  readonly internal: boolean;
  readonly kinds?: readonly string[] | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Default: only what the rows themselves say. */
  readonly details?: boolean;
}

/** Null where there is no such session. */
export async function sessionRow(sessions: SessionService, key: string) {
  const info = await sessions.table.info(sessionKey(key));
  if (!info) return null;
  const more = await sessions.details([info.key]);
  return Object.assign(listRow(info), more.get(info.key));
}

/** The first page is never empty: a client always has a session to begin with. */
export async function sessionPage(sessions: SessionService, query: PageQuery) {
  const { internal, kinds, limit, cursor, details = false } = query;
  const after = cursor ? readCursor(cursor) : undefined;
  const found = await sessions.table.list({ internal, kinds, limit: limit + 1, after });
  if (found.length === 0 && !after && !kinds) return { rows: [{ key: "main", channel: "main" }], next: undefined };
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const more = details ? await sessions.details(page.map(({ key }) => key)) : undefined;
  const rows = page.map((info) => Object.assign(listRow(info), more?.get(info.key)));
  return { rows, next: last && found.length > limit ? cursorOf(last) : undefined };
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

/** What `POST /api/sessions` asks for. */
interface Change {
  readonly action?: string;
  readonly key?: string;
  readonly to?: string;
  readonly title?: string;
  readonly seq?: number;
  readonly epoch?: string;
}

export async function change(
  ctx: Emitter,
  sessions: SessionService,
  { action, key, to = "", title = "", seq, epoch: known }: Change,
) {
  if (!key) throw required("key");
  if (action === "rename") return rename(ctx, sessions, { key, to });
  if (action === "title") return retitle(ctx, sessions, { key, title });
  if (action === "delete") return remove(ctx, sessions, key);
  if (action !== "rewind" && action !== "fork")
    throw new GatewayError("INVALID", 400, "unsupported action: use rename, title, delete, rewind or fork");
  if (seq === undefined) throw required("seq");
  if (action === "rewind") return { key, ...(await rewind(ctx, sessions, { key, seq, epoch: known })) };
  const { target, epoch } = await fork(ctx, sessions, { key, seq, to });
  return { key: target, forked_from: key, epoch };
}
