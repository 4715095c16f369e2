/** Who of a provider is left alone now, and the way to end that. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import type { Provider } from "./shapes.ts";
import { ask } from "./wish.ts";
import { restText } from "./wording.ts";

const most = 12;

@customElement("provider-rests")
export class Rests extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .notice { display: flex; gap: 0.6rem; align-items: start; justify-content: space-between; flex-wrap: wrap; }
      ul { margin: 0.15rem 0 0; padding-inline-start: 1.1rem; }
    `,
  ];

  @property({ attribute: false }) provider?: Provider;
  /** When that was told. */
  @property({ attribute: false }) at = 0;
  @state() private busy = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("provider")) this.busy = false;
  }

  override render() {
    const { name = "", cooldowns = [] } = this.provider ?? {};
    return html`<div class="notice bad small">
      <div class="grow"><strong>${t("providers.rest")}</strong>
        <ul>${cooldowns.slice(0, most).map((rest) => html`<li class="wrap">${restText(rest, this.at)}</li>`)}</ul>
        ${cooldowns.length > most ? t("providers.more", { n: cooldowns.length - most }) : ""}</div>
      ${session.can("write") ? html`<button class="small" ?disabled=${this.busy} aria-label=${t("providers.clearOf", { name })} @click=${this.clear}>${t("providers.clear")}</button>` : ""}
    </div>`;
  }

  private clear(): void {
    this.busy = true;
    ask(this, "clear", this.provider?.name);
  }
}
