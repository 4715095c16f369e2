/** Changes what a key may use. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import { Part } from "../../parts/part.ts";
import { type KeyRow, limitsOf } from "./key-row.ts";
import { limitFields } from "./limit-fields.ts";

@customElement("keys-limit-key")
export class LimitKey extends Part {
  static override styles = [
    ...Part.styles,
    css`
      fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
      legend { position: absolute; clip-path: inset(50%); }
    `,
  ];

  @property({ attribute: false }) row?: KeyRow;
  @state() private error = "";
  @state() private busy = false;

  override render() {
    const { row } = this;
    return html`<ui-dialog ?open=${row !== undefined} heading=${t("keys.limitsOf", { name: row?.name ?? "" })} @close=${this.close}>
      ${row ? html`<form @submit=${this.save}>${limitFields(row.limits)}<button hidden></button></form>` : ""}
      <p class="error" role="alert">${this.error}</p>
      <button slot="actions" @click=${this.close}>${t("ui.cancel")}</button>
      <button slot="actions" class="primary" ?disabled=${this.busy} @click=${this.save}>${this.busy ? t("ui.saving") : t("ui.save")}</button>
    </ui-dialog>`;
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    const form = this.renderRoot.querySelector("form");
    if (this.busy || form === null || !form.reportValidity()) return;
    this.busy = true;
    this.error = "";
    try {
      await call("keys.limit", { id: this.row?.id, limits: limitsOf(new FormData(form)) });
      this.dispatchEvent(new Event("changed"));
      this.close();
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.busy = false;
  }

  private close(): void {
    this.error = "";
    this.dispatchEvent(new Event("close"));
  }
}
