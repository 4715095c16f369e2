/** What one look says of the whole gateway, as a row of its history; with what the process used since the row before. */
import { cutText } from "@chela/sdk";
import type { Findings } from "./look.ts";
import type { CheckRow } from "./records.ts";

/** Between the names of what fails. */
export const between = "; ";
const longestError = 1_000;

export interface Looked {
  readonly at: number;
  /** How long the look took. */
  readonly ms: number;
  /** Every critical plugin runs. */
  readonly ready: boolean;
}

export class Pulse {
  #before = { at: performance.now(), micros: usedMicros() };

  row(found: Findings, { at, ms, ready }: Looked): CheckRow {
    const failing = [...found].filter(([, { ok }]) => !ok).map(([what]) => what);
    const now = { at: performance.now(), micros: usedMicros() };
    const cpu = (now.micros - this.#before.micros) / 1_000 / Math.max(now.at - this.#before.at, 1);
    this.#before = now;
    return {
      at,
      status: ready ? (failing.length > 0 ? "degraded" : "ok") : "down",
      ms,
      cpu: Math.round(cpu * 1_000) / 1_000,
      mem: process.memoryUsage.rss(),
      error: cutText(failing.join(between), longestError, "…"),
    };
  }
}

function usedMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
