/** A repeated job whose runs never overlap; undoing it waits for the run that is under way. */
import type { Clock } from "./clock.ts";

/** Returns the undo. A throwing run is reported and the next one still happens. */
export function repeat(
  clock: Clock,
  ms: number,
  fn: () => void | Promise<void>,
  failed: (error: unknown) => void,
): () => Promise<void> {
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      await fn();
    } catch (error) {
      failed(error);
    } finally {
      running = undefined;
    }
  };
  const stop = clock.every(ms, () => {
    running ??= run();
  });
  return async () => {
    stop();
    await running;
  };
}
