/** The list of sessions, the most recently used first, a page at a time: what is on no page is not read. */
import type { SessionInfo, Store } from "@chela/sdk";
import { condition, type ListRow, lastSeq, type SessionFilter, toInfo } from "./session-rows.ts";

/** What one statement reads; other work has its turn in between. */
const rowsAtOnce = 500;

export interface ListQuery extends Omit<SessionFilter, "except"> {
  /** Default: no limit. */
  readonly limit?: number;
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
