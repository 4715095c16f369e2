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
}

/** Name it in `needs`. */
export const store = defineService<Store>("store", "1.0.0");
