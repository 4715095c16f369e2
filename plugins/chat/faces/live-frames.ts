/** The frames of `/api/chat/live`. ClawGo's clients know the first three; the others come only where they were asked for. */
import { type Socket, type Static, Type } from "@chela/sdk";

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
    seq: Type.Optional(
      Type.Integer({
        description:
          "The newest message that the client has now; of chat_start the user's message, of chat_done the one that ends the turn",
      }),
    ),
    epoch: Type.Optional(Type.String({ description: "Another one than before: read the session anew" })),
    model: Type.Optional(Type.String({ description: "provider/model, with ?events=1" })),
    usage: Type.Optional(Type.Unknown({ description: "Tokens of the turn, with ?events=1" })),
    cost: Type.Optional(Type.Number({ description: "US dollars where the price is known, with ?events=1" })),
    running: Type.Optional(Type.Boolean({ description: "A turn runs: its text so far and its events follow" })),
    messages: Type.Optional(Type.Array(Type.Unknown())),
    id: Type.Optional(Type.String({ description: "Of a tool call" })),
    name: Text,
    state: Type.Optional(Type.String({ description: "run, ok or failed" })),
    input: Type.Optional(Type.String({ description: "Arguments of a tool call, JSON" })),
    output: Type.Optional(Type.String({ description: "What the model reads of it" })),
    text: Type.Optional(Type.String({ description: "A message that was taken into the turn" })),
    idempotencyKey: Type.Optional(
      Type.String({ description: "Of the question that the frame belongs to, with ?events=1" }),
    ),
  },
  { additionalProperties: true },
);

export type Down = Static<typeof Frame>;

export function failure(error: string, session?: string, code?: string): Down {
  return { ok: false, type: "chat_error", error, ...(session !== undefined && { session }), ...(code && { code }) };
}

export function isMulti(socket: Pick<Socket, "query">): boolean {
  return socket.query.multi === "1";
}
