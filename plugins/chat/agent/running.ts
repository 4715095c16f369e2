/** The way of one request: the place in its session's queue, or an ear in the turn that runs there, then the turn itself. */
import type { TurnRequest, TurnResult } from "@chela/sdk";
import type { KnownRequest, RequestId } from "../sessions/request-table.ts";
import type { Compactor } from "./context/compactor.ts";
import type { Budget } from "./guards.ts";
import { type Journal, noJournal, SessionJournal } from "./journal.ts";
import type { Lanes } from "./lanes.ts";
import type { LiveRun } from "./live-run.ts";
import { late, replay, silence } from "./outcomes.ts";
import { sayAhead } from "./prepare.ts";
import { type Inbox, Offer, type Said } from "./steering.ts";
import { playTurn } from "./turn.ts";
import type { World } from "./world.ts";

export interface Running {
  readonly run: LiveRun;
  readonly request: TurnRequest;
  readonly id: RequestId | undefined;
  readonly inbox: Inbox;
  readonly budget: Budget;
  /** Hand-overs between agents that led to it. */
  readonly hops: number;
  done: Promise<TurnResult>;
  /** While it has its session. */
  playing: boolean;
  journal: Journal | undefined;
}

export interface Hall {
  readonly world: World;
  readonly lanes: Lanes;
  readonly compactor: Compactor;
  readonly predecessor: Promise<void>;
  /** What runs in a session now. */
  host(session: string): Running | undefined;
}

export async function conduct(hall: Hall, running: Running): Promise<TurnResult> {
  const { run, id } = running;
  const known = id && (await knownRequest(hall, id, run));
  if (known?.outcome) return replay(run, known);
  const host = known ? undefined : hostFor(hall, running);
  return host ? steer(hall, running, host) : play(hall, running);
}

/** A request that has no outcome was cut off with its process, or still runs in the instance before this one. */
async function knownRequest(
  { world, predecessor }: Hall,
  id: RequestId,
  run: LiveRun,
): Promise<KnownRequest | undefined> {
  const known = await world.requests.find(id);
  if (known && !known.outcome) await run.orAborted(predecessor);
  return known;
}

/** The turn that could hear this message: nobody else waits there, and nothing but words comes with it, for the same model. */
function hostFor({ world, lanes, host }: Hall, { request }: Running): Running | undefined {
  const { session, whenBusy, context, clientTools, instructions, model, options, tools, parent } = request;
  if (session === null || (whenBusy ?? world.settings().defaults.when_busy) !== "steer") return undefined;
  if (context || clientTools?.length || instructions || options || tools || parent) return undefined;
  const found = host(session);
  if (model !== undefined && model !== found?.request.model) return undefined;
  if (!found?.inbox.takes(request.identity) || lanes.waitingIn(session) !== found.inbox.pending) return undefined;
  // One that finds no place in the queue is refused before it is stored.
  return found.inbox.pending < world.settings().defaults.max_queued_turns ? found : undefined;
}

async function play(hall: Hall, running: Running): Promise<TurnResult> {
  const { run, request, id } = running;
  // A child waits for no place: its parent holds one, and waits for the child.
  const child = request.parent !== undefined;
  const leave = await hall.lanes.enter(request.session, run.signal, child);
  // Asked again: whoever was in the session before us may have been the same request.
  return timed(hall, running, leave, async () => {
    const known = id && (await hall.world.requests.find(id));
    if (known?.outcome) return replay(run, known);
    return played(hall, running, journalOf(hall, running, known));
  });
}

/** Offers the message to the turn that runs. It waits for a turn of its own all the same, until it is heard. */
async function steer(hall: Hall, running: Running, host: Running): Promise<TurnResult> {
  const { run, request, id } = running;
  const offer = new Offer(run, request.identity, id);
  // At once, so that nobody who comes now counts it as waiting.
  const giveUp = () => {
    host.inbox.withdraw(offer);
    offer.settle(run.signal.reason);
  };
  run.signal.addEventListener("abort", giveUp, { once: true });
  const place = hall.lanes.enter(request.session, offer.signal);
  host.inbox.add(offer);
  const journal = journalOf(hall, running, undefined);
  const saying = sayAhead(hall.world, run, request, journal);
  saying.then(
    (said) => {
      if (said.agent === host.inbox.agent) offer.ready(said);
      else host.inbox.withdraw(offer);
    },
    (error) => offer.settle(error),
  );
  let leave: () => void;
  try {
    leave = await place;
  } catch (error) {
    host.inbox.withdraw(offer);
    // What was heard is stored; what is still being stored must not be left to itself.
    const said = await saying.catch(() => undefined);
    if (run.isHeard) return host.done;
    if (!said || !run.signal.aborted || run.failure) throw error;
    const result = silence(run, "aborted");
    await journal.finish([], run.interrupted ? undefined : { result });
    return result;
  } finally {
    run.signal.removeEventListener("abort", giveUp);
  }
  host.inbox.withdraw(offer);
  return timed(hall, running, leave, async () => played(hall, running, journal, await saying));
}

async function timed(
  { world }: Hall,
  running: Running,
  leave: () => void,
  work: () => Promise<TurnResult>,
): Promise<TurnResult> {
  const { run, request } = running;
  const { defaults, router } = world.settings();
  const own = request.parent && router.enabled ? router.default_timeout_sec : 0;
  const seconds = own > 0 ? Math.min(own, defaults.turn_timeout_sec) : defaults.turn_timeout_sec;
  const timer = setTimeout(() => run.fail(late(seconds)), seconds * 1000);
  running.playing = true;
  try {
    return await work();
  } finally {
    running.playing = false;
    clearTimeout(timer);
    leave();
  }
}

function played({ world, compactor }: Hall, running: Running, journal: Journal, said?: Said): Promise<TurnResult> {
  const { run, request, inbox, budget } = running;
  running.journal = journal;
  return playTurn({ world, run, request, journal, inbox, budget, compactor, said });
}

function journalOf(
  { world: { sessions, requests, partials } }: Hall,
  { run, request, id }: Running,
  interrupted: KnownRequest | undefined,
): Journal {
  const { session } = request;
  if (session === null) return noJournal;
  return new SessionJournal({ session, turn: run.id, sessions, requests, partials, request: id, interrupted });
}
