/**
 * One transaction: everything between BEGIN IMMEDIATE and COMMIT. Its handle is dead once it has ended, whatever the
 * callback still tries, so nothing can slip out of the transaction or into the next one.
 */
import { GatewayError, type Query, type Row, type SqlValue } from "@chela/sdk";
import type { Database } from "./database.ts";
import { endsTransaction, storeFault } from "./faults.ts";

export interface TransactionHost {
  readonly database: Database;
  readonly file: string;
  /** A callback that waits for something else holds up every other writer; after this long it is rolled back. */
  readonly limitMs: number;
  /** True while the callback's first stretch runs: a transaction asked for then is nested. */
  entering: boolean;
}

/** BEGIN has been done. Commits and resolves, or rolls back and rejects with a GatewayError or the callback's own error. */
export async function runTransaction<T>(host: TransactionHost, work: (query: Query) => Promise<T>): Promise<T> {
  const handle = new TransactionQuery(host.database, host.file);
  try {
    const result = await withLimit(enter(host, work, handle), host.limitMs);
    handle.end();
    host.database.exec("COMMIT");
    return result;
  } catch (error) {
    handle.close();
    rollback(host.database);
    throw GatewayError.is(error) ? error : storeFaultOr(error, host.file);
  }
}

/** Never throws: SQLite may have rolled back already. */
export function rollback(database: Database): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // "no transaction is active" is what we want to reach.
  }
}

function enter<T>(host: TransactionHost, work: (query: Query) => Promise<T>, query: Query): Promise<T> {
  host.entering = true;
  try {
    return work(query);
  } finally {
    host.entering = false;
  }
}

async function withLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `a transaction took longer than ${limitMs} ms and was rolled back: use only the query it is given, await nothing else`;
      reject(new GatewayError("STORE_STUCK", 500, message));
    }, limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the callback itself threw stays what it is; what SQLite threw gets its sentence. */
function storeFaultOr(error: unknown, file: string): unknown {
  return (error as { code?: unknown } | null)?.code === "ERR_SQLITE_ERROR" ? storeFault(error, file) : error;
}

class TransactionQuery implements Query {
  readonly #database: Database;
  readonly #file: string;
  #refusal: GatewayError | undefined;
  #ended = false;

  constructor(database: Database, file: string) {
    this.#database = database;
    this.#file = file;
  }

  async run(sql: string, ...values: SqlValue[]) {
    return this.#attempt(() => this.#database.run(sql, values));
  }

  async get<R = Row>(sql: string, ...values: SqlValue[]): Promise<R | undefined> {
    return this.#attempt(() => this.#database.get(sql, values) as R | undefined);
  }

  async all<R = Row>(sql: string, ...values: SqlValue[]): Promise<R[]> {
    return this.#attempt(() => this.#database.all(sql, values) as R[]);
  }

  /** Before COMMIT: throws what SQLite already ended this transaction for, even when the callback swallowed it. */
  end(): void {
    const refusal = this.#refusal;
    this.close();
    if (refusal) throw refusal;
  }

  close(): void {
    this.#ended = true;
  }

  #attempt<T>(work: () => T): T {
    if (this.#refusal) throw this.#refusal;
    if (this.#ended) throw ended();
    try {
      return work();
    } catch (error) {
      const fault = storeFault(error, this.#file);
      if (endsTransaction(error)) this.#refusal = fault;
      throw fault;
    }
  }
}

/** Made when it is needed only: an error with its stack costs as much as a statement. */
function ended(): GatewayError {
  return new GatewayError("STORE_ENDED", 500, "this transaction has ended: its query cannot be used any more");
}
