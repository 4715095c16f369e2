/** The RPC methods of the chat plugin. */
import { type Context, Type } from "@chela/sdk";
import { chooseSession, sessionKey } from "../sessions/session-key.ts";
import { historyEntry } from "./ask.ts";
import { readWindow, type Services } from "./http.ts";

const Session = Type.String({ minLength: 1, maxLength: 200, default: "main" });
const SendParams = Type.Object({
  session: Session,
  message: Type.String(),
  media: Type.Optional(Type.Array(Type.String(), { maxItems: 32 })),
  agent: Type.Optional(Type.String()),
  model: Type.Optional(Type.String({ description: "provider/model" })),
  idempotencyKey: Type.Optional(Type.String()),
  whenBusy: Type.Optional(Type.Union([Type.Literal("queue"), Type.Literal("steer")])),
});
const Bound = Type.Optional(Type.Integer({ minimum: 0 }));
const HistoryParams = Type.Object({ session: Session, around: Bound, before: Bound, after: Bound, limit: Bound });

export function registerMethods(ctx: Pick<Context, "method">, { agent, sessions }: Services): void {
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
    handler: async ({ session, ...window }) => {
      const messages = await sessions.history(sessionKey(session), readWindow(window));
      return { session, messages: messages.map(historyEntry) };
    },
  });
  ctx.method({
    name: "agents.list",
    access: "read",
    about: "The agents and the models that answer for them",
    handler: () => ({ agents: agent.agents() }),
  });
}
