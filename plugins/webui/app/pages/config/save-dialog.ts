/** `<chela-config-save>`: what a save would change and what it would take, before it is done. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import "../../parts/diff.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import type { ConfigDraft, PlannedChange } from "./api.ts";
import { planList } from "./plan.ts";
import type { ConfigWork } from "./work.ts";

@customElement("chela-config-save")
export class ConfigSaveDialog extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .plan { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: 0.5rem; }
      .plan li { display: flex; gap: 0.6rem; align-items: start; }
      .plan ui-icon { margin-top: 0.2rem; color: var(--text-2); }
      .notice { margin-bottom: 0.8rem; }
      ui-diff { --diff-height: 45vh; }
    `,
  ];

  @property({ type: Boolean }) open = false;
  /** One object that changes. */
  @property({ attribute: false, hasChanged: () => true }) work?: ConfigWork;
  @state() private force = false;

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("open")) this.force = false;
  }

  override render() {
    const { work } = this;
    if (!work) return "";
    const { judged, judging, saving, draft, unjudged } = work;
    const isSound = judged?.ok === true && (judged.guard === null || this.force);
    const blocked = judging || unjudged !== undefined || draft.isOvertaken || !isSound;
    return html`<ui-dialog wide ?open=${this.open} heading=${t("config.save.title")} @close=${this.close}>
      ${this.open ? this.body() : ""}
      <button slot="actions" @click=${this.close}>${t("config.save.back")}</button>
      <button slot="actions" class="primary" ?disabled=${blocked || saving} @click=${this.save}>${saving ? t("ui.saving") : t("ui.save")}</button>
    </ui-dialog>`;
  }

  private body(): unknown {
    const { judged, judging, unjudged, draft } = this.work as ConfigWork;
    if (unjudged) return html`<div class="notice bad" role="alert">${plain(unjudged.message)}</div>`;
    if (draft.isOvertaken)
      return html`<div class="notice warn" role="alert">${t("config.overtaken")} ${t("config.overtaken.hint")}</div>`;
    if (judging || !judged) return html`<p class="muted" role="status">${t("config.checking")}</p>`;
    return judged.ok ? this.change(judged) : this.refusal(judged);
  }

  private change({ changes, guard, diff }: ConfigDraft): unknown {
    return html`<h3>${t("config.plan.title")}</h3>
      ${planList(changes)} ${this.held(changes)}
      ${guard === null ? "" : this.guard(guard)}
      <h3>${t("config.diff.title")}</h3>
      <ui-diff .text=${diff}></ui-diff>`;
  }

  /** Unless the text changes that, too. */
  private held(changes: readonly PlannedChange[]): unknown {
    const mode = this.work?.source.value?.mode;
    const isKept =
      changes.some(({ class: kind }) => kind !== "none") && changes.every(({ path }) => path !== "gateway.reload.mode");
    if (!isKept || (mode !== "hot" && mode !== "off" && mode !== "restart")) return "";
    return html`<p class="notice"><code>gateway.reload.mode: ${mode}</code> ${t(`config.plan.mode.${mode}`)}</p>`;
  }

  private refusal({ problems }: ConfigDraft): unknown {
    const errors = problems.filter(({ level }) => level === "error");
    return html`<div class="notice bad" role="alert"><strong>${t("config.save.blocked")}</strong>
      ${errors.slice(0, 10).map(({ path, message }) => html`<div>${path ? html`<code>${plain(path)}</code> ` : ""}${plain(message)}</div>`)}
    </div>`;
  }

  private guard(why: string): unknown {
    return html`<div class="notice warn">
      <p>${plain(why)}</p>
      <label class="check"><input type="checkbox" .checked=${this.force} @change=${(event: Event) => {
        this.force = (event.target as HTMLInputElement).checked;
      }} />${t("config.save.force")}</label>
    </div>`;
  }

  private async save(): Promise<void> {
    await this.work?.save(this.force);
    this.close();
  }

  private close(): void {
    this.dispatchEvent(new Event("close"));
  }
}
