/** Sums of days, made ready for a chart. Days are those of UTC, as they are kept. */
import { count, dollars } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import type { ChartSeries } from "../../parts/chart-data.ts";
import { short } from "../../parts/plain.ts";
import type { DayTotals, Totals, UsageByDay } from "./facts.ts";

export const measures = ["cost", "tokens", "calls"] as const;
export type Measure = (typeof measures)[number];

const dayMs = 86_400_000;

export const nothingUsed: Totals = {
  calls: 0,
  failed: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  cost: null,
  unpriced: 0,
};

/** When each of the last days began, today's last. */
export function daysUntil(days: number, now = Date.now()): number[] {
  const today = Math.floor(now / dayMs) * dayMs;
  return Array.from({ length: days }, (_, index) => today - (days - 1 - index) * dayMs);
}

/** Null: it is not known. */
export function amountOf({ cost, inputTokens, outputTokens, calls }: Totals, measure: Measure): number | null {
  if (measure === "cost") return cost;
  return measure === "tokens" ? inputTokens + outputTokens : calls;
}

export function amountText(value: number | null, measure: Measure): string {
  if (value === null) return "–";
  return measure === "cost" ? dollars(value) : count(value);
}

/** What people call it. */
export function nameOf({ name, label }: { readonly name: string; readonly label?: string }): string {
  return short(label ?? name, 120) || t("dashboard.usage.unnamed");
}

/** By day: the sums of `2026-11-21`. */
export function byDay(rows: readonly DayTotals[]): ReadonlyMap<number, DayTotals> {
  return new Map(rows.map((row) => [Date.parse(row.name), row]));
}

/** Each name of the split as a series over the days, and all others as one. */
export function stacks({ rows, splits }: UsageByDay, days: readonly number[], measure: Measure): ChartSeries[] {
  const found = byDay(rows);
  const named = splits.map((split, place) => ({
    label: nameOf(split),
    colour: place < 8 ? place : ("rest" as const),
    values: days.map((day) => {
      const part = found.get(day)?.parts.find(({ name }) => name === split.name);
      return part ? amountOf(part, measure) : null;
    }),
  }));
  const rest = days.map((day) => {
    const others = found.get(day)?.rest;
    return others ? amountOf(others, measure) : null;
  });
  if (!rest.some((value) => (value ?? 0) > 0)) return named;
  return [...named, { label: t("dashboard.usage.rest"), colour: "rest", values: rest }];
}
