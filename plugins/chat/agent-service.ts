/**
 * The `agent` service: starts turns, keeps them apart, finds the one that a repeated request means, and ends them all when
 * the plugin stops. Turns of one session run one after the other.
 */
import { type Agent, type AgentInfo, GatewayError, type TurnRequest, type TurnResult, type TurnRun } from "@chela/sdk";
import { type Journal, noJournal, SessionJournal } from "./journal.ts";
import { Lanes } from "./lanes.ts";
import { LiveRun, orAborted, stopping } from "./live-run.ts";
import { type KnownRequest, type RequestId, requestId, sameRequest } from "./request-table.ts";
import { sessionKey } from "./session-key.ts";
import { listAgents } from "./settings.ts";
import { playTurn } from "./turn.ts";
import type { World } from "./world.ts";

interface Running {
  readonly run: LiveRun;
  readonly done: Promise<TurnResult>;
  readonly request: RequestId | undefined;
}

export class AgentService implements Agent {
  readonly #world: World;
  readonly #predecessor: Promise<void>;
  readonly #lanes: Lanes;
  readonly #running = new Set<Running>();
  /** Running requests with an idempotency key. */
  readonly #keyed = new Map<string, Running>();
  #closed = false;

  /** `predecessor` resolves when an instance that this one replaces has let go of its turns. */
  constructor(world: World, predecessor: Promise<void>) {
    this.#world = world;
    this.#predecessor = predecessor;
    this.#lanes = new Lanes(() => {
      const { max_queued_turns: queued, max_parallel_turns: parallel } = world.settings().defaults;
      return { queued, parallel };
    });
  }

  get load(): { running: number; waiting: number } {
    return { running: this.#lanes.running, waiting: this.#lanes.waiting };
  }

  agents(): readonly AgentInfo[] {
    return listAgents(this.#world.settings(), () => this.#world.providers.primary());
  }

  run(request: TurnRequest): TurnRun {
    const run = new LiveRun(request.session);
    try {
      if (this.#closed) throw stopping();
      if (request.session !== null) sessionKey(request.session);
      const id = requestId(request);
      return this.#join(id) ?? this.#start(run, request, id);
    } catch (error) {
      run.end();
      return run.view(quiet(Promise.reject(error)));
    }
  }

  abort(session: string): number {
    const runs = [...this.#running].filter(({ run }) => run.session === session && !run.signal.aborted);
    for (const { run } of runs) run.abort("it was asked for");
    return runs.length;
  }

  /** Stops what runs in a session, then does `work` with nothing running there. */
  async alone<T>(session: string, work: () => Promise<T>): Promise<T> {
    this.abort(session);
    const leave = await this.#lanes.hold(session);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Aborts every turn and resolves when what they had said is stored. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { run } of this.#running) run.stop();
    await Promise.allSettled([...this.#running].map(({ done }) => done));
  }

  #join(id: RequestId | undefined): TurnRun | undefined {
    const running = id && this.#keyed.get(keyOf(id));
    if (!running?.request || !id || running.run.interrupted) return undefined;
    sameRequest(id, running.request.digest);
    return running.run.join(running.done);
  }

  #start(run: LiveRun, request: TurnRequest, id: RequestId | undefined): TurnRun {
    const stop = () => run.interrupt("its caller left");
    if (request.signal?.aborted) stop();
    request.signal?.addEventListener("abort", stop, { once: true });
    const running: Running = { run, request: id, done: quiet(this.#conduct(run, request, id)) };
    this.#running.add(running);
    if (id) this.#keyed.set(keyOf(id), running);
    const forget = () => {
      request.signal?.removeEventListener("abort", stop);
      this.#running.delete(running);
      if (id && this.#keyed.get(keyOf(id)) === running) this.#keyed.delete(keyOf(id));
      run.end();
    };
    running.done.then(forget, forget);
    return run.view(running.done);
  }

  async #conduct(run: LiveRun, request: TurnRequest, id: RequestId | undefined): Promise<TurnResult> {
    try {
      if (isBlank(request)) return silence(run, "stop");
      const known = id && (await this.#known(id, run.signal));
      return known?.outcome ? replay(run, known) : await this.#play(run, request, id);
    } catch (error) {
      if (run.withdrawn) return silence(run, "aborted");
      throw error;
    }
  }

  /** A request that has no outcome was cut off with its process, or still runs in the instance before this one. */
  async #known(id: RequestId, signal: AbortSignal): Promise<KnownRequest | undefined> {
    const known = await this.#world.requests.find(id);
    if (known && !known.outcome) await orAborted(this.#predecessor, signal);
    return known;
  }

  async #play(run: LiveRun, request: TurnRequest, id: RequestId | undefined): Promise<TurnResult> {
    const leave = await this.#lanes.enter(request.session, run.signal);
    const seconds = this.#world.settings().defaults.turn_timeout_sec;
    const timer = setTimeout(() => run.fail(late(seconds)), seconds * 1000);
    try {
      // Asked again: whoever was in the session before us may have been the same request.
      const known = id && (await this.#world.requests.find(id));
      if (known?.outcome) return replay(run, known);
      return await playTurn(this.#world, run, request, this.#journal(run, request, { id, interrupted: known }));
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  #journal(
    run: LiveRun,
    { session }: TurnRequest,
    { id, interrupted }: { id: RequestId | undefined; interrupted: KnownRequest | undefined },
  ): Journal {
    if (session === null) return noJournal;
    const { sessions, requests } = this.#world;
    return new SessionJournal({ session, turn: run.id, sessions, requests, request: id, interrupted });
  }
}

/** The first run's outcome again, as one piece. */
function replay(run: LiveRun, { outcome }: KnownRequest): TurnResult {
  if (outcome && "result" in outcome) {
    const { result } = outcome;
    run.answeredBy(result.model);
    if (result.text !== "") run.text(result.text);
    return result;
  }
  const { code, status, message } = outcome?.error ?? { code: "TURN_FAILED", status: 500, message: "the turn failed" };
  throw new GatewayError(code, status, message);
}

/** The result of a turn in which nothing was said. */
function silence(run: LiveRun, stop: "stop" | "aborted"): TurnResult {
  return { turn: run.id, text: "", model: "", usage: null, stop, toolCalls: [] };
}

/** Nothing is said, shown or answered: no model is asked. */
function isBlank({ text, media, context }: TurnRequest): boolean {
  return text.trim() === "" && !media?.length && !context?.length;
}

function keyOf({ session, identity, key }: RequestId): string {
  return JSON.stringify([session, identity, key]);
}

function late(seconds: number): GatewayError {
  return new GatewayError(
    "TURN_TIMEOUT",
    504,
    `the turn did not end within ${seconds} s (agents.defaults.turn_timeout_sec)`,
  );
}

/** A caller who only listens to the events must not bring the process down with a rejection that he never looks at. */
function quiet<T>(done: Promise<T>): Promise<T> {
  done.catch(() => undefined);
  return done;
}
