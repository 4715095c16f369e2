/** The dashboard: how the gateway does, what needs a hand, and what it costs. Each section stands on the plugin it asks; without it, it is left out. */
import { css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import "./actions.ts";
import type { Status } from "./facts.ts";
import "./health.ts";
import "./live.ts";
import "./notices.ts";
import "./overview.ts";
import "./providers.ts";
import "./recent-log.ts";
import "./startup.ts";
import "./usage.ts";

/** What a section asks. */
const shownBy = ["metrics", "sentinel", "providers", "usage", "logs"] as const;

@customElement("chela-page-dashboard")
export class DashboardPage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .columns { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); align-items: start; }
      .stack { gap: 1rem; }
      .columns > * { min-width: 0; }
    `,
  ];

  readonly #status = new Load(this, (signal) => call<Status>("gateway.status", {}, { signal }), {
    events: ["plugin_state", "generation", "config_changed", "config_error", "config_ok"],
  });

  override render() {
    return html`<div class="page">
      <header><h1>${t("dashboard.title")}</h1><dashboard-actions></dashboard-actions></header>
      ${this.#status.show((status) => this.sections(status))}
    </div>`;
  }

  private sections(status: Status) {
    const runs = (id: string) => status.plugins.some((plugin) => plugin.id === id && plugin.state === "running");
    const off = shownBy.filter((id) => !runs(id));
    return html`<div class="stack">
      <dashboard-notices .status=${status}></dashboard-notices>
      <dashboard-overview .status=${status} ?machine=${runs("metrics")}></dashboard-overview>
      ${runs("metrics") ? html`<dashboard-live></dashboard-live>` : nothing}
      <div class="columns">
        ${runs("sentinel") ? html`<dashboard-health></dashboard-health>` : nothing}
        <div class="stack">
          ${runs("providers") ? html`<dashboard-providers></dashboard-providers>` : nothing}
          ${runs("logs") ? html`<dashboard-recent-log></dashboard-recent-log>` : nothing}
        </div>
      </div>
      ${runs("usage") ? html`<dashboard-usage ?keys=${runs("keys")}></dashboard-usage>` : nothing}
      <dashboard-startup></dashboard-startup>
      ${off.length > 0 ? html`<p class="muted small">${t("dashboard.off", { plugins: off.join(", ") })} <a href=${href("plugins")}>${t("dashboard.off.go")}</a></p>` : nothing}
    </div>`;
  }
}
