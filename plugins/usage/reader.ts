/**
 * Answers questions about what was used. The range is cut where hours and days begin: the sums answer for whole ones, single
 * calls for the rest, and where single calls have been deleted the sums of the days are all there is.
 */
import type { Store, UsageQuery, UsageTotals } from "@chela/sdk";
import type { SplitKind } from "./kinds.ts";
import { addTo, noSums, type Sums, toTotals } from "./sums.ts";
import { dayMs, hourMs } from "./tables.ts";

const defaultLimit = 100;
const maxLimit = 1_000;
/** Single calls that are read between two turns of the event loop, in hours. */
const sliceMs = 6 * hourMs;
/** Sums: there are fewer of them. */
const hoursSliceMs = dayMs;
const daysSliceMs = 30 * dayMs;

const sumColumns = `SUM(calls) AS calls, SUM(failed) AS failed, SUM(input_tokens) AS input, SUM(output_tokens) AS output,
  SUM(cached_tokens) AS cached, SUM(cost) AS cost, SUM(unpriced) AS unpriced`;
const callColumns = `COUNT(*) AS calls, SUM(CASE WHEN error = '' THEN 0 ELSE 1 END) AS failed,
  SUM(COALESCE(input_tokens, 0)) AS input, SUM(COALESCE(output_tokens, 0)) AS output,
  SUM(COALESCE(cached_tokens, 0)) AS cached, SUM(COALESCE(cost, 0)) AS cost,
  SUM(CASE WHEN cost IS NULL THEN 1 ELSE 0 END) AS unpriced`;

type Source = "usage_calls" | "usage_hours" | "usage_days";
type NamedTotals = UsageTotals & { readonly name: string };
type SplitTotals = NamedTotals & { readonly parts: readonly NamedTotals[]; readonly rest: UsageTotals | null };

/** Rows of one question, or of one that is split: by these names, all others together. */
interface Question {
  readonly query: UsageQuery;
  readonly split?: { readonly by: SplitKind; readonly names: readonly string[] };
}

interface Group {
  readonly sums: Sums;
  /** Null stands for all names that were not asked for. */
  readonly parts: Map<string | null, Sums>;
}

interface Part {
  readonly source: Source;
  readonly from: number;
  readonly until: number;
}

export interface ReaderOptions {
  readonly store: Store;
  readonly now: () => number;
  /** Single calls and sums of hours before this moment are deleted. */
  readonly keptSince: () => number;
}

export class Reader {
  readonly #options: ReaderOptions;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** The largest first; days and hours in their order, the newest last. */
  async totals(query: UsageQuery): Promise<NamedTotals[]> {
    const groups = await this.#groups({ query });
    return arranged(
      [...groups].map(([name, { sums }]) => ({ name, ...toTotals(sums) })),
      query,
    );
  }

  /** The same, each row with its share of the `most` largest names of another kind, and of all others together. */
  async split(query: UsageQuery, by: SplitKind, most: number): Promise<{ names: string[]; rows: SplitTotals[] }> {
    const names = (await this.totals({ ...query, by, limit: most })).map(({ name }) => name);
    const groups = await this.#groups({ query, split: { by, names } });
    const rows = [...groups].map(([name, { sums, parts }]) => {
      const rest = parts.get(null);
      const own = names.flatMap((part) => {
        const share = parts.get(part);
        return share ? [{ name: part, ...toTotals(share) }] : [];
      });
      return { name, ...toTotals(sums), parts: own, rest: rest ? toTotals(rest) : null };
    });
    return { names, rows: arranged(rows, query) };
  }

  async #groups(question: Question): Promise<Map<string, Group>> {
    const { query } = question;
    const { since = 0, until = this.#options.now() + 1 } = query;
    const groups = new Map<string, Group>();
    for (const part of this.#parts(query, since, until)) await this.#read(part, question, groups);
    return groups;
  }

  /** Only single calls know their session. */
  #parts({ by, session }: UsageQuery, since: number, until: number): Part[] {
    if (until <= since) return [];
    const kept = this.#options.keptSince();
    if (by === "session" || session !== undefined) return sliced("usage_calls", Math.max(since, kept), until, sliceMs);
    if (by === "hour") return hourParts(Math.max(since, kept), until);
    // Before `kept` nothing is left but the days; a day that began before it is counted whole.
    const horizon = Math.ceil(kept / dayMs) * dayMs;
    const from = since < horizon ? Math.floor(since / dayMs) * dayMs : since;
    const firstDay = Math.min(Math.ceil(from / dayMs) * dayMs, until);
    const lastDay = Math.max(Math.floor(until / dayMs) * dayMs, firstDay);
    return [
      ...hourParts(from, firstDay),
      ...sliced("usage_days", firstDay, lastDay, daysSliceMs),
      ...hourParts(lastDay, until),
    ].filter((part) => part.from < part.until);
  }

  async #read({ source, from, until }: Part, { query, split }: Question, groups: Map<string, Group>): Promise<void> {
    const time = source === "usage_calls" ? "at" : "start";
    const columns = source === "usage_calls" ? callColumns : sumColumns;
    const name = nameOf(query.by, time);
    const part = split ? partOf(split) : "NULL";
    const { where, values } = filter(query);
    const sql = `SELECT ${name} AS name, ${part} AS part, ${columns} FROM ${source}
      WHERE ${time} >= ? AND ${time} < ?${where} GROUP BY 1, 2`;
    type Found = Sums & { name: string | number; part: string | null };
    const rows = await this.#options.store.all<Found>(sql, ...(split?.names ?? []), from, until, ...values);
    for (const row of rows) {
      const key = label(query.by, row.name);
      const group = groups.get(key) ?? { sums: noSums(), parts: new Map<string | null, Sums>() };
      groups.set(key, group);
      const sums = numbers(row);
      addTo(group.sums, sums);
      if (!split) continue;
      const share = group.parts.get(row.part) ?? noSums();
      addTo(share, sums);
      group.parts.set(row.part, share);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function arranged<T extends NamedTotals>(rows: T[], { by, limit: wanted }: UsageQuery): T[] {
  const limit = Math.min(Math.max(Math.trunc(wanted ?? defaultLimit) || defaultLimit, 1), maxLimit);
  if (by === "day" || by === "hour") return rows.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(-limit);
  return rows.sort(largestFirst).slice(0, limit);
}

/** Each name stands in a placeholder. */
function partOf({ by, names }: NonNullable<Question["split"]>): string {
  if (names.length === 0) return "NULL";
  return `CASE WHEN ${by} IN (${names.map(() => "?").join(", ")}) THEN ${by} ELSE NULL END`;
}

/** Whole hours by their sums, what is cut off at either end by single calls. */
function hourParts(from: number, until: number): Part[] {
  const firstHour = Math.min(Math.ceil(from / hourMs) * hourMs, until);
  const lastHour = Math.max(Math.floor(until / hourMs) * hourMs, firstHour);
  const parts: Part[] = [
    { source: "usage_calls", from, until: firstHour },
    ...sliced("usage_hours", firstHour, lastHour, hoursSliceMs),
    { source: "usage_calls", from: lastHour, until },
  ];
  return parts.filter((part) => part.from < part.until);
}

function sliced(source: Source, from: number, until: number, width: number): Part[] {
  const parts: Part[] = [];
  // A range without a beginning is one part: there is nothing to cut it by.
  if (from <= 0) return from < until ? [{ source, from, until }] : [];
  for (let at = from; at < until; at += width) parts.push({ source, from: at, until: Math.min(at + width, until) });
  return parts;
}

function nameOf(by: UsageQuery["by"], time: string): string {
  if (by === "day") return `${time} / ${dayMs}`;
  if (by === "hour") return `${time} / ${hourMs}`;
  return by;
}

/** Days and hours are those of UTC. */
function label(by: UsageQuery["by"], name: string | number): string {
  if (by === "day") return new Date(Number(name) * dayMs).toISOString().slice(0, 10);
  if (by === "hour") return `${new Date(Number(name) * hourMs).toISOString().slice(0, 13)}:00Z`;
  return String(name);
}

function filter({ model, identity, session }: UsageQuery): { where: string; values: string[] } {
  const given = Object.entries({ model, identity, session }).filter(([, value]) => value !== undefined);
  // Only so does the index of sessions, which has no empty ones, serve.
  const named = session ? " AND session <> ''" : "";
  return {
    where: given.map(([name]) => ` AND ${name} = ?`).join("") + named,
    values: given.map(([, value]) => String(value)),
  };
}

function numbers(row: Sums): Sums {
  const { calls, failed, input, output, cached, cost, unpriced } = row;
  return {
    calls: Number(calls),
    failed: Number(failed),
    input: Number(input),
    output: Number(output),
    cached: Number(cached),
    cost: Number(cost),
    unpriced: Number(unpriced),
  };
}

function largestFirst(a: NamedTotals, b: NamedTotals): number {
  const tokens = (row: NamedTotals) => row.inputTokens + row.outputTokens;
  return (b.cost ?? 0) - (a.cost ?? 0) || tokens(b) - tokens(a) || b.calls - a.calls || (a.name < b.name ? -1 : 1);
}
