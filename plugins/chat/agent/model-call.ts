/** One call to a model: hooks around it, its stream passed on as it comes. */
import { GatewayError, type ModelReply, type ModelRequest, type Turn } from "@chela/sdk";
import type { Journal } from "./journal.ts";
import type { LiveRun } from "./live-run.ts";
import type { World } from "./world.ts";

export interface Caller {
  readonly world: World;
  readonly run: LiveRun;
  readonly turn: Turn;
  readonly journal: Journal;
}

/** Rejects at once when the turn is aborted, whatever the provider and the plugins do about it. */
export async function callModel(caller: Caller, wanted: ModelRequest): Promise<ModelReply> {
  const { world, run, turn } = caller;
  const request = world.listens("model:request")
    ? await run.orAborted(world.call("model:request", wanted, turn))
    : wanted;
  run.nextStep();
  const reply = await run.orAborted(consume(caller, request));
  return world.listens("model:reply") ? run.orAborted(world.call("model:reply", reply, turn)) : reply;
}

async function consume({ world, run, turn, journal }: Caller, request: ModelRequest): Promise<ModelReply> {
  const { identity, session, id, agent } = turn;
  const caller = { purpose: "turn", identity, session, turn: id, agent, request };
  for await (const event of world.providers.stream(request, turn.signal, caller)) {
    if (turn.signal.aborted) throw turn.signal.reason;
    if (event.type === "text") {
      const text = run.text(event.text);
      if (text === "") continue;
      world.call("model:chunk", text, turn);
      journal.saying(run);
    } else if (event.type === "reasoning") run.reasoning(event.text);
    else if (event.type === "start") run.answeredBy(event.model);
    else if (event.type === "done") return event.reply;
  }
  throw unfinished();
}

/** Beside the conversation: no hook of it sees this, what it costs is counted. */
export async function askAside(world: World, request: ModelRequest, turn: Turn, signal: AbortSignal): Promise<string> {
  const { identity, session, id, agent } = turn;
  const caller = { purpose: "summary", identity, session, turn: id, agent, request };
  const read = async () => {
    for await (const event of world.providers.stream(request, signal, caller)) {
      if (event.type === "done") return event.reply.text;
    }
    throw unfinished();
  };
  return orAborted(read(), signal);
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

function unfinished(): GatewayError {
  return new GatewayError("UPSTREAM_BROKEN", 502, "the model's stream ended before its reply was complete");
}
