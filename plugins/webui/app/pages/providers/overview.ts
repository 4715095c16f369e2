/** All providers, who answers by default, and what somebody with no provider can do. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import "./default-model.ts";
import "./provider-card.ts";
import "./welcome.ts";
import { type Listing, type Model, problemOf, providerEvents } from "./shapes.ts";
import { ask } from "./wish.ts";

@customElement("providers-overview")
export class Overview extends Part {
  static override styles = [...Part.styles, css`header { margin-bottom: 1rem; } header p { margin: 0; }`];

  @property({ attribute: false }) listing?: Listing;
  readonly #models = new Load(
    this,
    (signal) => call<{ models: readonly Model[] }>("providers.models", {}, { signal }),
    {
      events: providerEvents,
    },
  );

  override render() {
    const { listing } = this;
    if (listing === undefined) return "";
    const isFirst = listing.configured.length === 0;
    const models = this.#models.value?.models ?? [];
    return html`<header class="spread">
        <div><h1>${t("providers.title")}</h1><p class="muted">${t("providers.about")}</p></div>
        ${session.can("admin") ? html`<button class="primary" @click=${() => ask(this, "add")}><ui-icon name="plus"></ui-icon>${t("providers.add")}</button>` : ""}
      </header>
      <div class="stack">
        ${isFirst ? html`<providers-welcome .listing=${listing}></providers-welcome>` : ""}
        ${this.#models.error && !this.#models.value ? this.#models.show(() => "") : ""}
        ${isFirst && listing.providers.length === 0 ? "" : html`<providers-default .listing=${listing} .models=${models}></providers-default>`}
        ${this.broken(listing)}
        <div class="stack" role="list">${repeat(
          listing.providers,
          ({ name }) => name,
          (provider) => html`<provider-card role="listitem" .provider=${provider} .at=${listing.at}></provider-card>`,
        )}</div>
      </div>`;
  }

  /** Those in the config that cannot be used as they are. */
  private broken(listing: Listing): unknown {
    const serving = new Set(listing.providers.map(({ name }) => name));
    const names = listing.configured.filter((name) => !serving.has(name) && problemOf(listing, name));
    return names.map((name) => {
      const problem = problemOf(listing, name);
      return html`<section class="card stack" aria-label=${short(name, 80)}>
        <div class="spread"><div class="row"><h2 class="wrap">${short(name, 80)}</h2><span class="badge bad">${t("providers.unusable")}</span></div>
          <div class="row tight"><a class="button" href="${href("providers", name)}?tab=settings">${t("providers.repair")}</a>
            ${session.can("admin") ? html`<button class="danger" @click=${() => ask(this, "remove", name)}>${t("ui.remove")}</button>` : ""}</div></div>
        <p class="notice bad">${short(`${problem?.path} ${problem?.message}`, 600)}</p>
      </section>`;
    });
  }
}
