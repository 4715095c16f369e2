/** `<chat-thread>`: the messages of the open session, a bounded number of them; more are loaded where a person scrolls to. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { t } from "../../../i18n/locale.ts";
import "../../../parts/icon.ts";
import { Part } from "../../../parts/part.ts";
import { short } from "../../../parts/plain.ts";
import { toastError } from "../../../parts/toast.ts";
import type { Entry } from "../model/entries.ts";
import type { Talk } from "../model/talk.ts";
import { Anchor } from "./anchor.ts";
import "./reply.ts";
import "./user-message.ts";

/** So far ahead of what is seen, more is loaded. */
const aheadPx = 1200;

@customElement("chat-thread")
export class Thread extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { position: relative; min-height: 0; height: 100%; }
      .scroller { position: relative; height: 100%; overflow-y: auto; overflow-x: hidden; overflow-anchor: none; scrollbar-gutter: stable; }
      .scroller:focus-visible { outline-offset: -2px; }
      .list { max-width: 50rem; margin: 0 auto; padding: 1rem 1.2rem 1.5rem; }
      .entry { padding: 0.3rem 0; min-width: 0; content-visibility: auto; contain-intrinsic-size: auto 9rem; }
      .entry.hit { border-radius: var(--radius); box-shadow: 0 0 0 2px var(--accent); padding: 0.3rem 0.5rem; }
      .edge { text-align: center; color: var(--text-2); font-size: 0.85rem; padding: 0.5rem; }
      .note { color: var(--text-2); font-size: 0.88rem; white-space: pre-wrap; overflow-wrap: anywhere; border-inline-start: 3px solid var(--border); padding-inline-start: 0.7rem; max-height: 12rem; overflow: auto; }
      .empty { height: 100%; display: grid; place-content: center; text-align: center; gap: 0.4rem; padding: 1rem; color: var(--text-2); }
      .empty p { font-size: 1.3rem; font-weight: 650; color: var(--text); margin: 0; }
      .empty + .list { padding: 0; }
      .jump { position: absolute; bottom: 0.7rem; inset-inline-start: 50%; translate: -50%; border-radius: 99px; box-shadow: var(--shadow); }
      @media (max-width: 640px) { .list { padding: 0.7rem 0.8rem 1rem; } }
    `,
  ];

  @property({ attribute: false }) talk!: Talk;
  /** Number of the message to show. */
  @property({ attribute: false }) at: number | undefined;
  @property({ type: Boolean }) readonly = false;
  @state() private isAway = false;
  @query(".scroller") private scroller!: HTMLElement;
  @query(".list") private list!: HTMLElement;
  #anchor: Anchor | undefined;
  #loading: Talk | undefined;
  #found: number | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#anchor?.end();
    this.#anchor = undefined;
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("talk")) return;
    changed.get("talk")?.removeEventListener("change", this.again);
    this.talk.addEventListener("change", this.again);
    this.#found = undefined;
    this.isAway = false;
    if (this.#anchor) this.#anchor.isAtEnd = this.at === undefined;
  }

  override render() {
    const entries = this.talk.entries();
    const last = isAlone(entries) ? entries.at(-1) : undefined;
    return html`<div class="scroller" tabindex="0" role="region" aria-label=${t("chat.messages")} @scroll=${this.scrolled} @click=${this.pressed}>
        ${this.above(entries)}
        <div class="list">${repeat(
          entries,
          ({ id }) => id,
          (entry) =>
            html`<div class="entry ${this.isHit(entry) ? "hit" : ""}" data-id=${entry.id}>${this.shown(entry, entry === last)}</div>`,
        )}</div>
      </div>
      ${
        this.isAway || !this.talk.history.atEnd
          ? html`<button class="jump small" @click=${this.toNewest}><ui-icon name="chevron-down"></ui-icon>${t("chat.newest")}</button>`
          : ""
      }`;
  }

  override updated(changed: PropertyValues<this>): void {
    this.#anchor ??= new Anchor(this.scroller, this.list);
    if (changed.has("at")) this.#found = undefined;
    // What is inside the entries is drawn by then.
    requestAnimationFrame(() => {
      this.#anchor?.keep();
      this.find();
      if (this.#anchor?.isAtTop && !this.talk.history.atStart) void this.more("older");
    });
  }

  /** The end comes into sight and stays there. */
  toEnd(): void {
    this.#anchor?.toEnd();
    this.isAway = false;
  }

  private above(entries: readonly Entry[]): unknown {
    const { state, history } = this.talk;
    if (state === "loading") return html`<p class="edge" role="status">${t("app.loading")}</p>`;
    if (state instanceof Error)
      return html`<div class="edge"><div class="notice bad spread" role="alert"><span class="wrap">${short(state.message)}</span>
        <button class="small" @click=${() => this.talk.load()}>${t("ui.retry")}</button></div></div>`;
    if (entries.length === 0)
      return html`<div class="empty"><p>${t("chat.empty")}</p><span>${t("chat.empty.hint")}</span></div>`;
    return history.atStart ? "" : html`<p class="edge">${t("chat.older")}</p>`;
  }

  private shown(entry: Entry, isLast: boolean): unknown {
    if (entry.kind === "user") return html`<chat-user .entry=${entry} ?readonly=${this.readonly}></chat-user>`;
    if (entry.kind === "reply")
      return html`<chat-reply .entry=${entry} ?last=${isLast} ?readonly=${this.readonly}></chat-reply>`;
    return html`<div class="note" tabindex="0">${short(entry.text, 4000)}</div>`;
  }

  private isHit(entry: Entry): boolean {
    if (this.at === undefined || entry.kind === "note") return false;
    if (entry.kind === "user") return entry.seq === this.at;
    return (entry.first ?? Number.POSITIVE_INFINITY) <= this.at && this.at <= (entry.last ?? 0);
  }

  private find(): void {
    if (this.at === undefined || this.#found === this.at) return;
    const hit = this.renderRoot.querySelector<HTMLElement>(".hit");
    if (hit === null) return;
    this.#found = this.at;
    this.#anchor?.toElement(hit);
    this.isAway = true;
  }

  private readonly again = (): void => {
    this.requestUpdate();
  };

  private pressed(event: Event): void {
    const isFold = event.composedPath().some((one) => one instanceof HTMLElement && one.localName === "summary");
    if (isFold) this.#anchor?.hold();
  }

  private scrolled(): void {
    const anchor = this.#anchor;
    if (anchor === undefined) return;
    anchor.scrolled();
    const { history } = this.talk;
    this.isAway = !anchor.isAtEnd;
    if (anchor.above < aheadPx && !history.atStart) void this.more("older");
    else if (anchor.below < aheadPx && !history.atEnd) void this.more("newer");
  }

  private async more(end: "older" | "newer"): Promise<void> {
    const { talk } = this;
    if (this.#loading === talk || talk.state !== "ready") return;
    this.#loading = talk;
    try {
      if (this.#anchor && end === "newer") this.#anchor.isAtEnd = false;
      await talk.more(end);
      await this.updateComplete;
    } catch (error) {
      toastError(error);
    }
    if (this.#loading === talk) this.#loading = undefined;
  }

  private async toNewest(): Promise<void> {
    if (!this.talk.history.atEnd) await this.talk.load();
    await this.updateComplete;
    this.toEnd();
  }
}

/** Writing the last reply again would take no other one away. */
function isAlone(entries: readonly Entry[]): boolean {
  const asked = entries.findLastIndex(({ kind }) => kind === "user");
  return entries.slice(asked + 1, -1).every((entry) => entry.kind === "reply" && entry.reply.state === "partial");
}
