/**
 * The one failover function of all callers: walks the candidates (model × credential) of a request in order until one begins
 * to answer. What rests is passed over; when nobody else is left, the one that is free soonest is asked rather than nobody.
 * What an error means is the verdict's to say; how long a candidate may take is its share of the request's time.
 */
import { type Attempt, type Cancellation, GatewayError, messageOf } from "@chela/sdk";
import type { Credential, Signed } from "../credentials/credential.ts";
import type { Target } from "../wire/dialect.ts";
import type { Cooldowns } from "./cooldowns.ts";
import { aborted, fault } from "./faults.ts";
import { type Share, shareOf } from "./share.ts";
import { signedAsk } from "./signed-ask.ts";
import { type Verdict, verdictOf } from "./verdict.ts";
import type { WindowKeys } from "./window-key.ts";

export interface Candidate extends Target {
  readonly credential: Credential;
  /** Its windows: the credential's with all its models, and this model's of it. */
  readonly keys: WindowKeys;
  /** Until its first byte. */
  readonly timeoutMs: number;
  /** Rest after a rate limit without Retry-After, where the config says. */
  readonly restMs?: number;
}

/** Gets told how candidates did. */
export interface Observer<C extends Candidate> {
  /** It began to answer. */
  succeeded(candidate: C): void;
  /** It failed before its first byte. */
  failed(candidate: C, error: GatewayError, verdict: Verdict): void;
  /** It began to answer after others had failed. */
  answered(candidate: C, attempts: readonly Attempt[]): void;
}

export interface Budget {
  readonly signal: Cancellation;
  /** What is left of the request's time. */
  readonly totalMs: number;
  /** This candidate's share of it, until its first byte. */
  readonly firstByteMs: number;
}

export interface Walk<C extends Candidate> {
  /** In order; the first is the one that was asked for. */
  readonly candidates: readonly C[];
  readonly cooldowns: Cooldowns;
  readonly observer: Observer<C>;
  readonly signal: Cancellation;
  readonly totalMs: number;
  readonly now: () => number;
}

/** Asks one. Resolves with the first sign of an answer, throws a GatewayError. */
export type Ask<C extends Candidate, T> = (candidate: C, signed: Signed, budget: Budget) => Promise<T>;

export interface Begun<C extends Candidate, T> {
  readonly candidate: C;
  readonly value: T;
  /** Those that failed before. */
  readonly attempts: readonly Attempt[];
  readonly share: Share;
}

/** What a walk has seen so far. */
interface Progress<C extends Candidate> {
  readonly deadline: number;
  readonly attempts: Attempt[];
  readonly passed: C[];
  /** Those who rested, or had to prove themselves, when the walk began. What opens on the way keeps nobody from being asked. */
  readonly resting: ReadonlyMap<C, "half" | "open"> | undefined;
  left: readonly C[];
  first: GatewayError | undefined;
}

export async function walk<C extends Candidate, T>(options: Walk<C>, ask: Ask<C, T>): Promise<Begun<C, T>> {
  const progress: Progress<C> = {
    deadline: options.now() + options.totalMs,
    attempts: [],
    passed: [],
    resting: restingOf(options),
    left: options.candidates,
    first: undefined,
  };
  for (;;) {
    const candidate = next(options, progress);
    if (!candidate) break;
    const begun = await attempt(options, ask, { progress, candidate });
    if (begun) return begun;
  }
  throw withAttempts(progress.first as GatewayError, progress.attempts);
}

function restingOf<C extends Candidate>({ candidates, cooldowns }: Walk<C>): Progress<C>["resting"] {
  if (cooldowns.idle) return undefined;
  const resting = new Map<C, "half" | "open">();
  for (const candidate of candidates) {
    const states = candidate.keys.map((key) => cooldowns.state(key));
    if (states.includes("open")) resting.set(candidate, "open");
    else if (states.includes("half")) resting.set(candidate, "half");
  }
  return resting;
}

/** The next that may be asked now; at the end the one of those passed over that is free soonest. */
function next<C extends Candidate>(options: Walk<C>, progress: Progress<C>): C | undefined {
  const { cooldowns, now } = options;
  if (progress.first && now() >= progress.deadline) return undefined;
  while (progress.left.length > 0) {
    const candidate = progress.left[0] as C;
    progress.left = progress.left.slice(1);
    const state = progress.resting?.get(candidate);
    if (!state || (state === "half" && admitted(candidate, cooldowns))) return candidate;
    progress.passed.push(candidate);
  }
  const [candidate] = progress.passed.sort((a, b) => compareWaits(a, b, cooldowns));
  progress.passed.length = 0;
  // One that is off until somebody does something about it is asked only where there was nobody else.
  if (candidate && progress.first && waitOf(candidate, cooldowns) === Number.POSITIVE_INFINITY) return undefined;
  return candidate;
}

/** The one that is free first; of those that are off with their credential, one whose model nobody has refused. */
function compareWaits(a: Candidate, b: Candidate, cooldowns: Cooldowns): number {
  const [first, second] = [waitOf(a, cooldowns), waitOf(b, cooldowns)];
  if (first !== second) return first - second;
  const [own, other] = [cooldowns.remaining(a.keys[1]), cooldowns.remaining(b.keys[1])];
  return own === other ? 0 : own - other;
}

function admitted({ keys: [credential, model], timeoutMs }: Candidate, cooldowns: Cooldowns): boolean {
  if (!cooldowns.admit(model, timeoutMs)) return false;
  if (cooldowns.admit(credential, timeoutMs)) return true;
  cooldowns.release(model);
  return false;
}

function waitOf({ keys }: Candidate, cooldowns: Cooldowns): number {
  return Math.max(cooldowns.remaining(keys[0]), cooldowns.remaining(keys[1]));
}

/** Undefined: it failed, and another may do better. */
async function attempt<C extends Candidate, T>(
  options: Walk<C>,
  ask: Ask<C, T>,
  { progress, candidate }: { readonly progress: Progress<C>; readonly candidate: C },
): Promise<Begun<C, T> | undefined> {
  const { cooldowns, observer, signal, now } = options;
  const began = now();
  const share = shareOf(candidate, {
    signal,
    leftMs: Math.max(1, progress.deadline - began),
    others: progress.left.length,
  });
  try {
    const value = await signedAsk(ask, candidate, share.budget);
    share.began();
    observer.succeeded(candidate);
    if (progress.attempts.length > 0) observer.answered(candidate, progress.attempts);
    return { candidate, value, attempts: progress.attempts, share };
  } catch (caught) {
    const error = share.expired ? tooSlow(candidate, share) : toGatewayError(caught, candidate);
    share.end();
    if (progress.resting?.get(candidate) === "half") for (const key of candidate.keys) cooldowns.release(key);
    const verdict = verdictOf(error);
    if (verdict.reason === "left" || signal.aborted) throw error;
    progress.attempts.push(attemptOf(candidate, error, now() - began));
    observer.failed(candidate, error, verdict);
    if (verdict.next === "stop") throw withAttempts(error, progress.attempts);
    progress.first ??= error;
    progress.left = reordered(progress.left, candidate, error, verdict);
    return undefined;
  }
}

/** Another key does not wake a server that is away: the next model comes first. One who has no such model is not asked again. */
function reordered<C extends Candidate>(
  left: readonly C[],
  failed: C,
  error: GatewayError,
  verdict: Verdict,
): readonly C[] {
  if (verdict.next === "model") return left.filter((candidate) => candidate.id !== failed.id);
  if (error.code !== "UPSTREAM_UNREACHABLE" && error.code !== "UPSTREAM_TIMEOUT") return left;
  const same = left.filter((candidate) => candidate.id === failed.id);
  return same.length === 0 ? left : [...left.filter((candidate) => candidate.id !== failed.id), ...same];
}

function tooSlow(candidate: Candidate, { budget }: Share): GatewayError {
  const seconds = Math.round(budget.firstByteMs) / 1000;
  return fault("UPSTREAM_TIMEOUT", candidate, `did not begin to answer within its share of ${seconds} s`);
}

/** What callers are told: whose key or account it was is for the log. */
export function attemptOf(candidate: Candidate, error: GatewayError, ms: number): Attempt {
  return {
    model: candidate.id,
    ms: Math.round(ms),
    code: error.code,
    status: error.status,
    message: error.message,
  };
}

/** The first candidate's error, since that is the model that was asked for, with all that was tried. */
export function withAttempts(error: GatewayError, attempts: readonly Attempt[]): GatewayError {
  const others =
    attempts.length > 1
      ? ` (${attempts.length} candidates were tried: ${attempts.map((one) => `${one.model} ${one.code}`).join(", ")})`
      : "";
  return new GatewayError(
    error.code,
    error.status,
    `${error.message}${others}`,
    { ...error.details, attempts },
    { cause: error, headers: error.headers },
  );
}

export function toGatewayError(error: unknown, candidate: Target): GatewayError {
  if (GatewayError.is(error)) return error;
  if ((error as { name?: unknown } | null)?.name === "AbortError") return aborted(candidate, error);
  const text = messageOf(error);
  return new GatewayError("UPSTREAM_FAULT", 502, `${candidate.id}: ${text}`, undefined, { cause: error });
}
