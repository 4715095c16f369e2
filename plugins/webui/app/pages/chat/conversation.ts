/** `<chat-conversation>`: the open session: its messages, what waits for a decision, where one writes. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
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
import { newKey, type Outbox } from "./model/outbox.ts";
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
  @query("chat-composer") private composer!: Composer;
  @query("chat-thread") private thread!: Thread;
  readonly #choices = new Memory<Choice>("chat.choices");

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
      <p class="visually-hidden" role="status">${talk.isRunning ? t("chat.answering") : ""}</p>
      ${person.can("admin") ? html`<chat-approvals .session=${row.key}></chat-approvals>` : ""}
      <chat-composer .session=${row.key} ?busy=${talk.isRunning} ?readonly=${!mayWrite} @send=${this.send} @stop=${this.stop}>
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
    const { edits, text, media, whenBusy } = detail;
    try {
      if (edits !== undefined) await this.talk.rewind(edits);
    } catch (error) {
      this.composer.put(detail);
      toastError(error);
      return;
    }
    await this.say({ text, media }, whenBusy);
  }

  private async say({ text, media }: Pick<Draft, "text" | "media">, whenBusy?: WhenBusy): Promise<void> {
    const { agent, model } = this.choice;
    if (!this.talk.history.atEnd) await this.talk.load();
    // A model or an agent of its own cannot be taken into a turn that runs.
    const item = this.outbox.add({ session: this.talk.session, text, media, agent, model, whenBusy });
    this.link.send(item);
    this.talk.changed();
    this.thread.toEnd();
  }

  private stop(): void {
    this.link.stop(this.talk.session);
  }

  private async act(act: Act): Promise<void> {
    if (act.type === "edit") return this.edit(act.entry);
    if (act.type === "regenerate") return this.regenerate();
    if (act.type === "branch") return this.branch(act.entry.last ?? 0);
    const item = this.outbox.find(act.key);
    this.outbox.drop(act.key);
    if (act.type === "takeBack" && item) this.composer.put({ text: item.text, media: item.media });
    else if (act.type === "resend" && item) await this.say(item);
  }

  private edit({ text, files, seq }: UserEntry): void {
    this.composer.put({ text, media: files, edits: seq });
    this.composer.focus();
  }

  private async regenerate(): Promise<void> {
    const asked = this.talk.entries().findLast(({ kind }) => kind === "user") as UserEntry | undefined;
    if (asked?.seq === undefined) return;
    await this.talk.rewind(asked.seq);
    await this.say({ text: asked.text, media: asked.files });
  }

  private async branch(last: number): Promise<void> {
    const to = newSession();
    await call("sessions.fork", { session: this.talk.session, seq: last + 1, to });
    this.#choices.set(to, this.choice);
    router.go(href("chat", to));
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || !this.talk.isRunning) return;
    this.stop();
  }
}

/** A key for a session that begins here. */
export function newSession(): string {
  return `web:${newKey().slice(0, 10)}`;
}
