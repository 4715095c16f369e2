/** What `/api/provider/runtime` shows: one item per provider, its events filtered and in pages. Field names are ClawGo's. */
import type { StandingFields } from "../credentials/standings.ts";
import type { Mark } from "./book.ts";
import type { CandidateRow } from "./rows.ts";
import { rfc3339 } from "./time.ts";

/** An event as it is shown. */
export interface EventRow {
  readonly when: string;
  readonly kind: string;
  readonly target?: string;
  readonly reason?: string;
  readonly detail?: string;
}

/** Everything about one provider, unfiltered. */
export interface ProviderFacts {
  readonly name: string;
  readonly auth: string;
  readonly strategy: string;
  readonly apiBase: string;
  readonly apiState: Partial<StandingFields> & { readonly token_masked?: string };
  readonly hits: readonly Mark[];
  readonly errors: readonly Mark[];
  readonly changes: readonly Mark[];
  readonly lastSuccess: Mark | undefined;
  readonly topChangedAt: number;
  readonly order: readonly CandidateRow[];
  readonly accounts: readonly Readonly<Record<string, unknown>>[];
}

export interface RuntimeQuery {
  readonly provider: string;
  readonly kind: string;
  readonly reason: string;
  readonly target: string;
  readonly ascending: boolean;
  readonly changesOnly: boolean;
  readonly windowSec: number;
  readonly limit: number;
  readonly cursor: number;
  readonly healthBelow: number;
  readonly cooldownBeforeSec: number;
}

export type RuntimeItem = Readonly<Record<string, unknown>>;

const defaultLimit = 20;

/** Reads the query as ClawGo does: what is no number counts as absent. */
export function runtimeQuery(query: Readonly<Record<string, unknown>>): RuntimeQuery {
  const text = (key: string) => (typeof query[key] === "string" ? (query[key] as string).trim() : "");
  const number = (key: string, otherwise = 0) => {
    const value = text(key);
    return /^\d{1,15}$/.test(value) ? Number(value) : otherwise;
  };
  return {
    provider: text("provider"),
    kind: text("kind").toLowerCase(),
    reason: text("reason").toLowerCase(),
    target: text("target").toLowerCase(),
    ascending: text("sort").toLowerCase() === "asc",
    changesOnly: text("changes_only") === "true",
    windowSec: number("window_sec"),
    limit: number("limit", defaultLimit) || defaultLimit,
    cursor: number("cursor"),
    healthBelow: number("health_below"),
    cooldownBeforeSec: number("cooldown_until_before_sec"),
  };
}

export function runtimeItems(all: readonly ProviderFacts[], query: RuntimeQuery, now: number): readonly RuntimeItem[] {
  return all
    .filter((facts) => query.provider === "" || facts.name === query.provider)
    .filter((facts) => matchesState(facts, query, now))
    .map((facts) => item(facts, query, now));
}

function item(facts: ProviderFacts, query: RuntimeQuery, now: number): RuntimeItem {
  const pick = (marks: readonly Mark[]) => marks.filter(wanted(query, now));
  const [hits, errors, changes] = [pick(facts.hits), pick(facts.errors), pick(facts.changes)];
  const merged = sorted(query.changesOnly ? changes : [...hits, ...errors, ...changes], query);
  const end = query.cursor + query.limit;
  /** Null where there is nothing, empty where the filters left nothing. */
  const shown = (marks: readonly Mark[], of: readonly Mark[]) => (of.length === 0 ? null : marks.map(eventRow));
  return {
    name: facts.name,
    auth: facts.auth,
    api_base: facts.apiBase,
    api_state: facts.apiState,
    recent_hits: query.changesOnly ? [] : shown(hits, facts.hits),
    recent_errors: query.changesOnly ? [] : shown(errors, facts.errors),
    recent_changes: shown(changes, facts.changes),
    last_success: facts.lastSuccess ? eventRow(facts.lastSuccess) : null,
    candidate_order: facts.order.length === 0 ? null : facts.order,
    strategy: facts.strategy,
    ...(facts.accounts.length > 0 ? { oauth_accounts: facts.accounts } : {}),
    events: merged.slice(query.cursor, end).map(eventRow),
    next_cursor: end < merged.length ? end : 0,
  };
}

export function eventRow({ at, kind, target, reason, detail }: Mark): EventRow {
  return {
    when: rfc3339(at),
    kind,
    ...(target ? { target } : {}),
    ...(reason ? { reason } : {}),
    ...(detail ? { detail } : {}),
  };
}

/** By time; of one moment, as they came. */
function sorted(marks: readonly Mark[], { ascending }: RuntimeQuery): readonly Mark[] {
  return [...marks].sort((a, b) => (ascending ? a.at - b.at : b.at - a.at));
}

function wanted(query: RuntimeQuery, now: number): (mark: Mark) => boolean {
  const since = query.windowSec > 0 ? now - query.windowSec * 1000 : Number.NEGATIVE_INFINITY;
  return ({ at, kind, reason, target, detail = "" }) =>
    at >= since &&
    (query.kind === "" || kind === query.kind) &&
    (query.reason === "" || reason.toLowerCase().includes(query.reason)) &&
    (query.target === "" || target.toLowerCase().includes(query.target) || detail.toLowerCase().includes(query.target));
}

/** Without such a filter everything matches; with both one is enough. */
function matchesState(facts: ProviderFacts, query: RuntimeQuery, now: number): boolean {
  const { healthBelow, cooldownBeforeSec } = query;
  if (healthBelow <= 0 && cooldownBeforeSec <= 0) return true;
  const states: readonly Partial<StandingFields>[] = [facts.apiState, ...facts.order];
  return states.some(({ health_score: health, cooldown_until: until }) => {
    const low = healthBelow > 0 && health !== undefined && health < healthBelow;
    const ends = until === undefined ? Number.NaN : Date.parse(until);
    return low || (cooldownBeforeSec > 0 && ends > now && ends <= now + cooldownBeforeSec * 1000);
  });
}
