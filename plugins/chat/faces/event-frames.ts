/** What happens in a turn, as frames of `/api/chat/live`. */
import type { TurnEvent, TurnResult } from "@chela/sdk";
import type { Down } from "./live-frames.ts";

/** `more`: the client wants to see what happens beside the text. */
export function eventFrame(event: TurnEvent, session: string, more: boolean): Down | undefined {
  if (event.type === "text") return { ok: true, type: "chat_chunk", session, delta: event.text };
  if (!more) return undefined;
  if (event.type === "start") {
    const { turn, model, seq } = event;
    return { ok: true, type: "chat_start", session, turn, model, ...(seq !== undefined && { seq }) };
  }
  if (event.type === "reasoning") return { ok: true, type: "chat_reasoning", session, delta: event.text };
  if (event.type === "steered") {
    const { text, seq } = event;
    return { ok: true, type: "chat_steered", session, text, ...(seq !== undefined && { seq }) };
  }
  if (event.type !== "tool") return undefined;
  const { id, name, state, arguments: input, output } = event;
  return {
    ok: true,
    type: "chat_tool",
    session,
    id,
    name,
    state,
    ...(input !== undefined && { input }),
    ...(output !== undefined && { output }),
  };
}

/** `said`: what was told in pieces. */
export function doneFrame(
  result: TurnResult,
  { session, said, more }: { session: string; said: string; more: boolean },
): Down {
  const { text, turn, stop, model, usage, cost, seq } = result;
  return {
    ok: true,
    type: "chat_done",
    session,
    turn,
    stop,
    // Only when a plugin changed the text after it had been streamed, or tools came in between.
    ...(said !== text && { reply: text }),
    ...(more && {
      ...(model !== "" && { model }),
      ...(usage && { usage }),
      ...(cost !== undefined && { cost }),
      ...(seq !== undefined && { seq }),
    }),
  };
}
