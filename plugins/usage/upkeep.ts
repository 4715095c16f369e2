/** Deletes what is too old to be kept. Loaded once an hour has gone by. */
import type { Store } from "@chela/sdk";

const deletedAtOnce = 2_000;

interface Horizon {
  /** Single calls and sums of hours before it go. */
  readonly calls: number;
  /** Sums of days before it go. */
  readonly days: number;
}

/** A little at a time, so that nobody waits for it. */
export async function deleteBefore(store: Store, { calls, days }: Horizon): Promise<void> {
  for (let from = await oldest(store); from !== undefined && from < calls; from = await oldest(store)) {
    const upTo = await store.get<{ at: number | null }>(
      `SELECT MAX(at) AS at FROM (SELECT at FROM usage_calls WHERE at < ? ORDER BY at LIMIT ${deletedAtOnce}) AS oldest`,
      calls,
    );
    await store.run("DELETE FROM usage_calls WHERE at <= ? AND at < ?", Number(upTo?.at ?? from), calls);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await store.run("DELETE FROM usage_hours WHERE start < ?", calls);
  await store.run("DELETE FROM usage_days WHERE start < ?", days);
}

async function oldest(store: Store): Promise<number | undefined> {
  const row = await store.get<{ at: number | null }>("SELECT MIN(at) AS at FROM usage_calls");
  return row?.at === null || row === undefined ? undefined : Number(row.at);
}
