/** Sums over calls, in memory. Costs of calls without a known price are left out and counted. */
import type { UsageTotals } from "@chela/sdk";
import type { CallRow } from "./tables.ts";

export interface Sums {
  calls: number;
  failed: number;
  input: number;
  output: number;
  cached: number;
  cost: number;
  unpriced: number;
}

export function noSums(): Sums {
  return { calls: 0, failed: 0, input: 0, output: 0, cached: 0, cost: 0, unpriced: 0 };
}

export function addTo(sums: Sums, more: Readonly<Sums>): void {
  sums.calls += more.calls;
  sums.failed += more.failed;
  sums.input += more.input;
  sums.output += more.output;
  sums.cached += more.cached;
  sums.cost += more.cost;
  sums.unpriced += more.unpriced;
}

export function sumsOf({ error, input, output, cached, cost }: CallRow): Sums {
  return {
    calls: 1,
    failed: error === "" ? 0 : 1,
    input: input ?? 0,
    output: output ?? 0,
    cached: cached ?? 0,
    cost: cost ?? 0,
    unpriced: cost === null ? 1 : 0,
  };
}

export function toTotals(sums: Readonly<Sums>): UsageTotals {
  return {
    calls: sums.calls,
    failed: sums.failed,
    inputTokens: sums.input,
    outputTokens: sums.output,
    cachedTokens: sums.cached,
    cost: sums.unpriced === sums.calls ? null : rounded(sums.cost),
    unpriced: sums.unpriced,
  };
}

/** Sums of binary fractions end in digits that mean nothing. */
function rounded(cost: number): number {
  return Math.round(cost * 1e9) / 1e9;
}
