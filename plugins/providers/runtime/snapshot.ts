/** What is kept of a provider over a restart. ClawGo's names for what it keeps too; beside them the windows and the health of every credential. */
import { objectOf } from "@chela/sdk";
import type { Cooldowns, Cooling } from "../failover/cooldowns.ts";
import { windowName } from "../failover/window-key.ts";
import type { Book, Mark } from "./book.ts";
import { rfc3339 } from "./time.ts";
import type { ProviderFacts } from "./view.ts";

interface KeptWindow {
  readonly key: string;
  /** Milliseconds since 1970; null: until it is changed, refreshed or cleared. */
  readonly until: number | null;
  readonly reason: string;
  readonly failures: number;
}

export function snapshotOf(facts: ProviderFacts, book: Book, windows: readonly Cooling[], now: number): unknown {
  return {
    saved_at: now,
    api_state: facts.apiState,
    recent_hits: facts.hits.map(kept),
    recent_errors: facts.errors.map(kept),
    recent_changes: facts.changes.map(kept),
    last_success: facts.lastSuccess ? kept(facts.lastSuccess) : null,
    candidate_order: facts.order,
    top_changed_at: facts.topChangedAt,
    standings: [...book.standings].map(([id, standing]) => ({ id, ...standing })),
    windows: windows
      .filter(({ key }) => windowName(key).provider === facts.name)
      .map(({ key, ms, reason, failures }): KeptWindow => {
        return { key, until: ms === Number.POSITIVE_INFINITY ? null : now + ms, reason, failures };
      }),
  };
}

export interface Restored {
  readonly book: Book;
  readonly cooldowns: Cooldowns;
  readonly now: number;
}

/** Puts back what fits; whatever else the file holds is left out. What happened since the start is newer. */
export function readSnapshot(value: unknown, provider: string, { book, cooldowns, now }: Restored): void {
  const file = objectOf(value);
  for (const [ring, list] of [
    [book.hits, file.recent_hits],
    [book.errors, file.recent_errors],
    [book.changes, file.recent_changes],
  ] as const) {
    const since = ring.list();
    ring.clear();
    for (const mark of [...since, ...listOf(list).flatMap(markOf)].reverse()) ring.add(mark);
  }
  book.lastSuccess ??= markOf(file.last_success)[0];
  book.topChangedAt ||= Number(file.top_changed_at) || 0;
  for (const one of listOf(file.standings)) {
    const { id, health, failures, lastFailure, requests } = objectOf(one);
    if (typeof id !== "string" || !(Number(health) >= 1 && Number(health) <= 100) || book.standings.has(id)) continue;
    book.standings.set(id, {
      health: Number(health),
      failures: Number(failures) || 0,
      lastFailure: String(lastFailure ?? ""),
      requests: Number(requests) || 0,
    });
  }
  // A clock that was ahead then and has been set right since makes no rest longer.
  const from = Math.max(Number(file.saved_at) || now, now);
  for (const one of listOf(file.windows)) {
    const { key, until, reason, failures } = objectOf(one);
    if (typeof key !== "string" || windowName(key).provider !== provider) continue;
    const ms = until === null ? Number.POSITIVE_INFINITY : Number(until) - from;
    if (ms > 0) cooldowns.restore(key, ms, String(reason ?? ""), Number(failures) || 1);
  }
}

function kept({ at, ...happening }: Mark): Record<string, unknown> {
  return { when: rfc3339(at), at, ...happening };
}

function markOf(value: unknown): [Mark] | [] {
  const { at, kind, target, reason, detail } = objectOf(value);
  if (typeof at !== "number" || typeof reason !== "string" || typeof target !== "string") return [];
  if (kind !== "api_key" && kind !== "oauth" && kind !== "scheduler" && kind !== "relay") return [];
  return [{ at, kind, target, reason, ...(typeof detail === "string" ? { detail } : {}) }];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, 10_000) : [];
}
