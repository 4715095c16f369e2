/**
 * Calls on their way into the database: many in one commit, with the sums they change. What cannot be written waits, up
 * to a bound; what goes beyond it is counted, never silently lost.
 */
import type { Query, SqlValue, Store } from "@chela/sdk";
import { addTo, noSums, type Sums, sumsOf } from "./sums.ts";
import { addSums, type CallRow, callValues, dayMs, hourMs, insertCalls } from "./tables.ts";

const batchRows = 200;
const rowsPerStatement = 50;
const maxWaiting = 50_000;

export class Writer {
  readonly #store: Store;
  readonly #ready: () => Promise<void>;
  #waiting: CallRow[] = [];
  #writing: Promise<void> | undefined;
  /** Calls that were given up. */
  dropped = 0;
  /** Why the last write failed; undefined after one that did not. */
  trouble: unknown;

  /** `ready` has to resolve before the first write. */
  constructor(store: Store, ready: () => Promise<void>) {
    this.#store = store;
    this.#ready = ready;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Returns at once; full batches are written without waiting for the next second. */
  add(row: CallRow): void {
    if (this.#waiting.length >= maxWaiting) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(row);
    if (this.#waiting.length >= batchRows && this.trouble === undefined) void this.flush().catch(() => undefined);
  }

  /** Resolves when all that was added so far is durable. Rejects when the database refuses. */
  flush(): Promise<void> {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #drain(): Promise<void> {
    await this.#ready();
    while (this.#waiting.length > 0) {
      const rows = this.#waiting.slice(0, batchRows);
      try {
        await this.#store.transaction((query) => writeRows(query, rows));
        this.trouble = undefined;
      } catch (error) {
        this.trouble = error;
        throw error;
      }
      this.#waiting = this.#waiting.slice(rows.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function writeRows(query: Query, rows: readonly CallRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsPerStatement) {
    const part = rows.slice(from, from + rowsPerStatement);
    await query.run(insertCalls(part.length), ...part.flatMap(callValues));
  }
  await addTogether(query, "usage_hours", { rows, width: hourMs });
  await addTogether(query, "usage_days", { rows, width: dayMs });
}

/** One statement for each sum that changes, however many calls change it. */
async function addTogether(
  query: Query,
  table: "usage_hours" | "usage_days",
  { rows, width }: { rows: readonly CallRow[]; width: number },
): Promise<void> {
  const groups = new Map<string, { key: SqlValue[]; sums: Sums }>();
  for (const row of rows) {
    const key = [Math.floor(row.at / width) * width, row.model, row.provider, row.identity, row.agent, row.purpose];
    const name = JSON.stringify(key);
    const group = groups.get(name) ?? { key, sums: noSums() };
    addTo(group.sums, sumsOf(row));
    groups.set(name, group);
  }
  for (const { key, sums } of groups.values()) {
    const { calls, failed, input, output, cached, cost, unpriced } = sums;
    await query.run(addSums(table), ...key, calls, failed, input, output, cached, cost, unpriced);
  }
}
