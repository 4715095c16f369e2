/** What goes on over one connection of `/api/chat/live`: questions, their replies, and the way back to a turn that runs. */
import { setTimeout as pause } from "node:timers/promises";
import {
  type Agent,
  type Context,
  contentText,
  cutText,
  type Socket,
  type StoredMessage,
  type TurnRun,
} from "@chela/sdk";
import { chooseSession } from "../sessions/session-key.ts";
import type { SessionService } from "../sessions/session-service.ts";
import { type Ask, chatError, frameType, historyEntry, type PriceOf, readAsk, readResume } from "./ask.ts";
import { doneFrame, eventFrame } from "./event-frames.ts";
import { type Down, failure, isMulti } from "./live-frames.ts";

export type ChatSocket = Socket<unknown, Down>;

export interface LiveServices {
  readonly agent: Agent;
  readonly sessions: SessionService;
  readonly price: PriceOf;
}

type Work = Context["work"];

interface Missed {
  readonly session: string;
  readonly after: number;
  readonly upTo: number;
  readonly epoch: string | undefined;
}

/** Questions that one connection may have open. */
const maxOpen = 16;
/** What one frame of history holds. */
const page = { messages: 200, chars: 1_000_000 };
/** Of one text in such a frame: a larger one would fill the socket's buffer alone. */
const maxEntryChars = 2_000_000;

export class Conversation {
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
      const refused = failure(`more than ${maxOpen} questions are open on this connection`, ask.session);
      this.#send({ ...refused, ...this.#mark(ask.idempotencyKey) });
      return;
    }
    const { identity } = this.#socket;
    const run = this.#services.agent.run({ ...ask, channel: "web", identity });
    this.#open.set(run, ask.session);
    void this.#follow(run, ask.session, ask.idempotencyKey);
  }

  /** What was stored after the message that the client knows, then what runs: its text so far, its events from now on. */
  async #resume(frame: unknown, type: "resume" | "attach"): Promise<void> {
    const { session, after, epoch: known } = readResume(frame, this.#socket.query.session);
    if (this.#open.size >= maxOpen) {
      this.#send(failure(`more than ${maxOpen} questions are open on this connection`, session));
      return;
    }
    // Joined first: what happens while the history is read waits in the queue of events.
    const joined = this.#services.agent.attach(session);
    const upTo = joined?.seq ?? Number.MAX_SAFE_INTEGER;
    const before = await this.#services.sessions.epoch(session);
    // Its numbers mean other messages now: the client reads the session anew.
    const isOther = after > 0 && known !== "" && known !== before;
    const last = type === "resume" && !isOther ? await this.#catchUp({ session, after, upTo, epoch: before }) : after;
    const epoch = await this.#services.sessions.epoch(session);
    const seq = isOther || epoch !== before ? 0 : last;
    const turn = joined && { turn: joined.run.id };
    const running = joined !== undefined;
    this.#send({ ok: true, type: "chat_resumed", session, seq, running, ...epochField(epoch), ...turn });
    if (!joined) return;
    this.#open.set(joined.run, session);
    void this.#follow(joined.run, session);
  }

  async #catchUp({ session, after, upTo, epoch }: Missed): Promise<number> {
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
        ...epochField(epoch),
        messages: messages.map((message) => shortEntry(message, this.#services.price)),
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

  /** So that a client with several questions in one session knows which of them is meant. */
  #mark(key: string | undefined): Partial<Down> {
    return this.#socket.query.events === "1" && key !== undefined ? { idempotencyKey: key } : {};
  }

  async #follow(run: TurnRun, session: string, key?: string): Promise<void> {
    const more = this.#socket.query.events === "1";
    const mark = this.#mark(key);
    let said = "";
    try {
      // Somebody watches it: it is finished before this plugin stops, like a turn of any request.
      void this.#work(run.done);
      for await (const event of run.events) {
        if (event.type === "text") said += event.text;
        const frame = eventFrame(event, session, more);
        if (frame && !this.#send({ ...(await this.#placed(frame, session)), ...mark })) break;
      }
      this.#send({ ...doneFrame(await run.done, { session, said, more }), ...mark });
    } catch (error) {
      const { message, code } = chatError(error);
      this.#send({ ...failure(message, session, more ? code : undefined), ...mark });
    } finally {
      this.#open.delete(run);
      this.#finish();
    }
  }

  /** A number is worth nothing without the epoch that it belongs to. */
  async #placed(frame: Down, session: string): Promise<Down> {
    if (frame.type !== "chat_start" || frame.seq === undefined) return frame;
    return { ...frame, ...epochField(await this.#services.sessions.epoch(session)) };
  }

  #finish(): void {
    if (!isMulti(this.#socket)) this.#socket.close(1000);
  }

  #send(frame: Down): boolean {
    return this.#socket.send(frame);
  }
}

function shortEntry(message: StoredMessage, price: PriceOf): Record<string, unknown> {
  const { content, reasoning } = message;
  const short = (text: string) => cutText(text, maxEntryChars, "…");
  const cut = {
    ...message,
    content: short(contentText(content)),
    ...(reasoning !== undefined && { reasoning: short(reasoning) }),
  };
  return historyEntry(cut, price);
}

function epochField(epoch: string | undefined) {
  return epoch === undefined ? {} : { epoch };
}
