/** How the model providers do: who is asked in which order, who rests, why and until when. */
import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { ago, clock, dateTime } from "../../i18n/formats.ts";
import { type Key, languages, t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Minutes } from "../../parts/minutes.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toast, toastError } from "../../parts/toast.ts";
import type { Candidate, Cooldown, Provider, Providers } from "./facts.ts";

const events = [
  "config_changed",
  "providers.discovered",
  "provider_account_added",
  "provider_account_removed",
  "provider_account_disabled",
  "provider_account_renewed",
  "provider_rests_changed",
];
const most = 12;
const kinds = { healthy: "ok", degraded: "warn", critical: "bad" } as const;
const known = new Set(["rate_limit", "quota", "unauthorized", "forbidden", "unavailable", "no_token"]);

interface Loaded extends Providers {
  readonly at: number;
}

@customElement("dashboard-providers")
export class ProvidersCard extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .list { list-style: none; margin: 0; padding: 0; }
      .list > li { padding: 0.6rem 0; border-top: 1px solid var(--border); }
      .list > li:first-child { border-top: 0; padding-top: 0; }
      ol { margin: 0.3rem 0 0; padding-inline-start: 1.4rem; }
      .rest { display: flex; gap: 0.5rem; align-items: center; justify-content: space-between; margin-top: 0.4rem; padding: 0.35rem 0.6rem; border-radius: var(--radius-s); background: var(--bad-soft); }
      .rest ul { margin: 0; padding-inline-start: 1rem; }
    `,
  ];

  @state() private clearing = "";
  readonly #providers = new Load(this, async () => ({ ...(await call<Providers>("providers.list")), at: Date.now() }), {
    events,
  });

  constructor() {
    super();
    new Minutes(this);
  }

  override render() {
    return html`<section class="card" aria-labelledby="providers">
      <div class="spread"><h2 id="providers">${t("dashboard.providers")}</h2></div>
      ${this.#providers.show((loaded) => this.all(loaded))}
    </section>`;
  }

  private all(loaded: Loaded) {
    const { providers, fallbacks, problems } = loaded;
    const worst = [...providers].sort((a, b) => rank(a) - rank(b));
    return html`
      ${providers.length === 0 ? html`<p class="muted">${t("dashboard.providers.none")}</p><a class="button" href=${href("providers")}>${t("dashboard.providers.go")}</a>` : nothing}
      ${problems.map((problem) => html`<p class="notice warn small">${short(typeof problem === "string" ? problem : (problem.message ?? JSON.stringify(problem)))}</p>`)}
      <ul class="list">${worst.slice(0, most).map((provider) => this.one(provider, loaded.at))}</ul>
      ${fallbacks.length > 0 ? html`<p class="muted small wrap">${t("dashboard.providers.fallbacks", { models: short(fallbacks.join(", ")) })}</p>` : nothing}
      ${worst.length > most ? html`<a href=${href("providers")}>${t("dashboard.moreNotices", { n: worst.length - most })}</a>` : nothing}`;
  }

  private one(provider: Provider, at: number) {
    const { name, primary, status, candidates, cooldowns, last_error_at: when, last_error_reason: reason } = provider;
    return html`<li>
      <div class="spread">
        <span class="row tight"><strong class="wrap">${short(name)}</strong>${primary ? html`<span class="badge info">${t("dashboard.providers.primary")}</span>` : nothing}</span>
        <span class="badge ${kinds[status]}">${t(`dashboard.providers.${status}`)}</span>
      </div>
      ${order(candidates ?? [])}
      ${when === null ? nothing : html`<div class="muted small wrap">${t("dashboard.providers.lastError", { when: ago(when), reason: because(reason ?? "") })}</div>`}
      ${cooldowns.length > 0 ? this.rests(name, cooldowns, at) : nothing}
    </li>`;
  }

  private rests(name: string, cooldowns: readonly Cooldown[], at: number) {
    const label = t("dashboard.providers.clearOf", { provider: name });
    return html`<div class="rest small">
      <div class="grow"><strong>${t("dashboard.providers.rest")}</strong>
        <ul>${cooldowns.slice(0, most).map((rest) => html`<li class="wrap">${restText(rest, at)}</li>`)}</ul></div>
      ${session.can("write") ? html`<button class="small" aria-label=${label} ?disabled=${this.clearing === name} @click=${() => this.clear(name)}>${t("dashboard.providers.clear")}</button>` : nothing}
    </div>`;
  }

  private async clear(provider: string): Promise<void> {
    this.clearing = provider;
    try {
      const { cleared } = await call<{ cleared: number }>("providers.clear", { provider });
      toast(t("dashboard.providers.cleared", { n: cleared }), "ok");
      await this.#providers.again();
    } catch (error) {
      toastError(error);
    }
    this.clearing = "";
  }
}

function order(candidates: readonly Candidate[]) {
  if (candidates.length === 0) return nothing;
  return html`<ol class="small" aria-label=${t("dashboard.providers.order")}>${candidates.slice(0, most).map(
    ({ target, available, health_score: health }) => html`<li class="wrap">
      ${target === undefined ? t("dashboard.providers.noKey") : html`<span class="mono">${short(target, 80)}</span>`}
      <span class="muted">· ${t("dashboard.providers.health", { n: Math.round(health) })}${available ? "" : ` · ${t("dashboard.providers.rest")}`}</span></li>`,
  )}</ol>`;
}

function rank({ status, primary }: Provider): number {
  return { critical: 0, degraded: 2, healthy: 4 }[status] - (primary ? 1 : 0);
}

function because(reason: string): string {
  return known.has(reason) ? t(`dashboard.reason.${reason}` as Key) : short(reason, 100);
}

function restText({ model, credential, reason, seconds }: Cooldown, at: number): string {
  const what = [model ?? t("dashboard.providers.whole"), credential]
    .filter((part) => part !== "")
    .map((part) => short(part, 80));
  return [
    ...what,
    because(reason),
    seconds === null ? t("dashboard.providers.unset") : until(at + seconds * 1_000),
  ].join(" · ");
}

function until(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  const seconds = new Intl.DateTimeFormat(languages.locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const time = !isToday ? dateTime(at) : at - Date.now() < 120_000 ? seconds.format(at) : clock(at);
  return t("dashboard.providers.until", { time });
}
