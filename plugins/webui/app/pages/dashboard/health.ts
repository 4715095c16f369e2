/** How healthy the gateway was: the last day as a strip, what fails now, and what failed lately. */
import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { ago, dateTime, span } from "../../i18n/formats.ts";
import { type Key, t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { History, Incident, Watch } from "./facts.ts";
import "./health-strip.ts";

const fresh = { every: 60_000, events: ["sentinel_alert", "sentinel_incident", "plugin_state"] };
const mostAsked = 50;
const mostShown = 5;

@customElement("dashboard-health")
export class Health extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ul { list-style: none; margin: 0; padding: 0; }
      li { padding: 0.45rem 0; border-top: 1px solid var(--border); }
      h3 { margin-top: 1rem; }
      .fine { display: flex; gap: 0.4rem; align-items: center; color: var(--ok); }
    `,
  ];

  @state() private isAllShown = false;
  readonly #history = new Load(this, () => call<History>("sentinel.history"), fresh);
  readonly #watch = new Load(this, () => call<Watch>("sentinel.status"), fresh);
  readonly #incidents = new Load(
    this,
    () => call<{ incidents: readonly Incident[] }>("sentinel.incidents", { limit: mostAsked }),
    fresh,
  );

  override render() {
    return html`<section class="card" aria-labelledby="health">
      <h2 id="health">${t("dashboard.health")}</h2>
      ${this.#history.show((history) => html`<dashboard-health-strip .history=${history}></dashboard-health-strip>`)}
      <h3>${t("dashboard.health.now")}</h3>
      <div role="status">${this.#watch.show(failing)}</div>
      <h3>${t("dashboard.incidents")}</h3>
      ${this.#incidents.show(({ incidents }) => this.incidents(incidents))}
    </section>`;
  }

  private incidents(incidents: readonly Incident[]) {
    if (incidents.length === 0) return html`<p class="muted small">${t("dashboard.incidents.none")}</p>`;
    const shown = this.isAllShown ? incidents : incidents.slice(0, mostShown);
    const all = () => {
      this.isAllShown = true;
    };
    return html`<ul>${shown.map(row)}</ul>
      ${shown.length < incidents.length ? html`<button class="small" @click=${all}>${t("dashboard.incidents.all", { n: incidents.length })}</button>` : nothing}`;
  }
}

function failing({ enabled, failing }: Watch) {
  if (!enabled) return html`<p class="muted small">${t("dashboard.health.idle")}</p>`;
  if (failing.length === 0)
    return html`<p class="fine small"><ui-icon name="circle-check"></ui-icon>${t("dashboard.health.fine")}</p>`;
  return html`<ul>${failing.map(
    ({
      what,
      reason,
      since,
    }) => html`<li><strong class="wrap">${short(what)}</strong> <span class="muted small">${ago(since)}</span>
      <div class="wrap small">${short(reason)}</div></li>`,
  )}</ul>`;
}

function row({ check, plugin, message, started, ended, outcome }: Incident) {
  const kind = ended === null ? "bad" : outcome === "recovered" ? "ok" : "";
  const lasted = { when: ago(started), time: span(Math.max(1_000, (ended ?? Date.now()) - started)) };
  return html`<li>
    <div class="spread"><strong class="wrap">${plugin}${check === null ? "" : ` · ${short(check)}`}</strong>
      <span class="badge ${kind}">${t(`dashboard.incident.${outcome ?? "open"}` as Key)}</span></div>
    <div class="wrap small">${short(message)}</div>
    <div class="muted small" title=${dateTime(started)}>${t("dashboard.incident.lasted", lasted)}</div>
  </li>`;
}
