/** What a key may use: requests in a minute, tokens or dollars in a day or month. Pure: shapes, reading and the edges of periods. */
import { GatewayError } from "@chela/sdk";

export interface KeyLimits {
  /** Requests in any minute; null: no limit. */
  readonly rpm: number | null;
  /** Tokens of model calls in a period, input and output together. */
  readonly tokens: number | null;
  /** US dollars in a period; calls whose price is unknown do not count. */
  readonly usd: number | null;
  /** Of UTC. */
  readonly period: "day" | "month";
}

/** A new key's limits; a part that is absent is no limit, in a change it stays as it was. */
export interface WantedLimits {
  readonly rpm?: number | null;
  readonly tokens?: number | null;
  readonly usd?: number | null;
  readonly period?: KeyLimits["period"];
}

export const unlimited: KeyLimits = Object.freeze({ rpm: null, tokens: null, usd: null, period: "month" });

/** Whether tokens or dollars are limited. */
export function isBudgeted({ tokens, usd }: KeyLimits): boolean {
  return tokens !== null || usd !== null;
}

/** Throws `KEY_LIMITS` 400. */
export function withLimits(before: KeyLimits, wanted: WantedLimits): KeyLimits {
  const limits = {
    rpm: wanted.rpm === undefined ? before.rpm : wanted.rpm,
    tokens: wanted.tokens === undefined ? before.tokens : wanted.tokens,
    usd: wanted.usd === undefined ? before.usd : wanted.usd,
    period: wanted.period ?? before.period,
  };
  if (!isCount(limits.rpm) || !isCount(limits.tokens))
    throw new GatewayError("KEY_LIMITS", 400, "rpm and tokens must be whole numbers > 0, or null for no limit");
  if (limits.usd !== null && !(Number.isFinite(limits.usd) && limits.usd > 0))
    throw new GatewayError("KEY_LIMITS", 400, "usd must be a number > 0, or null for no limit");
  return limits;
}

/** From the key file; undefined when it is nothing that `withLimits` could have made. Older files have none. */
export function limitsFrom(value: unknown): KeyLimits | undefined {
  if ((value ?? null) === null) return unlimited;
  const { rpm = null, tokens = null, usd = null, period } = value as Record<string, unknown>;
  if (period !== "day" && period !== "month") return undefined;
  try {
    return withLimits(unlimited, { rpm, tokens, usd, period } as WantedLimits);
  } catch {
    return undefined;
  }
}

/** Beginning and end of the period that `now` lies in, milliseconds since 1970. */
export function periodOf(period: KeyLimits["period"], now: number): { readonly from: number; readonly until: number } {
  const at = new Date(now);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  if (period === "day") return { from: Date.UTC(year, month, day), until: Date.UTC(year, month, day + 1) };
  return { from: Date.UTC(year, month), until: Date.UTC(year, month + 1) };
}

function isCount(value: number | null): boolean {
  return value === null || (Number.isSafeInteger(value) && value > 0);
}
