/** The fields of the limits of a key, alike where one is made and where one is changed. */
import { html, type TemplateResult } from "lit";
import { t } from "../../i18n/locale.ts";
import type { Limits } from "./key-row.ts";

export function limitFields({ rpm, tokens, usd, period }: Limits): TemplateResult {
  return html`<fieldset>
    <legend>${t("keys.limits")}</legend>
    <p class="hint">${t("keys.limits.hint")}</p>
    <div class="grid">
      ${amount("rpm", t("keys.rpm"), rpm, "1")} ${amount("tokens", t("keys.tokens"), tokens, "1")}
      ${amount("usd", t("keys.usd"), usd, "any")}
      <div class="field">
        <label for="period">${t("keys.period")}</label>
        <select id="period" name="period">
          <option value="month" ?selected=${period === "month"}>${t("keys.period.month")}</option>
          <option value="day" ?selected=${period === "day"}>${t("keys.period.day")}</option>
        </select>
      </div>
    </div>
  </fieldset>`;
}

function amount(name: string, label: string, value: number | null, step: string): TemplateResult {
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <input id=${name} name=${name} type="number" min=${step === "any" ? "0.0001" : "1"} step=${step} .value=${value === null ? "" : String(value)} inputmode="decimal" />
  </div>`;
}
