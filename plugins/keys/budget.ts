/** Whether a key has something left of its budget. Asked before every model call; calls that run when it is used up end well. */
import { GatewayError, type UsageBook } from "@chela/sdk";
import { type KeyLimits, periodOf } from "./limits.ts";

export interface Budgeted {
  /** Identity id. */
  readonly id: string;
  readonly name: string;
  readonly limits: KeyLimits;
}

/** A refusal, or undefined. A budget that nobody can measure is used up: it fails closed. */
export function overBudget(key: Budgeted, book: UsageBook | undefined, now: number): GatewayError | undefined {
  const { tokens, usd, period } = key.limits;
  if (tokens === null && usd === null) return undefined;
  if (!book) {
    const message = `The budget of key "${key.name}" cannot be measured: enable the plugin usage.`;
    return new GatewayError("BUDGET_UNKNOWN", 503, message);
  }
  const { from, until } = periodOf(period, now);
  const spent = book.spent(key.id, from);
  const used =
    tokens !== null && spent.tokens >= tokens
      ? `${tokens} tokens a ${period}`
      : usd !== null && spent.cost >= usd
        ? `$${usd} a ${period}`
        : undefined;
  if (used === undefined) return undefined;
  const resetAt = new Date(until).toISOString();
  const message = `Budget of key "${key.name}" is used up: ${used}. It begins anew at ${resetAt}.`;
  const headers = { "retry-after": String(Math.max(1, Math.ceil((until - now) / 1000))) };
  return new GatewayError("BUDGET_SPENT", 429, message, { tokens, usd, period, resetAt }, { headers });
}
