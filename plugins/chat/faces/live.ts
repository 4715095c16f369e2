/**
 * `/api/chat/live`: one question per connection, the reply token by token, then the connection is closed; `?multi=1` keeps
 * it open for more. The turn belongs to the session: a client that leaves stops listening, nothing else.
 */
import { type Agent, type Context, type Socket, type Static, type TurnRun, Type } from "@chela/sdk";
import { chooseSession } from "../session-key.ts";
import { type Ask, askSchema, chatError, frameType, readAsk } from "./ask.ts";

const Frame = Type.Object(
  {
    ok: Type.Boolean(),
    type: Type.String({ description: "chat_chunk, chat_done, chat_error or chat_aborted" }),
    session: Type.Optional(Type.String()),
    delta: Type.Optional(Type.String()),
    error: Type.Optional(Type.String()),
    turn: Type.Optional(Type.String()),
    stop: Type.Optional(Type.String({ description: "Why the reply ended" })),
    reply: Type.Optional(Type.String({ description: "The whole reply, when it is not the sum of its pieces" })),
    aborted: Type.Optional(Type.Integer()),
  },
  { additionalProperties: true },
);

type Down = Static<typeof Frame>;
type ChatSocket = Socket<unknown, Down>;

/** Questions that one connection may have open. */
const maxOpen = 16;

export function registerLive(ctx: Pick<Context, "stream">, agent: Agent): void {
  ctx.stream({
    path: "/api/chat/live",
    access: "write",
    about: 'Send {session,message,media}, receive the reply in pieces; {type:"abort"} stops it',
    up: askSchema,
    down: Frame,
    refuse: (error, socket) => {
      socket.send(
        failure(error.code === "BAD_JSON" || error.code === "INVALID" ? "invalid json" : error.message) as never,
      );
      if (!isMulti(socket)) socket.close(1000);
      return undefined;
    },
    open: (socket) => new Conversation(agent, socket).listen(),
  });
}

class Conversation {
  readonly #agent: Agent;
  readonly #socket: ChatSocket;
  readonly #open = new Map<TurnRun, string>();
  #asked = false;

  constructor(agent: Agent, socket: ChatSocket) {
    this.#agent = agent;
    this.#socket = socket;
  }

  async listen(): Promise<void> {
    for await (const frame of this.#socket.incoming()) {
      try {
        if (frameType(frame) === "abort") this.#abort(frame);
        else if (isMulti(this.#socket) || !this.#asked) this.#ask(readAsk(frame, this.#socket.query.session));
      } catch (error) {
        this.#send(failure(chatError(error).message));
        this.#finish();
      }
    }
  }

  /** Stops what this connection asked for; on a fresh one, what runs in the session that the frame names. */
  #abort(frame: unknown): void {
    const named = (frame as { session?: unknown }).session;
    const own = [...this.#open].filter(([, session]) => named === undefined || named === session);
    for (const [run] of own) run.abort("the client asked for it");
    if (own.length > 0) return;
    const session = chooseSession(named, this.#socket.query.session);
    const aborted = this.#agent.abort(session);
    this.#send({ ok: true, type: "chat_aborted", session, aborted });
    this.#finish();
  }

  #ask(ask: Ask): void {
    this.#asked = true;
    if (this.#open.size >= maxOpen) {
      this.#send(failure(`more than ${maxOpen} questions are open on this connection`, ask.session));
      return;
    }
    const { identity } = this.#socket;
    const run = this.#agent.run({ ...ask, channel: "web", identity });
    this.#open.set(run, ask.session);
    void this.#follow(run, ask.session);
  }

  async #follow(run: TurnRun, session: string): Promise<void> {
    let said = "";
    try {
      for await (const event of run.events) {
        if (event.type === "text") said += event.text;
        const frame = event.type === "text" ? { ok: true, type: "chat_chunk", session, delta: event.text } : undefined;
        if (frame && !this.#send(frame)) break;
      }
      const { text, turn, stop } = await run.done;
      // Only when a plugin changed the text after it had been streamed, or tools came in between.
      const reply = said === text ? {} : { reply: text };
      this.#send({ ok: true, type: "chat_done", session, turn, stop, ...reply });
    } catch (error) {
      this.#send(failure(chatError(error).message, session));
    } finally {
      this.#open.delete(run);
      this.#finish();
    }
  }

  #finish(): void {
    if (!isMulti(this.#socket)) this.#socket.close(1000);
  }

  #send(frame: Down): boolean {
    return this.#socket.send(frame);
  }
}

function failure(error: string, session?: string): Down {
  return { ok: false, type: "chat_error", error, ...(session !== undefined && { session }) };
}

function isMulti(socket: Pick<Socket, "query">): boolean {
  return socket.query.multi === "1";
}
