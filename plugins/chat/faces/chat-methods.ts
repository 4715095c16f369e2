/** The RPC methods of a chat: what is said, what was said, who answers. */
import { type Context, Type } from "@chela/sdk";
import { chooseSession, sessionKey } from "../sessions/session-key.ts";
import { historyReply, readWindow, type Services } from "./chat-routes.ts";

const Session = Type.String({ minLength: 1, maxLength: 200, default: "main", description: "Key of the session" });
const SendParams = Type.Object({
  session: Session,
  message: Type.String({ description: "What is said" }),
  media: Type.Optional(
    Type.Array(Type.String(), { maxItems: 32, description: "Uploads or files of the workspace, by path" }),
  ),
  agent: Type.Optional(
    Type.String({ description: "Name of the agent that answers; default: the one that picks it up" }),
  ),
  model: Type.Optional(Type.String({ description: "provider/model" })),
  idempotencyKey: Type.Optional(Type.String({ description: "The same key with the same message is one turn" })),
  whenBusy: Type.Optional(
    Type.Union([Type.Literal("queue"), Type.Literal("steer")], {
      description: "While a turn runs: wait for its end, or go into it; default: agents.defaults.when_busy",
    }),
  ),
});
const bound = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }));
const HistoryParams = Type.Object({
  session: Session,
  around: bound("Messages on both sides of this sequence number"),
  before: bound("Messages with a smaller sequence number"),
  after: bound("Messages with a larger sequence number"),
  limit: bound("Messages at most: 1 to 2000, default 200"),
});

export function registerChatMethods(ctx: Pick<Context, "method">, services: Services): void {
  const { agent } = services;
  ctx.method({
    name: "chat.send",
    access: "write",
    about: "Says something in a session and returns the whole reply",
    params: SendParams,
    handler: async ({ message, session: named, ...rest }, { identity }) => {
      const session = chooseSession(named);
      const run = agent.run({ ...rest, text: message, session, channel: "rpc", identity });
      const { text, turn, model, stop, usage } = await run.done;
      return { reply: text, session, turn, model, stop, usage };
    },
  });
  ctx.method({
    name: "chat.abort",
    access: "write",
    about: "Stops what runs in a session; aborted is the number of turns it ended",
    params: Type.Object({ session: Session }),
    handler: ({ session: named }) => {
      const session = chooseSession(named);
      return { session, aborted: agent.abort(session) };
    },
  });
  ctx.method({
    name: "chat.history",
    access: "read",
    about: "Stored messages of a session",
    params: HistoryParams,
    handler: async ({ session, ...window }) => ({
      session,
      ...(await historyReply(services, sessionKey(session), readWindow(window))),
    }),
  });
  ctx.method({
    name: "agents.list",
    access: "read",
    about: "The agents and the models that answer for them",
    handler: () => ({ agents: agent.agents() }),
  });
}
