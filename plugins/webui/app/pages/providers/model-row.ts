/** One model in the list of its provider. */
import { html } from "lit";
import { session } from "../../client/session.ts";
import { count } from "../../i18n/formats.ts";
import { number, t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { short } from "../../parts/plain.ts";
import { type ModelTests, outcome } from "./model-tests.ts";
import type { Listing, Model, Price } from "./shapes.ts";

/** What a row asks of the list around it. */
export interface ModelRowPort {
  readonly busy: boolean;
  readonly mayEdit: boolean;
  readonly tests: ModelTests;
  readonly listing?: Listing | undefined;
  choose(id: string): Promise<boolean>;
  raise(model: string): Promise<boolean>;
  drop(model: string): Promise<boolean>;
}

export interface ModelFacts {
  readonly id: string;
  readonly facts: Model | undefined;
  readonly price: Price | null | undefined;
}

export function modelRow(port: ModelRowPort, { id, facts, price }: ModelFacts): unknown {
  const model = facts?.model ?? id.slice(id.indexOf("/") + 1);
  const name = short(model, 120);
  const isPrimary = port.listing?.primary === id;
  const place = port.listing?.fallbacks.indexOf(id) ?? -1;
  return html`<li>
    <div class="name">
      <div class="row tight"><code class="wrap">${name}</code>
        ${isPrimary ? html`<span class="badge info">${t("providers.primary")}</span>` : ""}
        ${place >= 0 ? html`<span class="badge">${t("providers.fallback", { n: place + 1 })}</span>` : ""}</div>
      <div class="small muted">${factsOf(facts, price)}</div>
    </div>
    ${actions(port, { id, model, name, isPrimary })}
    <div class="told">${outcome(port.tests, id)}</div>
  </li>`;
}

function actions(
  port: ModelRowPort,
  { id, model, name, isPrimary }: { id: string; model: string; name: string; isPrimary: boolean },
): unknown {
  const isFirst = port.listing?.providers.some((provider) => `${provider.name}/${provider.models[0]}` === id);
  const isAsking = port.tests.of(id)?.state === "asking";
  return html`<div class="row tight">
    ${session.can("write") ? html`<button class="small" ?disabled=${isAsking} aria-label=${t("providers.test.one", { name })} @click=${() => port.tests.run([id])}><ui-icon name="activity"></ui-icon>${t("providers.test")}</button>` : ""}
    ${session.can("admin") && !isPrimary ? html`<button class="small" ?disabled=${port.busy} aria-label=${t("providers.choose.one", { name })} @click=${() => port.choose(id)}><ui-icon name="star"></ui-icon>${t("providers.choose")}</button>` : ""}
    ${
      port.mayEdit
        ? html`<button class="small icon plain" ?disabled=${port.busy || isFirst} aria-label=${t("providers.up", { name })} title=${t("providers.up", { name })} @click=${() => port.raise(model)}><ui-icon class="up" name="chevron-down"></ui-icon></button>
      <button class="small icon plain" ?disabled=${port.busy} aria-label=${t("providers.drop", { name })} title=${t("providers.drop", { name })} @click=${() => port.drop(model)}><ui-icon name="x"></ui-icon></button>`
        : ""
    }
  </div>`;
}

function factsOf(facts: Model | undefined, price: Price | null | undefined): string {
  const told = [
    ...(facts?.contextWindow ? [t("providers.window", { n: count(facts.contextWindow) })] : []),
    ...(facts?.images ? [t("providers.images")] : []),
    ...(price ? [t("providers.price", { input: money(price.input), output: money(price.output) })] : []),
  ];
  return told.join(" · ");
}

function money(value: number): string {
  return number(value, { style: "currency", currency: "USD", minimumFractionDigits: 0, maximumFractionDigits: 3 });
}
