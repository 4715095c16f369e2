/**
 * A session taken back to one of its messages, and a copy of its beginning under another key. Each becomes true in one
 * commit: after a crash there is what was before or what was to be.
 */
import type { Query, Store } from "@chela/sdk";
import { type LooseLogs, loosen } from "./loose-logs.ts";
import type { Indexer } from "./search/indexer.ts";
import type { SessionServiceOptions } from "./session-parts.ts";
import { createSession, freeKey, newEpoch, type Place, placeOf, sessionUnknown } from "./session-rows.ts";
import type { SessionTable } from "./session-table.ts";
import { sliceEnd } from "./slices.ts";

/** What is gone of a session; `to` where the rest has another log now. */
export interface Cut {
  readonly key: string;
  readonly log: string;
  readonly seq: number;
  readonly to?: string;
}

export interface SessionCopy {
  readonly key: string;
  readonly log: string;
  readonly to: string;
  readonly toLog: string;
  readonly seq: number;
}

/** Throws `SESSION_UNKNOWN` 404. */
export async function placeNamed(query: Query, key: string): Promise<Place> {
  const place = await placeOf(query, key);
  if (!place) throw sessionUnknown(key);
  return place;
}

/**
 * Removes the messages of a session from `seq` on. Where they are few, one statement does; else those before `seq` get a log
 * of their own, and the old one, `loose`, is to be emptied.
 */
export async function rewindSession(
  { store, cut = async () => {}, rewound }: Pick<SessionServiceOptions, "store" | "cut" | "rewound">,
  table: SessionTable,
  { key, seq, indexer }: { readonly key: string; readonly seq: number; readonly indexer: Indexer },
): Promise<{ readonly removed: number; readonly loose?: string }> {
  const { log, last } = await placeNamed(store, key);
  if (seq > last) return { removed: 0 };
  const isShort = (await sliceEnd(store, { log, above: seq - 1, below: last + 1 })) === last;
  if (isShort) {
    const remove = async (query: Query) => {
      await query.run("DELETE FROM chat_messages WHERE session = ? AND seq >= ?", log, seq);
      await forgetAnswers(query, { key, log, seq });
      await cut(query, { key, log, seq });
    };
    await indexer.cut(key, log, seq, () => store.transaction(remove));
  } else {
    await table.flush();
    await table.logs.fill(key, { log, before: seq }, async (query, to) => {
      await query.run("UPDATE chat_sessions SET log = ?, indexed = 0 WHERE key = ?", to, key);
      await loosen(query, log);
      await forgetAnswers(query, { key, log: to, seq });
      await cut(query, { key, log, seq, to });
    });
    indexer.touch(key);
  }
  rewound?.(key, seq);
  return { removed: last - seq + 1, ...(!isShort && { loose: log }) };
}

/** Requests whose answer is gone have no outcome any more; those that are gone are forgotten. */
async function forgetAnswers(query: Query, { key, log, seq }: Cut): Promise<void> {
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
export async function forkSession(
  { store, logs }: { readonly store: Store; readonly logs: LooseLogs },
  { key, to, seq }: { readonly key: string; readonly to: string; readonly seq: number },
  also: (query: Query, copy: SessionCopy) => Promise<void>,
): Promise<void> {
  const { log, last } = await placeNamed(store, key);
  await freeKey(store, to);
  await logs.fill(to, { log, before: Math.min(seq, last + 1) }, async (query, toLog) => {
    await freeKey(query, to);
    await createSession(query, to, Date.now(), toLog);
    await also(query, { key, log, to, toLog, seq });
  });
}
