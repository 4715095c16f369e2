/**
 * Logs that no session has: those of sessions that are gone, and those that are being filled for one. They are emptied and
 * filled in bounded steps; what a crash leaves of either stands in `chat_removed`, and the next start empties it.
 */
import { KeyedLock, type Query, type Store } from "@chela/sdk";
import { stopping } from "../stopping.ts";
import { newLog } from "./session-rows.ts";
import { eachSlice } from "./slices.ts";
import { messageColumns } from "./tables.ts";

const sameColumns = messageColumns.split(", ").slice(1).join(", ");
const copySql = `INSERT INTO chat_messages (${messageColumns})
  SELECT ?, ${sameColumns} FROM chat_messages WHERE session = ? AND seq > ? AND seq <= ?`;

/** Messages of one log, before a number. */
export interface Beginning {
  readonly log: string;
  readonly before: number;
}

export class LooseLogs {
  readonly #store: Store;
  readonly #forget: (log: string) => Promise<void>;
  /** One works on a log at a time: whoever has emptied it lets it be taken again. */
  readonly #locks = new KeyedLock();
  readonly #filling = new Set<Promise<unknown>>();
  #closed = false;

  /** `forget`: whatever else knows a log has to forget it. */
  constructor(store: Store, forget: (log: string) => Promise<void>) {
    this.#store = store;
    this.#forget = forget;
  }

  /** Finishes what a process before this one began. */
  async sweep(): Promise<void> {
    const found = await this.#store.all<{ log: string }>("SELECT log FROM chat_removed");
    for (const { log } of found) await this.empty(log);
  }

  empty(log: string): Promise<void> {
    return this.#locks.run(log, () => this.#empty(log));
  }

  /**
   * Copies the beginning of a log into one of its own; `take` gives it to the session `key` in the commit that it makes. When
   * that fails, nothing of it stays.
   */
  fill(key: string, from: Beginning, take: (query: Query, log: string) => Promise<void>): Promise<void> {
    const log = newLog(key);
    const work = this.#locks.run(log, async () => {
      try {
        await this.#copy(log, from);
        await this.#store.transaction(async (query) => {
          await query.run("DELETE FROM chat_removed WHERE log = ?", log);
          await take(query, log);
        });
      } catch (error) {
        // What cannot be removed now either is left to the next start.
        if (!this.#closed) await this.#empty(log).catch(() => undefined);
        throw error;
      }
    });
    this.#filling.add(work);
    const forget = () => void this.#filling.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** Nothing is filled any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#filling);
  }

  async #copy(to: string, { log, before }: Beginning): Promise<void> {
    await this.#store.run("INSERT INTO chat_removed (log) VALUES (?)", to);
    await eachSlice(this.#store, { log, above: 0, below: before }, (above, last) => {
      if (this.#closed) throw stopping();
      return this.#store.run(copySql, to, log, above, last);
    });
  }

  async #empty(log: string): Promise<void> {
    const store = this.#store;
    if (!(await store.get("SELECT log FROM chat_removed WHERE log = ?", log))) return;
    const deleteSql = "DELETE FROM chat_messages WHERE session = ? AND seq > ? AND seq <= ?";
    const all = { log, above: 0, below: Number.MAX_SAFE_INTEGER };
    await eachSlice(store, all, (above, last) => store.run(deleteSql, log, above, last));
    await this.#forget(log);
    await store.run("DELETE FROM chat_removed WHERE log = ?", log);
  }
}

/** In the commit in which its session goes, or takes another one. */
export async function loosen(query: Query, log: string): Promise<void> {
  await query.run("INSERT INTO chat_removed (log) VALUES (?)", log);
}
