/** All of one line: every field of it as JSON, to read and to copy. */
import { css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { t } from "../../i18n/locale.ts";
import { copy } from "../../parts/clipboard.ts";
import "../../parts/dialog.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { Line } from "./log-line.ts";

const longest = 20_000;

@customElement("logs-details")
export class LogDetails extends Part {
  static override styles = [
    ...Part.styles,
    css`pre { margin: 0; padding: 0.8rem; border-radius: var(--radius-s); background: var(--surface-2); white-space: pre-wrap; overflow-wrap: anywhere; }`,
  ];

  @property({ attribute: false }) line: Line | undefined;

  override render() {
    const { line } = this;
    return html`<ui-dialog wide heading=${t("logs.details")} ?open=${line !== undefined} @close=${() => this.dispatchEvent(new Event("close"))}>
      ${line ? content(line) : nothing}
      <button slot="actions" @click=${() => this.go(-1)}><ui-icon name="chevron-up"></ui-icon>${t("logs.previous")}</button>
      <button slot="actions" @click=${() => this.go(1)}><ui-icon name="chevron-down"></ui-icon>${t("logs.next")}</button>
      <button slot="actions" class="primary" @click=${() => line && copy(JSON.stringify(line.entry, null, 2))}>
        <ui-icon name="copy"></ui-icon>${t("ui.copy")}</button>
    </ui-dialog>`;
  }

  private go(step: number): void {
    this.dispatchEvent(new CustomEvent("go", { detail: step }));
  }
}

function content({ entry }: Line) {
  const text = JSON.stringify(entry, null, 2);
  return html`<pre tabindex="0">${short(text, longest)}</pre>
    ${text.length > longest ? html`<p class="muted small">${t("logs.cut")}</p>` : nothing}`;
}
