/** `<chat-conversation>`: the open session: its messages, what waits for a decision, where one writes. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError, call } from "../../client/http.ts";
import { Memory } from "../../client/memory.ts";
import { href, router } from "../../client/router.ts";
import { session as person } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { toastError } from "../../parts/toast.ts";
import "./approvals.ts";
import type { Composer, Draft, WhenBusy } from "./composer.ts";
import "./composer.ts";
import type { UserEntry } from "./model/entries.ts";
import type { ChatLink } from "./model/link.ts";
import { newKey, type Outbox, type Outgoing } from "./model/outbox.ts";
import { sessionName } from "./model/session-list.ts";
import { Talk } from "./model/talk.ts";
import type { SessionRow } from "./model/wire.ts";
import type { Choice } from "./pickers.ts";
import "./pickers.ts";
import "./spent.ts";
import type { Act } from "./thread/acts.ts";
import type { Thread } from "./thread/thread.ts";
import "./thread/thread.ts";

@customElement("chat-conversation")
export class Conversation extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; flex-direction: column; height: 100%; min-height: 0; min-width: 0; }
      header { display: flex; align-items: center; gap: 0.5rem; padding: 0.5rem 1rem; border-bottom: 1px solid var(--border); min-height: 3rem; }
      h1 { font-size: 1.05rem; min-width: 0; }
      chat-thread { flex: 1; }
      .back { display: none; border-color: transparent; background: none; }
      @media (max-width: 900px) { .back { display: inline-flex; } header { padding: 0.3rem 0.6rem; } }
    `,
  ];

  @property({ attribute: false }) row!: SessionRow;
  @property({ attribute: false }) at: number | undefined;
  @property({ attribute: false }) link!: ChatLink;
  @property({ attribute: false }) outbox!: Outbox;
  @state() private talk!: Talk;
  @state() private choice: Choice = {};
  /** A session that is being taken back: one at a time, however often it is pressed. */
  @state() private changing: Talk | undefined;
  @query("chat-composer") private composer!: Composer;
  @query("chat-thread") private thread!: Thread;
  readonly #choices = new Memory<Choice>("chat.choices");
  /** What readers of the screen hear: that a reply grows, and its end, not each of its words. */
  #told: "" | "chat.answering" | "chat.answered" = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(this.outbox, "change", () => this.talk?.changed());
    this.listen(person, "change", () => this.requestUpdate());
    this.listen(this, "act", (event) => void this.act((event as CustomEvent<Act>).detail).catch(toastError));
    this.listen(this, "keydown", (event) => this.key(event as KeyboardEvent));
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const { key } = this.row;
    if (this.talk?.session !== key) void this.open(key);
    else if (changed.has("at") && this.at !== undefined) void this.talk.load(this.at);
    if (this.talk.isRunning) this.#told = "chat.answering";
    else if (this.#told !== "") this.#told = "chat.answered";
  }

  override render() {
    const { row, talk } = this;
    const mayWrite = person.can("write");
    return html`<header>
        <a class="button icon plain back" href=${href("chat")} aria-label=${t("chat.sessions")}><ui-icon name="list"></ui-icon></a>
        <h1 class="clip grow">${row.messages === undefined && !row.title ? t("chat.newTitle") : sessionName(row)}</h1>
        <chat-spent .session=${row.key}></chat-spent>
      </header>
      <h2 class="visually-hidden">${t("chat.messages")}</h2>
      <chat-thread .talk=${talk} .at=${this.at} ?readonly=${!mayWrite}></chat-thread>
      <p class="visually-hidden" role="status">${this.#told && t(this.#told)}</p>
      ${person.can("admin") ? html`<chat-approvals .session=${row.key}></chat-approvals>` : ""}
      <chat-composer .session=${row.key} ?busy=${talk.isRunning} ?readonly=${!mayWrite} ?held=${this.changing === talk} @send=${this.send} @stop=${this.stop}>
        <chat-pickers .choice=${this.choice} .settled=${row.agent ?? ""} @choice=${this.chosen}></chat-pickers>
      </chat-composer>`;
  }

  /** Ready to be written in. */
  write(): void {
    this.composer?.focus();
  }

  private async open(key: string): Promise<void> {
    this.talk?.removeEventListener("change", this.again);
    const talk = new Talk(key, this.outbox);
    this.talk = talk;
    this.#told = "";
    this.choice = this.#choices.get(key) ?? {};
    talk.addEventListener("change", this.again);
    this.link.show(talk);
    await talk.load(this.at);
    if (this.talk === talk) this.link.show(talk);
  }

  private readonly again = (): void => {
    this.requestUpdate();
  };

  private chosen({ detail }: CustomEvent<Choice>): void {
    this.choice = detail;
    this.#choices.set(this.row.key, detail);
  }

  private async send({ detail }: CustomEvent<Draft & { whenBusy?: WhenBusy }>): Promise<void> {
    const { talk, choice } = this;
    const { edits, epoch, text, media, whenBusy } = detail;
    if (edits !== undefined && !(await this.takeBack(talk, edits, epoch))) return;
    this.composer.sent(talk.session);
    this.say(talk, { text, media, ...choice, ...(edits === undefined && { whenBusy }) });
  }

  /** False when that could not be done, or is being done already. */
  private async takeBack(talk: Talk, seq: number, epoch?: string): Promise<boolean> {
    if (this.changing !== undefined) return false;
    this.changing = talk;
    try {
      await talk.rewind(seq, epoch);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === "SESSION_CHANGED" && talk === this.talk) this.composer.loosen();
      toastError(error);
      return false;
    } finally {
      this.changing = undefined;
    }
  }

  /** In the session that it was written for, wherever people are by now. */
  private say(talk: Talk, message: Omit<Outgoing, "key" | "at" | "session">): void {
    this.link.send(this.outbox.add({ ...message, session: talk.session }));
    if (!talk.history.atEnd) void talk.load();
    talk.changed();
    if (talk === this.talk) this.thread.toEnd();
  }

  private stop(): void {
    this.link.stop(this.talk.session);
  }

  private async act(act: Act): Promise<void> {
    if (act.type === "edit") return this.edit(act.entry);
    if (act.type === "regenerate") return this.regenerate();
    if (act.type === "branch") return this.branch(act.entry.last ?? 0);
    const item = this.outbox.find(act.key);
    if (item === undefined) return;
    this.outbox.drop(act.key);
    const { text, media } = item;
    if (act.type === "takeBack") this.composer.giveBack(item.session, item);
    else if (act.type === "resend") this.say(this.talk, { text, media, ...this.choice });
  }

  private edit({ text, files, seq }: UserEntry): void {
    this.composer.edit({ text, media: files, edits: seq, epoch: this.talk.history.epoch });
  }

  private async regenerate(): Promise<void> {
    const { talk, choice } = this;
    const asked = talk.entries().findLast(({ kind }) => kind === "user") as UserEntry | undefined;
    if (asked?.seq === undefined || !(await this.takeBack(talk, asked.seq))) return;
    this.say(talk, { text: asked.text, media: asked.files, ...choice });
  }

  private async branch(last: number): Promise<void> {
    const { talk, choice } = this;
    const to = newSession();
    await call("sessions.fork", { session: talk.session, seq: last + 1, to });
    this.#choices.set(to, choice);
    if (talk === this.talk) router.go(href("chat", to));
  }

  private key(event: KeyboardEvent): void {
    // It closes a list of choices first.
    const isChoice = event.composedPath()[0] instanceof HTMLSelectElement;
    if (event.key !== "Escape" || isChoice || event.isComposing || event.defaultPrevented) return;
    if (this.talk.isRunning) this.stop();
  }
}

/** A key for a session that begins here. */
export function newSession(): string {
  return `web:${newKey().slice(0, 10)}`;
}
