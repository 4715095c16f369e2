/** Whether a key has something left of its budget. Asked before every model call; calls that run when it is used up end well. */
import { GatewayError, type UsageBook } from "@chela/sdk";
import { type KeyLimits, periodOf } from "./limits.ts";

export interface Budgeted {
  /** Identity id. */
  readonly id: string;
  readonly name: string;
  readonly limits: KeyLimits;
}

export function isLimited({ tokens, usd }: KeyLimits): boolean {
  return tokens !== null || usd !== null;
}

/** For what a key began before it was revoked or expired: its turns end at the next call of a model. */
export function keyEnded(name: string): GatewayError {
  return new GatewayError("KEY_ENDED", 401, `The key "${name}" was revoked or has expired; no model is asked for it.`);
}

/** A refusal, or undefined. A budget that nobody can measure is used up: it fails closed. */
export function overBudget(key: Budgeted, book: UsageBook | undefined, now: number): GatewayError | undefined {
  const { tokens, usd, period } = key.limits;
  if (!isLimited(key.limits)) return undefined;
  if (!book) {
    const message = `The budget of key "${key.name}" cannot be measured: enable the plugin usage.`;
    return new GatewayError("BUDGET_UNKNOWN", 503, message);
  }
  const { from, until } = periodOf(period, now);
  const spent = book.spent(key.id, from);
  const noTokens = tokens !== null && spent.tokens >= tokens;
  if (!noTokens && !(usd !== null && spent.cost >= usd)) return undefined;
  const used = noTokens ? `${tokens} tokens a ${period}` : `$${usd} a ${period}`;
  const seconds = String(Math.max(1, Math.ceil((until - now) / 1000)));
  const resetAt = new Date(until).toISOString();
  const message = `Budget of key "${key.name}" is used up: ${used}. It begins anew at ${resetAt}.`;
  const headers = { "retry-after": seconds, ...(noTokens && tokenHeaders(tokens, seconds)) };
  return new GatewayError("BUDGET_SPENT", 429, message, { tokens, usd, period, resetAt }, { headers });
}

/** As OpenAI's clients read them. */
function tokenHeaders(limit: number, seconds: string): Record<string, string> {
  return {
    "x-ratelimit-limit-tokens": String(limit),
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": `${seconds}s`,
  };
}
