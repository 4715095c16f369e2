/** The models that the provider itself says it has: searched, and taken over. Tells `add` with their names. */
import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { modelListStyles } from "./model-list-styles.ts";

const most = 60;
const longestMs = 120_000;

@customElement("provider-vendor-models")
export class VendorModels extends Part {
  static override styles = [...Part.styles, modelListStyles];

  @property() provider = "";
  @property({ attribute: false }) taken: ReadonlySet<string> = new Set();
  @property({ type: Boolean }) editable = false;
  @property({ type: Boolean }) busy = false;
  @state() private words = "";
  readonly #models = new Load(this, (signal) => {
    const options = { signal, timeout: longestMs };
    return call<{ models: readonly string[] }>("providers.upstream_models", { provider: this.provider }, options);
  });

  override render() {
    return html`<section class="card stack" aria-labelledby="vendor">
      <div class="spread"><h2 id="vendor">${t("providers.vendor", { name: short(this.provider, 60) })}</h2>
        <button class="small" ?disabled=${this.#models.busy} @click=${() => this.#models.again()}><ui-icon name="refresh-cw"></ui-icon>${t("ui.reload")}</button></div>
      ${this.#models.show(({ models }) => this.list(models))}
    </section>`;
  }

  private list(models: readonly string[]): unknown {
    if (models.length === 0) return html`<p class="muted">${t("providers.vendor.none")}</p>`;
    const found = findModels(models, this.words);
    const fresh = found.filter((model) => !this.taken.has(model));
    const mayAddAll = this.editable && this.words !== "" && fresh.length > 1 && fresh.length <= most;
    return html`<input type="search" aria-label=${t("ui.search")} placeholder=${t("providers.vendor.search", { n: models.length })} .value=${this.words} @input=${this.typed} />
      <ul class="models" aria-label=${t("providers.vendor", { name: short(this.provider, 60) })}>${found.slice(0, most).map((model) => this.row(model))}</ul>
      ${mayAddAll ? html`<button class="small" ?disabled=${this.busy} @click=${() => this.add(fresh)}><ui-icon name="plus"></ui-icon>${t("providers.vendor.all", { n: fresh.length })}</button>` : ""}
      <p class="muted small" role="status">${found.length === 0 ? t("palette.none") : found.length > most ? t("providers.more", { n: found.length - most }) : ""}</p>`;
  }

  private row(model: string): unknown {
    const name = short(model, 120);
    return html`<li><code class="name wrap">${name}</code>
      ${
        this.taken.has(model)
          ? html`<span class="badge ok">${t("providers.vendor.taken")}</span>`
          : this.editable
            ? html`<button class="small" ?disabled=${this.busy} aria-label=${t("providers.vendor.add", { name })} @click=${() => this.add([model])}><ui-icon name="plus"></ui-icon>${t("ui.add")}</button>`
            : ""
      }</li>`;
  }

  private add(models: readonly string[]): void {
    this.dispatchEvent(new CustomEvent("add", { detail: models }));
  }

  private typed(event: Event): void {
    this.words = (event.target as HTMLInputElement).value;
  }
}

/** Those in whose names all of these words are. */
export function findModels(models: readonly string[], words: string): readonly string[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => wanted.every((word) => model.toLowerCase().includes(word)));
}
