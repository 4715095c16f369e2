/** A choice among all models, by provider; its first option is none of them. Of very long lists the page of the provider has the rest. */
import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { t } from "../../i18n/locale.ts";
import { short } from "../../parts/plain.ts";
import type { Model } from "./shapes.ts";

/** Of one provider. */
const mostShown = 200;

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly models: readonly Model[];
  readonly value?: string;
  /** What the first option says. */
  readonly none: string;
  readonly disabled: boolean;
}

export function modelSelect(
  { id, label, models, value = "", none, disabled }: Choice,
  choose: (model: string) => unknown,
): TemplateResult {
  const named = models.filter(({ model }) => model !== "*");
  const shown = [...new Set(named.map(({ provider }) => provider))].map((provider) => {
    const all = named.filter((one) => one.provider === provider);
    return { provider, own: all.slice(0, mostShown), more: all.length - mostShown };
  });
  const isElsewhere = value !== "" && !shown.some(({ own }) => own.some((model) => model.id === value));
  const option = (model: string, text: string) =>
    html`<option value=${model} ?selected=${model === value}>${short(text, 120)}</option>`;
  return html`<select id=${id} aria-label=${label} ?disabled=${disabled} .value=${live(value)} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
    <option value="" ?selected=${value === ""}>${none}</option>
    ${isElsewhere ? option(value, value) : ""}
    ${shown.map(
      ({
        provider,
        own,
        more,
      }) => html`<optgroup label=${short(provider, 80)}>${own.map((one) => option(one.id, one.model))}
        ${more > 0 ? html`<option disabled>${t("providers.more", { n: more })}</option>` : ""}</optgroup>`,
    )}
  </select>`;
}
