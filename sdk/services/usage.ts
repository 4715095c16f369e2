/** What model calls cost: one record per call, failed and silent ones included. */
import type { Usage } from "../messages.ts";
import { defineService } from "../service.ts";

/** Sums over calls. `cost` is in US dollars and counts only calls whose price is known. */
export interface UsageTotals {
  readonly calls: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  /** Null when the price of none of the calls is known. */
  readonly cost: number | null;
  /** Calls without a known price. */
  readonly unpriced: number;
}

/** How to sum. */
export interface UsageQuery {
  /** Milliseconds since 1970; `since` included, `until` not. */
  readonly since?: number;
  readonly until?: number;
  readonly by: "day" | "hour" | "model" | "provider" | "identity" | "session" | "agent" | "purpose";
  /** Only these. */
  readonly model?: string;
  readonly identity?: string;
  readonly session?: string;
  /** 1 … 1000, default 100. */
  readonly limit?: number;
}

/** Provided by the plugin `usage`. */
export interface UsageBook {
  totals(query: UsageQuery): Promise<readonly (UsageTotals & { readonly name: string })[]>;
  /** What an identity has used since a moment within the last 32 days; at once, for budgets. Calls that ended a moment ago included. */
  spent(identity: string, since: number): { readonly tokens: number; readonly cost: number; readonly calls: number };
  /** Undefined as soon as what earlier runs have used is counted in `spent`; before, a promise of that. Rejects when it cannot be read. */
  ready(): Promise<void> | undefined;
  /** US dollars that a call of a model would cost: `provider/model`. Null where its price is not known. */
  cost(model: string, usage: Usage): number | null;
}

/** Name it in `needs`. */
export const usageBook = defineService<UsageBook>("usage", "1.0.0");
