/**
 * The rows of `chat_sessions`: what a list shows, and which log holds a session's messages. A session keeps its log when
 * it is renamed, and a log that is being emptied is never taken again, so neither moves a message.
 */
import { randomUUID } from "node:crypto";
import { cutText, GatewayError, type Query, type SessionInfo, type SqlValue, type Store } from "@chela/sdk";
import { internalPrefixes, kindOf, sessionKey } from "./session-key.ts";

const rowsAtOnce = 500;
export const maxTitleChars = 200;

/** For a `WHERE session = …`: the log of a key; null when there is no such session. */
export const logOfKey = "(SELECT COALESCE(log, key) FROM chat_sessions WHERE key = ?)";

/** Of `chat_sessions s`: the sequence number of its newest message; null when it has none. */
export const lastSeq = "(SELECT MAX(m.seq) FROM chat_messages m WHERE m.session = COALESCE(s.log, s.key))";
const columns = `s.key, s.kind, s.title, s.created_at, ${lastSeq} AS messages,
  (SELECT m.at FROM chat_messages m WHERE m.session = COALESCE(s.log, s.key) ORDER BY m.seq DESC LIMIT 1) AS updated_at
  FROM chat_sessions s`;
const oneSql = `SELECT ${columns} WHERE s.key = ?`;

export interface ListRow {
  readonly key: string;
  readonly kind: string;
  readonly title: string;
  readonly created_at: number;
  readonly messages: number | null;
  readonly updated_at: number | null;
}

/** Where a session's messages lie, how many there are, and when its row says that it was last used. */
export interface Place {
  readonly log: string;
  readonly last: number;
  readonly usedAt: number;
}

/** A place in the list of sessions, behind the one that is given. */
export type Behind = Pick<SessionInfo, "updatedAt" | "key">;

/** Which sessions count; by default all. */
export interface SessionFilter {
  readonly kinds?: readonly string[] | undefined;
  readonly except?: string;
  /** Sessions that nobody opened himself, too. Default true. */
  readonly internal?: boolean;
  readonly after?: Behind | undefined;
}

/** Logs of the sessions that count, those of the most recently used. */
export async function logsOf(store: Store, filter: SessionFilter, limit: number): Promise<string[]> {
  const { where, values } = condition(filter);
  const sql = `SELECT COALESCE(s.log, s.key) AS log FROM chat_sessions s WHERE ${where} ORDER BY s.used_at DESC LIMIT ?`;
  const rows = await store.all<{ log: string }>(sql, ...values, limit);
  return rows.map(({ log }) => log);
}

/** Of these logs, those whose sessions exist and count. */
export async function infosOfLogs(store: Store, filter: SessionFilter, logs: readonly string[]) {
  const { where, values } = condition(filter);
  const found: { log: string; session: SessionInfo }[] = [];
  for (let from = 0; from < logs.length; from += rowsAtOnce) {
    const part = logs.slice(from, from + rowsAtOnce);
    const places = part.map(() => "?").join(", ");
    const sql = `SELECT COALESCE(s.log, s.key) AS log, ${columns}
      WHERE (s.log IN (${places}) OR (s.log IS NULL AND s.key IN (${places}))) AND ${where}`;
    const rows = await store.all<ListRow & { log: string }>(sql, ...part, ...part, ...values);
    found.push(...rows.map((row) => ({ log: row.log, session: toInfo(row) })));
  }
  return found;
}

/** Of `chat_sessions s`, for a `WHERE`. */
export function condition({ kinds, except, internal = true, after }: SessionFilter) {
  const parts: string[] = [];
  const values: SqlValue[] = [];
  const add = (part: string, ...given: readonly SqlValue[]) => {
    parts.push(part);
    values.push(...given);
  };
  if (kinds) add(`s.kind IN (${kinds.map(() => "?").join(", ") || "NULL"})`, ...kinds);
  if (except !== undefined) add("s.key <> ?", except);
  if (!internal) for (const prefix of internalPrefixes) add(`substr(s.key, 1, ${prefix.length}) <> ?`, prefix);
  // The first half says the same as the second and lets the index begin there.
  if (after) add("s.used_at <= ? AND (s.used_at < ? OR s.key > ?)", after.updatedAt, after.updatedAt, after.key);
  return { where: parts.join(" AND ") || "1 = 1", values };
}

export async function sessionInfo(query: Query, key: string): Promise<SessionInfo | undefined> {
  const row = await query.get<ListRow>(oneSql, key);
  return row && toInfo(row);
}

export async function placeOf(query: Query, key: string): Promise<Place | undefined> {
  const sql = `SELECT COALESCE(s.log, s.key) AS log, ${lastSeq} AS last, s.used_at FROM chat_sessions s WHERE s.key = ?`;
  const row = await query.get<{ log: string; last: number | null; used_at: number }>(sql, key);
  return row && { log: row.log, last: Number(row.last ?? 0), usedAt: Number(row.used_at) };
}

/** Changes when a session is begun or loses messages: numbers of messages mean something else then. Undefined: there is none. */
export async function epochOf(query: Query, key: string): Promise<string | undefined> {
  return (await query.get<{ epoch: string }>("SELECT epoch FROM chat_sessions WHERE key = ?", key))?.epoch;
}

export function newEpoch(): string {
  return randomUUID().slice(0, 13);
}

export async function lastSaid(query: Query, key: string): Promise<number | undefined> {
  const sql = `SELECT seq FROM chat_messages WHERE session = ${logOfKey} AND role = 'user' ORDER BY seq DESC LIMIT 1`;
  const row = await query.get<{ seq: number }>(sql, key);
  return row && Number(row.seq);
}

/** A name that no log had, for messages of the session `key`. */
export function newLog(key: string): string {
  return `${key}\u001f${randomUUID()}`;
}

/** Without a `given` log it is called like the key, unless messages lie there already. */
export async function createSession(query: Query, key: string, now: number, given?: string): Promise<Place> {
  const log = given ?? (await freeLog(query, key));
  const sql = "INSERT INTO chat_sessions (key, kind, log, created_at, used_at, epoch) VALUES (?, ?, ?, ?, ?, ?)";
  await query.run(sql, key, kindOf(key), log === key ? null : log, now, now, newEpoch());
  return { log, last: 0, usedAt: now };
}

async function freeLog(query: Query, key: string): Promise<string> {
  const takenSql = "SELECT log FROM chat_sessions WHERE log = ? UNION SELECT log FROM chat_removed WHERE log = ?";
  return (await query.get(takenSql, key, key)) ? newLog(key) : key;
}

/** Throws `SESSION_UNKNOWN` 404, `SESSION_EXISTS` 409. */
export async function movable(query: Query, key: string, to: string): Promise<Place> {
  const place = await placeOf(query, key);
  if (!place) throw sessionUnknown(key);
  if (key !== to) await freeKey(query, to);
  return place;
}

/** Throws `SESSION_EXISTS` 409. */
export async function freeKey(query: Query, key: string): Promise<void> {
  if (!(await placeOf(query, key))) return;
  const message = `there is a session "${key}" already: choose another key or remove it`;
  throw new GatewayError("SESSION_EXISTS", 409, message);
}

/** Throws what `movable` throws. */
export async function renameSession(query: Query, key: string, to: string): Promise<void> {
  const place = await movable(query, key, to);
  if (key === to) return;
  const log = place.log === to ? null : place.log;
  await query.run("UPDATE chat_sessions SET key = ?, kind = ?, log = ? WHERE key = ?", to, kindOf(to), log, key);
  await query.run("DELETE FROM chat_requests WHERE session = ?", to);
  await query.run("UPDATE chat_requests SET session = ? WHERE session = ?", to, key);
}

/** Throws `SESSION_UNKNOWN` 404. An empty title takes it away. */
export async function titleSession(query: Query, key: string, title: string): Promise<string> {
  const clean = cutText(title, maxTitleChars * 10)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  const short = [...clean].slice(0, maxTitleChars).join("");
  const { changes } = await query.run("UPDATE chat_sessions SET title = ? WHERE key = ?", short, sessionKey(key));
  if (changes === 0) throw sessionUnknown(key);
  return short;
}

export function sessionUnknown(key: string): GatewayError {
  return new GatewayError("SESSION_UNKNOWN", 404, `there is no session "${key.slice(0, 200)}"`);
}

export function toInfo(row: ListRow): SessionInfo {
  return {
    key: row.key,
    kind: row.kind,
    messages: Number(row.messages ?? 0),
    title: row.title,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at ?? row.created_at),
  };
}
