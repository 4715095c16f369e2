/**
 * What an error means for the walk and for the one who failed: whether another candidate may do better, and how long this
 * one rests. Decided by code, status and what the upstream said, once; nobody else judges an error.
 */
import type { GatewayError } from "@chela/sdk";

/** ClawGo's reasons, and those it did not tell apart. `caller`: nobody's fault but the asker's. */
export type Reason =
  | "quota"
  | "rate_limit"
  | "forbidden"
  | "unauthorized"
  | "unavailable"
  | "no_token"
  | "model_unknown"
  | "caller"
  | "left";

export interface Verdict {
  readonly reason: Reason;
  /** `candidate`: the next one; `model`: the next model, other credentials would hear the same; `stop`: nobody else. */
  readonly next: "candidate" | "model" | "stop";
  /** Whose rest it is: this credential with all its models, this model of it, or nobody's. */
  readonly rests: "credential" | "model" | "nobody";
  /** Points of health it costs. */
  readonly penalty: number;
}

const verdicts: Readonly<Record<Reason, Omit<Verdict, "reason">>> = {
  quota: { next: "candidate", rests: "model", penalty: 40 },
  rate_limit: { next: "candidate", rests: "model", penalty: 10 },
  // A key may be refused one model and serve the others.
  forbidden: { next: "candidate", rests: "model", penalty: 25 },
  unauthorized: { next: "candidate", rests: "credential", penalty: 40 },
  unavailable: { next: "candidate", rests: "model", penalty: 10 },
  no_token: { next: "candidate", rests: "credential", penalty: 10 },
  model_unknown: { next: "model", rests: "nobody", penalty: 0 },
  caller: { next: "stop", rests: "nobody", penalty: 0 },
  left: { next: "stop", rests: "nobody", penalty: 0 },
};

const minute = 60_000;
const quotaMs = 30 * minute;
const longestMs = { rate_limit: 30 * minute, unavailable: minute } as const;

export function verdictOf(error: GatewayError): Verdict {
  const reason = reasonOf(error);
  return { reason, ...verdicts[reason] };
}

/** How long to leave it alone, after so many failures in a row. Infinity: until it changes, is refreshed or cleared. */
export function restMs(error: GatewayError, failures: number, baseMs = 0): number {
  const reason = reasonOf(error);
  if (reason === "unauthorized" || reason === "forbidden") return Number.POSITIVE_INFINITY;
  const told = error.details?.retryAfterMs;
  if (typeof told === "number") return told;
  if (reason === "quota") return baseMs > 0 ? baseMs * 4 : quotaMs;
  if (reason === "rate_limit") return baseMs > 0 ? baseMs : grown(minute, failures, longestMs.rate_limit);
  return grown(1000, failures, longestMs.unavailable);
}

function grown(firstMs: number, failures: number, longest: number): number {
  return Math.min(longest, firstMs * 2 ** Math.min(failures - 1, 12));
}

function reasonOf(error: GatewayError): Reason {
  switch (error.code) {
    case "ABORTED":
    case "SHUTTING_DOWN":
      return "left";
    case "UPSTREAM_NO_TOKEN":
      return "no_token";
    case "UPSTREAM_REQUEST":
      if (saysQuota(error)) return "quota";
      return error.status === 404 || saysNoModel(error) ? "model_unknown" : "caller";
    case "UNSUPPORTED":
      // As if there were no such model: what this one's API cannot do, another's may.
      return "model_unknown";
    case "UPSTREAM_AUTH":
      if (saysQuota(error)) return "quota";
      return error.status === 403 ? "forbidden" : "unauthorized";
    case "UPSTREAM_RATE":
      return error.status === 402 || saysQuota(error) ? "quota" : "rate_limit";
    default:
      return error.code.startsWith("UPSTREAM_") || error.code.startsWith("RELAY_") ? "unavailable" : "caller";
  }
}

interface Told {
  readonly message?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
}

/** A model that the vendor does not have, or no longer has, where that is not told with 404. */
function saysNoModel(error: GatewayError): boolean {
  const { message, type, code } = (error.details?.upstream ?? {}) as Told;
  return (
    /model_not_found|invalid_model/i.test(`${code} ${type}`) ||
    /\b(?:model not exist|invalid model)\b/i.test(String(message))
  );
}

/** An account that is used up, as vendors say it; some with status 400. */
function saysQuota(error: GatewayError): boolean {
  const told = error.details?.upstream as Told | undefined;
  if (!told) return false;
  const code = `${told.code} ${told.type}`;
  if (/insufficient_(?:quota|balance|credits?)|budget_exceeded|billing_/i.test(code)) return true;
  const limited = error.status === 402 || error.status === 403 || error.status === 429;
  if (limited) return /quota|billing/i.test(`${code} ${told.message}`);
  return error.status === 400 && /credit balance is too low|budget has been exceeded/i.test(String(told.message));
}
