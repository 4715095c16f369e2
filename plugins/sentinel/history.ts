/** The history of health in equal parts, for a strip or a chart. Parts begin at whole multiples of their width. */
import type { Query } from "@chela/sdk";
import { between } from "./pulse.ts";
import type { CheckRow, Records, Status } from "./records.ts";

export interface HistoryAsk {
  readonly hours: number;
  readonly points: number;
}

interface Bucket {
  /** When it begins, milliseconds since 1970. */
  readonly at: number;
  /** The worst in it; null: nobody looked, the gateway was off. */
  readonly status: Status | null;
  readonly rows: number;
  /** Means. */
  readonly ms: number | null;
  readonly cpu: number | null;
  readonly mem: number | null;
  /** Names of what failed. */
  readonly failing: readonly string[];
}

interface Sums {
  readonly bucket: number;
  readonly rows: number;
  readonly worst: number;
  readonly ms: number;
  readonly cpu: number;
  readonly mem: number;
}

interface Fault {
  readonly at: number;
  readonly error: string;
}

const hourMs = 3_600_000;
const statuses: readonly Status[] = ["ok", "degraded", "down"];
const mostFaults = 5_000;
const mostNames = 10;
const ranks = "CASE status WHEN 'down' THEN 2 WHEN 'degraded' THEN 1 ELSE 0 END";

export async function history(records: Records, { hours, points }: HistoryAsk, now: number) {
  const width = Math.ceil((hours * hourMs) / points);
  const last = Math.floor(now / width);
  const first = last - points + 1;
  const from = first * width;
  const { written, waiting } = await records.read(from, (query) => readWritten(query, width, from));
  const sums = sumsByBucket([...(written?.sums ?? []), ...waiting.map((row) => sumsOf(row, width))]);
  const names = namesByBucket([...(written?.faults ?? []), ...waiting], width);
  const buckets = Array.from({ length: points }, (_, index) => first + index).map((bucket) =>
    shown(bucket * width, sums.get(bucket), names.get(bucket)),
  );
  return { from, until: (last + 1) * width, every_ms: width, buckets };
}

async function readWritten(query: Query, width: number, from: number) {
  const sums = await query.all<Sums>(
    `SELECT at / ${width} AS bucket, COUNT(*) AS "rows", MAX(${ranks}) AS worst, SUM(response_time_ms) AS ms,
      SUM(cpu) AS cpu, SUM(mem) AS mem FROM health_checks WHERE at >= ? GROUP BY at / ${width}`,
    from,
  );
  const faults = await query.all<Fault>(
    `SELECT at, error FROM health_checks WHERE at >= ? AND error <> '' ORDER BY at DESC LIMIT ${mostFaults}`,
    from,
  );
  return { sums, faults };
}

function sumsOf({ at, status, ms, cpu, mem }: CheckRow, width: number): Sums {
  return { bucket: Math.floor(at / width), rows: 1, worst: statuses.indexOf(status), ms, cpu, mem };
}

function sumsByBucket(all: readonly Sums[]): Map<number, Sums> {
  const buckets = new Map<number, Sums>();
  for (const one of all) {
    const key = Number(one.bucket);
    const before = buckets.get(key);
    const add = (name: keyof Sums) => Number(one[name]) + Number(before?.[name] ?? 0);
    const worst = Math.max(Number(one.worst), before?.worst ?? 0);
    buckets.set(key, { bucket: key, rows: add("rows"), worst, ms: add("ms"), cpu: add("cpu"), mem: add("mem") });
  }
  return buckets;
}

function namesByBucket(faults: readonly Fault[], width: number): Map<number, Set<string>> {
  const buckets = new Map<number, Set<string>>();
  for (const { at, error } of faults) {
    const key = Math.floor(Number(at) / width);
    const names = buckets.get(key) ?? new Set();
    for (const name of error === "" ? [] : error.split(between)) if (names.size < mostNames) names.add(name);
    buckets.set(key, names);
  }
  return buckets;
}

function shown(at: number, sums: Sums | undefined, names: ReadonlySet<string> = new Set()): Bucket {
  if (!sums) return { at, status: null, rows: 0, ms: null, cpu: null, mem: null, failing: [] };
  const { rows, worst, ms, cpu, mem } = sums;
  return {
    at,
    status: statuses[worst] ?? "down",
    rows,
    ms: Math.round(ms / rows),
    cpu: Math.round((cpu / rows) * 1_000) / 1_000,
    mem: Math.round(mem / rows),
    failing: [...names].sort(),
  };
}
