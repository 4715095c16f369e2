/** A repeated job whose runs never overlap. */
import type { Clock } from "../clock.ts";

export interface Repeated {
  /** No run begins after it. */
  stop(): void;
  /** Resolves when the run that is under way has ended. */
  settled(): Promise<void>;
}

/** `fn` must not reject. */
export function repeat(clock: Clock, ms: number, fn: () => Promise<void>): Repeated {
  let running: Promise<void> | undefined;
  const run = async () => {
    await fn();
    running = undefined;
  };
  const stop = clock.every(ms, () => {
    running ??= run();
  });
  return { stop, settled: async () => await running };
}
