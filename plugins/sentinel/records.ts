/**
 * What the sentinel keeps: rows of its looks for 7 days, and incidents for 30. What is not written yet, or cannot be for
 * want of a store, is in memory, bounded; who reads sees both. Whatever an earlier process left open is closed first.
 */
import type { Query, Store } from "@chela/sdk";
import type { Incident } from "./incidents.ts";
import { insertCheck, interruptOpen, mendEnds, migrations, newestIncidents, putIncident } from "./tables.ts";

export type Status = "ok" | "degraded" | "down";

export interface CheckRow {
  readonly at: number;
  readonly status: Status;
  readonly ms: number;
  /** Fraction of one core. */
  readonly cpu: number;
  /** Bytes. */
  readonly mem: number;
  /** Names of what failed; empty: nothing. */
  readonly error: string;
}

interface Parts {
  store(): Store | undefined;
  /** Told once, until it works again. */
  readonly failed: (error: unknown) => void;
}

const hourMs = 3_600_000;
const keptChecksMs = 7 * 24 * hourMs;
const keptIncidentsMs = 30 * 24 * hourMs;
/** A row of each status in that time, at most: a week of looks at every second would be 600,000. */
const slotSec = 10;
/** A day, at one look in a minute. */
const mostChecks = 1_440;
const mostIncidents = 200;

export class Records {
  readonly #parts: Parts;
  #checks: CheckRow[] = [];
  #slot = { number: -1, seen: new Set<Status>() };
  readonly #incidents = new Map<string, Incident>();
  #opened: { readonly store: Store; readonly ready: Promise<void> } | undefined;
  #interrupted = false;
  #prunedAt = 0;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #troubled = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** `seconds`: since the plugin started. Looks that come faster than rows may leave one for each status. */
  put(row: CheckRow, seconds: number): void {
    const slot = Math.floor(seconds / slotSec);
    if (slot !== this.#slot.number) this.#slot = { number: slot, seen: new Set() };
    if (this.#slot.seen.has(row.status)) return;
    this.#slot.seen.add(row.status);
    this.#checks.push(row);
    if (this.#checks.length > mostChecks) this.#checks.shift();
  }

  keep(incident: Incident): void {
    this.#incidents.set(incident.id, incident);
    const [oldest] = this.#incidents.keys();
    if (oldest !== undefined && this.#incidents.size > mostIncidents) this.#incidents.delete(oldest);
  }

  /** Never rejects. What comes while it writes goes with the next time. */
  flush(now: number): Promise<void> {
    if (this.#isWriting) return this.#writing;
    this.#isWriting = true;
    this.#writing = this.#write(now)
      .then(
        () => {
          this.#troubled = false;
        },
        (error: unknown) => {
          if (!this.#troubled) this.#parts.failed(error);
          this.#troubled = true;
        },
      )
      .finally(() => {
        this.#isWriting = false;
      });
    return this.#writing;
  }

  /** For sums over what is written; `waiting` is the rest. */
  async read<T>(
    from: number,
    work: (query: Query) => Promise<T>,
  ): Promise<{ written?: T; waiting: readonly CheckRow[] }> {
    await this.#writing;
    const store = await this.#open();
    const written = store && (await work(store));
    const waiting = this.#checks.filter(({ at }) => at >= from);
    return written === undefined ? { waiting } : { written, waiting };
  }

  /** The newest first. */
  async incidents(limit: number): Promise<readonly Incident[]> {
    await this.#writing;
    const store = await this.#open();
    const written = store ? await store.all<Incident>(newestIncidents, limit) : [];
    const all = new Map(written.map((incident) => [incident.id, incident]));
    for (const [id, incident] of this.#incidents) all.set(id, incident);
    return [...all.values()].sort((a, b) => b.started - a.started).slice(0, limit);
  }

  async #write(now: number): Promise<void> {
    const store = await this.#open();
    if (!store) return;
    const checks = new Set(this.#checks);
    const incidents = [...this.#incidents.values()];
    await store.transaction(async (query) => {
      for (const { at, status, ms, cpu, mem, error } of checks)
        await query.run(insertCheck, at, status, ms, cpu, mem, error);
      for (const { id, check, plugin, message, started, ended, outcome, alerts } of incidents)
        await query.run(putIncident, id, check, plugin, message, started, ended, outcome, alerts);
    });
    this.#checks = this.#checks.filter((row) => !checks.has(row));
    for (const incident of incidents)
      if (this.#incidents.get(incident.id) === incident) this.#incidents.delete(incident.id);
    if (Math.abs(now - this.#prunedAt) < hourMs) return;
    this.#prunedAt = now;
    await store.run("DELETE FROM health_checks WHERE at < ?", now - keptChecksMs);
    await store.run("DELETE FROM incidents WHERE started < ? AND ended IS NOT NULL", now - keptIncidentsMs);
  }

  /** The tables are looked at once for each store that comes. */
  async #open(): Promise<Store | undefined> {
    const store = this.#parts.store();
    if (!store) return undefined;
    if (this.#opened?.store !== store) this.#opened = { store, ready: this.#prepare(store) };
    const opened = this.#opened;
    try {
      await opened.ready;
    } catch (error) {
      if (this.#opened === opened) this.#opened = undefined;
      throw error;
    }
    return store;
  }

  async #prepare(store: Store): Promise<void> {
    await store.migrate("sentinel", migrations);
    if (this.#interrupted) return;
    await store.transaction(async (query) => {
      await query.run(interruptOpen);
      await query.run(mendEnds);
    });
    this.#interrupted = true;
  }
}
