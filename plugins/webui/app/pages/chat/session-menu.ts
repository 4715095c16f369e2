/** `<chat-session-menu>`: the button with what can be done with a session, as a small list over the page. */
import { css, html } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import { bare, sessionName } from "./model/session-list.ts";
import type { SessionRow } from "./model/wire.ts";
import { download, remove, retitle } from "./session-acts.ts";

@customElement("chat-session-menu")
export class SessionMenu extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: inline-flex; }
      [popover] { border: 1px solid var(--border); border-radius: var(--radius-s); background: var(--surface); color: var(--text); padding: 0.3rem; box-shadow: var(--shadow); margin: 0; inset: auto; min-width: 11rem; }
      [popover]:popover-open { display: flex; flex-direction: column; }
      [popover] button { justify-content: flex-start; border-color: transparent; background: none; }
      [popover] button:hover, [popover] button:focus-visible { background: var(--surface-2); }
    `,
  ];

  @property({ attribute: false }) row!: SessionRow;
  @state() private isNaming = false;
  @query("[popover]") private menu!: HTMLElement;
  @query("#name") private input?: HTMLInputElement;

  override render() {
    const mayWrite = session.can("write");
    return html`<button class="icon plain small" aria-haspopup="menu" aria-label=${t("chat.session.menu", { name: sessionName(this.row) })} @click=${this.toggle}><ui-icon name="ellipsis-vertical"></ui-icon></button>
      <div popover role="menu" @keydown=${this.key} @click=${() => this.menu.hidePopover()}>
        ${mayWrite ? item("pencil", t("chat.rename"), () => this.name()) : ""}
        ${item("download", t("chat.export.markdown"), () => void download(this.row.key, "markdown"))}
        ${item("download", t("chat.export.jsonl"), () => void download(this.row.key, "jsonl"))}
        ${mayWrite ? item("trash-2", t("ui.delete"), () => void remove(this.row.key, sessionName(this.row))) : ""}
      </div>
      ${this.isNaming ? this.dialog() : ""}`;
  }

  private dialog(): unknown {
    const { title = "", first, key } = this.row;
    return html`<ui-dialog open heading=${t("chat.rename")} @close=${this.close}>
      <form @submit=${this.rename} class="field">
        <label for="name">${t("chat.rename.name")}</label>
        <input id="name" maxlength="200" .value=${plain(title)} placeholder=${bare(first) || plain(key)} autocomplete="off" />
        <span class="hint">${t("chat.rename.hint")}</span>
      </form>
      <button slot="actions" @click=${this.close}>${t("ui.cancel")}</button>
      <button slot="actions" class="primary" @click=${this.rename}>${t("ui.save")}</button>
    </ui-dialog>`;
  }

  private async name(): Promise<void> {
    this.isNaming = true;
    await this.updateComplete;
    this.input?.select();
  }

  private close(): void {
    this.isNaming = false;
  }

  private async rename(event: Event): Promise<void> {
    event.preventDefault();
    if (await retitle(this.row.key, this.input?.value.trim() ?? "")) this.close();
  }

  private toggle(event: MouseEvent): void {
    const { menu } = this;
    if (menu.matches(":popover-open")) return;
    const { right, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    menu.showPopover();
    menu.style.left = `${Math.max(8, Math.min(right, innerWidth - 8) - menu.offsetWidth)}px`;
    menu.style.top = `${Math.min(bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
    menu.querySelector<HTMLElement>("button")?.focus();
  }

  private key(event: KeyboardEvent): void {
    const items = [...this.menu.querySelectorAll<HTMLElement>("button")];
    const at = items.indexOf(this.shadowRoot?.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    if (step === 0) return;
    event.preventDefault();
    items[(at + step + items.length) % items.length]?.focus();
  }
}

function item(icon: string, label: string, press: () => void): unknown {
  return html`<button role="menuitem" @click=${press}><ui-icon name=${icon}></ui-icon>${label}</button>`;
}
