/** `<chela-config-backups>`: earlier versions of the config, who wrote them and why, and the way back to one. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href, router } from "../../client/router.ts";
import { ago, bytes, dateTime } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { Backup } from "./api.ts";
import "./backup-dialog.ts";

@customElement("chela-config-backups")
export class ConfigBackupsTab extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.6rem; }
      li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.3rem 1rem; align-items: center; padding: 0.7rem 1rem; }
      li p { margin: 0; }
    `,
  ];

  /** Id of the version that is open. */
  @property() opened = "";
  readonly #list = new Load(this, (signal) => call<readonly Backup[]>("config.backups", {}, { signal }), {
    events: ["config_changed"],
  });

  override render() {
    return html`<p class="muted">${t("config.backups.about")}</p>
      ${this.#list.show((list) => this.content(list))}`;
  }

  private content(list: readonly Backup[]): unknown {
    if (list.length === 0) return html`<div class="card muted">${t("config.backups.none")}</div>`;
    const open = list.find(({ id }) => id === this.opened);
    return html`<ol>${list.map((backup) => this.row(backup))}</ol>
      <chela-config-backup .backup=${open} @close=${() => router.go(href("config", "backups"))}></chela-config-backup>`;
  }

  private row(backup: Backup): unknown {
    const { id, at, bytes: size, made, replaced } = backup;
    return html`<li class="card">
      <div>
        <p><strong>${made ? dateTime(made.at) : t("config.backups.until", { time: dateTime(at) })}</strong> <span class="muted small">${ago(made?.at ?? at)} · ${bytes(size)}</span></p>
        <p class="small wrap">${made ? t("config.backups.made", { who: short(made.who), why: short(made.why) }) : t("config.backups.byHand")}</p>
        ${replaced ? html`<p class="small muted wrap">${t("config.backups.replaced", { who: short(replaced.who), why: short(replaced.why) })}</p>` : ""}
      </div>
      <a class="button" href=${`${href("config", "backups", id)}`}>${t("config.backups.open")}<span class="visually-hidden"> ${dateTime(at)}</span></a>
    </li>`;
  }
}
