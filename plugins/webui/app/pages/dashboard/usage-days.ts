/** Sums of days, made ready for a chart. Days are those of UTC, as they are kept. */
import { count, dollars } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import type { ChartSeries } from "../../parts/chart-data.ts";
import { short } from "../../parts/plain.ts";
import type { DayTotals, UsageByDay, UsageTotals } from "./facts.ts";

export const measures = ["cost", "tokens", "calls"] as const;
export type Measure = (typeof measures)[number];

const dayMs = 86_400_000;

export const nothingUsed: UsageTotals = {
  calls: 0,
  failed: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  cost: null,
  unpriced: 0,
};

/** When the first of the last days began. */
export function firstOf(days: number): number {
  return (Math.floor(Date.now() / dayMs) - days + 1) * dayMs;
}

/** When each day began that an answer is about. */
export function daysOf({ since, until }: UsageByDay): number[] {
  const first = Math.floor(since / dayMs);
  const days = Math.floor((until - 1) / dayMs) - first + 1;
  return Array.from({ length: Math.max(days, 1) }, (_, index) => (first + index) * dayMs);
}

/** Null: it is not known. */
export function amountOf({ cost, inputTokens, outputTokens, calls }: UsageTotals, measure: Measure): number | null {
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

/** As many as there are colours for. */
const mostNamed = 8;

/** Each name of the split as a series over the days, and all others as one. */
export function stacks({ rows, splits }: UsageByDay, days: readonly number[], measure: Measure): ChartSeries[] {
  const found = byDay(rows);
  const amounts = (pick: (day: DayTotals) => readonly UsageTotals[]) =>
    days.map((day) => {
      const row = found.get(day);
      const known = row ? pick(row).flatMap((part) => amountOf(part, measure) ?? []) : [];
      return known.length === 0 ? null : known.reduce((sum, amount) => sum + amount, 0);
    });
  const names = splits.slice(0, mostNamed).map(({ name }) => name);
  const named = splits.slice(0, mostNamed).map((split) => ({
    label: nameOf(split),
    values: amounts(({ parts }) => parts.filter(({ name }) => name === split.name)),
  }));
  const rest = amounts(({ parts, rest: others }) => [
    ...parts.filter(({ name }) => !names.includes(name)),
    ...(others ? [others] : []),
  ]);
  if (!rest.some((value) => (value ?? 0) > 0)) return named;
  return [...named, { label: t("dashboard.usage.rest"), colour: "rest", values: rest }];
}
