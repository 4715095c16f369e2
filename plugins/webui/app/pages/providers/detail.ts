/** One provider in full: how it does, its models, its accounts, what happened, and its settings. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { dateTime } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toastError } from "../../parts/toast.ts";
import "./models-tab.ts";
import "./order-of.ts";
import "./rests.ts";
import { isConfigured, type Listing, type Provider, problemOf, usesAccounts } from "./shapes.ts";
import { statusBadge } from "./status-badge.ts";
import { ask } from "./wish.ts";
import { authText, because, credentialsText, strategyText } from "./wording.ts";

const tabs = ["models", "accounts", "events", "settings"] as const;
type Tab = (typeof tabs)[number];

@customElement("provider-detail")
export class Detail extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .head { margin: 0.4rem 0 0.8rem; }
      nav { display: flex; gap: 0.2rem; border-bottom: 1px solid var(--border); margin: 1rem 0; overflow-x: auto; }
      nav a { padding: 0.5rem 0.8rem; color: var(--text-2); text-decoration: none; border-bottom: 3px solid transparent; white-space: nowrap; }
      nav a[aria-current] { color: var(--text); border-color: var(--accent); font-weight: 600; }
      nav a:focus-visible { outline-offset: -3px; }
      .back { display: inline-flex; align-items: center; gap: 0.2rem; min-height: 24px; }
      .back ui-icon { transform: rotate(180deg); }
      dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(45%, 14rem), 1fr)); gap: 0.7rem 1.2rem; margin: 0; }
      dt { color: var(--text-2); font-size: 0.82rem; }
      dd { margin: 0; overflow-wrap: anywhere; }
      h3 { margin-top: 0; }
    `,
  ];

  @property() name = "";
  @property() tab = "";
  @property({ attribute: false }) listing?: Listing;
  @state() private seen: ReadonlySet<Tab> = new Set(["models"]);

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("tab") || changed.has("listing")) void this.prepare(this.current());
  }

  override render() {
    const { listing, name } = this;
    if (listing === undefined) return "";
    const provider = listing.providers.find((one) => one.name === name);
    const isThere = provider !== undefined || listing.configured.includes(name);
    return html`<a class="back" href=${href("providers")}><ui-icon name="chevron-right"></ui-icon>${t("providers.all")}</a>
      ${isThere ? this.content(provider, listing) : html`<h1>${t("providers.gone", { name: short(name, 80) })}</h1>`}`;
  }

  private content(provider: Provider | undefined, listing: Listing): unknown {
    const problem = problemOf(listing, this.name);
    return html`<header class="spread head">
        <div class="row grow"><h1 class="wrap">${short(this.name, 80)}</h1>${provider ? badges(provider) : html`<span class="badge bad">${t("providers.unusable")}</span>`}</div>
        ${this.actions(provider)}
      </header>
      ${problem ? html`<p class="notice bad">${short(`${problem.path} ${problem.message}`, 600)}</p>` : ""}
      ${provider ? this.facts(provider, listing) : ""}
      ${this.tabs(provider, listing)}`;
  }

  private actions(provider: Provider | undefined): unknown {
    const { name } = this;
    if (!session.can("admin")) return "";
    if (provider && !isConfigured(provider))
      return html`<button class="primary" @click=${() => ask(this, "keep", name)}><ui-icon name="save"></ui-icon>${t("providers.keep")}</button>`;
    return html`<div class="row tight">
      ${provider && usesAccounts(provider) ? html`<button class="primary" @click=${() => ask(this, "login", name)}><ui-icon name="key-round"></ui-icon>${t("providers.login")}</button>` : ""}
      <button class="danger" @click=${() => ask(this, "remove", name)}><ui-icon name="trash-2"></ui-icon>${t("ui.remove")}</button>
    </div>`;
  }

  private facts(provider: Provider, listing: Listing): unknown {
    const {
      api_base,
      wire,
      preset,
      strategy,
      last_success_at: well,
      last_error_at: bad,
      last_error_reason: why,
    } = provider;
    const never = t("providers.never");
    return html`<div class="card stack">
      <dl>
        ${fact(t("providers.fact.base"), short(api_base, 200))}
        ${fact(t("providers.fact.wire"), preset === "generic" ? short(wire, 40) : `${short(wire, 40)} · ${short(preset, 60)}`)}
        ${fact(t("providers.fact.auth"), authText(provider.auth))}
        ${fact(t("providers.fact.credentials"), credentialsText(provider))}
        ${fact(t("providers.fact.strategy"), strategyText(strategy))}
        ${fact(t("providers.fact.success"), well === null ? never : dateTime(well))}
        ${fact(t("providers.fact.error"), bad === null ? never : `${dateTime(bad)} · ${because(why ?? "")}`)}
      </dl>
      ${provider.cooldowns.length > 0 ? html`<provider-rests .provider=${provider} .at=${listing.at}></provider-rests>` : ""}
      <provider-order-of .provider=${provider} .listing=${listing}></provider-order-of>
    </div>`;
  }

  private tabs(provider: Provider | undefined, listing: Listing): unknown {
    const { name, seen } = this;
    const open = this.current();
    const isConfig = listing.configured.includes(name);
    return html`<nav aria-label=${t("providers.tabs")}>${this.offered().map(
      (tab) =>
        html`<a href="${href("providers", name)}?tab=${tab}" aria-current=${ifDefined(tab === open ? "page" : undefined)}>${t(`providers.tab.${tab}`)}</a>`,
    )}</nav>
      ${provider ? html`<provider-models ?hidden=${open !== "models"} .provider=${provider} .listing=${listing}></provider-models>` : ""}
      ${provider && seen.has("accounts") ? html`<provider-accounts ?hidden=${open !== "accounts"} .provider=${provider}></provider-accounts>` : ""}
      ${provider && seen.has("events") && open === "events" ? html`<provider-events provider=${name}></provider-events>` : ""}
      ${isConfig && seen.has("settings") ? html`<provider-settings ?hidden=${open !== "settings"} name=${name}></provider-settings>` : ""}`;
  }

  private offered(): readonly Tab[] {
    const { listing, name } = this;
    const provider = listing?.providers.find((one) => one.name === name);
    const isConfig = listing?.configured.includes(name);
    if (provider === undefined) return ["settings"];
    const hasAccounts = usesAccounts(provider) || (provider.accounts ?? []).length > 0;
    return tabs.filter((tab) => (tab !== "accounts" || hasAccounts) && (tab !== "settings" || isConfig));
  }

  private current(): Tab {
    const [first = "models", ...others] = this.offered();
    return others.find((tab) => tab === this.tab) ?? first;
  }

  /** What a tab needs is loaded with the first look at it. */
  private async prepare(tab: Tab): Promise<void> {
    if (this.seen.has(tab)) return;
    try {
      if (tab === "accounts") await import("./accounts-tab.ts");
      if (tab === "events") await import("./events-tab.ts");
      if (tab === "settings") await import("./settings-tab.ts");
      this.seen = new Set([...this.seen, tab]);
    } catch (error) {
      toastError(error);
    }
  }
}

function badges(provider: Provider): unknown {
  return html`${statusBadge(provider)}
    ${provider.primary ? html`<span class="badge info">${t("providers.primary")}</span>` : ""}
    ${isConfigured(provider) ? "" : html`<span class="badge">${t("providers.source.discovered")}</span>`}`;
}

function fact(name: string, value: string): unknown {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}
