/**
 * The one connection on which messages go out and replies come in. After a break it first asks how the open session stands,
 * then sends again what was not answered, each with its own key.
 */
import { gateway } from "../../../client/gateway.ts";
import { call } from "../../../client/http.ts";
import { LiveSocket } from "../../../client/live-socket.ts";
import { session as person } from "../../../client/session.ts";
import { t } from "../../../i18n/locale.ts";
import type { Outbox, Outgoing } from "./outbox.ts";
import type { Talk } from "./talk.ts";
import type { Frame } from "./wire.ts";

/** Frames of our own turns come first; whoever waits this long saw somebody else's begin. */
const attachAfterMs = 150;
/** The gateway closes with this when a frame is larger than it takes. */
const tooLarge = 1009;

export class ChatLink extends EventTarget {
  readonly #outbox: Outbox;
  readonly #socket: LiveSocket;
  #talk: Talk | undefined;

  constructor(outbox: Outbox) {
    super();
    this.#outbox = outbox;
    this.#socket = new LiveSocket(() => "/api/chat/live?multi=1&events=1", {
      opened: () => this.#opened(),
      frame: (frame) => this.#frame(frame as unknown as Frame),
      closed: (code) => this.#closed(code),
    });
  }

  /** Returns its own undo. */
  open(): () => void {
    const follow = () => (person.can("write") ? this.#socket.open() : this.#socket.close());
    follow();
    person.addEventListener("change", follow);
    // Who may only read has no connection that tells how things are.
    const back = () => person.can("write") || void this.#talk?.again();
    gateway.addEventListener("back", back);
    const undo = gateway.on(["turn_started", "session_changed"], (event) => {
      if (event.session !== this.#talk?.session) return;
      if (event.type === "turn_started") setTimeout(() => this.#attach(event.turn), attachAfterMs);
      else if (event.rewound === undefined) void this.#talk?.catchUp();
      else this.#rewound(event.epoch);
    });
    return () => {
      undo();
      gateway.removeEventListener("back", back);
      person.removeEventListener("change", follow);
      this.#socket.close();
    };
  }

  /** From now on this session is followed; others only as far as our own messages go. */
  show(talk: Talk | undefined): void {
    this.#talk = talk;
    if (talk?.state === "ready") this.#resume(talk);
  }

  send(item: Outgoing): void {
    this.#post(item);
  }

  stop(session: string): void {
    if (this.#socket.send({ type: "abort", session })) return;
    call("chat.abort", { session }).catch((error: Error) => this.#fault(error.message));
  }

  #opened(): void {
    const talk = this.#talk;
    if (talk?.state === "ready") this.#resume(talk);
    else if (talk?.state instanceof Error) void talk.load().then(() => this.#talk === talk && this.show(talk));
    for (const item of this.#outbox.open) this.#post(item);
  }

  #closed(code: number): void {
    this.#talk?.broken();
    if (code !== tooLarge) return;
    // Sent again, it would end the next connection, too.
    const [largest] = [...this.#outbox.open].sort((a, b) => b.text.length - a.text.length);
    if (largest) this.#outbox.change(largest.key, { error: t("chat.sent.tooLarge") });
  }

  #post({ key, session, text, media, agent, model, whenBusy }: Outgoing): void {
    this.#socket.send({
      session,
      message: text,
      ...(media.length > 0 && { media: media.map(({ path }) => path) }),
      ...(agent !== undefined && { agent }),
      ...(model !== undefined && { model }),
      ...(whenBusy !== undefined && { whenBusy }),
      idempotencyKey: key,
    });
  }

  #resume({ session, history }: Talk): void {
    this.#socket.send({ type: "resume", session, after: history.newest, epoch: history.epoch });
  }

  #attach(turn: unknown): void {
    const talk = this.#talk;
    if (talk?.state === "ready" && !talk.isKnown(turn)) this.#resume(talk);
  }

  #rewound(epoch: unknown): void {
    if (this.#talk !== undefined && epoch !== this.#talk.history.epoch) void this.#talk.again();
  }

  #fault(message: string): void {
    this.dispatchEvent(new CustomEvent("fault", { detail: message }));
  }

  #frame(frame: Frame): void {
    const talk = this.#talk;
    if (talk !== undefined && frame.session === talk.session) talk.frame(frame);
    else if (frame.type === "chat_error" && frame.idempotencyKey === undefined) this.#fault(frame.error ?? "");
    this.#outbox.follow(frame);
    if (talk !== undefined && frame.type !== "chat_chunk" && frame.idempotencyKey !== undefined) talk.changed();
  }
}
