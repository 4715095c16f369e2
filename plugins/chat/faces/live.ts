/**
 * `/api/chat/live`: one question per connection, the reply token by token, then the connection is closed; `?multi=1` keeps
 * it open for more, and lets a client that was away go on where it stopped. The turn belongs to the session: a client that
 * leaves stops listening, nothing else.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Agent, type Context, cutText, type Socket, type StoredMessage, type TurnRun } from "@chela/sdk";
import { chooseSession } from "../sessions/session-key.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { type Ask, askSchema, chatError, frameType, historyEntry, readAsk, readResume } from "./ask.ts";
import { type Down, eventFrame, Frame, failure } from "./live-frames.ts";

type ChatSocket = Socket<unknown, Down>;

export interface LiveServices {
  readonly agent: Agent;
  readonly sessions: SessionService;
}

type Work = Context["work"];

/** Questions that one connection may have open. */
const maxOpen = 16;
/** What one frame of history holds. */
const page = { messages: 200, chars: 1_000_000 };
/** Of one message in such a frame: a larger one would fill the socket's buffer alone. */
const maxEntryChars = 2_000_000;

export function registerLive(ctx: Pick<Context, "stream" | "work">, services: LiveServices): void {
  ctx.stream({
    path: "/api/chat/live",
    access: "write",
    about:
      'Send {session,message,media}, receive the reply in pieces; {type:"abort"} stops it; with ?multi=1 {type:"resume",session,after} goes on after a break; ?events=1 shows tools',
    up: askSchema,
    down: Frame,
    refuse: (error, socket) => {
      socket.send(
        failure(error.code === "BAD_JSON" || error.code === "INVALID" ? "invalid json" : error.message) as never,
      );
      if (!isMulti(socket)) socket.close(1000);
      return undefined;
    },
    open: (socket) => new Conversation(services, socket, ctx.work).listen(),
  });
}

class Conversation {
  readonly #services: LiveServices;
  readonly #socket: ChatSocket;
  readonly #work: Work;
  readonly #open = new Map<TurnRun, string>();
  #asked = false;

  constructor(services: LiveServices, socket: ChatSocket, work: Work) {
    this.#services = services;
    this.#socket = socket;
    this.#work = work;
  }

  async listen(): Promise<void> {
    for await (const frame of this.#socket.incoming()) {
      try {
        const type = frameType(frame);
        if (type === "abort") this.#abort(frame);
        else if (isMulti(this.#socket) && (type === "resume" || type === "attach")) await this.#resume(frame, type);
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
    const aborted = this.#services.agent.abort(session);
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
    const run = this.#services.agent.run({ ...ask, channel: "web", identity });
    this.#open.set(run, ask.session);
    void this.#follow(run, ask.session);
  }

  /** What was stored after the message that the client knows, then what runs: its text so far, its events from now on. */
  async #resume(frame: unknown, type: "resume" | "attach"): Promise<void> {
    const { session, after } = readResume(frame, this.#socket.query.session);
    if (this.#open.size >= maxOpen) {
      this.#send(failure(`more than ${maxOpen} questions are open on this connection`, session));
      return;
    }
    // Joined first: what happens while the history is read waits in the queue of events.
    const joined = this.#services.agent.attach(session);
    const upTo = joined?.seq ?? Number.MAX_SAFE_INTEGER;
    const last = type === "resume" ? await this.#catchUp(session, after, upTo) : after;
    const turn = joined && { turn: joined.run.id };
    this.#send({ ok: true, type: "chat_resumed", session, seq: last, running: joined !== undefined, ...turn });
    if (!joined) return;
    this.#open.set(joined.run, session);
    void this.#follow(joined.run, session);
  }

  async #catchUp(session: string, after: number, upTo: number): Promise<number> {
    let last = after;
    while (await this.#hasRoom()) {
      const found = await this.#services.sessions.table.page(session, last, page);
      const messages = found.filter(({ seq }) => seq <= upTo);
      const end = messages.at(-1)?.seq;
      // A number from another life: the session was begun anew since, and the client has to be told.
      if (end === undefined) return last === after ? Math.min(after, await this.#newest(session)) : last;
      last = end;
      const sent = this.#send({
        ok: true,
        type: "chat_history",
        session,
        seq: last,
        messages: messages.map(shortEntry),
      });
      if (!sent) return last;
    }
    return last;
  }

  /** What a client that reads slowly has not taken yet is waited for, or it would be closed. */
  async #hasRoom(): Promise<boolean> {
    const { signal } = this.#socket;
    while (!signal.aborted && this.#socket.buffered > page.chars) await pause(20);
    return !signal.aborted;
  }

  async #newest(session: string): Promise<number> {
    return (await this.#services.sessions.table.info(session))?.messages ?? 0;
  }

  async #follow(run: TurnRun, session: string): Promise<void> {
    const more = this.#socket.query.events === "1";
    let said = "";
    try {
      // Somebody watches it: it is finished before this plugin stops, like a turn of any request.
      void this.#work(run.done);
      for await (const event of run.events) {
        if (event.type === "text") said += event.text;
        const frame = eventFrame(event, session, more);
        if (frame && !this.#send(frame)) break;
      }
      const { text, turn, stop } = await run.done;
      // Only when a plugin changed the text after it had been streamed, or tools came in between.
      const reply = said === text ? {} : { reply: text };
      this.#send({ ok: true, type: "chat_done", session, turn, stop, ...reply });
    } catch (error) {
      const { message, code } = chatError(error);
      this.#send(failure(message, session, more ? code : undefined));
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

function shortEntry(message: StoredMessage): Record<string, unknown> {
  const entry = historyEntry(message);
  return { ...entry, content: cutText(String(entry.content), maxEntryChars, "…") };
}

function isMulti(socket: Pick<Socket, "query">): boolean {
  return socket.query.multi === "1";
}
