/** The page plugins: the list at `#/plugins`, one of them at `#/plugins/ID`. What was typed into one stays while others are seen. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Place } from "../../client/router.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import "./detail.ts";
import "./list.ts";

/** So many are kept behind the one that is seen. */
const keptOpen = 6;

@customElement("chela-page-plugins")
export class PluginsPage extends Part {
  static override styles = [...Part.styles, css`.page { min-height: 100%; }`];

  @property({ attribute: false }) place?: Place;
  @state() private opened: readonly string[] = [];

  override willUpdate(): void {
    const id = this.place?.rest[0];
    if (id === undefined || this.opened.at(-1) === id) return;
    this.opened = [...this.opened.filter((other) => other !== id), id].slice(-keptOpen);
  }

  override render() {
    const id = this.place?.rest[0];
    const tab = this.place?.query.get("tab") ?? "";
    return html`<div class="page">
      <plugin-list ?hidden=${id !== undefined} show=${this.place?.query.get("show") ?? ""}></plugin-list>
      ${repeat(
        [...this.opened].sort(),
        (one) => one,
        (one) =>
          html`<plugin-detail plugin=${one} ?hidden=${one !== id} tab=${one === id ? tab : ""} aria-label=${t("plugins.tabs")}></plugin-detail>`,
      )}
    </div>`;
  }
}
