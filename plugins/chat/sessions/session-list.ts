/** The list of sessions, the most recently used first, a page at a time: what is on no page is not read. */
import type { SessionInfo, SqlValue, Store } from "@chela/sdk";
import { internalPrefixes } from "./session-key.ts";
import { type ListRow, lastSeq, toInfo } from "./session-rows.ts";

/** What one statement reads; other work has its turn in between. */
const rowsAtOnce = 500;

/** A place in the list, behind the session that is given. */
export type Behind = Pick<SessionInfo, "updatedAt" | "key">;

export interface ListQuery {
  /** Sessions that nobody opened himself, too. Default true. */
  readonly internal?: boolean;
  /** Default: all. */
  readonly kinds?: readonly string[] | undefined;
  /** Default: no limit. */
  readonly limit?: number;
  readonly after?: Behind | undefined;
}

/** `used_at` has to be up to date. */
export async function listSessions(store: Store, query: ListQuery): Promise<SessionInfo[]> {
  const { limit = Number.POSITIVE_INFINITY } = query;
  const infos: SessionInfo[] = [];
  for (let after = query.after; infos.length < limit; after = infos.at(-1)) {
    const most = Math.min(rowsAtOnce, limit - infos.length);
    const { where, values } = condition({ ...query, after });
    const sql = `SELECT s.key, s.kind, s.title, s.created_at, ${lastSeq} AS messages, s.used_at AS updated_at
      FROM chat_sessions s WHERE ${where} ORDER BY s.used_at DESC, s.key LIMIT ?`;
    const rows = await store.all<ListRow>(sql, ...values, most);
    infos.push(...rows.map(toInfo));
    if (rows.length < most) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return infos;
}

function condition({ internal = true, kinds, after }: ListQuery): { where: string; values: SqlValue[] } {
  const parts: string[] = ["1 = 1"];
  const values: SqlValue[] = [];
  const add = (part: string, ...given: SqlValue[]) => {
    parts.push(part);
    values.push(...given);
  };
  if (!internal) for (const prefix of internalPrefixes) add(`substr(s.key, 1, ${prefix.length}) <> ?`, prefix);
  if (kinds) add(`s.kind IN (${kinds.map(() => "?").join(", ") || "NULL"})`, ...kinds);
  // The first half says the same as the second and lets the index begin there.
  if (after) add("s.used_at <= ? AND (s.used_at < ? OR s.key > ?)", after.updatedAt, after.updatedAt, after.key);
  return { where: parts.join(" AND "), values };
}
