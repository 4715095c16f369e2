/** The frames of `/api/chat/live`. ClawGo's clients know the first three; the others come only where they were asked for. */
import { type Static, type TurnEvent, Type } from "@chela/sdk";

const Text = Type.Optional(Type.String());

export const Frame = Type.Object(
  {
    ok: Type.Boolean(),
    type: Type.String({
      description:
        "chat_chunk, chat_done, chat_error or chat_aborted; after resume chat_history and chat_resumed; with ?events=1 chat_start, chat_tool, chat_steered and chat_reasoning",
    }),
    session: Text,
    delta: Text,
    error: Text,
    code: Type.Optional(Type.String({ description: "Of an error, with ?events=1" })),
    turn: Text,
    stop: Type.Optional(Type.String({ description: "Why the reply ended" })),
    reply: Type.Optional(Type.String({ description: "The whole reply, when it is not the sum of its pieces" })),
    aborted: Type.Optional(Type.Integer()),
    seq: Type.Optional(Type.Integer({ description: "The newest message that the client has now" })),
    running: Type.Optional(Type.Boolean({ description: "A turn runs: its text so far and its events follow" })),
    messages: Type.Optional(Type.Array(Type.Unknown())),
    id: Type.Optional(Type.String({ description: "Of a tool call" })),
    name: Text,
    state: Type.Optional(Type.String({ description: "run, ok or failed" })),
    input: Type.Optional(Type.String({ description: "Arguments of a tool call, JSON" })),
    output: Type.Optional(Type.String({ description: "What the model reads of it" })),
    text: Type.Optional(Type.String({ description: "A message that was taken into the turn" })),
  },
  { additionalProperties: true },
);

export type Down = Static<typeof Frame>;

/** `more`: the client wants to see what happens beside the text. */
export function eventFrame(event: TurnEvent, session: string, more: boolean): Down | undefined {
  if (event.type === "text") return { ok: true, type: "chat_chunk", session, delta: event.text };
  if (!more) return undefined;
  if (event.type === "start") return { ok: true, type: "chat_start", session, turn: event.turn };
  if (event.type === "reasoning") return { ok: true, type: "chat_reasoning", session, delta: event.text };
  if (event.type === "steered") return { ok: true, type: "chat_steered", session, text: event.text };
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

export function failure(error: string, session?: string, code?: string): Down {
  return { ok: false, type: "chat_error", error, ...(session !== undefined && { session }), ...(code && { code }) };
}
