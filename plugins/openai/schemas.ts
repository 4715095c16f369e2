/** What the routes take, as far as they check it before the handler: the rest is for whoever answers. */
import { Type } from "@chela/sdk";

const Model = Type.Optional(
  Type.Union([Type.String({ maxLength: 300 }), Type.Null()], {
    description: "provider/model, or chela/AGENT; default: the agent that picks it up",
  }),
);
const Stream = Type.Optional(Type.Union([Type.Boolean(), Type.Null()], { description: "true: as server-sent events" }));
export const ResponseId = Type.Object({ id: Type.String({ description: "Id of the response: resp_…" }) });
/** Read from the query: `after` and `limit` page through the list. */
export const ItemsQuery = Type.Object({
  after: Type.Optional(Type.String({ maxLength: 200, description: "Id of the item before the first" })),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20, description: "Items at most" }),
  order: Type.Union([Type.Literal("asc"), Type.Literal("desc")], {
    default: "desc",
    description: "asc: the oldest first",
  }),
});
export const StreamQuery = Type.Object({ stream: Type.Optional(Type.Boolean({ description: "true is refused" })) });
export const ChatBody = Type.Object(
  {
    model: Model,
    messages: Type.Array(Type.Unknown(), { description: "The conversation, in OpenAI's form" }),
    stream: Stream,
  },
  { additionalProperties: true },
);
export const ResponsesBody = Type.Object(
  {
    model: Model,
    input: Type.Union([Type.String(), Type.Array(Type.Unknown())], { description: "Text, or items in OpenAI's form" }),
    stream: Stream,
  },
  { additionalProperties: true },
);
export const EmbeddingsBody = Type.Object(
  {
    model: Type.String({ maxLength: 300, description: "provider/model" }),
    input: Type.Unknown({ description: "A text, or a list of texts or of token lists" }),
  },
  { additionalProperties: true },
);
/** For the reference only: what does not fit is answered in this dialect's own shape. */
export const InvokeBody = Type.Unsafe<unknown>({
  properties: {
    tool: { description: "Name of the tool; or name" },
    name: { description: "The same as tool" },
    args: { description: "Its input, an object or the JSON text of one; or arguments" },
    arguments: { description: "The same as args" },
    action: { description: "Goes into the input of a tool that takes an action" },
    sessionKey: { description: "Session on whose behalf it runs; default: none" },
    agentId: { description: "Agent on whose behalf it runs; default: main" },
    idempotencyKey: { description: "The same as the header Idempotency-Key" },
  },
});
