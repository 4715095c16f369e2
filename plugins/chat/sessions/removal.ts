/** The end of a session: it is gone with one commit; its messages follow in bounded steps, after a crash with the next start. */
import type { Query, Store } from "@chela/sdk";
import { placeOf } from "./session-rows.ts";

const removedAtOnce = 5_000;

/** The log that is to be emptied; undefined when there is no such session. */
export function detachSession(
  store: Store,
  key: string,
  also: (query: Query) => Promise<void>,
): Promise<string | undefined> {
  return store.transaction(async (query) => {
    const place = await placeOf(query, key);
    if (!place) return undefined;
    await query.run("DELETE FROM chat_sessions WHERE key = ?", key);
    await query.run("DELETE FROM chat_requests WHERE session = ?", key);
    await query.run("INSERT INTO chat_removed (log) VALUES (?)", place.log);
    await also(query);
    return place.log;
  });
}

export async function detachedLogs(store: Store): Promise<readonly string[]> {
  return (await store.all<{ log: string }>("SELECT log FROM chat_removed")).map(({ log }) => log);
}

/** `forget`: whatever else knows this log has to forget it. One at a time: whoever has emptied it lets it be taken again. */
export async function emptyLog(store: Store, log: string, forget: (log: string) => Promise<void>): Promise<void> {
  if (!(await store.get("SELECT log FROM chat_removed WHERE log = ?", log))) return;
  const newestSql = "SELECT MAX(seq) AS n FROM chat_messages WHERE session = ?";
  const row = await store.get<{ n: number | null }>(newestSql, log);
  // Newest first.
  for (let seq = Number(row?.n ?? 0) - removedAtOnce; seq > -removedAtOnce; seq -= removedAtOnce) {
    await store.run("DELETE FROM chat_messages WHERE session = ? AND seq > ?", log, Math.max(seq, 0));
  }
  await forget(log);
  await store.run("DELETE FROM chat_removed WHERE log = ?", log);
}
