/**
 * The door to tapable, and its only caller. A hook set is built once per generation from the taps of all live
 * instances and never changed. Every tap runs behind a guard: muted once its scope closes, counted as in-flight work,
 * timed, bounded, its faults attributed. What a faulty tap means is fixed per hook: security hooks fail closed.
 */
import {
  GatewayError,
  type HookKind,
  type HookName,
  type HookResult,
  type HookTaps,
  hookKinds,
  type Identity,
  type Want,
} from "@chela/sdk";
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

/** Called once, at once where nobody had to be waited for. */
type Done = (error?: unknown, answer?: unknown) => void;
type MaybePromise<T> = T | Promise<T>;
type AsyncTap = (value: unknown, context: unknown, done: Done) => void;
type AsyncHook = { callAsync: AsyncTap; tapAsync(options: object, fn: AsyncTap): void };
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
    compiled.async?.tapAsync(options, guardAsync(tap, report));
  }

  /** True when anybody (other than `except`) listens; callers on hot paths ask before they build arguments. */
  has(hook: HookName, except?: string): boolean {
    return except === undefined
      ? this.#compiled.has(hook)
      : this.#tappers.get(hook)?.some((id) => id !== except) === true;
  }

  /** Runs a hook on this generation. Observers never reject; others only with a GatewayError that a tap threw on purpose, or a fail-closed refusal. */
  run<H extends HookName>(hook: H, ...args: Parameters<HookTaps[H]>): HookResult<H> {
    const { async, sync } = this.#compiled.get(hook) ?? {};
    if (hookKinds[hook] === "sync") {
      sync?.call(args[0], args[1]);
      return undefined as HookResult<H>;
    }
    if (!async) return Promise.resolve(hookKinds[hook] === "waterfall" ? args[0] : undefined) as HookResult<H>;
    return promised(async, args) as HookResult<H>;
  }

  /** Asks whether somebody may. Where every tap answers at once there is no promise, and a refusal of the hook's is thrown here. */
  authorize(identity: Identity, want: Want): MaybePromise<GatewayError | undefined> {
    const async = this.#compiled.get("auth:authorize")?.async;
    let settled: { readonly error: unknown; readonly refusal: unknown } | undefined;
    let settle: Done = (error, refusal) => {
      settled = { error, refusal };
    };
    async?.callAsync(identity, want, (error, refusal) => settle(error, refusal));
    if (!settled && async) {
      return new Promise((resolve, reject) => {
        settle = (error, refusal) => (error ? reject(error) : resolve(refusal as GatewayError | undefined));
      });
    }
    if (settled?.error) throw settled.error;
    return settled?.refusal as GatewayError | undefined;
  }
}

function promised(hook: AsyncHook, [value, context]: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    hook.callAsync(value, context, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
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

function guardAsync(tap: Tap, report: FaultReporter): AsyncTap {
  const { owner, stats, hook } = tap;
  const fn = tap.fn as (...args: unknown[]) => unknown;
  const ms = deadlines[hook] ?? tapDeadlineMs;
  const late = () => {
    throw new Error(`hook ${hook} did not answer within ${ms} ms${owner.scope.hint}`);
  };
  const judge = async (given: PromiseLike<unknown>) => answerOf(hook, await deadline(given, ms, late));
  const end = (from: number): void => {
    stats.ms += performance.now() - from;
    owner.scope.leave();
  };
  const fail = (error: unknown, from: number, done: Done): void => {
    stats.errors += 1;
    const refusal = faulty(tap, error, report);
    end(from);
    done(refusal);
  };
  return (value, context, done) => {
    if (owner.scope.closing) return done();
    owner.scope.enter();
    stats.calls += 1;
    const from = performance.now();
    let answer: unknown;
    try {
      const given = owner.scope.run(fn, value, context);
      answer = isPromise(given) ? judge(given) : answerOf(hook, given);
    } catch (error) {
      return fail(error, from, done);
    }
    if (!(answer instanceof Promise)) {
      end(from);
      return done(undefined, answer);
    }
    const succeed = (last: unknown) => {
      end(from);
      done(undefined, last);
    };
    answer.then(succeed, (error: unknown) => fail(error, from, done));
  };
}

/** What a tap's fault means to the whole: the error that ends it, undefined when it goes on without this tap. */
function faulty(tap: Tap, error: unknown, report: FaultReporter): GatewayError | undefined {
  if (GatewayError.is(error) && !isObserver(tap.hook)) return error;
  report(tap.owner.id, tap.hook, error);
  const closed = failClosed.has(tap.hook) || (tap.owner.critical && guardHooks.has(tap.hook));
  if (!closed) return undefined;
  return new GatewayError("HOOK_FAILED", 503, `plugin "${tap.owner.id}" failed in ${tap.hook}; see its log lines`);
}

/** An observer refuses nothing: whatever it throws is its own fault. `config:validate` may refuse. */
function isObserver(hook: HookName): boolean {
  const kind = hookKinds[hook];
  return hook !== "config:validate" && (kind === "parallel" || kind === "series");
}
