/**
 * A scope owns everything an instance acquired. Closing it releases all of it, last in first out, awaited one by one,
 * each with a deadline; a release that throws or hangs is reported and never stops the rest. Nothing may be acquired
 * once closing began.
 */
import { setMaxListeners } from "node:events";
import { GatewayError } from "@chela/sdk";

export type OwnedKind =
  | "hook"
  | "route"
  | "stream"
  | "method"
  | "tool"
  | "service"
  | "command"
  | "panel"
  | "static"
  | "health"
  | "timer"
  | "watcher"
  | "socket"
  | "start"
  | "config"
  | "own";

interface Owned {
  readonly kind: OwnedKind;
  readonly label: string;
  readonly release: (() => void | Promise<void>) | undefined;
}

export interface ReleaseProblem {
  readonly label: string;
  readonly reason: string;
}

export class Scope {
  readonly owner: string;
  readonly #abort = new AbortController();
  readonly #owned = new Set<Owned>();
  #state: "open" | "closing" | "closed" = "open";
  #inFlight = 0;
  #idle: (() => void) | undefined;

  constructor(owner: string) {
    this.owner = owner;
    // Every running request listens; there may be thousands.
    setMaxListeners(0, this.#abort.signal);
  }

  /** Aborts after the drain, before the releases. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** True once the scope gives nothing more away: its taps are muted. */
  get closing(): boolean {
    return this.#state !== "open";
  }

  /** Records something owned; the returned undo forgets it (without releasing). */
  own(kind: OwnedKind, label: string, release?: () => void | Promise<void>): () => void {
    this.assertOpen(`own ${kind} "${label}"`);
    const item: Owned = { kind, label, release };
    this.#owned.add(item);
    return () => this.#owned.delete(item);
  }

  assertOpen(what: string): void {
    if (this.#state === "open") return;
    throw new GatewayError(
      "SCOPE_CLOSED",
      500,
      `plugin "${this.owner}" called ctx (${what}) after it was stopped; stop the work when ctx.signal aborts`,
    );
  }

  /** Counts one piece of in-flight work; every `enter` has its `leave`. */
  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight <= 0) this.#idle?.();
  }

  /** The promise, not counted as in flight until it settles. */
  async pause<T>(waiting: Promise<T>): Promise<T> {
    this.leave();
    try {
      return await waiting;
    } finally {
      this.enter();
    }
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Waits until nothing is in flight. False when `ms` ran out. */
  async drain(ms: number): Promise<boolean> {
    if (this.#inFlight <= 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const drained = await new Promise<boolean>((resolve) => {
      this.#idle = () => resolve(true);
      timer = setTimeout(() => resolve(false), ms);
    });
    clearTimeout(timer);
    this.#idle = undefined;
    return drained;
  }

  /** Idempotent. `releaseMs` bounds each single release. */
  async close(releaseMs: number): Promise<readonly ReleaseProblem[]> {
    if (this.#state !== "open") return [];
    this.#state = "closing";
    this.#abort.abort(new GatewayError("PLUGIN_STOPPED", 503, `plugin "${this.owner}" was stopped`));
    const problems: ReleaseProblem[] = [];
    for (const item of [...this.#owned].reverse()) {
      const reason = item.release ? await settle(item.release, releaseMs) : undefined;
      if (reason !== undefined) problems.push({ label: `${item.kind} "${item.label}"`, reason });
      this.#owned.delete(item);
    }
    this.#state = "closed";
    return problems;
  }

  /** How many of each kind are owned now. */
  census(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { kind } of this.#owned) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }
}

async function settle(release: () => void | Promise<void>, ms: number): Promise<string | undefined> {
  try {
    const released = release();
    if (!(released instanceof Promise)) return undefined;
    return await deadline(
      released.then(() => undefined),
      ms,
      () => `not released within ${ms} ms`,
    );
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The promise's value, or `late()`'s when `ms` pass first. A late rejection is swallowed. */
export async function deadline<T, L>(promise: Promise<T>, ms: number, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const clock = new Promise<L>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error as Error);
      }
    }, ms);
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, clock]);
  } finally {
    clearTimeout(timer);
  }
}
