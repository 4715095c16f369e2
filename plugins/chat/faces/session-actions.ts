/** What the routes and the RPC methods of sessions do alike, and how both answer. */
import { type Context, GatewayError, type SessionHit, type SessionInfo } from "@chela/sdk";
import { channelOf, sessionKey } from "../sessions/session-key.ts";
import type { Behind } from "../sessions/session-rows.ts";
import type { SessionService } from "../sessions/session-service.ts";

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

export function required(name: string): GatewayError {
  return new GatewayError("INVALID", 400, `${name} required`);
}
