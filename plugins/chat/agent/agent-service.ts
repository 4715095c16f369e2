/**
 * The `agent` service: starts turns, keeps them apart, finds the one that a repeated request means, and ends them all when
 * the plugin stops. Turns of one session run one after the other.
 */
import type {
  Agent,
  AgentInfo,
  AgentProfileInfo,
  Spawned,
  SpawnRequest,
  TurnRequest,
  TurnResult,
  TurnRun,
} from "@chela/sdk";
import { keyOf, type RequestId, requestId, sameRequest } from "../sessions/request-table.ts";
import { sessionKey } from "../sessions/session-key.ts";
import { stopping } from "../stopping.ts";
import { Compactor } from "./context/compactor.ts";
import { Budget } from "./guards.ts";
import { Lanes } from "./lanes.ts";
import { LiveRun } from "./live-run.ts";
import { isBlank, quiet, refusedRun, silence } from "./outcomes.ts";
import type { Running } from "./running.ts";
import { Inbox } from "./steering.ts";
import { Family, type Place } from "./team/family.ts";
import { listAgents, listProfiles } from "./team/profiles.ts";
import { spawn } from "./team/spawn.ts";
import type { World } from "./world.ts";

export class AgentService implements Agent {
  /** Who works for whom: it has to hear when a session has another key or is gone, or loses messages. */
  readonly family: Family;
  readonly #world: World;
  readonly #predecessor: Promise<void>;
  readonly #lanes: Lanes;
  readonly #compactor: Compactor;
  readonly #running = new Set<Running>();
  /** Running requests with an idempotency key. */
  readonly #keyed = new Map<string, Running>();
  /** What only turns need; loaded with the first one. */
  #way: Promise<typeof import("./running.ts")> | typeof import("./running.ts") | undefined;
  #closed = false;

  /** `predecessor` resolves when an instance that this one replaces has let go of its turns. */
  constructor(world: World, predecessor: Promise<void>) {
    this.#world = world;
    this.#predecessor = predecessor;
    const { sessions, summaries, settings, log } = world;
    this.family = new Family(settings, (turn) => this.#of(turn) !== undefined);
    this.#lanes = new Lanes(() => {
      const { max_queued_turns: queued, max_parallel_turns: parallel } = settings().defaults;
      return { queued, parallel };
    });
    this.#compactor = new Compactor({
      sessions,
      summaries,
      settings,
      ask: async (request, turn, signal) => (await import("./model-call.ts")).askAside(world, request, turn, signal),
      failed: (error, session) =>
        log.warn({ error, session }, "the conversation could not be summed up; its oldest messages are left out"),
    });
  }

  get load(): { running: number; waiting: number } {
    return { running: this.#lanes.running, waiting: this.#lanes.waiting };
  }

  /** Sessions in which a turn runs. */
  get sessions(): ReadonlySet<string> {
    return new Set([...this.#running].flatMap(({ run, playing }) => (playing && run.session) || []));
  }

  agents(): readonly AgentInfo[] {
    return listAgents(this.#world.settings(), () => this.#world.providers.primary());
  }

  profiles(): readonly AgentProfileInfo[] {
    return listProfiles(this.#world.settings(), () => this.#world.providers.primary());
  }

  run(request: TurnRequest): TurnRun {
    const { parent, session } = request;
    if (!parent) return this.#run(request, 0);
    // A message to another session: its turn takes none of the places that all share, so the family's limits hold for it.
    let place: Place;
    try {
      place = this.family.enter(parent, { background: false });
    } catch (error) {
      return refusedRun(new LiveRun(session), error);
    }
    const run = this.#run(request, 0);
    run.done.then(place.leave, place.leave);
    return run;
  }

  spawn(request: SpawnRequest): Spawned {
    const settings = this.#world.settings();
    const parent = this.#of(request.parent.id);
    const hops = parent?.hops ?? 0;
    const asked = parent?.journal ? parent.journal.seq + 1 : 0;
    const run = (turn: TurnRequest, more = 0) => this.#run(turn, more);
    return spawn({ family: this.family, settings, hops, asked, run, log: this.#world.log }, request);
  }

  attach(session: string): { readonly run: TurnRun; readonly seq: number } | undefined {
    const running = this.#at(session);
    if (!running?.journal) return undefined;
    const seq = this.#world.sessions.newest(session) ?? running.journal.seq;
    return { run: running.run.join(running.done, "step"), seq };
  }

  abort(session: string): number {
    const runs = [...this.#running].filter(({ run }) => run.session === session && !run.signal.aborted && !run.isHeard);
    for (const { run } of runs) run.abort("it was asked for");
    return runs.length;
  }

  /** Stops what runs in a session, then does `work` with nothing running there. */
  async alone<T>(session: string, work: () => Promise<T>): Promise<T> {
    const cut = [...this.#running].filter(({ run }) => run.session === session);
    this.abort(session);
    const leave = await this.#lanes.hold(session);
    try {
      // One that was to be heard in another turn has no place that it would leave.
      await Promise.allSettled(cut.map(({ done }) => done));
      await this.#compactor.stop(session);
      return await work();
    } finally {
      this.forget(session);
      leave();
    }
  }

  /** Does `work` between two turns of a session, in the order of asking. Throws as `Lanes.enter` does. */
  async between<T>(session: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const leave = await this.#lanes.hold(session, signal);
    return work().finally(leave);
  }

  /** The key may stand for something else now. */
  forget(session: string): void {
    this.#world.summaries.forget(session);
    this.#world.router.forget(session);
  }

  /** Aborts every turn and resolves when what they had said is stored. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { run } of this.#running) run.stop();
    await Promise.allSettled([...this.#running].map(({ done }) => done));
    await this.#compactor.close();
  }

  #run(request: TurnRequest, hops: number): TurnRun {
    const run = new LiveRun(request.session);
    try {
      if (this.#closed) throw stopping();
      if (request.session !== null) sessionKey(request.session);
      const id = requestId(request);
      return this.#join(id) ?? this.#start({ run, request, id, hops });
    } catch (error) {
      return refusedRun(run, error);
    }
  }

  #join(id: RequestId | undefined): TurnRun | undefined {
    const running = id && this.#keyed.get(keyOf(id));
    if (!running?.id || !id || running.run.interrupted) return undefined;
    sameRequest(id, running.id.digest);
    return running.run.join(running.done);
  }

  #start(given: Pick<Running, "run" | "request" | "id" | "hops">): TurnRun {
    const { run, request, id, hops } = given;
    const stop = () => {
      // Others wait for the same answer, and a child has no other caller than its parent.
      if (!run.hears || request.parent) run.interrupt("its caller left");
    };
    if (request.signal?.aborted) stop();
    request.signal?.addEventListener("abort", stop, { once: true });
    // No spread: this is made for every turn, and V8 copies slowly.
    const running: Running = {
      run,
      request,
      id,
      hops,
      inbox: new Inbox(),
      budget: this.#budgetOf(request),
      done: never,
      playing: false,
      journal: undefined,
    };
    running.done = quiet(this.#conduct(running));
    this.#running.add(running);
    if (id) this.#keyed.set(keyOf(id), running);
    const forget = () => {
      request.signal?.removeEventListener("abort", stop);
      this.#running.delete(running);
      this.family.ended(run.id);
      if (id && this.#keyed.get(keyOf(id)) === running) this.#keyed.delete(keyOf(id));
      run.end();
    };
    running.done.then(forget, forget);
    return run.view(running.done);
  }

  async #conduct(running: Running): Promise<TurnResult> {
    const { run, request } = running;
    try {
      if (isBlank(request)) return silence(run, "stop");
      // Not awaited once it is there: turns keep the order in which they were asked for.
      this.#way ??= import("./running.ts");
      if (this.#way instanceof Promise) this.#way = await this.#way;
      return await this.#way.conduct(
        {
          world: this.#world,
          lanes: this.#lanes,
          compactor: this.#compactor,
          predecessor: this.#predecessor,
          host: (session) => this.#at(session),
        },
        running,
      );
    } catch (error) {
      if (run.withdrawn) return silence(run, "aborted");
      throw error;
    }
  }

  /** What a subagent takes, its parents take too. */
  #budgetOf({ parent }: TurnRequest): Budget {
    const { max_turn_tokens, subagents } = this.#world.settings().defaults;
    if (!parent) return new Budget(max_turn_tokens);
    return new Budget(subagents.max_tokens, this.#of(parent.id)?.budget);
  }

  #of(turn: string): Running | undefined {
    return [...this.#running].find(({ run }) => run.id === turn);
  }

  /** The turn that has its session now; the others there wait. */
  #at(session: string): Running | undefined {
    return [...this.#running].find(({ run, playing }) => playing && run.session === session);
  }
}

const never = new Promise<never>(() => undefined);
