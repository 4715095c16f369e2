/** Which messages a history request means. Pure: bounds in, one SQL condition out. */
import type { HistoryWindow } from "@chela/sdk";

export interface WindowQuery {
  /** Exclusive. */
  readonly above: number;
  /** Exclusive. */
  readonly below: number;
  readonly limit: number;
  /** Which end of the range survives when it holds more than `limit`. */
  readonly keep: "first" | "last";
}

const endless = Number.MAX_SAFE_INTEGER;
const defaultLimit = 200;
const maxLimit = 2_000;

/** `after` alone is the next page; every other range keeps its newest messages. */
export function windowQuery(window: HistoryWindow = {}): WindowQuery {
  const limit = Math.min(positive(window.limit) ?? defaultLimit, maxLimit);
  const around = positive(window.around);
  if (around !== undefined) {
    const half = Math.floor(limit / 2);
    return { above: around - half - 1, below: around + half + 1, limit, keep: "last" };
  }
  const before = positive(window.before);
  const after = window.after === 0 ? 0 : positive(window.after);
  const keep = after !== undefined && before === undefined ? "first" : "last";
  return { above: after ?? 0, below: before ?? endless, limit, keep };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
