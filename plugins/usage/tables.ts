/**
 * What is kept: one row for each call, and its sums by hour and by day, written in the same commit. Questions about time,
 * models and people are answered from the sums; single calls fill in where an hour is cut, and know the session.
 */
import type { Migration, SqlValue } from "@chela/sdk";

const dimensions =
  "model TEXT NOT NULL, provider TEXT NOT NULL, identity TEXT NOT NULL, agent TEXT NOT NULL, purpose TEXT NOT NULL";
const sums = `calls INTEGER NOT NULL, failed INTEGER NOT NULL, input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL,
  cached_tokens BIGINT NOT NULL, cost DOUBLE PRECISION NOT NULL, unpriced INTEGER NOT NULL`;
const byName = "model, provider, identity, agent, purpose";

export const migrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE usage_calls (
        at BIGINT NOT NULL, ${dimensions}, session TEXT NOT NULL, turn TEXT NOT NULL, credential TEXT NOT NULL,
        error TEXT NOT NULL, tried INTEGER NOT NULL, ms INTEGER NOT NULL, first_ms INTEGER,
        input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, cost DOUBLE PRECISION
      )`,
      "CREATE INDEX usage_calls_by_time ON usage_calls (at)",
      "CREATE INDEX usage_calls_by_session ON usage_calls (session, at)",
      `CREATE TABLE usage_hours (start BIGINT NOT NULL, ${dimensions}, ${sums}, PRIMARY KEY (start, ${byName}))`,
      `CREATE TABLE usage_days (start BIGINT NOT NULL, ${dimensions}, ${sums}, PRIMARY KEY (start, ${byName}))`,
    ],
  },
  {
    version: 2,
    statements: [
      "DROP INDEX usage_calls_by_session",
      // Calls that pass straight through belong to no session, and there may be thousands of them in a second.
      "CREATE INDEX usage_calls_of_sessions ON usage_calls (session, at) WHERE session <> ''",
    ],
  },
];

export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** A call that is to be kept. Empty text: not known, or none. */
export interface CallRow {
  readonly at: number;
  readonly model: string;
  readonly provider: string;
  readonly identity: string;
  readonly agent: string;
  readonly purpose: string;
  readonly session: string;
  readonly turn: string;
  readonly credential: string;
  readonly error: string;
  readonly tried: number;
  readonly ms: number;
  readonly firstMs: number | null;
  /** Null: the upstream told nothing. */
  readonly input: number | null;
  readonly output: number | null;
  readonly cached: number | null;
  /** Null: no price is known. */
  readonly cost: number | null;
}

const columns = `at, ${byName}, session, turn, credential, error, tried, ms, first_ms, input_tokens, output_tokens, cached_tokens, cost`;
const width = columns.split(", ").length;

export function insertCalls(count: number): string {
  const places = `(${Array.from({ length: width }, () => "?").join(", ")})`;
  return `INSERT INTO usage_calls (${columns}) VALUES ${Array.from({ length: count }, () => places).join(", ")}`;
}

/** One list for all of them: this runs for every call of a model. */
export function callValues(rows: readonly CallRow[]): SqlValue[] {
  const values: SqlValue[] = [];
  for (const row of rows) {
    values.push(row.at, row.model, row.provider, row.identity, row.agent, row.purpose, row.session, row.turn);
    values.push(row.credential, row.error, row.tried, row.ms, row.firstMs);
    values.push(row.input, row.output, row.cached, row.cost);
  }
  return values;
}

/** Adds to the sums of an hour or a day. */
export function addSums(table: "usage_hours" | "usage_days"): string {
  const add = (name: string) => `${name} = ${table}.${name} + excluded.${name}`;
  const names = ["calls", "failed", "input_tokens", "output_tokens", "cached_tokens", "cost", "unpriced"];
  return `INSERT INTO ${table} (start, ${byName}, ${names.join(", ")}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (start, ${byName}) DO UPDATE SET ${names.map(add).join(", ")}`;
}
