/** `<chela-file-name>`: asks for the path of a file, and says at once what is wrong with it. Tells `chosen` with the path. */
import { html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { t } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import { Part } from "../../parts/part.ts";
import type { FileRow } from "./api.ts";
import { problemOf } from "./paths.ts";

@customElement("chela-file-name")
export class FileNameDialog extends Part {
  @property({ type: Boolean }) open = false;
  @property() heading = "";
  @property() action = "";
  @property() suggested = "";
  @property({ attribute: false }) files: readonly FileRow[] = [];
  @state() private path = "";
  @state() private touched = false;
  @query("input") private input?: HTMLInputElement;

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("open") || !this.open) return;
    this.path = this.suggested;
    this.touched = false;
  }

  override updated(changed: PropertyValues<this>): void {
    if (!changed.has("open") || !this.open) return;
    void this.updateComplete.then(() => this.input?.select());
  }

  override render() {
    const problem = problemOf(this.path, this.files);
    const isWrong = problem !== undefined && this.touched;
    return html`<ui-dialog ?open=${this.open} heading=${this.heading} @close=${this.close}>
      <form id="name" @submit=${this.choose}>
        <div class="field">
          <label for="path">${t("files.path")}</label>
          <input id="path" .value=${this.path} autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="1000" aria-invalid=${isWrong} aria-describedby="hint wrong" @input=${this.typed} />
          <span id="wrong" class="error" role="alert">${isWrong ? t(`files.path.${problem}`) : ""}</span>
          <span id="hint" class="hint">${t("files.path.hint")}</span>
        </div>
      </form>
      <button slot="actions" @click=${this.close}>${t("ui.cancel")}</button>
      <button slot="actions" class="primary" ?disabled=${problem !== undefined} @click=${this.choose}>${this.action}</button>
    </ui-dialog>`;
  }

  private typed(event: Event): void {
    this.path = (event.target as HTMLInputElement).value.trim();
    this.touched = true;
  }

  private choose(event: Event): void {
    event.preventDefault();
    if (problemOf(this.path, this.files) === undefined)
      this.dispatchEvent(new CustomEvent("chosen", { detail: this.path }));
  }

  private close(): void {
    this.dispatchEvent(new Event("close"));
  }
}
