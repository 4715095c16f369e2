/**
 * Joins abort signals for a piece of work. `AbortSignal.any` on a signal that lives long (a plugin's, a session's) leaves
 * a trace on it for every call; this one is undone when the work ends.
 */
import { setMaxListeners } from "node:events";

export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Call when the work is over. */
  unlink(): void;
}

/** For what lives longer than a request: as many things as they like may wait for its signal at once. */
export function openController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Aborts when the first of `sources` does, with its reason. */
export function linkSignals(...sources: readonly AbortSignal[]): LinkedSignal {
  const controller = openController();
  const listeners = sources.map((source) => {
    const abort = () => controller.abort(source.reason);
    if (source.aborted) abort();
    else source.addEventListener("abort", abort, { once: true });
    return () => source.removeEventListener("abort", abort);
  });
  return {
    signal: controller.signal,
    unlink() {
      for (const remove of listeners) remove();
    },
  };
}

/** Runs `work` with the joined signal and undoes the joining when it settles. */
export async function withSignals<T>(
  sources: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  const linked = linkSignals(...sources);
  try {
    return await work(linked.signal);
  } finally {
    linked.unlink();
  }
}
