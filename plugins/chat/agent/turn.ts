/**
 * One turn, from the user's message to the final reply, and what is written down of it. The user's message is durable before
 * the model is asked; whatever a cut turn had said is kept and marked.
 */
import { GatewayError, type NewMessage, type TurnResult } from "@chela/sdk";
import { converse } from "./loop.ts";
import { fallbacksOf, modelOf } from "./model-request.ts";
import { placed, silence } from "./outcomes.ts";
import { type Play, storedSession, type TurnParts } from "./play.ts";
import { prepare } from "./prepare.ts";
import { mainAgent } from "./team/profiles.ts";

/** Resolves also when the turn was aborted; rejects with a GatewayError when it failed. */
export async function playTurn(parts: TurnParts): Promise<TurnResult> {
  const { world, run, request, inbox } = parts;
  const from = performance.now();
  let agent = parts.said?.agent ?? request.agent ?? mainAgent;
  let play: Play | undefined;
  try {
    play = await prepare(parts).catch((error) => unlessAborted(parts, error));
    agent = play?.turn.agent ?? agent;
    const result = play ? await finished(play) : await unspoken(parts);
    const { model, usage, stop } = result;
    world.ended({ id: run.id, session: run.session, agent, model, usage, stop, ms: performance.now() - from });
    if (play) tidy(play);
    return result;
  } catch (thrown) {
    const error = turnFault(run.failure ?? thrown);
    if (error.cause !== undefined && error.code === "TURN_FAILED")
      world.log.error({ error: thrown, turn: run.id }, "a turn failed");
    const { code, message } = error;
    world.ended({
      id: run.id,
      session: run.session,
      agent,
      model: run.model ?? "",
      usage: play?.usage ?? null,
      stop: run.withdrawn ? "aborted" : "error",
      ms: performance.now() - from,
      error: { code, message },
    });
    throw error;
  } finally {
    inbox.close();
  }
}

function finished(play: Play): Promise<TurnResult> {
  return converse(play).catch((error: unknown) => cutShort(play, error));
}

/** Nothing, when the message is stored and its turn was aborted before it began. */
function unlessAborted({ run }: TurnParts, error: unknown): undefined {
  if (!run.signal.aborted || run.failure || run.withdrawn) throw error;
}

async function unspoken({ run, journal }: TurnParts): Promise<TurnResult> {
  const result = silence(run, "aborted");
  await journal.finish([], run.interrupted ? undefined : { result });
  return result;
}

/** Long conversations are summed up when nobody waits for it. */
function tidy(play: Play): void {
  const { compactor, journal, run, turn } = play;
  const session = storedSession(play);
  if (session === undefined || run.signal.aborted) return;
  compactor.after(session, journal.seq, () => ({
    // The turn is over: what goes on for it is not ended by its abort.
    turn: { ...turn, signal: new AbortController().signal },
    model: modelOf(play),
    fallbacks: fallbacksOf(play),
  }));
}

/** The turn was aborted (then this is its result) or failed (then this throws). What it had said is stored either way. */
async function cutShort(play: Play, thrown: unknown): Promise<TurnResult> {
  const { world, run, journal, usage, inbox } = play;
  inbox.close();
  const text = run.partial;
  const model = run.model ?? "";
  const kept: NewMessage[] = text === "" ? [] : [{ role: "assistant", content: text, state: "partial", model }];
  if (run.signal.aborted && !run.failure) {
    const result: TurnResult = { turn: run.id, text, model, usage, stop: "aborted", toolCalls: [] };
    return placed(result, await journal.finish(kept, run.interrupted ? undefined : { result }));
  }
  const { code, status, message } = turnFault(run.failure ?? thrown);
  const outcome = run.interrupted ? undefined : { error: { code, status, message } };
  await journal.finish(kept, outcome).catch((error: unknown) => {
    world.log.error({ error, turn: run.id }, "the end of a failed turn could not be stored");
  });
  throw thrown;
}

/** Faults of plugins keep their inner text for the log. */
function turnFault(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error;
  return new GatewayError("TURN_FAILED", 500, "the turn failed; the log has the reason", undefined, { cause: error });
}
