/** One call to a model: hooks around it, its stream passed on as it comes. */
import { GatewayError, type ModelReply, type ModelRequest, type Turn } from "@chela/sdk";
import { type LiveRun, orAborted } from "./live-run.ts";
import type { World } from "./world.ts";

/** Rejects at once when the turn is aborted, whatever the provider and the plugins do about it. */
export async function callModel(world: World, run: LiveRun, turn: Turn, wanted: ModelRequest): Promise<ModelReply> {
  const request = await orAborted(world.call("model:request", wanted, turn), turn.signal);
  run.nextStep();
  const reply = await orAborted(consume(world, run, turn, request), turn.signal);
  return orAborted(world.call("model:reply", reply, turn), turn.signal);
}

async function consume(world: World, run: LiveRun, turn: Turn, request: ModelRequest): Promise<ModelReply> {
  for await (const event of world.providers.stream(request, turn.signal)) {
    if (turn.signal.aborted) throw turn.signal.reason;
    if (event.type === "text") {
      const text = run.text(event.text);
      if (text !== "") world.call("model:chunk", text, turn);
    } else if (event.type === "reasoning") run.reasoning(event.text);
    else if (event.type === "start") run.answeredBy(event.model);
    else if (event.type === "done") return event.reply;
  }
  throw new GatewayError("UPSTREAM_BROKEN", 502, "the model's stream ended before its reply was complete");
}
