/** A choice among all models, by provider; its first option is none of them. */
import { html, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { short } from "../../parts/plain.ts";
import type { Model } from "./shapes.ts";

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
  const providers = [...new Set(named.map(({ provider }) => provider))];
  const isElsewhere = value !== "" && !named.some((model) => model.id === value);
  const option = (model: string, text: string) =>
    html`<option value=${model} ?selected=${model === value}>${short(text, 120)}</option>`;
  return html`<select id=${id} aria-label=${label} ?disabled=${disabled} .value=${live(value)} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
    <option value="" ?selected=${value === ""}>${none}</option>
    ${isElsewhere ? option(value, value) : ""}
    ${providers.map((provider) => {
      const own = named.filter((one) => one.provider === provider);
      return html`<optgroup label=${short(provider, 80)}>${own.map((one) => option(one.id, one.model))}</optgroup>`;
    })}
  </select>`;
}
