/**
 * The `agent` service: starts turns, keeps them apart, finds the one that a repeated request means, and ends them all when
 * the plugin stops. Turns of one session run one after the other.
 */
import { type Agent, type AgentInfo, GatewayError, type TurnRequest, type TurnResult, type TurnRun } from "@chela/sdk";
import { noJournal, SessionJournal } from "./journal.ts";
import { Lanes } from "./lanes.ts";
import { LiveRun } from "./live-run.ts";
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
  readonly #lanes: Lanes;
  readonly #running = new Set<Running>();
  /** Running requests with an idempotency key. */
  readonly #keyed = new Map<string, Running>();
  #closed = false;

  constructor(world: World) {
    this.#world = world;
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
      if (this.#closed) throw new GatewayError("STOPPING", 503, "the chat plugin is stopping: try again in a moment");
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
    const leave = await this.#lanes.enter(session, new AbortController().signal);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Aborts every turn and resolves when what they had said is stored. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { run } of this.#running) run.abort("the gateway is stopping");
    await Promise.allSettled([...this.#running].map(({ done }) => done));
  }

  #join(id: RequestId | undefined): TurnRun | undefined {
    const running = id && this.#keyed.get(keyOf(id));
    if (!running?.request || !id) return undefined;
    sameRequest(id, running.request.digest);
    return running.run.join(running.done);
  }

  #start(run: LiveRun, request: TurnRequest, id: RequestId | undefined): TurnRun {
    const stop = () => run.abort("its caller left");
    if (request.signal?.aborted) stop();
    request.signal?.addEventListener("abort", stop, { once: true });
    const running: Running = { run, request: id, done: quiet(this.#conduct(run, request, id)) };
    this.#running.add(running);
    if (id) this.#keyed.set(keyOf(id), running);
    const forget = () => {
      request.signal?.removeEventListener("abort", stop);
      this.#running.delete(running);
      if (id) this.#keyed.delete(keyOf(id));
      run.end();
    };
    running.done.then(forget, forget);
    return run.view(running.done);
  }

  async #conduct(run: LiveRun, request: TurnRequest, id: RequestId | undefined): Promise<TurnResult> {
    const known = id && (await this.#world.requests.find(id));
    if (known?.outcome) return replay(run, known);
    if (isBlank(request)) return { turn: run.id, text: "", model: "", usage: null, stop: "stop", toolCalls: [] };
    let leave: () => void;
    try {
      leave = await this.#lanes.enter(request.session, run.signal);
    } catch (error) {
      if (run.signal.aborted) return { turn: run.id, text: "", model: "", usage: null, stop: "aborted", toolCalls: [] };
      throw error;
    }
    const seconds = this.#world.settings().defaults.turn_timeout_sec;
    const timer = setTimeout(() => run.fail(late(seconds)), seconds * 1000);
    try {
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
  ) {
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
