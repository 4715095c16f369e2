/**
 * The door to tapable, and its only caller. A hook set is built once per generation from the taps of all live
 * instances and never changed. Every tap runs behind a guard: muted once its scope closes, counted as in-flight work,
 * timed, bounded, its faults attributed. What a faulty tap means is fixed per hook: security hooks fail closed.
 */
import { GatewayError, type HookKind, type HookName, type HookResult, type HookTaps, hookKinds } from "@chela/sdk";
import { AsyncParallelHook, AsyncSeriesBailHook, AsyncSeriesHook, AsyncSeriesWaterfallHook, SyncHook } from "tapable";
import { answerOf } from "./host/answers.ts";
import { deadline, isPromise, type Scope } from "./instance/scope.ts";

export interface TapOwner {
  readonly id: string;
  readonly scope: Scope;
  readonly critical: boolean;
}

export interface Tap {
  readonly hook: HookName;
  readonly owner: TapOwner;
  readonly order: "pre" | "post" | undefined;
  readonly fn: (...args: never[]) => unknown;
  readonly stats: TapStats;
}

export interface TapStats {
  calls: number;
  errors: number;
  ms: number;
}

export type FaultReporter = (owner: string, where: string, error: unknown) => void;

const tapDeadlineMs = 30_000;
/** Taps that every change of the config waits for; and those that may ask a person, who has at most ten minutes. */
const deadlines: Partial<Record<HookName, number>> = { "config:validate": 5000, "tool:before": 15 * 60_000 };
const failClosed: ReadonlySet<HookName> = new Set<HookName>(["auth:authorize", "model:before", "tool:before"]);
const guardHooks: ReadonlySet<HookName> = new Set<HookName>([
  "http:request",
  "ws:upgrade",
  "message:in",
  "message:out",
]);
const stages = { pre: -10, post: 10 } as const;

/** A registration hook: each live instance taps it once, composing a generation calls it once with an empty table. */
export function registrationHook<T>(): { tap(name: string, fn: (table: T) => void): void; call(table: T): void } {
  return new SyncHook<[T]>(["table"]);
}

type AsyncHook = { promise(...args: unknown[]): Promise<unknown>; tapPromise(options: object, fn: unknown): void };
type Compiled = { readonly async: AsyncHook | undefined; readonly sync: SyncHook<TwoArguments> | undefined };

type TwoArguments = [unknown, unknown];

/** Every hook takes two arguments; those that need one leave the second undefined. */
const makers: Record<Exclude<HookKind, "sync">, () => unknown> = {
  bail: () => new AsyncSeriesBailHook<TwoArguments, unknown>(["value", "context"]),
  waterfall: () => new AsyncSeriesWaterfallHook<TwoArguments>(["value", "context"]),
  parallel: () => new AsyncParallelHook<TwoArguments>(["value", "context"]),
  series: () => new AsyncSeriesHook<TwoArguments>(["value", "context"]),
};

export class HookSet {
  readonly #compiled = new Map<HookName, Compiled>();
  readonly #tappers = new Map<HookName, string[]>();

  constructor(taps: readonly Tap[], report: FaultReporter) {
    for (const tap of taps) this.#add(tap, report);
  }

  #add(tap: Tap, report: FaultReporter): void {
    let compiled = this.#compiled.get(tap.hook);
    if (!compiled) {
      compiled = compile(tap.hook);
      this.#compiled.set(tap.hook, compiled);
    }
    this.#tappers.set(tap.hook, [...(this.#tappers.get(tap.hook) ?? []), tap.owner.id]);
    const options = { name: tap.owner.id, stage: tap.order ? stages[tap.order] : 0 };
    compiled.sync?.tap(options, guardSync(tap, report));
    compiled.async?.tapPromise(options, guardAsync(tap, report));
  }

  /** True when anybody (other than `except`) listens; callers on hot paths ask before they build arguments. */
  has(hook: HookName, except?: string): boolean {
    return except === undefined
      ? this.#compiled.has(hook)
      : this.#tappers.get(hook)?.some((id) => id !== except) === true;
  }

  /** Runs a hook on this generation. Observers never reject; others only with a GatewayError that a tap threw on purpose, or a fail-closed refusal. */
  run<H extends HookName>(hook: H, ...args: Parameters<HookTaps[H]>): HookResult<H> {
    const compiled = this.#compiled.get(hook);
    const kind = hookKinds[hook];
    if (kind === "sync") {
      compiled?.sync?.call(args[0], args[1]);
      return undefined as HookResult<H>;
    }
    if (!compiled?.async) return Promise.resolve(kind === "waterfall" ? args[0] : undefined) as HookResult<H>;
    return compiled.async.promise(...args) as HookResult<H>;
  }
}

function compile(hook: HookName): Compiled {
  const kind = hookKinds[hook];
  if (kind === "sync") return { sync: new SyncHook<TwoArguments>(["value", "context"]), async: undefined };
  return { sync: undefined, async: makers[kind]() as AsyncHook };
}

function guardSync(tap: Tap, report: FaultReporter): (...args: unknown[]) => void {
  const { owner, stats, hook } = tap;
  const fn = tap.fn as (...args: unknown[]) => unknown;
  const fault = (error: unknown) => {
    stats.errors += 1;
    report(owner.id, hook, error);
  };
  return (...args) => {
    if (owner.scope.closing) return;
    stats.calls += 1;
    const from = performance.now();
    try {
      const answer = owner.scope.run(fn, ...args);
      // Nobody waits for it; its fault is still its owner's and not the process's.
      if (isPromise(answer)) Promise.resolve(answer).catch(fault);
    } catch (error) {
      fault(error);
    } finally {
      stats.ms += performance.now() - from;
    }
  };
}

function guardAsync(tap: Tap, report: FaultReporter): (...args: unknown[]) => Promise<unknown> {
  const { owner, stats, hook } = tap;
  const fn = tap.fn as (...args: unknown[]) => unknown;
  const ms = deadlines[hook] ?? tapDeadlineMs;
  const late = () => {
    throw new Error(`hook ${hook} did not answer within ${ms} ms${owner.scope.hint}`);
  };
  return async (...args) => {
    if (owner.scope.closing) return undefined;
    owner.scope.enter();
    stats.calls += 1;
    const from = performance.now();
    try {
      const answer = owner.scope.run(fn, ...args);
      return answerOf(hook, isPromise(answer) ? await deadline(answer, ms, late) : answer);
    } catch (error) {
      stats.errors += 1;
      return faulty(tap, error, report);
    } finally {
      stats.ms += performance.now() - from;
      owner.scope.leave();
    }
  };
}

function faulty(tap: Tap, error: unknown, report: FaultReporter): undefined {
  if (GatewayError.is(error) && !isObserver(tap.hook)) throw error;
  report(tap.owner.id, tap.hook, error);
  const closed = failClosed.has(tap.hook) || (tap.owner.critical && guardHooks.has(tap.hook));
  if (!closed) return undefined;
  throw new GatewayError("HOOK_FAILED", 503, `plugin "${tap.owner.id}" failed in ${tap.hook}; see its log lines`);
}

/** An observer refuses nothing: whatever it throws is its own fault. `config:validate` may refuse. */
function isObserver(hook: HookName): boolean {
  const kind = hookKinds[hook];
  return hook !== "config:validate" && (kind === "parallel" || kind === "series");
}
