/**
 * The one failover function: walks the candidates of a request in order until one begins to answer, and never moves on
 * after that. What the caller did wrong (400, 404, 413 …) and the caller leaving end the walk; everything else goes on.
 */
import { type Attempt, GatewayError, type ModelEvent } from "@chela/sdk";
import type { Cooldowns } from "./cooldowns.ts";
import { aborted, mayFailOver } from "./faults.ts";
import type { Target } from "./wire/reply.ts";

export interface Candidate extends Target {
  /** Cooldowns are kept under this name: model and credential. */
  readonly key: string;
  call(signal: AbortSignal, totalMs: number): AsyncGenerator<ModelEvent>;
}

export interface Walk {
  /** In order; the first is the model that was asked for. Read when the walk begins. */
  candidates(): readonly Candidate[];
  readonly cooldowns: Cooldowns;
  readonly signal: AbortSignal;
  readonly totalMs: number;
  readonly now: () => number;
  /** Called for every candidate that failed before its first byte. */
  readonly onFailure: (attempt: Attempt) => void;
}

interface Begun {
  readonly candidate: Candidate;
  readonly events: AsyncGenerator<ModelEvent>;
  readonly head: IteratorResult<ModelEvent>;
  readonly attempts: readonly Attempt[];
}

export async function* walk(options: Walk): AsyncGenerator<ModelEvent> {
  const { candidate, events, head, attempts } = await begin(options);
  const began = options.now();
  try {
    yield { type: "start", provider: candidate.provider, model: candidate.id };
    if (!head.done) yield head.value;
    for await (const event of events) yield event;
  } catch (caught) {
    const error = toGatewayError(caught, candidate);
    if (error.code === "ABORTED" || options.signal.aborted) throw error;
    throw withAttempts(error, [...attempts, attempt(candidate, error, options.now() - began)]);
  } finally {
    await events.return(undefined);
  }
}

/** The first candidate that answers, with the first thing it said. */
async function begin(options: Walk): Promise<Begun> {
  const { cooldowns, signal, now } = options;
  const deadline = now() + options.totalMs;
  const attempts: Attempt[] = [];
  let first: GatewayError | undefined;
  for (const candidate of order(options.candidates(), cooldowns)) {
    const began = now();
    if (first && began >= deadline) break;
    const events = candidate.call(signal, Math.max(1, deadline - began));
    try {
      const head = await events.next();
      cooldowns.succeed(candidate.key);
      return { candidate, events, head, attempts };
    } catch (caught) {
      const error = toGatewayError(caught, candidate);
      if (error.code === "ABORTED" || signal.aborted) throw error;
      attempts.push(attempt(candidate, error, now() - began));
      options.onFailure(attempts.at(-1) as Attempt);
      if (!mayFailOver(error)) throw withAttempts(error, attempts);
      cooldowns.fail(candidate.key, error);
      first ??= error;
    }
  }
  throw withAttempts(first as GatewayError, attempts);
}

/** All that are not cooling, in order; then, rather than to fail blind, the cooling one that is free soonest. */
function order(candidates: readonly Candidate[], cooldowns: Cooldowns): readonly Candidate[] {
  const waits = candidates.map((candidate) => cooldowns.remaining(candidate.key));
  if (waits.every((ms) => ms === 0)) return candidates;
  const free = candidates.filter((_, index) => waits[index] === 0);
  const soonest = Math.min(...waits.filter((ms) => ms > 0));
  return [...free, candidates[waits.indexOf(soonest)] as Candidate];
}

function attempt(candidate: Candidate, error: GatewayError, ms: number): Attempt {
  return { model: candidate.id, ms: Math.round(ms), code: error.code, status: error.status, message: error.message };
}

/** The first candidate's error, since that is the model that was asked for, with all that was tried. */
function withAttempts(error: GatewayError, attempts: readonly Attempt[]): GatewayError {
  const others =
    attempts.length > 1
      ? ` (${attempts.length} models were tried: ${attempts.map((one) => `${one.model} ${one.code}`).join(", ")})`
      : "";
  return new GatewayError(
    error.code,
    error.status,
    `${error.message}${others}`,
    { ...error.details, attempts },
    { cause: error, headers: error.headers },
  );
}

function toGatewayError(error: unknown, candidate: Candidate): GatewayError {
  if (GatewayError.is(error)) return error;
  if ((error as { name?: unknown } | null)?.name === "AbortError") return aborted(candidate, error);
  const text = error instanceof Error ? error.message : String(error);
  return new GatewayError("UPSTREAM_FAULT", 502, `${candidate.id}: ${text}`, undefined, { cause: error });
}
