/**
 * Sessions and their messages in the store. Sequence numbers grow by one per session, without gaps: writes of one session
 * run one after the other, the newest number is remembered, and a number that somebody else took is looked up again.
 */
import {
  GatewayError,
  type HistoryWindow,
  KeyedLock,
  type Message,
  type Query,
  type SessionInfo,
  type SqlValue,
  type Store,
  type StoredMessage,
} from "@chela/sdk";
import { windowQuery } from "./history-window.ts";
import { messagePage, type Room } from "./message-page.ts";
import { sessionKey } from "./session-key.ts";
import {
  createSession,
  listSessions,
  logOfKey,
  type Place,
  placeOf,
  renameSession,
  sessionInfo,
  titleSession,
} from "./session-rows.ts";
import {
  type ContextRow,
  type DatedMessage,
  insertMessages,
  type MessageRow,
  rowValues,
  selectContext,
  selectMessages,
  toMessage,
  toStored,
} from "./tables.ts";

const rowsPerStatement = 100;
const rememberedSessions = 10_000;
const removedAtOnce = 5_000;

/** A message and its place in the session. */
export type SequencedMessage = Message & { readonly seq: number };

/** More statements for the same commit. */
export type Also = (query: Query, lastSeq: number) => Promise<unknown>;

export interface SessionTableOptions {
  readonly now?: () => number;
  /** Told after the commit; must return at once. */
  readonly onAppend?: (key: string) => void;
  /** A log was emptied or is about to be: whatever else knows it has to forget it. */
  readonly forget?: (log: string) => Promise<void>;
}

export class SessionTable {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #onAppend: (key: string) => void;
  readonly #forget: (log: string) => Promise<void>;
  readonly #locks = new KeyedLock();
  /** Log and newest sequence number of sessions that exist. Oldest entry first. */
  readonly #last = new Map<string, Place>();
  /** The insert for so many messages. */
  readonly #inserts = new Map<number, string>();

  constructor(
    store: Store,
    { now = Date.now, onAppend = () => {}, forget = async () => {} }: SessionTableOptions = {},
  ) {
    this.#store = store;
    this.#now = now;
    this.#onAppend = onAppend;
    this.#forget = forget;
  }

  /** One commit for all. Resolves to the newest sequence number. */
  append(key: string, messages: readonly DatedMessage[], also?: Also): Promise<number> {
    sessionKey(key);
    return this.#locks.run(key, () => this.#append(key, messages, also));
  }

  async history(key: string, window?: HistoryWindow): Promise<readonly StoredMessage[]> {
    const { above, below, limit, keep } = windowQuery(window);
    const order = keep === "first" ? "ASC" : "DESC";
    const sql = `${selectMessages} WHERE session = ${logOfKey} AND seq > ? AND seq < ? ORDER BY seq ${order} LIMIT ?`;
    const rows = await this.#store.all<MessageRow>(sql, key, above, below, limit);
    const messages = rows.map(toStored);
    return keep === "first" ? messages : messages.reverse();
  }

  /** What follows `after`; empty at the end. */
  page(key: string, after: number, room: Room): Promise<readonly StoredMessage[]> {
    return messagePage(this.#store, key, { after, room });
  }

  /** The newest `limit` messages after `after`, oldest first, as a model is shown them. */
  async context(key: string, limit: number, after = 0): Promise<SequencedMessage[]> {
    const sql = `${selectContext} WHERE session = ${logOfKey} AND seq > ? ORDER BY seq DESC LIMIT ?`;
    const rows = await this.#store.all<ContextRow>(sql, key, after, limit);
    return rows.map((row) => Object.assign(toMessage(row), { seq: Number(row.seq) })).reverse();
  }

  /** Newest first. */
  list(): Promise<readonly SessionInfo[]> {
    return listSessions(this.#store);
  }

  info(key: string): Promise<SessionInfo | undefined> {
    return sessionInfo(this.#store, key);
  }

  /** The newest sequence number of a session that was written to a moment ago. */
  newest(key: string): number | undefined {
    return this.#last.get(key)?.last;
  }

  /** The sequence number of what a user said last; undefined when nobody did. */
  async lastSaid(key: string): Promise<number | undefined> {
    const sql = `SELECT seq FROM chat_messages WHERE session = ${logOfKey} AND role = 'user' ORDER BY seq DESC LIMIT 1`;
    const row = await this.#store.get<{ seq: number }>(sql, key);
    return row && Number(row.seq);
  }

  /** The session is gone with the first commit; its messages follow, after a crash with the next start. */
  remove(key: string): Promise<boolean> {
    return this.#locks.run(key, async () => {
      this.#last.delete(key);
      const log = await this.#store.transaction(async (query) => {
        const place = await placeOf(query, key);
        if (!place) return undefined;
        await query.run("DELETE FROM chat_sessions WHERE key = ?", key);
        await query.run("DELETE FROM chat_requests WHERE session = ?", key);
        await query.run("INSERT INTO chat_removed (log) VALUES (?)", place.log);
        return place.log;
      });
      if (log !== undefined) await this.#empty(log);
      return log !== undefined;
    });
  }

  /** Finishes removals that a process before this one began. */
  async sweep(): Promise<void> {
    for (const { log } of await this.#store.all<{ log: string }>("SELECT log FROM chat_removed"))
      await this.#empty(log);
  }

  /** Throws `SESSION_UNKNOWN` 404, `SESSION_EXISTS` 409. No message moves: the session keeps its log. */
  rename(key: string, to: string): Promise<void> {
    const [first, second] = [sessionKey(key), sessionKey(to)].sort() as [string, string];
    const work = async () => {
      this.#last.delete(key);
      this.#last.delete(to);
      await this.#store.transaction((query) => renameSession(query, key, to));
      this.#onAppend(to);
    };
    return this.#locks.run(first, () => (first === second ? work() : this.#locks.run(second, work)));
  }

  /** Returns the title as it is kept. Throws `SESSION_UNKNOWN` 404. */
  title(key: string, title: string): Promise<string> {
    return titleSession(this.#store, key, title);
  }

  async #empty(log: string): Promise<void> {
    const sql = "DELETE FROM chat_messages WHERE session = ? AND seq > ?";
    const row = await this.#store.get<{ n: number | null }>(
      "SELECT MAX(seq) AS n FROM chat_messages WHERE session = ?",
      log,
    );
    // Newest first, in bounded steps.
    for (let seq = Number(row?.n ?? 0) - removedAtOnce; seq > -removedAtOnce; seq -= removedAtOnce) {
      await this.#store.run(sql, log, Math.max(seq, 0));
    }
    await this.#forget(log);
    await this.#store.run("DELETE FROM chat_removed WHERE log = ?", log);
  }

  async #append(key: string, messages: readonly DatedMessage[], also: Also | undefined): Promise<number> {
    const known = this.#last.get(key);
    const place =
      known !== undefined && !also && messages.length <= rowsPerStatement
        ? await this.#appendAfter(key, known, messages)
        : await this.#appendAlone(key, messages, also);
    this.#remember(key, place);
    if (messages.length > 0) this.#onAppend(key);
    return place.last;
  }

  /** The fast path: one statement, on the number we remember. */
  async #appendAfter(key: string, known: Place, messages: readonly DatedMessage[]): Promise<Place> {
    if (messages.length === 0) return known;
    const { sql, values } = this.#statement(known, messages);
    try {
      await this.#store.run(sql, ...values);
      return { log: known.log, last: known.last + messages.length };
    } catch (error) {
      this.#last.delete(key);
      const taken = GatewayError.is(error) && error.code === "STORE_CONSTRAINT";
      if (!taken) throw error;
      return this.#appendAlone(key, messages, undefined);
    }
  }

  /** In a transaction of its own, which reads the number and creates the session when there is none. */
  #appendAlone(key: string, messages: readonly DatedMessage[], also: Also | undefined): Promise<Place> {
    this.#last.delete(key);
    return this.#store.transaction(async (query) => {
      const { log, last: known } = (await placeOf(query, key)) ?? (await createSession(query, key, this.#now()));
      let last = known;
      for (let first = 0; first < messages.length; first += rowsPerStatement) {
        const part = messages.slice(first, first + rowsPerStatement);
        const { sql, values } = this.#statement({ log, last }, part);
        await query.run(sql, ...values);
        last += part.length;
      }
      await also?.(query, last);
      return { log, last };
    });
  }

  #statement({ log, last }: Place, messages: readonly DatedMessage[]): { sql: string; values: SqlValue[] } {
    const at = this.#now();
    const values = messages.flatMap((message, index) => rowValues(log, last + 1 + index, at, message));
    return { sql: this.#insert(messages.length), values };
  }

  #insert(count: number): string {
    const known = this.#inserts.get(count);
    if (known !== undefined) return known;
    const sql = insertMessages(count);
    this.#inserts.set(count, sql);
    return sql;
  }

  #remember(key: string, place: Place): void {
    this.#last.delete(key);
    this.#last.set(key, place);
    if (this.#last.size <= rememberedSessions) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}
