/**
 * Sessions and their messages in the store. Sequence numbers grow by one per session, without gaps: writes of one session
 * run one after the other, the newest number is remembered, and a number that somebody else took is looked up again.
 */
import {
  GatewayError,
  type HistoryWindow,
  type Message,
  type NewMessage,
  type Query,
  type SessionInfo,
  type SqlValue,
  type Store,
  type StoredMessage,
} from "@chela/sdk";
import { windowQuery } from "./history-window.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { kindOf, sessionKey } from "./session-key.ts";
import {
  type ContextRow,
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

/** More statements for the same commit. */
export type Also = (query: Query, lastSeq: number) => Promise<unknown>;

const listSql = `SELECT s.key, s.kind, s.created_at,
  (SELECT MAX(m.seq) FROM chat_messages m WHERE m.session = s.key) AS messages,
  (SELECT m.at FROM chat_messages m WHERE m.session = s.key ORDER BY m.seq DESC LIMIT 1) AS updated_at
  FROM chat_sessions s`;

interface ListRow {
  readonly key: string;
  readonly kind: string;
  readonly created_at: number;
  readonly messages: number | null;
  readonly updated_at: number | null;
}

export class SessionTable {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #locks = new KeyedLock();
  /** Newest sequence number of sessions that exist. Oldest entry first. */
  readonly #last = new Map<string, number>();
  /** The insert for so many messages. */
  readonly #inserts = new Map<number, string>();

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** One commit for all. Resolves to the newest sequence number. */
  append(key: string, messages: readonly NewMessage[], also?: Also): Promise<number> {
    sessionKey(key);
    return this.#locks.run(key, () => this.#append(key, messages, also));
  }

  async history(key: string, window?: HistoryWindow): Promise<readonly StoredMessage[]> {
    const { above, below, limit, keep } = windowQuery(window);
    const order = keep === "first" ? "ASC" : "DESC";
    const sql = `${selectMessages} WHERE session = ? AND seq > ? AND seq < ? ORDER BY seq ${order} LIMIT ?`;
    const rows = await this.#store.all<MessageRow>(sql, key, above, below, limit);
    const messages = rows.map(toStored);
    return keep === "first" ? messages : messages.reverse();
  }

  /** The newest `limit` messages, oldest first, as a model is shown them. */
  async context(key: string, limit: number): Promise<Message[]> {
    const sql = `${selectContext} WHERE session = ? ORDER BY seq DESC LIMIT ?`;
    const rows = await this.#store.all<ContextRow>(sql, key, limit);
    return rows.map(toMessage).reverse();
  }

  /** Newest first. */
  async list(): Promise<readonly SessionInfo[]> {
    const rows = await this.#store.all<ListRow>(listSql);
    const infos = rows.map((row) => ({
      key: row.key,
      kind: row.kind,
      messages: Number(row.messages ?? 0),
      createdAt: Number(row.created_at),
      updatedAt: Number(row.updated_at ?? row.created_at),
    }));
    return infos.sort((a, b) => b.updatedAt - a.updatedAt || (a.key < b.key ? -1 : 1));
  }

  /** The sequence number of what a user said last; undefined when nobody did. */
  async lastSaid(key: string): Promise<number | undefined> {
    const sql = "SELECT seq FROM chat_messages WHERE session = ? AND role = 'user' ORDER BY seq DESC LIMIT 1";
    const row = await this.#store.get<{ seq: number }>(sql, key);
    return row && Number(row.seq);
  }

  remove(key: string): Promise<boolean> {
    return this.#locks.run(key, async () => {
      this.#last.delete(key);
      const last = await lookUp(this.#store, key);
      if (last === undefined) return false;
      // Newest first, in bounded steps: cut short, what is left is a shorter session and no broken one.
      for (let seq = last - removedAtOnce; seq > 0; seq -= removedAtOnce) {
        await this.#store.run("DELETE FROM chat_messages WHERE session = ? AND seq > ?", key, seq);
      }
      await this.#store.transaction(async (query) => {
        await query.run("DELETE FROM chat_messages WHERE session = ?", key);
        await query.run("DELETE FROM chat_requests WHERE session = ?", key);
        await query.run("DELETE FROM chat_sessions WHERE key = ?", key);
      });
      return true;
    });
  }

  async #append(key: string, messages: readonly NewMessage[], also: Also | undefined): Promise<number> {
    const known = this.#last.get(key);
    const last =
      known !== undefined && !also && messages.length <= rowsPerStatement
        ? await this.#appendAfter(key, known, messages)
        : await this.#appendAlone(key, messages, also);
    this.#remember(key, last);
    return last;
  }

  /** The fast path: one statement, on the number we remember. */
  async #appendAfter(key: string, known: number, messages: readonly NewMessage[]): Promise<number> {
    if (messages.length === 0) return known;
    const { sql, values } = this.#statement(key, known, messages);
    try {
      await this.#store.run(sql, ...values);
      return known + messages.length;
    } catch (error) {
      this.#last.delete(key);
      const taken = GatewayError.is(error) && error.code === "STORE_CONSTRAINT";
      if (!taken) throw error;
      return this.#appendAlone(key, messages, undefined);
    }
  }

  /** In a transaction of its own, which reads the number and creates the session when there is none. */
  #appendAlone(key: string, messages: readonly NewMessage[], also: Also | undefined): Promise<number> {
    this.#last.delete(key);
    return this.#store.transaction(async (query) => {
      const known = await lookUp(query, key);
      if (known === undefined) {
        const sql = "INSERT INTO chat_sessions (key, kind, created_at) VALUES (?, ?, ?)";
        await query.run(sql, key, kindOf(key), this.#now());
      }
      let last = known ?? 0;
      for (let first = 0; first < messages.length; first += rowsPerStatement) {
        const part = messages.slice(first, first + rowsPerStatement);
        const { sql, values } = this.#statement(key, last, part);
        await query.run(sql, ...values);
        last += part.length;
      }
      await also?.(query, last);
      return last;
    });
  }

  #statement(key: string, last: number, messages: readonly NewMessage[]): { sql: string; values: SqlValue[] } {
    const at = this.#now();
    const values = messages.flatMap((message, index) => rowValues(key, last + 1 + index, at, message));
    return { sql: this.#insert(messages.length), values };
  }

  #insert(count: number): string {
    const known = this.#inserts.get(count);
    if (known !== undefined) return known;
    const sql = insertMessages(count);
    this.#inserts.set(count, sql);
    return sql;
  }

  #remember(key: string, last: number): void {
    this.#last.delete(key);
    this.#last.set(key, last);
    if (this.#last.size <= rememberedSessions) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}

async function lookUp(query: Query, key: string): Promise<number | undefined> {
  const sql = "SELECT (SELECT MAX(seq) FROM chat_messages WHERE session = ?) AS last FROM chat_sessions WHERE key = ?";
  const row = await query.get<{ last: number | null }>(sql, key, key);
  return row ? Number(row.last ?? 0) : undefined;
}
