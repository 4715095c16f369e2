/** Who is asked for a model of one provider; which one is chosen here. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import "./order-list.ts";
import type { Listing, Provider } from "./shapes.ts";

/** So many are offered; who is asked is mostly the same for the rest. */
const mostShown = 200;

@customElement("provider-order-of")
export class OrderOf extends Part {
  static override styles = [
    ...Part.styles,
    css`select { width: auto; max-width: 100%; min-height: 1.8rem; } h2 { margin: 0; }`,
  ];

  @property({ attribute: false }) provider?: Provider;
  @property({ attribute: false }) listing?: Listing;
  @state() private chosen = "";

  override render() {
    const { provider, listing } = this;
    if (provider === undefined || listing === undefined || (provider.candidates ?? []).length === 0) return "";
    const { name, models } = provider;
    const usual = listing.primary.startsWith(`${name}/`) ? listing.primary.slice(name.length + 1) : models[0];
    const model = models.includes(this.chosen) ? this.chosen : usual;
    const id = `${name}/${model ?? "*"}`;
    return html`<div class="row"><h2>${t("providers.order")}</h2>
        ${
          models.length > 1
            ? html`<select aria-label=${t("providers.order.for")} @change=${this.choose}>${models.slice(0, mostShown).map((one) => html`<option value=${one} ?selected=${one === model}>${short(one, 100)}</option>`)}</select>`
            : ""
        }</div>
      <provider-order .listing=${listing} .models=${[id]} label=${t("providers.order")}></provider-order>`;
  }

  private choose(event: Event): void {
    this.chosen = (event.target as HTMLSelectElement).value;
  }
}
