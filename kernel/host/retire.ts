/** Stops instances: consumers first; drain, then abort, then close their sockets and release what they own. */
import type { FaultReporter } from "../hooks.ts";
import type { Instance } from "../instance/instance.ts";

export interface RetireLimits {
  /** For all of them together. */
  readonly drainMs: number;
  /** For each. */
  readonly releaseMs: number;
}

/** `instances` in start order; they are stopped in reverse. */
export async function retire(
  instances: readonly Instance[],
  limits: RetireLimits,
  report: FaultReporter,
): Promise<void> {
  const until = performance.now() + limits.drainMs;
  for (const instance of [...instances].reverse()) {
    const drained = await instance.scope.drain(Math.max(0, until - performance.now()));
    if (!drained) {
      const left = instance.scope.inFlight;
      report(
        instance.id,
        "stop",
        new Error(`${left} piece(s) of work still in flight after ${limits.drainMs} ms; aborted`),
      );
    }
    for (const { label, reason } of await instance.scope.close(limits.releaseMs)) {
      report(instance.id, `release of ${label}`, new Error(reason));
    }
  }
}
