/** Calls of a subagent's model that failed for a reason that may pass, made again after a pause. What its tools did stays done: only the call is repeated. */
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import type { Play } from "./play.ts";

/** Whatever the settings say. */
const mostRetries = 20;
const longestPauseMs = 60_000;

/** Not those that would be the same again: a refused key, a request that is wrong. */
const passing: ReadonlySet<string> = new Set([
  "UPSTREAM_RATE",
  "UPSTREAM_FAULT",
  "UPSTREAM_TIMEOUT",
  "UPSTREAM_UNREACHABLE",
  "UPSTREAM_CUT",
  "UPSTREAM_PROTOCOL",
  "UPSTREAM_BROKEN",
  // Other calls of the same key run: some of what is left will be there again when they end.
  "BUDGET_RESERVED",
]);

export async function withRetries<T>({ profile, turn }: Pick<Play, "profile" | "turn">, call: () => Promise<T>) {
  const retries = Math.min(profile.maxRetries, mostRetries);
  if (retries === 0) return call();
  for (let failed = 1; ; failed++) {
    try {
      return await call();
    } catch (error) {
      if (failed > retries || turn.signal.aborted || !mayPass(error)) throw error;
      const ms = Math.min(profile.retryBackoffMs * 2 ** (failed - 1), longestPauseMs);
      await pause(ms, undefined, { signal: turn.signal });
    }
  }
}

function mayPass(error: unknown): boolean {
  return GatewayError.is(error) && passing.has(error.code);
}
