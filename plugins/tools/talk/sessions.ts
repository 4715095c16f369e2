/** session_search, sessions and message: what was said elsewhere, and saying something there. */
import {
  contentText,
  cutText,
  GatewayError,
  messageOf,
  type StoredMessage,
  type Tool,
  type TSchema,
  type Turn,
  Type,
} from "@chela/sdk";
import { type Ctx, present } from "../world.ts";

const Key = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  description: "Key of a session",
});
const SearchInput = Type.Object({
  query: Type.String({ minLength: 1, maxLength: 400, description: "Words to look for" }),
  kinds: Type.Optional(
    Type.Array(Type.String({ maxLength: 40 }), { maxItems: 10, description: "main, cron, subagent …" }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: 20, default: 5, description: "Sessions at most" }),
});
const SessionsInput = Type.Object({
  action: Type.Union(
    ["list", "history", "send"].map((name) => Type.Literal(name as "list")),
    { description: "What to do" },
  ),
  session: Type.Optional(Key),
  content: Type.Optional(Type.String({ maxLength: 100_000, description: "For send: what to say to the agent there" })),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 20, description: "Sessions or messages at most" }),
  wait_sec: Type.Integer({
    minimum: 0,
    maximum: 300,
    default: 0,
    description: "For send: how long to wait for the reply",
  }),
});
const MessageInput = Type.Object({
  content: Type.String({ minLength: 1, maxLength: 100_000, description: "What to say" }),
  session: Type.Optional(Key),
});

type Input = { action: string; session?: string; content?: string; limit: number; wait_sec: number };

export function sessionTools(ctx: Ctx): Tool<TSchema>[] {
  const search: Tool<typeof SearchInput> = {
    name: "session_search",
    about: "Finds passages in earlier conversations by words.",
    input: SearchInput,
    risk: "read",
    access: "read",
    run: async ({ query, kinds, limit }, { session }) => {
      const except = session === null ? {} : { except: session };
      const hits = await present(ctx, "sessions").search({
        words: query,
        ...(kinds?.length && { kinds }),
        ...except,
        limit,
      });
      const texts = hits.map(({ session: { key }, snippets }) =>
        [key, ...snippets.map(({ seq, role, text }) => `  #${seq} ${role}: ${text}`)].join("\n"),
      );
      return texts.join("\n\n") || "Nothing was found.";
    },
  };
  const several: Tool<typeof SessionsInput> = {
    name: "sessions",
    about: "Other conversations: list them, read the history of one, send the agent there a message.",
    input: SessionsInput,
    risk: "write",
    access: "write",
    timeoutMs: 310_000,
    run: (input, turn) => runSessions(ctx, input as Input, turn),
  };
  const message: Tool<typeof MessageInput> = {
    name: "message",
    about: "Says something in a conversation at once, without a reply: in this one, or in another session.",
    input: MessageInput,
    risk: "write",
    access: "write",
    run: async ({ content, session = undefined }, turn) => {
      const key = session ?? turn.session;
      if (key === null) throw new GatewayError("SESSION_NEEDED", 400, "this turn has no session; name one");
      const seq = await present(ctx, "sessions").append(key, [{ role: "assistant", content }]);
      ctx.emit("message", { session: key, seq, content, agent: turn.agent, turn: turn.id });
      return `Said in ${key} (message ${seq}).`;
    },
  };
  return [search, several, message] as unknown as Tool<TSchema>[];
}

async function runSessions(
  ctx: Ctx,
  { action, session, content = "", limit, wait_sec }: Input,
  turn: Turn,
): Promise<string> {
  if (action === "list") {
    const rows = await present(ctx, "sessions").list(limit);
    const lines = rows.map(
      ({ key, kind, messages, title }) => `${key}  ${kind}, ${messages} messages${title && `: ${title}`}`,
    );
    return lines.join("\n") || "There are no sessions.";
  }
  if (session === undefined) throw new GatewayError("SESSION_NEEDED", 400, `${action} needs the key of a session`);
  if (action === "history") {
    const messages = await present(ctx, "sessions").history(session, { limit });
    return messages.map(line).join("\n") || `${session} is empty.`;
  }
  return send(ctx, { session, content, waitMs: wait_sec * 1000 }, turn);
}

async function send(
  ctx: Ctx,
  { session, content, waitMs }: { session: string; content: string; waitMs: number },
  turn: Turn,
): Promise<string> {
  const { agent } = ctx.use;
  if (!agent) throw new GatewayError("AGENT_ABSENT", 503, "there is no agent to send to");
  if (content.trim() === "") throw new GatewayError("MESSAGE_EMPTY", 400, "content is empty");
  if (session === turn.session)
    throw new GatewayError("SESSION_BUSY", 409, "this is the session of this very turn: just answer, or use message");
  const { identity, tools } = turn;
  const run = agent.run({ session, text: content, channel: "tool", identity, parent: turn, ...(tools && { tools }) });
  // Nobody may be left to hear of it.
  const done = run.done.then(
    ({ text }) => `${session} answered:\n${text}`,
    (error: unknown) => `${session} failed: ${messageOf(error)}`,
  );
  if (waitMs === 0) return `Sent to ${session}. Its reply will be in its history.`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`Sent to ${session}; no reply within ${waitMs / 1000} s.`), waitMs);
  });
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}

function line({ seq, role, content }: StoredMessage): string {
  return `#${seq} ${role}: ${cutText(contentText(content), 2_000)}`;
}
