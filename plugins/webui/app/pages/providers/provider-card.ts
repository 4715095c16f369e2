/** One provider among the others: what it is, how it does, and what is done with it most often. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { ago } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Minutes } from "../../parts/minutes.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { ModelTests, outcome } from "./model-tests.ts";
import "./rests.ts";
import { isConfigured, isLoggedOut, type Provider } from "./shapes.ts";
import { statusBadge } from "./status-badge.ts";
import { ask } from "./wish.ts";
import { authText, because, credentialsText, strategyText } from "./wording.ts";

@customElement("provider-card")
export class ProviderCard extends Part {
  static override styles = [
    ...Part.styles,
    css`
      h2 { margin: 0; }
      .spread > .grow { flex-basis: 14rem; }
      h2 a { color: inherit; text-decoration: none; }
      h2 a:hover { text-decoration: underline; }
      .good { color: var(--ok); }
    `,
  ];

  @property({ attribute: false }) provider?: Provider;
  @property({ attribute: false }) at = 0;
  readonly #tests = new ModelTests(this);

  constructor() {
    super();
    new Minutes(this);
  }

  override render() {
    const { provider } = this;
    if (provider === undefined) return "";
    const { name, primary, wire, models, cooldowns } = provider;
    const [first] = models;
    return html`<section class="card stack" aria-labelledby="name">
      <div class="spread">
        <div class="row grow">
          <h2 id="name" class="wrap"><a href=${href("providers", name)}>${short(name, 80)}</a></h2>
          ${statusBadge(provider)}
          ${primary ? html`<span class="badge info">${t("providers.primary")}</span>` : ""}
          ${isConfigured(provider) ? "" : html`<span class="badge">${t("providers.source.discovered")}</span>`}
          <span class="badge">${short(wire, 30)}</span>
        </div>
        ${this.actions(provider, first)}
      </div>
      <p class="small muted wrap">${this.facts(provider)}</p>
      ${first === undefined ? "" : outcome(this.#tests, `${name}/${first}`)}
      ${this.lastError(provider)}
      ${cooldowns.length > 0 ? html`<provider-rests .provider=${provider} .at=${this.at}></provider-rests>` : ""}
    </section>`;
  }

  private actions(provider: Provider, first: string | undefined): unknown {
    const { name } = provider;
    const admin = session.can("admin");
    return html`<div class="row tight">
      ${session.can("write") && first !== undefined ? html`<button class="small" ?disabled=${this.#tests.isBusy} @click=${() => this.#tests.run([`${name}/${first}`])}><ui-icon name="activity"></ui-icon>${t("providers.test")}</button>` : ""}
      ${admin && isLoggedOut(provider) ? html`<button class="small primary" @click=${() => ask(this, "login", name)}><ui-icon name="key-round"></ui-icon>${t("providers.login")}</button>` : ""}
      <a class="button small" href=${href("providers", name)}><ui-icon name="sliders-horizontal"></ui-icon>${t("providers.open")}</a>
      ${admin && isConfigured(provider) ? html`<button class="small danger" @click=${() => ask(this, "remove", name)}><ui-icon name="trash-2"></ui-icon>${t("ui.remove")}</button>` : ""}
    </div>`;
  }

  private facts(provider: Provider): string {
    const { api_base, auth, models, open, candidates, strategy } = provider;
    const several = (candidates ?? []).length > 1;
    const facts = [
      short(api_base, 120),
      authText(auth),
      ...(auth === "none" ? [] : [credentialsText(provider)]),
      ...(several ? [strategyText(strategy)] : []),
      models.length > 0 ? t("providers.models", { n: models.length }) : t(open ? "providers.models.any" : "ui.none"),
    ];
    return facts.join(" · ");
  }

  private lastError({ last_error_at: at, last_error_reason: reason }: Provider): unknown {
    if (at === null) return "";
    return html`<p class="small muted wrap">${t("providers.lastError", { when: ago(at), reason: because(reason ?? "") })}</p>`;
  }
}
