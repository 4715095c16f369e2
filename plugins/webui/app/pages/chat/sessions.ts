/** `<chat-sessions>`: the list of sessions, with a search through their names and through what was said. Only rows in sight are on the page. */
import { html } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { repeat } from "lit/directives/repeat.js";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { ago } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { plain, short } from "../../parts/plain.ts";
import { styled } from "../../parts/styled.ts";
import { type Hit, Said } from "./model/said.ts";
import { bare, type SessionList, sessionName } from "./model/session-list.ts";
import type { SessionRow } from "./model/wire.ts";
import "./session-menu.ts";
import { sessionsStyles } from "./sessions-styles.ts";

const rowPx = 58;
/** Rows beyond the edges. */
const spare = 8;

@customElement("chat-sessions")
export class Sessions extends Part {
  static override styles = [...Part.styles, sessionsStyles];

  @property({ attribute: false }) list!: SessionList;
  /** Key of the session that is open. */
  @property() current = "";
  @state() private words = "";
  @state() private top = 0;
  @state() private height = 800;
  @query(".rows") private scroller!: HTMLElement;
  readonly #said = new Said(() => this.requestUpdate());

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(this.list, "change", () => this.requestUpdate());
    this.listen(session, "change", () => this.requestUpdate());
  }

  override firstUpdated(): void {
    const observer = new ResizeObserver(() => {
      this.height = this.scroller.clientHeight;
    });
    observer.observe(this.scroller);
    this.untilGone(() => observer.disconnect());
  }

  override render() {
    const rows = this.found();
    return html`<div class="head">
        <h2>${t("chat.sessions")}</h2>
        ${session.can("write") ? html`<button class="primary small" @click=${() => this.dispatchEvent(new Event("begin"))}><ui-icon name="plus"></ui-icon>${t("chat.new")}</button>` : ""}
      </div>
      <div class="search"><input type="search" .value=${this.words} placeholder=${t("chat.search")} aria-label=${t("chat.search")} maxlength="200" @input=${this.typed} /></div>
      <nav class="rows" aria-label=${t("chat.sessions")} @scroll=${this.scrolled}>${this.body(rows)}${this.#hits()}</nav>`;
  }

  private body(rows: readonly SessionRow[]): unknown {
    const { state } = this.list;
    if (state === "loading") return html`<p class="muted pad" role="status">${t("app.loading")}</p>`;
    if (state instanceof Error)
      return html`<div class="notice bad" role="alert"><p>${short(state.message)}</p><button class="small" @click=${() => this.list.refresh()}>${t("ui.retry")}</button></div>`;
    if (rows.length === 0) return html`<p class="muted pad">${t("chat.search.none")}</p>`;
    const first = Math.max(0, Math.floor(this.top / rowPx) - spare);
    const shown = rows.slice(first, first + Math.ceil(this.height / rowPx) + 2 * spare);
    return html`<ul ${styled({ height: `${rows.length * rowPx}px` })}>${repeat(
      shown,
      ({ key }) => key,
      (row, index) => this.row(row, first + index, rows.length),
    )}</ul>`;
  }

  private row(row: SessionRow, index: number, all: number): unknown {
    const isCurrent = row.key === this.current;
    const isUnread = !isCurrent && this.list.isUnread(row);
    return html`<li ${styled({ top: `${index * rowPx}px` })} aria-setsize=${this.list.hasMore ? -1 : all} aria-posinset=${index + 1}>
      <a href=${href("chat", row.key)} aria-current=${ifDefined(isCurrent ? "page" : undefined)}>
        <span class="line"><span class="name clip ${isUnread ? "unread" : ""}">${sessionName(row)}</span>${this.mark(row, isUnread)}</span>
        <span class="line small muted"><span class="clip grow">${bare(row.preview)}</span>${row.updated_at === undefined ? "" : html`<span class="when">${ago(row.updated_at)}</span>`}</span>
      </a>
      <chat-session-menu .row=${row}></chat-session-menu>
    </li>`;
  }

  private mark({ running }: SessionRow, isUnread: boolean): unknown {
    if (running) return html`<span class="badge info"><i class="pulse"></i>${t("chat.running")}</span>`;
    return isUnread
      ? html`<span class="dot" role="img" aria-label=${t("chat.unread")} title=${t("chat.unread")}></span>`
      : "";
  }

  #hits(): unknown {
    const { hits, isBusy, words } = this.#said;
    if (words === "") return "";
    return html`<section class="hits" aria-label=${t("chat.search.said")}>
      <h3>${t("chat.search.said")}</h3>
      ${isBusy ? html`<p class="muted small" role="status">${t("app.loading")}</p>` : hits.length === 0 ? html`<p class="muted small">${t("chat.search.none")}</p>` : ""}
      <ul>${hits.map((hit) => this.hit(hit))}</ul>
    </section>`;
  }

  private hit({ key, title, seq, text }: Hit): unknown {
    return html`<li><a href=${`${href("chat", key)}?at=${seq}`}><span class="name clip">${plain(title || key)}</span><span class="small muted passage">${plain(text)}</span></a></li>`;
  }

  private found(): readonly SessionRow[] {
    const words = this.words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return this.list.rows;
    return this.list.rows.filter(({ key, title = "", first = "", preview = "" }) => {
      const text = `${key}\n${title}\n${first}\n${preview}`.toLocaleLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  private typed(event: Event): void {
    this.words = (event.target as HTMLInputElement).value;
    const { words } = this;
    this.#said.look(words.trim());
    // Names are looked for here: all of them have to be.
    if (words.trim() !== "") void this.list.all(() => this.words === words).catch(() => undefined);
    this.scroller.scrollTop = 0;
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.top = scrollTop;
    if (scrollHeight - scrollTop - clientHeight < 10 * rowPx) void this.list.more().catch(() => undefined);
  }
}
