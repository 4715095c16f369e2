/** Makes a key and shows it, once: the gateway keeps a hash only, and neither does this page keep it longer than its dialog. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import { copy } from "../../parts/clipboard.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/dialog.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { type KeyRow, limitsOf, type Scope, scopes } from "./key-row.ts";
import { limitFields } from "./limit-fields.ts";

const noLimits = { rpm: null, tokens: null, usd: null, period: "month" } as const;

@customElement("keys-new-key")
export class NewKey extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .key { display: flex; gap: 0.5rem; align-items: center; }
      .key code { flex: 1; padding: 0.5rem 0.7rem; background: var(--surface-2); border-radius: var(--radius-s); user-select: all; }
      fieldset { border: 1px solid var(--border); border-radius: var(--radius-s); margin: 0 0 0.9rem; padding: 0.6rem 0.9rem; min-width: 0; }
      legend { font-weight: 550; font-size: 0.9rem; }
      fieldset label.check { font-weight: 400; padding: 0.2rem 0; }
    `,
  ];

  @property({ type: Boolean }) open = false;
  @state() private made: (KeyRow & { readonly key: string }) | undefined;
  @state() private error = "";
  @state() private busy = false;
  #isCopied = false;

  override render() {
    const { made } = this;
    return html`<ui-dialog ?open=${this.open} heading=${made ? t("keys.made", { name: made.name }) : t("keys.add")} @close=${this.close}>
      ${this.open ? (made ? this.shown(made.key) : this.form()) : ""}
      ${
        made
          ? html`<button slot="actions" class="primary" @click=${this.end}>${t("keys.done")}</button>`
          : html`<button slot="actions" ?disabled=${this.busy} @click=${this.end}>${t("ui.cancel")}</button>
            <button slot="actions" class="primary" ?disabled=${this.busy} @click=${this.make}>${this.busy ? t("ui.saving") : t("keys.make")}</button>`
      }
    </ui-dialog>`;
  }

  private form(): unknown {
    return html`<form @submit=${this.make}>
      <div class="field">
        <label for="name">${t("keys.name")}</label>
        <input id="name" name="name" required pattern=".*\\S.*" title=${t("keys.name.hint")} maxlength="64" autocomplete="off" aria-describedby="name-hint" />
        <span class="hint" id="name-hint">${t("keys.name.hint")}</span>
      </div>
      <fieldset>
        <legend>${t("keys.scopes")}</legend>
        ${scopes.map((scope, index) => html`<label class="check"><input type="radio" name="scope" value=${scope} ?checked=${index === 1} />${t(`keys.scope.${scope}`)}</label>`)}
      </fieldset>
      <div class="field">
        <label for="expires">${t("keys.expires")}</label>
        <select id="expires" name="expires">
          <option value="">${t("keys.never")}</option>
          ${[7, 30, 90, 365].map((n) => html`<option value="${n}d">${t("keys.days", { n })}</option>`)}
        </select>
      </div>
      ${limitFields(noLimits)}
      <p class="error" role="alert">${this.error}</p>
      <button hidden></button>
    </form>`;
  }

  private shown(key: string): unknown {
    const copied = (isCopied = true) => {
      this.#isCopied ||= isCopied;
    };
    return html`<p class="notice warn">${t("keys.once")}</p>
      <div class="key">
        <code class="wrap" @copy=${() => copied()}>${key}</code>
        <button @click=${() => copy(key).then(copied)}><ui-icon name="copy"></ui-icon>${t("ui.copy")}</button>
      </div>`;
  }

  private async make(event: Event): Promise<void> {
    event.preventDefault();
    const form = this.renderRoot.querySelector("form");
    if (this.busy || form === null || !form.reportValidity()) return;
    const fields = new FormData(form);
    const expires = fields.get("expires")?.toString();
    const wanted = {
      name: fields.get("name")?.toString().trim(),
      scopes: [fields.get("scope") as Scope],
      ...(expires && { expires }),
      limits: limitsOf(fields),
    };
    this.busy = true;
    this.error = "";
    try {
      this.made = await call<KeyRow & { key: string }>("keys.add", wanted);
      this.dispatchEvent(new Event("changed"));
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.busy = false;
  }

  /** What was asked for is waited for, and a key is not lost by a slip. */
  private async close(): Promise<void> {
    const isLost = this.made !== undefined && !this.#isCopied;
    const question = { text: t("keys.uncopied"), action: t("ui.close"), danger: true };
    if (this.busy || (isLost && !(await confirm(question)))) return;
    this.end();
  }

  private end(): void {
    this.made = undefined;
    this.#isCopied = false;
    this.error = "";
    this.dispatchEvent(new Event("close"));
  }
}
