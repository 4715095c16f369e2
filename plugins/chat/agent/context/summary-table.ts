/**
 * Summaries of the older part of conversations, by log, so that they stay when a session is renamed. The messages
 * themselves are never cut: a summary only stands for those up to `upto` when a model is asked. One that was made from an
 * outdated state is rejected.
 */
import { BoundedMap, type Query, type Store } from "@chela/sdk";
import { logOfKey } from "../../sessions/session-rows.ts";

export interface Summary {
  /** Sequence number of the last message it stands for. */
  readonly upto: number;
  readonly text: string;
}

const rememberedSessions = 1_000;

export class SummaryTable {
  readonly #store: Store;
  readonly #now: () => number;
  /** By session key. Undefined: the table has none. */
  readonly #known = new BoundedMap<string, Summary | undefined>(rememberedSessions);

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  async find(session: string): Promise<Summary | undefined> {
    if (this.#known.has(session)) return this.#known.get(session);
    const sql = `SELECT upto, text FROM chat_summaries WHERE log = ${logOfKey}`;
    const row = await this.#store.get<{ upto: number; text: string }>(sql, session);
    const summary = row && { upto: Number(row.upto), text: row.text };
    this.#known.set(session, summary);
    return summary;
  }

  async textOf(log: string): Promise<string | undefined> {
    const row = await this.#store.get<{ text: string }>("SELECT text FROM chat_summaries WHERE log = ?", log);
    return row?.text;
  }

  /** The end of what is summed up, as far as it is remembered. */
  upto(session: string): number {
    return this.#known.get(session)?.upto ?? 0;
  }

  /** False when another one was stored since `base` was read, or when its messages are gone. */
  async put(session: string, base: Summary | undefined, summary: Summary): Promise<boolean> {
    const { upto, text } = summary;
    const sql = `INSERT INTO chat_summaries (log, upto, text, made_at)
      SELECT m.session, ?, ?, ? FROM chat_messages m WHERE m.session = ${logOfKey} AND m.seq = ?
      ON CONFLICT (log) DO UPDATE SET upto = excluded.upto, text = excluded.text, made_at = excluded.made_at
      WHERE chat_summaries.upto = ?`;
    const { changes } = await this.#store.run(sql, upto, text, this.#now(), session, upto, base?.upto ?? 0);
    if (changes > 0) this.#known.set(session, summary);
    else this.#known.delete(session);
    return changes > 0;
  }

  /** Messages of the log from `seq` on are removed in this commit. */
  async cut(query: Query, log: string, seq: number): Promise<void> {
    await query.run("DELETE FROM chat_summaries WHERE log = ? AND upto >= ?", log, seq);
  }

  /** Another log begins with its messages before `seq`. */
  async copy(query: Query, { log, toLog, seq }: { log: string; toLog: string; seq: number }): Promise<void> {
    const sql = `INSERT INTO chat_summaries (log, upto, text, made_at)
      SELECT ?, upto, text, made_at FROM chat_summaries WHERE log = ? AND upto < ?`;
    await query.run(sql, toLog, log, seq);
  }

  /** The log was emptied. */
  async remove(log: string): Promise<void> {
    await this.#store.run("DELETE FROM chat_summaries WHERE log = ?", log);
  }

  /** The key may stand for something else now. */
  forget(session: string): void {
    this.#known.delete(session);
  }
}
