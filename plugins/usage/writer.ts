/**
 * Calls on their way into the database: many in one commit, with the sums they change. What cannot be written waits, up
 * to a bound; what goes beyond it is counted, never silently lost.
 */
import type { Query, SqlValue, Store } from "@chela/sdk";
import { addTo, type Sums, sumsOf } from "./sums.ts";
import { addSums, type CallRow, callValues, dayMs, hourMs, insertCalls } from "./tables.ts";

const batchRows = 500;
const rowsPerStatement = 50;
const maxWaiting = 50_000;

export class Writer {
  readonly #store: Store;
  readonly #ready: () => Promise<void>;
  #waiting: CallRow[] = [];
  /** So many of those that wait are to be written now; the others wait for a batch of their own. */
  #due = 0;
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
    if (this.#waiting.length < batchRows || this.trouble !== undefined) return;
    this.#due = Math.max(this.#due, batchRows);
    void this.#write().catch(() => undefined);
  }

  /** Resolves when all that was added so far is durable. Rejects when the database refuses. */
  flush(): Promise<void> {
    this.#due = this.#waiting.length;
    return this.#write();
  }

  #write(): Promise<void> {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #drain(): Promise<void> {
    try {
      await this.#ready();
      await this.#writeDue();
    } catch (error) {
      this.trouble = error;
      this.#due = 0;
      throw error;
    }
  }

  async #writeDue(): Promise<void> {
    while (this.#due > 0) {
      const rows = this.#waiting.slice(0, batchRows);
      await this.#store.transaction((query) => writeRows(query, rows));
      this.trouble = undefined;
      this.#waiting = this.#waiting.slice(rows.length);
      this.#due -= rows.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function writeRows(query: Query, rows: readonly CallRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsPerStatement) {
    const part = rows.slice(from, from + rowsPerStatement);
    const sql = part.length === rowsPerStatement ? insertMany : insertCalls(part.length);
    await query.run(sql, ...callValues(part));
  }
  const hours = new Map<string, Group>();
  for (const row of rows) join(hours, row, { start: Math.floor(row.at / hourMs) * hourMs, sums: sumsOf(row) });
  const days = new Map<string, Group>();
  for (const { row, start, sums } of hours.values())
    join(days, row, { start: Math.floor(start / dayMs) * dayMs, sums });
  for (const group of hours.values()) await query.run(addHour, ...groupValues(group));
  for (const group of days.values()) await query.run(addDay, ...groupValues(group));
}

const insertMany = insertCalls(rowsPerStatement);
const addHour = addSums("usage_hours");
const addDay = addSums("usage_days");

/** What is added to one sum, however many calls change it. */
interface Group {
  readonly row: CallRow;
  readonly start: number;
  readonly sums: Sums;
}

/** Of the names only the model's is the client's, and it comes last: none can look like two. */
function join(groups: Map<string, Group>, row: CallRow, { start, sums }: Pick<Group, "start" | "sums">): void {
  const { model, provider, identity, agent, purpose } = row;
  const key = `${start}\n${provider}\n${identity}\n${purpose}\n${agent}\n${model}`;
  const known = groups.get(key);
  if (known) addTo(known.sums, sums);
  else groups.set(key, { row, start, sums: { ...sums } });
}

function groupValues({ start, row, sums }: Group): SqlValue[] {
  const { model, provider, identity, agent, purpose } = row;
  const { calls, failed, input, output, cached, cost, unpriced } = sums;
  return [start, model, provider, identity, agent, purpose, calls, failed, input, output, cached, cost, unpriced];
}
