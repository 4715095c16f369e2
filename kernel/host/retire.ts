/** Stops instances: consumers first; drain, then abort, then close their sockets and release what they own. */
import type { FaultReporter } from "../hooks.ts";
import type { Instance } from "../instance/instance.ts";

export interface RetireLimits {
  /** For all of them together. */
  readonly drainMs: number;
  /** For each. */
  readonly releaseMs: number;
}

/** A connection that stays open may bring one more request until it is swept. */
const sweptMs = 40;

/**
 * The end of all of them: nobody is stopped while another still works for a client and may need it. What comes in meanwhile
 * is served; `sweep` while a port may bring more.
 */
export async function retireAll(
  instances: readonly Instance[],
  limits: RetireLimits & { readonly sweep: boolean },
  report: FaultReporter,
): Promise<void> {
  const until = performance.now() + limits.drainMs;
  const left = () => Math.max(0, until - performance.now());
  const busy = () => instances.some(({ scope }) => scope.inFlight > 0);
  do {
    for (const { scope } of [...instances].reverse()) await scope.drain(left());
    if (limits.sweep) await new Promise((resolve) => setTimeout(resolve, Math.min(sweptMs, left())));
  } while (busy() && left() > 0);
  await retire(instances, limits, report, until);
}

/** `instances` in start order; they are stopped in reverse. */
export async function retire(
  instances: readonly Instance[],
  limits: RetireLimits,
  report: FaultReporter,
  until = performance.now() + limits.drainMs,
): Promise<void> {
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
