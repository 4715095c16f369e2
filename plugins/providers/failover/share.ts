/**
 * A candidate's share of a request's time: where others wait, it may take an equal part until its first byte, so that one that
 * hangs does not eat the time of all. Where nobody waits it has all that is left, and costs no timer.
 */
import type { Cancellation } from "@chela/sdk";
import type { Budget } from "./failover.ts";

export interface Share {
  readonly budget: Budget;
  /** Its time was over before it began to answer. */
  readonly expired: boolean;
  /** The first byte is here: from now on only the caller and the request's deadline end it. */
  began(): void;
  /** Lets go of the caller's signal. */
  end(): void;
}

interface Bounds {
  readonly signal: Cancellation;
  readonly leftMs: number;
  readonly others: number;
}

const nothing = () => undefined;

export function shareOf({ timeoutMs }: { readonly timeoutMs: number }, { signal, leftMs, others }: Bounds): Share {
  if (others === 0) {
    const budget = { signal, totalMs: leftMs, firstByteMs: Math.min(timeoutMs, leftMs) };
    return { budget, expired: false, began: nothing, end: nothing };
  }
  const firstByteMs = Math.max(1, Math.min(timeoutMs, leftMs / (others + 1)));
  const controller = new AbortController();
  const leave = () => controller.abort(signal.reason);
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  const share = {
    budget: { signal: controller.signal, totalMs: leftMs, firstByteMs },
    expired: false,
    began: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    },
  };
  const timer = setTimeout(() => {
    if (signal.aborted) return;
    share.expired = true;
    controller.abort();
  }, firstByteMs);
  return share;
}
