/** What each plugin's start took, the slowest first. */
import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { bytes, millis, span } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { styled } from "../../parts/styled.ts";
import type { Startup } from "./facts.ts";

const most = 8;

@customElement("dashboard-startup")
export class StartupCard extends Part {
  static override styles = [
    ...Part.styles,
    css`
      td, th { padding: 0.3rem 0.5rem; }
      tbody th { color: var(--text); font-weight: 500; }
      .bar { width: 40%; vertical-align: middle; }
      .bar div { height: 0.55rem; border-radius: 3px; background: var(--accent-bg); min-width: 2px; }
    `,
  ];

  @state() private isAllShown = false;
  readonly #startup = new Load(this, () => call<readonly Startup[]>("gateway.startup"), { events: ["generation"] });

  override render() {
    return html`<section class="card" aria-labelledby="startup"><h2 id="startup">${t("dashboard.startup")}</h2>
      ${this.#startup.show((rows) => this.table([...rows].sort((a, b) => b.ms - a.ms)))}</section>`;
  }

  private table(rows: readonly Startup[]) {
    const longest = Math.max(1, rows[0]?.ms ?? 1);
    const time = span(
      Math.max(
        1,
        rows.reduce((sum, { ms }) => sum + ms, 0),
      ),
    );
    const all = () => {
      this.isAllShown = true;
    };
    return html`<p class="muted small">${t("dashboard.startup.sum", { n: rows.length, time })}</p>
      <div class="scroll"><table>
        <thead><tr><th scope="col">${t("dashboard.startup.plugin")}</th><td></td><th scope="col" class="number">${t("dashboard.startup.ms")}</th>
          <th scope="col" class="number">${t("dashboard.startup.memory")}</th></tr></thead>
        <tbody>${rows.slice(0, this.isAllShown ? rows.length : most).map(
          ({ id, ms, rssDelta }) => html`<tr><th scope="row"><a href=${href("plugins", id)}>${id}</a></th>
            <td class="bar"><div ${styled({ width: `${(ms / longest) * 100}%` })}></div></td>
            <td class="number">${millis(ms)}</td><td class="number">${rssDelta > 0 ? bytes(rssDelta) : "–"}</td></tr>`,
        )}</tbody>
      </table></div>
      ${rows.length > most && !this.isAllShown ? html`<button class="small" @click=${all}>${t("dashboard.startup.all", { n: rows.length })}</button>` : nothing}`;
  }
}
