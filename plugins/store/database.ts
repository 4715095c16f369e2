/**
 * One open connection and its prepared statements, synchronous. The statement cache is bounded: the least recently used
 * goes first. Knows nothing of queues and transactions; only the store above it may call it.
 */
import { BoundedMap, GatewayError, type Row, type SqlValue } from "@chela/sdk";
import type { Connection, Statement } from "./driver.ts";

const maxStatements = 256;
/** Statements that would take the one writer connection out of the store's hands, or are SQLite's own. */
const reserved = /^[\s(]*(begin|commit|end|rollback|savepoint|release|attach|detach|vacuum|pragma|reindex|analyze)\b/i;

export interface RunResult {
  readonly changes: number;
  readonly lastId: number;
}

export class Database {
  readonly #connection: Connection;
  readonly #statements = new BoundedMap<string, Statement>(maxStatements);

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get connection(): Connection {
    return this.#connection;
  }

  run(sql: string, values: readonly SqlValue[]): RunResult {
    const { changes, lastInsertRowid } = this.#prepared(sql).run(...values);
    return { changes: Number(changes), lastId: Number(lastInsertRowid) };
  }

  get(sql: string, values: readonly SqlValue[]): Row | undefined {
    return (this.#prepared(sql).get(...values) as Row | undefined) ?? undefined;
  }

  all(sql: string, values: readonly SqlValue[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[];
  }

  /** Our own control statements and migrations; nothing is cached. */
  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /**
   * Folds the log into the file first: with the package, a connection whose statements still live is closed only when
   * they are collected, and would leave that to the next start.
   */
  close(): void {
    this.#statements.clear();
    try {
      this.#connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Locked, full or damaged: nothing is lost, the next start reads the log.
    }
    this.#connection.close();
  }

  #prepared(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known) {
      this.#statements.set(sql, known);
      return known;
    }
    refuseReserved(sql);
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

export function refuseReserved(sql: string): void {
  const word = reserved.exec(sql)?.[1];
  if (word === undefined) return;
  const message = `the store runs ${word.toUpperCase()} itself: use transaction(), backup() or a migration`;
  throw new GatewayError("STORE_STATEMENT", 500, message);
}
