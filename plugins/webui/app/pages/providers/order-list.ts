/** `<provider-order>`: who is asked for a model, one after the other until somebody answers; who rests is passed over. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { orderOf, type Step } from "./order.ts";
import type { Listing } from "./shapes.ts";
import { candidateName, restText } from "./wording.ts";

const most = 30;

@customElement("provider-order")
export class OrderList extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ol { margin: 0.3rem 0 0; padding-inline-start: 1.6rem; }
      li { padding: 0.15rem 0; }
      .rests { color: var(--bad); }
    `,
  ];

  @property({ attribute: false }) listing?: Listing;
  /** The model, then those that stand in for it. */
  @property({ attribute: false }) models: readonly string[] = [];
  @property() label = "";

  override render() {
    const { listing, models } = this;
    if (listing === undefined) return "";
    const steps = orderOf(models, listing);
    return html`<ol class="small" aria-label=${this.label}>${steps.slice(0, most).map((step) => this.step(step, listing.at))}</ol>
      ${steps.length > most ? html`<p class="muted small">${t("providers.more", { n: steps.length - most })}</p>` : ""}`;
  }

  private step({ model, candidate, rest }: Step, at: number): unknown {
    const isBuiltIn = model === "offline/offline";
    return html`<li class="wrap"><code>${short(model, 120)}</code>
      ${candidate ? html` · ${candidateName(candidate)} <span class="muted">· ${t("providers.health", { n: Math.round(candidate.health_score) })}</span>` : ""}
      ${candidate || isBuiltIn ? "" : html` <span class="badge warn">${t("providers.nobody")}</span>`}
      ${rest ? html`<div class="rests">${restText(rest, at)}</div>` : ""}</li>`;
  }
}
