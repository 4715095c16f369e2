/** All providers in a few numbers, and those that need a look one by one. Field names are ClawGo's. */

import { rfc3339 } from "./time.ts";
import { eventRow, type ProviderFacts } from "./view.ts";

export interface SummaryOptions {
  /** Rows of healthy ones too. */
  readonly all: boolean;
  /** What is low health. */
  readonly healthBelow: number;
  /** How old an error may be to count as recent. */
  readonly windowSec: number;
  readonly now: number;
}

export interface ProviderSummary {
  readonly name: string;
  readonly status: "critical" | "degraded" | "healthy";
  readonly in_cooldown: boolean;
  readonly low_health: boolean;
  readonly has_recent_errors: boolean;
  readonly [fact: string]: unknown;
}

export interface Summary {
  readonly total_providers: number;
  readonly healthy: number;
  readonly degraded: number;
  readonly critical: number;
  readonly in_cooldown: number;
  readonly low_health: number;
  readonly recent_errors: number;
  readonly providers?: readonly ProviderSummary[];
}

export function summaryOf(all: readonly ProviderFacts[], options: SummaryOptions): Summary {
  const rows = all.map((facts) => row(facts, options));
  const count = (test: (one: ProviderSummary) => boolean) => rows.filter(test).length;
  const shown = options.all ? rows : rows.filter(({ status }) => status !== "healthy");
  return {
    total_providers: rows.length,
    healthy: count(({ status }) => status === "healthy"),
    degraded: count(({ status }) => status === "degraded"),
    critical: count(({ status }) => status === "critical"),
    in_cooldown: count((one) => one.in_cooldown),
    low_health: count((one) => one.low_health),
    recent_errors: count((one) => one.has_recent_errors),
    ...(shown.length > 0 ? { providers: shown } : {}),
  };
}

function row(facts: ProviderFacts, { healthBelow, windowSec, now }: SummaryOptions): ProviderSummary {
  const { apiState, order, lastSuccess, topChangedAt } = facts;
  const states = [apiState, ...order];
  const cooling = states.some(({ cooldown_until: until }) => until !== undefined && Date.parse(until) > now);
  const low = states.some(({ health_score: health }) => health !== undefined && health < healthBelow);
  const [lastError] = facts.errors;
  const recent = lastError !== undefined && lastError.at >= now - windowSec * 1000;
  const [top] = order;
  return {
    name: facts.name,
    auth: facts.auth,
    status: cooling || low ? "critical" : recent ? "degraded" : "healthy",
    api_state: apiState,
    ...(facts.accounts.length > 0 ? { oauth_accounts: facts.accounts } : {}),
    candidate_order: order.length > 0 ? order : null,
    ...(lastSuccess ? { last_success: eventRow(lastSuccess), last_success_at: rfc3339(lastSuccess.at) } : {}),
    ...(lastError
      ? { last_error: eventRow(lastError), last_error_at: rfc3339(lastError.at), last_error_reason: lastError.reason }
      : {}),
    ...(topChangedAt > 0 ? { top_candidate_changed_at: rfc3339(topChangedAt) } : {}),
    stale_for_sec: lastSuccess ? Math.max(0, Math.floor((now - lastSuccess.at) / 1000)) : -1,
    in_cooldown: cooling,
    low_health: low,
    has_recent_errors: recent,
    ...(top ? { top_candidate: top } : {}),
  };
}
