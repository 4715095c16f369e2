/** What a key is told when no model is asked for it: which limit it was, and when there is something again. Pure. */
import { GatewayError } from "@chela/sdk";
import type { KeyRecord } from "./keyring.ts";
import { periodOf } from "./limits.ts";

export type Budgeted = Pick<KeyRecord, "id" | "name" | "limits">;

/** Where a key stands with one of its limits. */
export interface Standing {
  readonly limit: "tokens" | "usd";
  readonly max: number;
  readonly used: number;
  /** What calls that run now may use at most. */
  readonly reserved: number;
}

/** Calls that run end when they end; most do soon. */
const busySeconds = 2;

/** Never below nothing. */
export function left({ max, used, reserved }: Standing): number {
  return Math.max(0, max - used - reserved);
}

/** For what a key began before it was revoked or expired: its turns end at the next call of a model. */
export function keyEnded(name: string): GatewayError {
  return new GatewayError("KEY_ENDED", 401, `The key "${name}" was revoked or has expired; no model is asked for it.`);
}

export function budgetUnknown({ name }: Budgeted): GatewayError {
  const message = `The budget of key "${name}" cannot be measured: enable the plugin usage.`;
  return new GatewayError("BUDGET_UNKNOWN", 503, message);
}

/** Nothing is left. */
export function budgetSpent(key: Budgeted, over: Standing, now: number): GatewayError {
  const { seconds, details } = told(key, over, now);
  const message = `Budget of key "${key.name}" is used up: ${limitText(key, over)}. It begins anew at ${details.resetAt}.`;
  const headers = { "retry-after": String(seconds), ...tokenHeaders(over, seconds) };
  return new GatewayError("BUDGET_SPENT", 429, message, details, { headers });
}

/** Something is left, and calls that run may use it. */
export function budgetReserved(key: Budgeted, taken: Standing, now: number): GatewayError {
  const { seconds, details } = told(key, taken, now);
  const rest = amount(taken.limit, taken.max - taken.used);
  const message = `Budget of key "${key.name}" (${limitText(key, taken)}) has ${rest} left, and calls that run now may use it. Try again when they have ended.`;
  const headers = { "retry-after": String(busySeconds), ...tokenHeaders(taken, seconds) };
  return new GatewayError("BUDGET_RESERVED", 429, message, details, { headers });
}

function told({ limits }: Budgeted, { limit }: Standing, now: number) {
  const { tokens, usd, period } = limits;
  const { until } = periodOf(period, now);
  const seconds = Math.max(1, Math.ceil((until - now) / 1000));
  return { seconds, details: { limit, tokens, usd, period, resetAt: new Date(until).toISOString() } };
}

function limitText({ limits }: Budgeted, { limit, max }: Standing): string {
  return `${amount(limit, max)} a ${limits.period}`;
}

/** Sums of binary fractions end in digits that mean nothing. */
function amount(limit: Standing["limit"], value: number): string {
  return limit === "tokens" ? `${value} tokens` : `$${Number(value.toFixed(6))}`;
}

/** As OpenAI's clients read them. */
function tokenHeaders(standing: Standing, seconds: number): Record<string, string> {
  if (standing.limit !== "tokens") return {};
  return {
    "x-ratelimit-limit-tokens": String(standing.max),
    "x-ratelimit-remaining-tokens": String(left(standing)),
    "x-ratelimit-reset-tokens": `${seconds}s`,
  };
}
