/**
 * The `store` service over one SQLite connection. Writes go through the queue; reads run at once, except while a
 * transaction is open, so nobody sees half of one. Every fault leaves here as a GatewayError.
 */
import {
  GatewayError,
  type Migration,
  type Query,
  type Row,
  type SqlValue,
  type Store,
  type TextIndex,
} from "@chela/sdk";
import { backupTo } from "./backup.ts";
import type { Database, RunResult } from "./database.ts";
import type { Connection, Driver } from "./driver.ts";
import { isBusy, storeFault } from "./faults.ts";
import { applyMigration, migrationsTable, pendingMigrations } from "./migrations.ts";
import { patiently } from "./open.ts";
import { runTransaction, type TransactionHost } from "./transaction.ts";
import { WriteQueue } from "./write-queue.ts";

/** Free pages that are kept for what is written next. */
const sparePages = 2_500;
/** So many are given back in a few milliseconds. */
const pagesAtOnce = 250;

export interface SqliteStoreOptions {
  readonly database: Database;
  readonly driver: Driver;
  readonly file: string;
  /** Read at each wait, so that it can change while the store runs. */
  readonly busyMs: () => number;
  /** Longest transaction. */
  readonly transactionMs?: number;
}

export class SqliteStore implements Store {
  readonly #options: SqliteStoreOptions;
  readonly #database: Database;
  readonly #host: TransactionHost;
  readonly #queue: WriteQueue;
  readonly #backups = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #indexes = new Map<string, Promise<TextIndex>>();
  #checking: Promise<readonly string[]> | undefined;
  #closed = false;

  constructor(options: SqliteStoreOptions) {
    const { database, file, transactionMs: limitMs = 5_000 } = options;
    this.#options = options;
    this.#database = database;
    this.#host = { database, file, limitMs, entering: false };
    this.#queue = new WriteQueue({ database, file, giveUpAt: () => this.#giveUpAt() });
  }

  /** Writes that wait for their turn. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Creates the store's own table; the first statement that writes. */
  async prepare(): Promise<void> {
    await this.#patiently(() => this.#database.exec(migrationsTable));
    await this.migrate("store", []);
  }

  run(sql: string, ...values: SqlValue[]): Promise<RunResult> {
    return this.#closed ? Promise.reject(closed()) : this.#queue.run(sql, values);
  }

  get<R = Row>(sql: string, ...values: SqlValue[]): Promise<R | undefined> {
    return this.#read(() => this.#database.get(sql, values) as R | undefined);
  }

  all<R = Row>(sql: string, ...values: SqlValue[]): Promise<R[]> {
    return this.#read(() => this.#database.all(sql, values) as R[]);
  }

  transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    if (this.#host.entering) {
      const message = "a transaction was begun inside another one: use the query that the outer one is given";
      return Promise.reject(new GatewayError("STORE_NESTED", 500, message));
    }
    const giveUpAt = this.#giveUpAt();
    return this.#alone(async () => {
      await this.#patiently(() => this.#database.exec("BEGIN IMMEDIATE"), giveUpAt);
      return runTransaction(this.#host, work);
    });
  }

  async migrate(owner: string, migrations: readonly Migration[]): Promise<void> {
    const pending = await this.#read(() => pendingMigrations(this.#database, owner, migrations));
    if (pending.length === 0) return;
    await this.transaction(async () => {
      // Asked again: another process may have migrated while we waited for the lock.
      for (const migration of pendingMigrations(this.#database, owner, migrations)) {
        applyMigration(this.#database, owner, migration);
      }
    });
  }

  async backup(file: string): Promise<void> {
    if (this.#closed) throw closed();
    const work = backupTo(file, (target) => this.#copyTo(target));
    this.#backups.add(work);
    try {
      await work;
    } catch (error) {
      throw storeFault(error, file);
    } finally {
      this.#backups.delete(work);
    }
  }

  /** One check at a time: who asks meanwhile gets the answer of the one that runs. */
  integrity(): Promise<readonly string[]> {
    if (this.#closed) return Promise.reject(closed());
    const { driver, file } = this.#options;
    this.#checking ??= import("./integrity.ts")
      .then(({ checkIntegrity }) => checkIntegrity(driver.module(), file, this.#ending.signal))
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  /** The same object for the same name: one merge at a time for each index. */
  textIndex(name: string): Promise<TextIndex> {
    const known = this.#indexes.get(name) ?? this.#openIndex(name);
    this.#indexes.set(name, known);
    known.catch(() => this.#indexes.delete(name));
    return known;
  }

  /** Gives some of the pages that nothing uses any more back to the disk; a reserve for what comes next stays. */
  shrink(): Promise<void> {
    return this.configure((connection) => {
      const { freelist_count: free } = connection.prepare("PRAGMA freelist_count").get() as { freelist_count: number };
      const pages = Math.min(free - sparePages, pagesAtOnce);
      if (pages > 0) connection.exec(`PRAGMA incremental_vacuum(${pages})`);
    });
  }

  /** Changes the connection itself, between two transactions. */
  configure(change: (connection: Connection) => void): Promise<void> {
    return this.#alone(async () => change(this.#database.connection));
  }

  /** Finishes what was accepted, refuses the rest, folds the log into the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#ending.abort(closed());
    await this.#queue.idle();
    await Promise.allSettled([...this.#backups, this.#checking]);
    this.#database.close();
  }

  async #openIndex(name: string): Promise<TextIndex> {
    if (!/^[a-z][a-z0-9_]{0,40}$/.test(name)) {
      throw new GatewayError("STORE_INDEX", 500, `"${name.slice(0, 60)}" is no name for a text index: use snake case`);
    }
    const { indexMigrations, SqliteTextIndex } = await import("./text-index.ts");
    await this.migrate(`text_${name}`, indexMigrations(name));
    return new SqliteTextIndex(this, name);
  }

  async #read<T>(work: () => T): Promise<T> {
    if (this.#closed) throw closed();
    const giveUpAt = this.#giveUpAt();
    if (this.#queue.exclusive) return this.#alone(() => this.#patiently(work, giveUpAt));
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw storeFault(error, this.#options.file);
      return this.#patiently(work, giveUpAt);
    }
  }

  #giveUpAt(): number {
    return performance.now() + this.#options.busyMs();
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#closed ? Promise.reject(closed()) : this.#queue.alone(work);
  }

  /** The copy runs beside the writes where the driver can; else they wait. */
  #copyTo(target: string): Promise<void> {
    const { copy } = this.#options.driver;
    if (copy) return copy(this.#options.file, target);
    return this.#alone(async () => this.#database.exec(`VACUUM INTO '${target.replaceAll("'", "''")}'`));
  }

  async #patiently<T>(work: () => T, giveUpAt = this.#giveUpAt()): Promise<T> {
    try {
      return await patiently(giveUpAt, work);
    } catch (error) {
      throw storeFault(error, this.#options.file);
    }
  }
}

function closed(): GatewayError {
  const message = "the store is closed: the gateway is stopping or the store is being restarted";
  return new GatewayError("STORE_CLOSED", 503, message);
}
