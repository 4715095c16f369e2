/** `<chat-user>`: what the user said, and what can be done with it. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { clock, dateTime } from "../../../i18n/formats.ts";
import { number, t } from "../../../i18n/locale.ts";
import { copy } from "../../../parts/clipboard.ts";
import "../../../parts/icon.ts";
import { Part } from "../../../parts/part.ts";
import { plain } from "../../../parts/plain.ts";
import type { UserEntry } from "../model/entries.ts";
import { act } from "./acts.ts";
import "./media.ts";

const mostShown = 8_000;

@customElement("chat-user")
export class UserMessage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; flex-direction: column; align-items: flex-end; }
      .bubble { max-width: min(85%, 42rem); padding: 0.55rem 0.85rem; border-radius: 14px 14px 4px 14px; background: var(--accent-soft); color: var(--text); white-space: pre-wrap; overflow-wrap: anywhere; }
      .waiting { background: var(--surface-2); border: 1px dashed var(--border-strong); }
      .failed { background: var(--bad-soft); }
      .files { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 0.4rem; margin-bottom: 0.35rem; max-width: 85%; }
      .acts { display: flex; align-items: center; gap: 0.1rem; color: var(--text-2); min-height: 1.8rem; font-size: 0.8rem; flex-wrap: wrap; justify-content: flex-end; }
      .acts button { color: var(--text-2); }
      .acts > span { padding: 0 0.4rem; }
      .reason { color: var(--bad); overflow-wrap: anywhere; }
    `,
  ];

  @property({ attribute: false }) entry!: UserEntry;
  @property({ type: Boolean }) readonly = false;
  @state() private isWhole = false;

  override render() {
    const { text, files, outgoing } = this.entry;
    const shown = this.isWhole ? text : text.slice(0, mostShown);
    const look =
      outgoing === undefined || outgoing.turn !== undefined ? "" : outgoing.error === undefined ? "waiting" : "failed";
    return html`<h3 class="visually-hidden">${t("chat.you")}</h3>
      ${files.length > 0 ? html`<div class="files">${files.map((file) => html`<chat-media .file=${file}></chat-media>`)}</div>` : ""}
      ${text === "" ? "" : html`<div class="bubble ${look}" dir="auto">${plain(shown)}</div>`}
      ${
        shown.length < text.length
          ? html`<button class="small" @click=${() => {
              this.isWhole = true;
            }}>${t("ui.showAll", { n: number(text.length) })}</button>`
          : ""
      }
      <div class="acts">${outgoing === undefined || outgoing.turn !== undefined ? this.stored() : this.unsent()}</div>`;
  }

  private stored(): unknown {
    const { at, text, seq } = this.entry;
    return html`<span><time datetime=${at} title=${dateTime(at)}>${clock(at)}</time></span>
      <button class="icon plain small" title=${t("ui.copy")} aria-label=${t("ui.copy")} @click=${() => copy(text)}><ui-icon name="copy"></ui-icon></button>
      ${
        seq === undefined || this.readonly
          ? ""
          : html`<button class="icon plain small" title=${t("chat.edit")} aria-label=${t("chat.edit")} @click=${() => act(this, { type: "edit", entry: this.entry })}><ui-icon name="pencil"></ui-icon></button>`
      }`;
  }

  private unsent(): unknown {
    const { outgoing } = this.entry;
    if (outgoing?.error === undefined)
      return html`<span role="status">${outgoing?.whenBusy === "steer" ? t("chat.sent.steer") : t("chat.sent.waiting")}</span>`;
    return html`<span class="reason" role="alert">${outgoing.error === "" ? t("chat.sent.stopped") : t("chat.sent.failed", { reason: plain(outgoing.error) })}</span>
      <button class="small" @click=${() => act(this, { type: "resend", key: outgoing.key })}>${t("chat.sent.again")}</button>
      <button class="small" @click=${() => act(this, { type: "takeBack", key: outgoing.key })}>${t("ui.edit")}</button>
      <button class="small" @click=${() => act(this, { type: "discard", key: outgoing.key })}>${t("ui.remove")}</button>`;
  }
}
