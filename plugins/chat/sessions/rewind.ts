/**
 * A session taken back to one of its messages, and a copy of its beginning under another key. Each is one commit: after a
 * crash there is what was before or what was to be.
 */
import type { Query } from "@chela/sdk";
import { createSession, freeKey, newEpoch, type Place, placeOf, sessionUnknown } from "./session-rows.ts";
import { messageColumns } from "./tables.ts";

/** Throws `SESSION_UNKNOWN` 404. */
export async function placeNamed(query: Query, key: string): Promise<Place> {
  const place = await placeOf(query, key);
  if (!place) throw sessionUnknown(key);
  return place;
}

/** What follows is numbered from `seq` on again. Requests whose answer is gone have no outcome any more; those that are gone are forgotten. */
export async function cutSession(query: Query, key: string, log: string, seq: number): Promise<void> {
  await query.run("DELETE FROM chat_messages WHERE session = ? AND seq >= ?", log, seq);
  await query.run("UPDATE chat_sessions SET epoch = ? WHERE key = ?", newEpoch(), key);
  await query.run("DELETE FROM chat_requests WHERE session = ? AND user_seq >= ?", key, seq);
  const answered = "SELECT MAX(seq) FROM chat_messages WHERE session = ? AND role = 'assistant' AND tool_calls IS NULL";
  await query.run(
    `UPDATE chat_requests SET outcome = NULL
     WHERE session = ? AND user_seq > COALESCE((${answered}), 0) AND outcome LIKE '{"result"%'`,
    key,
    log,
  );
}

/** The messages before `seq` as the beginning of a new session. Throws `SESSION_UNKNOWN` 404, `SESSION_EXISTS` 409. */
export async function copySession(
  query: Query,
  { key, to, seq }: { key: string; to: string; seq: number },
  now: number,
): Promise<{ from: Place; copy: Place }> {
  const from = await placeNamed(query, key);
  await freeKey(query, to);
  const copy = await createSession(query, to, now);
  const same = messageColumns.split(", ").slice(1).join(", ");
  const sql = `INSERT INTO chat_messages (${messageColumns}) SELECT ?, ${same} FROM chat_messages WHERE session = ? AND seq < ?`;
  await query.run(sql, copy.log, from.log, seq);
  return { from, copy };
}
