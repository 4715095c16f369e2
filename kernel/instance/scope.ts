/**
 * A scope owns everything an instance acquired. Closing it releases all of it, last in first out, awaited one by one,
 * each with a deadline; a release that throws or hangs is reported and never stops the rest. Nothing may be acquired
 * once closing began.
 */
import { setMaxListeners } from "node:events";
import { GatewayError, messageOf } from "@chela/sdk";
import { runAs } from "./running.ts";
import { Slots } from "./slots.ts";

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
  | "subscription"
  | "child"
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

/** What comes after a release that took all the time gets this long. */
const leastReleaseMs = 250;
/** Work that was told to stop may still answer for this long, or until a change is over that it asked for. */
const lingerMs = 1000;

export class Scope {
  readonly owner: string;
  readonly #abort = new AbortController();
  readonly #leaving = new AbortController();
  readonly #owned = new Set<Owned>();
  #state: "open" | "closing" | "closed" = "open";
  readonly #pending = new Slots<(reason: unknown) => void>();
  /** Called when `signal` aborts: a listener of the signal itself costs too much for what comes and goes with each request. */
  readonly endings = new Slots<(reason: unknown) => void>();
  #inFlight = 0;
  #changes = 0;
  #idle: (() => void) | undefined;

  constructor(owner: string) {
    this.owner = owner;
    setMaxListeners(0, this.#abort.signal, this.#leaving.signal);
  }

  /** Aborts when the owner is to stop, before the drain: for work that would last as long as it is let. */
  get stopping(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Aborts after the drain, before the releases. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** True once the scope gives nothing more away: its taps are muted. */
  get closing(): boolean {
    return this.#state !== "open";
  }

  /** Runs code of the owner's: an error of it that nobody catches is known to be its own. */
  run<A extends unknown[], T>(code: (...args: A) => T, ...args: A): T {
    return runAs(this, code, ...args);
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

  /** The same for work that ends with a promise; whoever drops it hears of no failure. */
  work<T>(running: PromiseLike<T>): Promise<T> {
    this.assertOpen("work");
    this.enter();
    const work = Promise.resolve(running).finally(() => this.leave());
    work.catch(() => undefined);
    return work;
  }

  /**
   * A change of what is live that the owner asked for and waits for. It may be its own restart, so while it lasts the
   * owner's waiting is no work in flight.
   */
  async change<T>(waiting: Promise<T>): Promise<T> {
    const counted = this.#inFlight > 0;
    this.#changes += 1;
    if (counted) this.leave();
    try {
      return await waiting;
    } finally {
      this.#changes -= 1;
      if (counted) this.enter();
    }
  }

  /** True while the owner waits for a change it asked for. */
  get changing(): boolean {
    return this.#changes > 0;
  }

  /** For the sentence about work that is late. */
  get hint(): string {
    if (!this.changing) return "";
    return "; it waits for a change that it asked for, which waits for it in turn: ask without awaiting the answer";
  }

  /** The value of `work`, or `PLUGIN_STOPPED` when the owner was stopped and `work` goes on regardless. */
  orStopped<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const slot = this.#pending.put(reject);
      const done = (settle: (result: never) => void) => (result: unknown) => {
        this.#pending.clear(slot);
        settle(result as never);
      };
      Promise.resolve(work).then(done(resolve), done(reject));
    });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Waits until nothing is in flight. False when `ms` ran out. */
  async drain(ms: number): Promise<boolean> {
    this.#leaving.abort();
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

  /** Idempotent. All releases together get `releaseMs`, and each some time of its own. */
  async close(releaseMs: number): Promise<readonly ReleaseProblem[]> {
    if (this.#state !== "open") return [];
    this.#state = "closing";
    const stopped = new GatewayError("PLUGIN_STOPPED", 503, `plugin "${this.owner}" was stopped`);
    this.#leaving.abort();
    this.#abort.abort(stopped);
    for (const end of this.endings.items) end(stopped);
    const until = performance.now() + releaseMs;
    const problems: ReleaseProblem[] = [];
    for (const item of [...this.#owned].reverse()) {
      const left = Math.max(Math.ceil(until - performance.now()), Math.min(leastReleaseMs, releaseMs));
      const { release } = item;
      const reason = release ? await settle(() => this.run(release), left) : undefined;
      if (reason !== undefined) problems.push({ label: `${item.kind} "${item.label}"`, reason });
      this.#owned.delete(item);
    }
    this.#state = "closed";
    if (this.#pending.items.length > 0) this.#giveUpSoon(stopped);
    return problems;
  }

  #giveUpSoon(reason: GatewayError): void {
    const giveUp = () => {
      for (const reject of this.#pending.items) reject(reason);
    };
    setTimeout(() => (this.changing ? this.#giveUpSoon(reason) : giveUp()), lingerMs).unref();
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
    const released: unknown = release();
    if (!isPromise(released)) return undefined;
    const done = Promise.resolve(released).then(() => undefined);
    return await deadline(done, ms, () => `not released within ${ms} ms`);
  } catch (error) {
    return messageOf(error);
  }
}

/** Thenables of other libraries too. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}

/** The promise's value, or `late()`'s when `ms` pass first. A late rejection is swallowed. */
export async function deadline<T, L>(work: PromiseLike<T>, ms: number, late: () => L): Promise<T | L> {
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
  const promise = Promise.resolve(work);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, clock]);
  } finally {
    clearTimeout(timer);
  }
}
