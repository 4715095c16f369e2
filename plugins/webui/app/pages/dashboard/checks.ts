/** Runs every health check at once and shows what each says. */
import { css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toastError } from "../../parts/toast.ts";
import type { Check } from "./facts.ts";

@customElement("dashboard-checks")
export class Checks extends Part {
  static override styles = [...Part.styles, css`:host { display: inline-flex; } td { min-width: 5rem; }`];

  @state() private busy = false;
  @state() private checks: readonly Check[] | undefined;

  override render() {
    return html`<button ?disabled=${this.busy} @click=${this.run}>
        <ui-icon name="activity"></ui-icon>${t(this.busy ? "dashboard.check.busy" : "dashboard.check")}</button>
      <ui-dialog wide heading=${t("dashboard.check.title")} ?open=${this.checks !== undefined} @close=${this.close}>
        ${this.checks ? this.results(this.checks) : nothing}
      </ui-dialog>`;
  }

  private results(checks: readonly Check[]) {
    const bad = checks.filter(({ ok }) => !ok).length;
    return html`<p class="notice ${bad === 0 ? "ok" : "bad"}" role="status">
        ${bad === 0 ? t("dashboard.check.ok", { n: checks.length }) : t("dashboard.check.bad", { n: bad })}</p>
      <div class="scroll" tabindex="0" role="region" aria-label=${t("dashboard.check.title")}><table>
        <thead><tr><th scope="col">${t("dashboard.check.name")}</th><th scope="col">${t("dashboard.check.result")}</th>
          <th scope="col">${t("dashboard.check.facts")}</th></tr></thead>
        <tbody>${[...checks].sort((a, b) => Number(a.ok) - Number(b.ok)).map(row)}</tbody>
      </table></div>`;
  }

  private async run(): Promise<void> {
    this.busy = true;
    try {
      this.checks = (await call<{ checks: readonly Check[] }>("gateway.health")).checks;
    } catch (error) {
      toastError(error);
    }
    this.busy = false;
  }

  private close(): void {
    this.checks = undefined;
  }
}

function row({ plugin, name, ok, ...facts }: Check) {
  const said = Object.entries(facts).filter(([, value]) => value !== "" && value !== null);
  return html`<tr>
    <th scope="row">${plugin}<br /><span class="muted">${short(name)}</span></th>
    <td><span class="badge ${ok ? "ok" : "bad"}"><ui-icon name=${ok ? "check" : "x"}></ui-icon>${t(ok ? "dashboard.well" : "dashboard.fails")}</span></td>
    <td class="wrap small">${said.map(([key, value]) => html`<span class="muted">${short(key)}:</span> ${short(text(value))}<br />`)}</td>
  </tr>`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
