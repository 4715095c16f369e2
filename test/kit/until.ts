/** Waiting in tests: polls a condition until it holds or a deadline passes. The only place where a test may use a timer. */

/**
 * Resolves with the first value of `probe` that is neither undefined, null nor false. A throwing probe counts as "not yet";
 * after `ms` the wait fails with `what` and the last thing the probe said.
 */
export async function until<T>(
  probe: () => T | Promise<T>,
  ms = 5000,
  what = "the condition",
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + ms;
  let last: unknown;
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) {
        return value as Exclude<T, undefined | null | false>;
      }
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) throw timeout(what, ms, last);
    await pauseFor(pause);
  }
}

/** Holds a test for `ms` where nothing can be polled: proving that something does NOT happen. */
export function pauseFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function timeout(what: string, ms: number, last: unknown): Error {
  const seen = last instanceof Error ? last.message : JSON.stringify(last);
  return new Error(
    `waited ${ms} ms for ${what}; last seen: ${seen}`,
    last instanceof Error ? { cause: last } : undefined,
  );
}
