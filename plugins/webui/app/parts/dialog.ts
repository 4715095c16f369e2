/**
 * `<ui-dialog heading="…" open>`: the browser's own modal dialog, with a heading and a way out. Escape, the backdrop and the
 * cross ask to close by the event `close`; the owner decides and takes `open` away. While its page is hidden it lies over no other.
 */
import { css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { t } from "../i18n/locale.ts";
import "./icon.ts";
import { Part } from "./part.ts";

@customElement("ui-dialog")
export class Dialog extends Part {
  static override styles = [
    ...Part.styles,
    css`
      dialog { width: min(34rem, calc(100vw - 2rem)); max-height: min(85vh, 60rem); padding: 0; border: 1px solid var(--border); border-radius: var(--radius); background: var(--surface); color: var(--text); box-shadow: var(--shadow); }
      :host([wide]) dialog { width: min(60rem, calc(100vw - 2rem)); }
      dialog[open] { display: flex; flex-direction: column; }
      dialog::backdrop { background: rgb(0 0 0 / 45%); }
      .head { display: flex; align-items: center; justify-content: space-between; gap: 0.5rem; padding: 0.8rem 0.8rem 0.4rem 1.1rem; }
      .body { padding: 0.4rem 1.1rem 0.6rem; overflow: auto; }
      .actions { display: flex; justify-content: flex-end; flex-wrap: wrap; gap: 0.5rem; padding: 0.6rem 1.1rem 1rem; }
    `,
  ];

  @property() heading = "";
  @property({ type: Boolean, reflect: true }) open = false;
  @property({ type: Boolean, reflect: true }) wide = false;
  @query("dialog") private dialog?: HTMLDialogElement;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(document, "pagechange", () => this.requestUpdate());
  }

  override render() {
    return html`<dialog aria-labelledby="heading" @cancel=${this.ask} @close=${this.closed} @click=${this.outside}>
      <div class="head">
        <h2 id="heading" class="wrap">${this.heading}</h2>
        <button class="icon plain" aria-label=${t("ui.close")} title=${t("ui.close")} @click=${this.ask}><ui-icon name="x"></ui-icon></button>
      </div>
      <div class="body"><slot></slot></div>
      <div class="actions"><slot name="actions"></slot></div>
    </dialog>`;
  }

  override updated(): void {
    const { dialog } = this;
    if (dialog === undefined || dialog.open === this.isShown) return;
    if (this.isShown) dialog.showModal();
    else dialog.close();
  }

  private get isShown(): boolean {
    return this.open && this.checkVisibility();
  }

  /** A browser closes by itself when Escape is pressed twice, whatever was answered. */
  private closed(event: Event): void {
    if (!this.isShown || this.dialog?.open) return;
    this.ask(event);
    this.requestUpdate();
  }

  private ask(event: Event): void {
    event.preventDefault();
    event.stopPropagation();
    this.dispatchEvent(new Event("close"));
  }

  private outside(event: MouseEvent): void {
    if (event.target === this.dialog) this.ask(event);
  }
}
