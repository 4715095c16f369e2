/** `<chela-config-backup>`: one earlier version, compared with now and as text, with the button that puts it back. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { dateTime } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { tellChange } from "../../parts/change-result.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/dialog.ts";
import "../../parts/diff.ts";
import "../../parts/editor.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import { toastError } from "../../parts/toast.ts";
import type { Backup, ChangeResult } from "./api.ts";
import { secretChip } from "./assist.ts";
import { resultList } from "./plan.ts";

interface Opened {
  readonly id: string;
  readonly text: string;
  readonly diff: string;
}

@customElement("chela-config-backup")
export class ConfigBackupDialog extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ui-editor { height: 40vh; }
      ui-diff { --diff-height: 40vh; }
      section { margin-bottom: 1rem; }
    `,
  ];

  /** The one that is open, if any. */
  @property({ attribute: false }) backup?: Backup;
  @state() private busy = false;
  @state() private result: ChangeResult | undefined;
  @state() private failure = "";
  readonly #assist = { chip: secretChip(() => t("config.secretKept")) };
  readonly #opened = new Load(this, (signal) => this.load(signal), { manual: true, events: ["config_changed"] });

  override updated(changed: PropertyValues<this>): void {
    if (!changed.has("backup") || changed.get("backup")?.id === this.backup?.id) return;
    this.result = undefined;
    this.failure = "";
    if (this.backup) void this.#opened.again();
  }

  override render() {
    const { backup } = this;
    const heading = backup ? t("config.backups.title", { time: dateTime(backup.made?.at ?? backup.at) }) : "";
    return html`<ui-dialog wide ?open=${backup !== undefined} heading=${heading} @close=${this.close}>
      ${backup ? this.body(backup) : ""}
      <button slot="actions" @click=${this.close}>${t("ui.close")}</button>
      ${session.can("admin") ? html`<button slot="actions" class="primary" ?disabled=${this.busy} @click=${this.restore}>${this.busy ? t("config.backups.busy") : t("config.backups.restore")}</button>` : ""}
    </ui-dialog>`;
  }

  private body({ id }: Backup): unknown {
    return html`${this.result ? html`<div class="notice ok" role="status"><strong>${t("config.backups.done")}</strong>${resultList(this.result)}</div>` : ""}
      ${this.failure ? html`<div class="notice bad" role="alert">${plain(this.failure)}</div>` : ""}
      ${this.#opened.show((opened) => (opened.id === id ? this.versions(opened) : html`<p class="muted">${t("app.loading")}</p>`))}`;
  }

  private versions({ diff, text }: Opened): unknown {
    return html`<section><h3>${t("config.backups.diff")}</h3><ui-diff .text=${diff}></ui-diff></section>
      <details><summary>${t("config.backups.text")}</summary><ui-editor readonly label=${t("config.backups.text")} .value=${text} .assist=${this.#assist}></ui-editor></details>`;
  }

  private async load(signal: AbortSignal): Promise<Opened> {
    const id = this.backup?.id ?? "";
    if (id === "") return { id, text: "", diff: "" };
    const [{ text }, { diff }] = await Promise.all([
      call<{ text: string }>("config.backup", { id }, { signal }),
      call<{ diff: string }>("config.diff", { id }, { signal }),
    ]);
    return { id, text, diff };
  }

  private async restore(): Promise<void> {
    const { backup } = this;
    if (!backup || !(await confirm({ text: t("config.backups.ask"), action: t("config.backups.restore") }))) return;
    this.busy = true;
    this.failure = "";
    const isShown = () => this.backup?.id === backup.id;
    try {
      const result = await call<ChangeResult>("config.rollback", { id: backup.id }, { timeout: 120_000 });
      if (isShown()) this.result = result;
      else await tellChange(result, t("config.backups.done"));
    } catch (error) {
      if (isShown()) this.failure = (error as Error).message;
      else toastError(error);
    }
    this.busy = false;
  }

  private close(): void {
    this.dispatchEvent(new Event("close"));
  }
}
