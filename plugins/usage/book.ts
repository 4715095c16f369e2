/** The `usageBook` service: every model call that ends is priced, counted in memory at once and written a moment later. */
import type { ModelCallRecord, Store, Usage, UsageBook, UsageQuery } from "@chela/sdk";
import type { SplitKind } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { PriceBook } from "./price-book.ts";
import type { Price } from "./prices.ts";
import type { Reader } from "./reader.ts";
import type { UsageSettings } from "./settings.ts";
import { type CallRow, dayMs, hourMs } from "./tables.ts";
import { Writer } from "./writer.ts";

const restoredDays = 32;
const maxNameChars = 300;

export interface BookOptions {
  readonly store: Store;
  readonly settings: () => UsageSettings;
  /** The provider's address is on this machine. */
  readonly isLocal: (provider: string) => boolean;
  readonly now?: () => number;
}

export class Book implements UsageBook {
  readonly #options: BookOptions;
  readonly #now: () => number;
  readonly #ledger: Ledger;
  /** Loaded with the first question. */
  #reader: Reader | undefined;
  readonly writer: Writer;
  #prices: PriceBook;
  /** Nothing is written before the sums of earlier runs were read: they would be counted twice. */
  #restored: Promise<void> | undefined;
  #isRestored = false;

  constructor(options: BookOptions) {
    const { store, now = Date.now } = options;
    this.#options = options;
    this.#now = now;
    this.#ledger = new Ledger(now);
    this.writer = new Writer(store, () => this.restore());
    this.#prices = this.#priceBook();
  }

  /** Never throws, never waits. */
  record(call: ModelCallRecord): void {
    const { provider, usage } = call;
    const cost = this.#prices.cost(provider, call.model, usage);
    const row: CallRow = {
      at: call.at,
      model: name(call.model),
      provider: name(provider),
      identity: name(call.identity?.id),
      agent: name(call.agent),
      purpose: name(call.purpose),
      session: name(call.session),
      turn: name(call.turn),
      credential: name(call.credential),
      error: name(call.error),
      tried: call.failed,
      ms: Math.round(call.ms),
      firstMs: call.firstTokenMs === null ? null : Math.round(call.firstTokenMs),
      input: usage?.inputTokens ?? null,
      output: usage?.outputTokens ?? null,
      cached: usage?.cachedTokens ?? (usage ? 0 : null),
      cost,
    };
    const tokens = (row.input ?? 0) + (row.output ?? 0);
    this.#ledger.add(row.identity, row.at, { tokens, cost: cost ?? 0, calls: 1 });
    this.writer.add(row);
  }

  async totals(query: UsageQuery) {
    return (await this.#read()).totals(query);
  }

  /** Sums, and how each is shared among the `most` largest of another kind. */
  async split(query: UsageQuery, by: SplitKind, most: number) {
    return (await this.#read()).split(query, by, most);
  }

  async #read(): Promise<Reader> {
    await this.flush();
    if (this.#reader) return this.#reader;
    const { Reader } = await import("./reader.ts");
    const { store } = this.#options;
    this.#reader ??= new Reader({ store, now: this.#now, keptSince: () => this.#keptSince() });
    return this.#reader;
  }

  spent(identity: string, since: number) {
    return this.#ledger.spent(identity, since);
  }

  ready(): Promise<void> | undefined {
    return this.#isRestored ? undefined : this.restore();
  }

  cost(model: string, usage: Usage): number | null {
    return this.#prices.cost(model.slice(0, Math.max(0, model.indexOf("/"))), model, usage);
  }

  /** US dollars for a million tokens; null where nobody knows them. */
  price(model: string): Price | null {
    return this.#prices.price(model.slice(0, Math.max(0, model.indexOf("/"))), model);
  }

  /** Prices were edited: calls from now on. */
  reprice(): void {
    this.#prices = this.#priceBook();
  }

  async flush(): Promise<void> {
    if (this.writer.waiting > 0) await this.writer.flush();
  }

  /** Reads what earlier runs have used; once. */
  restore(): Promise<void> {
    this.#restored ??= this.#restore().catch((error: unknown) => {
      this.#restored = undefined;
      throw error;
    });
    return this.#restored;
  }

  /** Deletes what is older than the settings say, a little at a time. */
  async purge(): Promise<void> {
    this.#ledger.purge();
    const { deleteBefore } = await import("./upkeep.ts");
    const { store, settings } = this.#options;
    await deleteBefore(store, { calls: this.#keptSince(), days: this.#now() - settings().rollup_days * dayMs });
  }

  async #restore(): Promise<void> {
    const sql = `SELECT start, identity, SUM(calls) AS calls, SUM(input_tokens + output_tokens) AS tokens, SUM(cost) AS cost
      FROM usage_hours WHERE start >= ? AND start < ? GROUP BY start, identity`;
    const first = Math.floor(this.#now() / dayMs - restoredDays) * dayMs;
    for (let day = first; day <= this.#now(); day += dayMs) {
      const rows = await this.#options.store.all<
        Record<"start" | "calls" | "tokens" | "cost", number> & { identity: string }
      >(sql, day, day + dayMs);
      for (const { start, identity, calls, tokens, cost } of rows) {
        const used = { tokens: Number(tokens), cost: Number(cost), calls: Number(calls) };
        this.#ledger.restore(identity, Math.floor(Number(start) / hourMs), used);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isRestored = true;
  }

  #keptSince(): number {
    return Math.floor((this.#now() - this.#options.settings().retention_days * dayMs) / hourMs) * hourMs;
  }

  #priceBook(): PriceBook {
    return new PriceBook(this.#options.settings().prices, this.#options.isLocal);
  }
}

function name(text: string | null | undefined): string {
  return (text ?? "").slice(0, maxNameChars);
}
