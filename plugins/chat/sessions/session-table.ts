/**
 * Sessions and their messages in the store. Sequence numbers grow by one per session, without gaps: writes of one session
 * run one after the other, the newest number is remembered, and a number that somebody else took is looked up again.
 */
import {
  BoundedMap,
  GatewayError,
  type HistoryWindow,
  KeyedLock,
  type Query,
  type SessionInfo,
  type Store,
  type StoredMessage,
} from "@chela/sdk";
import { windowQuery } from "./history-window.ts";
import { LastUse } from "./last-use.ts";
import { LooseLogs } from "./loose-logs.ts";
import { contextWindow, messagePage, messageWindow, type Room } from "./message-page.ts";
import { RecentMessages } from "./recent-messages.ts";
import { detachSession } from "./removal.ts";
import { sessionKey } from "./session-key.ts";
import { type ListQuery, listSessions } from "./session-list.ts";
import {
  createSession,
  lastSaid,
  type Place,
  placeOf,
  renameSession,
  sessionInfo,
  titleSession,
} from "./session-rows.ts";
import { type DatedMessage, insertMessages, rowValues, type SequencedMessage } from "./tables.ts";

const rowsPerStatement = 100;
const rememberedSessions = 10_000;

/** More statements for the same commit. */
export type Also = (query: Query, lastSeq: number) => Promise<unknown>;

export interface SessionTableOptions {
  readonly now?: () => number;
  /** Told after the commit; must return at once. */
  readonly onAppend?: (key: string) => void;
  /** A log was emptied or is about to be: whatever else knows it has to forget it. */
  readonly forget?: (log: string) => Promise<void>;
  /** In the commit that gives a session the key `to`; without one it removes the session. */
  readonly moved?: (query: Query, key: string, to?: string) => Promise<void>;
}

export class SessionTable {
  readonly logs: LooseLogs;
  readonly #store: Store;
  readonly #now: () => number;
  readonly #onAppend: (key: string) => void;
  readonly #moved: NonNullable<SessionTableOptions["moved"]>;
  readonly #locks = new KeyedLock();
  readonly #recent = new RecentMessages();
  readonly #use: LastUse;
  /** Where sessions lay when they were last written to. */
  readonly #last = new BoundedMap<string, Place>(rememberedSessions);
  /** The insert for so many messages. */
  readonly #inserts = new Map<number, string>();

  constructor(
    store: Store,
    { now = Date.now, onAppend = () => {}, forget = async () => {}, moved = async () => {} }: SessionTableOptions = {},
  ) {
    this.#store = store;
    this.logs = new LooseLogs(store, forget);
    this.#use = new LastUse(store);
    this.#now = now;
    this.#onAppend = onAppend;
    this.#moved = moved;
  }

  /** One commit for all. Resolves to the newest sequence number. */
  append(key: string, messages: readonly DatedMessage[], also?: Also): Promise<number> {
    sessionKey(key);
    return this.#locks.run(key, () => this.#append(key, messages, also));
  }

  history(key: string, window?: HistoryWindow): Promise<readonly StoredMessage[]> {
    return messageWindow(this.#store, key, windowQuery(window));
  }

  /** What follows `after`; empty at the end. */
  page(key: string, after: number, room: Room): Promise<readonly StoredMessage[]> {
    return messagePage(this.#store, key, { after, room });
  }

  /** The newest `limit` messages after `after`, oldest first, as a model is shown them. */
  context(key: string, limit: number, after = 0): Promise<SequencedMessage[]> {
    return this.#recent.get(key, { limit, after }, () => contextWindow(this.#store, key, { above: after, limit }));
  }

  /** Until `signal` aborts nobody else writes messages: the newest ones are kept in memory. */
  remember(signal: AbortSignal): void {
    this.#recent.begin(signal);
  }

  /** The most recently used first. */
  async list(query: ListQuery = {}): Promise<readonly SessionInfo[]> {
    // Where nothing can be written, as on a full disk, the order is a few seconds behind.
    await this.#use.flush().catch(() => undefined);
    return listSessions(this.#store, query);
  }

  /** What is known of sessions alone in memory is in their rows. */
  flush(): Promise<void> {
    return this.#use.flush();
  }

  info(key: string): Promise<SessionInfo | undefined> {
    return sessionInfo(this.#store, key);
  }

  /** The newest sequence number of a session that was written to a moment ago. */
  newest(key: string): number | undefined {
    return this.#last.get(key)?.last;
  }

  /** The sequence number of what a user said last; undefined when nobody did. */
  lastSaid(key: string): Promise<number | undefined> {
    return lastSaid(this.#store, key);
  }

  /** Changes what a session is: nobody writes to it meanwhile, and what is known of it in memory is forgotten. */
  alone<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.run(key, () => {
      this.#last.delete(key);
      return work().finally(() => this.#recent.forget(key));
    });
  }

  /** The session is gone with the first commit; its messages follow, after a crash with the next start. */
  remove(key: string): Promise<boolean> {
    return this.alone(key, async () => {
      const log = await detachSession(this.#store, key, (query) => this.#moved(query, key));
      this.#use.forget(key);
      if (log !== undefined) await this.logs.empty(log);
      return log !== undefined;
    });
  }

  /** Throws `SESSION_UNKNOWN` 404, `SESSION_EXISTS` 409. No message moves: the session keeps its log. */
  rename(key: string, to: string): Promise<void> {
    const [first, second] = [sessionKey(key), sessionKey(to)].sort() as [string, string];
    const work = async () => {
      this.#last.delete(key);
      this.#last.delete(to);
      await this.#use.flush();
      await this.#store
        .transaction(async (query) => {
          await renameSession(query, key, to);
          if (key !== to) await this.#moved(query, key, to);
        })
        .finally(() => {
          for (const name of [key, to]) this.#recent.forget(name);
        });
      this.#onAppend(to);
    };
    return this.#locks.run(first, () => (first === second ? work() : this.#locks.run(second, work)));
  }

  /** Returns the title as it is kept. Throws `SESSION_UNKNOWN` 404. */
  title(key: string, title: string): Promise<string> {
    return titleSession(this.#store, key, title);
  }

  async #append(key: string, messages: readonly DatedMessage[], also: Also | undefined): Promise<number> {
    const known = this.#last.get(key);
    try {
      const place =
        known !== undefined && !also && messages.length <= rowsPerStatement
          ? await this.#appendAfter(key, known, messages)
          : await this.#appendAlone(key, messages, also);
      this.#last.set(key, place);
      this.#recent.stored(key, messages, place.last);
      if (messages.length > 0) this.#onAppend(key);
      return place.last;
    } catch (error) {
      this.#recent.forget(key);
      throw error;
    }
  }

  /** The fast path: one statement, on the number we remember. */
  async #appendAfter(key: string, known: Place, messages: readonly DatedMessage[]): Promise<Place> {
    if (messages.length === 0) return known;
    const { sql, values, at } = this.#statement(known, messages);
    const late = this.#use.isLate(known.usedAt, at);
    try {
      const stored = this.#store.run(sql, ...values);
      // Together: they share a commit.
      await (late ? Promise.all([stored, this.#use.tellOrNote(key, { log: known.log, at })]) : stored);
    } catch (error) {
      this.#last.delete(key);
      const taken = GatewayError.is(error) && error.code === "STORE_CONSTRAINT";
      if (!taken) throw error;
      return this.#appendAlone(key, messages, undefined);
    }
    if (!late) this.#use.note(key, { log: known.log, at });
    return { log: known.log, last: known.last + messages.length, usedAt: late ? at : known.usedAt };
  }

  /** In a transaction of its own, which reads the number and creates the session when there is none. */
  async #appendAlone(key: string, messages: readonly DatedMessage[], also: Also | undefined): Promise<Place> {
    this.#last.delete(key);
    const noted = this.#use.noted(key);
    const work = async (query: Query) => {
      const place = (await placeOf(query, key)) ?? (await createSession(query, key, this.#now()));
      const { log } = place;
      let { last, usedAt: at } = place;
      for (let first = 0; first < messages.length; first += rowsPerStatement) {
        const part = messages.slice(first, first + rowsPerStatement);
        const { sql, values, at: saidAt } = this.#statement({ log, last }, part);
        await query.run(sql, ...values);
        last += part.length;
        at = saidAt;
      }
      const late = this.#use.isLate(place.usedAt, at);
      if (late) await this.#use.tell(query, key, { log, at });
      else if (at !== place.usedAt) this.#use.note(key, { log, at });
      await also?.(query, last);
      return { log, last, usedAt: late ? at : place.usedAt };
    };
    return this.#store.transaction(work).catch((error) => {
      this.#use.restore(key, noted);
      throw error;
    });
  }

  /** `at`: when the last of them was said. */
  #statement({ log, last }: Pick<Place, "log" | "last">, messages: readonly DatedMessage[]) {
    const now = this.#now();
    const values = messages.flatMap((message, index) => rowValues(log, last + 1 + index, now, message));
    return { sql: this.#insert(messages.length), values, at: messages.at(-1)?.at ?? now };
  }

  #insert(count: number): string {
    const sql = this.#inserts.get(count) ?? insertMessages(count);
    this.#inserts.set(count, sql);
    return sql;
  }
}
