/** Figures the host keeps for metrics: counted in plain objects on the hot path, read as snapshots. */
import type { GatewayStats } from "@chela/sdk";

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
/** Routes are known at composing time, so the table is bounded by routes × statuses. */
const maxSeries = 5000;

interface Series {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  count: number;
  seconds: number;
  readonly buckets: number[];
}

export class Stats {
  readonly #series = new Map<string, Map<number, Series>>();
  #seriesCount = 0;
  readonly reloads = { ok: 0, failed: 0, partial: 0 };
  readonly faults = new Map<string, number>();

  /** `route` is the route's own pattern, never the client's path. */
  request(method: string, route: string, status: number, ms: number): void {
    const series = this.#find(method, route, status);
    if (!series) return;
    const seconds = ms / 1000;
    series.count += 1;
    series.seconds += seconds;
    for (let i = buckets.length - 1; i >= 0 && seconds <= (buckets[i] as number); i -= 1)
      series.buckets[i] = (series.buckets[i] as number) + 1;
  }

  #find(method: string, route: string, status: number): Series | undefined {
    const key = `${method} ${route}`;
    let byStatus = this.#series.get(key);
    if (!byStatus) {
      byStatus = new Map();
      this.#series.set(key, byStatus);
    }
    let series = byStatus.get(status);
    if (!series && this.#seriesCount < maxSeries) {
      series = { method, route, status, count: 0, seconds: 0, buckets: buckets.map(() => 0) };
      byStatus.set(status, series);
      this.#seriesCount += 1;
    }
    return series;
  }

  fault(owner: string): void {
    this.faults.set(owner, (this.faults.get(owner) ?? 0) + 1);
  }

  snapshot(hooks: GatewayStats["hooks"], sockets: GatewayStats["sockets"]): GatewayStats {
    return {
      buckets,
      routes: [...this.#series.values()].flatMap((byStatus) =>
        [...byStatus.values()].map((row) => ({ ...row, buckets: [...row.buckets] })),
      ),
      hooks,
      reloads: (["ok", "failed", "partial"] as const).map((result) => ({ result, count: this.reloads[result] })),
      faults: [...this.faults].map(([plugin, count]) => ({ plugin, count })),
      sockets,
    };
  }
}
