/** The database, as plugins see it: prepared SQL in the subset that SQLite and PostgreSQL share, `?` placeholders. */
import { defineService } from "../service.ts";

/** What a column may hold and a placeholder may take. */
export type SqlValue = string | number | bigint | null | Uint8Array;
/** One row, by column. */
export type Row = Readonly<Record<string, SqlValue>>;

/** Statements of one migration, run in one transaction. Never edit one that was published; add another. */
export interface Migration {
  /** 1, 2, 3 … per owner. */
  readonly version: number;
  readonly statements: readonly string[];
}

/** Runs statements; values only ever through placeholders. */
export interface Query {
  /** Runs a statement; `lastId` is the rowid of an insert. */
  run(sql: string, ...values: SqlValue[]): Promise<{ changes: number; lastId: number }>;
  get<R = Row>(sql: string, ...values: SqlValue[]): Promise<R | undefined>;
  all<R = Row>(sql: string, ...values: SqlValue[]): Promise<R[]>;
}

/** The database; provided by the plugin `store`. */
export interface Store extends Query {
  /** Brings `owner`'s tables up to date. A database newer than the list is refused (`STORE_NEWER`). */
  migrate(owner: string, migrations: readonly Migration[]): Promise<void>;
  /** All or nothing. Transactions are serial; keep them short and never await anything else inside. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** A consistent copy while the gateway runs. */
  backup(file: string): Promise<void>;
  /** Empty when sound; else what the database reports. */
  integrity(): Promise<readonly string[]>;
  /** A full-text index of the caller's own, made when it is not there yet. `name` is snake case and unique in the gateway. */
  textIndex(name: string): Promise<TextIndex>;
}

/** A text under a name of its own: `group` (a session, a file) and `id` in it. */
export interface IndexedText {
  readonly group: string;
  readonly id: number;
  readonly text: string;
}

/** A text that was found. */
export interface TextHit {
  readonly group: string;
  readonly id: number;
  /** Higher is better. */
  readonly score: number;
}

/** Finds texts by words; in Chinese, Japanese and Korean by any run of characters, single ones included. Letter case and width do not count. */
export interface TextIndex {
  /** Puts or replaces. One commit for all. */
  put(texts: readonly IndexedText[]): Promise<void>;
  /** Of a group: the ids at and above `from`, default all. */
  remove(group: string, from?: number): Promise<void>;
  /** All words must be there. Best first. Words that are no words find nothing and harm nothing. */
  search(
    words: string,
    options: { readonly limit: number; readonly groups?: readonly string[] },
  ): Promise<readonly TextHit[]>;
}

/** Name it in `needs`. */
export const store = defineService<Store>("store", "1.0.0");
