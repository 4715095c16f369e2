/** Who answers by default, and who stands in: written the moment it is chosen. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { Edit } from "../../parts/schema-form/values.ts";
import { toastError } from "../../parts/toast.ts";
import { modelSelect } from "./model-select.ts";
import { ModelTests, outcome } from "./model-tests.ts";
import "./order-list.ts";
import type { Listing, Model } from "./shapes.ts";
import { ask } from "./wish.ts";
import { type DefaultModel, defaultModel, fallbacksEdit, primaryEdit, writeEdits } from "./writes.ts";

@customElement("providers-default")
export class DefaultModelCard extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .two { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
      ol { list-style: none; margin: 0.3rem 0; padding: 0; }
      li { display: flex; align-items: center; gap: 0.3rem; padding: 0.15rem 0; }
      li code { flex: 1; min-width: 0; }
      .up ui-icon { transform: rotate(180deg); }
      .good { color: var(--ok); }
      select { flex: 1; width: auto; min-width: 0; max-width: 100%; }
      h3 { margin-top: 0; }
    `,
  ];

  @property({ attribute: false }) listing?: Listing;
  @property({ attribute: false }) models: readonly Model[] = [];
  @state() private busy = false;
  readonly #tests = new ModelTests(this);
  readonly #chosen = new Load(this, async (signal) => (await defaultModel(signal)) ?? {}, {
    events: ["config_changed"],
  });

  override render() {
    const { listing } = this;
    if (listing === undefined) return "";
    return html`<section class="card stack" aria-labelledby="default">
      <h2 id="default">${t("providers.default")}</h2>
      ${this.#chosen.show((chosen) => html`<div class="two">${this.primary(chosen, listing)}${this.fallbacks(chosen, listing)}</div>`)}
      <details><summary class="small">${t("providers.order")}</summary>
        <provider-order .listing=${listing} .models=${[listing.primary, ...listing.fallbacks]} label=${t("providers.order")}></provider-order>
        <p class="muted small">${t("providers.order.hint")}</p></details>
    </section>`;
  }

  private primary({ primary = "" }: DefaultModel, listing: Listing): unknown {
    const automatic = t("providers.default.automatic", { model: short(listing.primary, 80) });
    return html`<div class="stack">
      <div class="field">
        <label for="primary">${t("providers.default.primary")}</label>
        <div class="row tight">
          ${session.can("admin") ? this.primarySelect(primary, primary === "" ? automatic : t("providers.default.first")) : html`<code class="grow">${short(listing.primary, 200)}</code>`}
          ${session.can("write") ? html`<button class="small" ?disabled=${this.#tests.isBusy} @click=${() => this.#tests.run([listing.primary])}><ui-icon name="activity"></ui-icon>${t("providers.test")}</button>` : ""}
        </div>
      </div>
      ${outcome(this.#tests, listing.primary)}
      ${listing.primary === "offline/offline" ? html`<p class="hint">${t("providers.offline")}</p>` : ""}
    </div>`;
  }

  private fallbacks({ fallbacks }: DefaultModel, listing: Listing): unknown {
    const shown = fallbacks ?? listing.fallbacks;
    const admin = session.can("admin");
    return html`<div>
      <h3>${t("providers.fallbacks")} ${fallbacks === undefined ? html`<span class="badge">${t("providers.fallbacks.automatic")}</span>` : ""}</h3>
      <p class="hint">${t(fallbacks === undefined ? "providers.fallbacks.auto.hint" : "providers.fallbacks.hint")}</p>
      ${shown.length === 0 ? html`<p class="muted small">${t("providers.fallbacks.none")}</p>` : ""}
      <ol aria-label=${t("providers.fallbacks")}>${shown.map((model, index) => this.fallback(model, index, shown))}</ol>
      ${admin ? this.fallbackSelect(shown, listing.primary) : ""}
      ${admin && fallbacks !== undefined ? html`<button class="small plain" ?disabled=${this.busy} @click=${() => this.setFallbacks(undefined)}>${t("providers.fallbacks.reset")}</button>` : ""}
    </div>`;
  }

  private fallback(model: string, index: number, all: readonly string[]): unknown {
    const name = short(model, 120);
    const moved = (step: number) => {
      const list = all.filter((_, place) => place !== index);
      list.splice(index + step, 0, model);
      return this.setFallbacks(list);
    };
    return html`<li><code class="wrap">${name}</code>
      ${
        session.can("admin")
          ? html`<button class="small icon plain up" ?disabled=${this.busy || index === 0} aria-label=${t("providers.up", { name })} title=${t("providers.up", { name })} @click=${() => moved(-1)}><ui-icon name="chevron-down"></ui-icon></button>
        <button class="small icon plain" ?disabled=${this.busy || index === all.length - 1} aria-label=${t("providers.down", { name })} title=${t("providers.down", { name })} @click=${() => moved(1)}><ui-icon name="chevron-down"></ui-icon></button>
        <button class="small icon plain" ?disabled=${this.busy} aria-label=${t("providers.drop", { name })} title=${t("providers.drop", { name })} @click=${() => this.setFallbacks(all.filter((one) => one !== model))}><ui-icon name="x"></ui-icon></button>`
          : ""
      }</li>`;
  }

  private primarySelect(value: string, none: string): unknown {
    const label = t("providers.default.primary");
    const choice = { id: "primary", label, models: this.models, value, none, disabled: this.busy };
    return modelSelect(choice, (model) => this.write([primaryEdit(model || undefined)]));
  }

  private fallbackSelect(shown: readonly string[], primary: string): unknown {
    const label = t("providers.fallbacks.add");
    const models = this.models.filter(({ id }) => id !== primary && !shown.includes(id));
    const choice = { id: "fallback", label, models, none: label, disabled: this.busy };
    return modelSelect(choice, (model) => model !== "" && this.setFallbacks([...shown, model]));
  }

  private setFallbacks(models: readonly string[] | undefined): Promise<void> {
    return this.write([fallbacksEdit(models)]);
  }

  private async write(edits: readonly Edit[]): Promise<void> {
    this.busy = true;
    try {
      await writeEdits(edits, t("ui.saved"));
    } catch (error) {
      toastError(error);
    }
    await this.#chosen.again();
    ask(this, "changed");
    this.busy = false;
  }
}
