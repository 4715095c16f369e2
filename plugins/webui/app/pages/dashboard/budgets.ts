/** How much is left of limits: of every key for those who may see keys, else one's own. Left out where nobody has any. */
import { css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { count, dollars } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { type Level, meter, meterStyles } from "../../parts/meter.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";

interface Key {
  readonly name: string;
  readonly state: string;
  readonly limits: { readonly tokens: number | null; readonly usd: number | null; readonly period: "day" | "month" };
  readonly spent: { readonly tokens: number; readonly cost: number } | null;
}

interface Own {
  readonly name: string;
  readonly limits: readonly {
    readonly limit: "requests" | "tokens" | "usd";
    readonly per: "minute" | "day" | "month";
    readonly max: number;
    readonly used: number;
  }[];
}

interface Budget {
  readonly who: string;
  readonly limit: "requests" | "tokens" | "usd";
  readonly per: "minute" | "day" | "month";
  readonly max: number;
  readonly used: number;
}

const most = 12;

@customElement("dashboard-budgets")
export class Budgets extends Part {
  static override styles = [...Part.styles, meterStyles, css`h3 { margin: 1rem 0 0.5rem; }`];

  readonly #budgets = new Load(this, budgets, { events: ["session_changed", "key_changed"], every: 60_000 });

  override render() {
    const found = this.#budgets.value ?? [];
    if (found.length === 0) return nothing;
    const rest = found.length - most;
    return html`<h3>${t("dashboard.budgets")}</h3><div class="grid">${found.slice(0, most).map((budget) => meter(level(budget)))}</div>
      ${rest > 0 ? html`<p><a href=${href("keys")}>${t("dashboard.moreNotices", { n: rest })}</a></p>` : nothing}`;
  }
}

/** The fullest first. */
async function budgets(): Promise<readonly Budget[]> {
  const all = session.can("admin")
    ? (await call<readonly Key[]>("keys.list")).flatMap(ofKey)
    : ofOwn(await call<Own>("usage.me"));
  return all.sort((a, b) => b.used / b.max - a.used / a.max);
}

function ofKey({ name, state, limits: { tokens, usd, period: per }, spent }: Key): Budget[] {
  if (state !== "active" || spent === null) return [];
  return [
    ...(tokens === null ? [] : [{ who: name, limit: "tokens" as const, per, max: tokens, used: spent.tokens }]),
    ...(usd === null ? [] : [{ who: name, limit: "usd" as const, per, max: usd, used: spent.cost }]),
  ];
}

function ofOwn({ name, limits }: Own): Budget[] {
  return limits.map((limit) => ({ who: name, ...limit }));
}

function level({ who, limit, per, used, max }: Budget): Level {
  const names = {
    usd: "dashboard.usage.cost",
    tokens: "dashboard.usage.tokens",
    requests: "dashboard.budgets.requests",
  } as const;
  const shown = (value: number) => (limit === "usd" ? dollars(value) : count(value));
  const label = `${short(who, 80)} · ${t(names[limit])}, ${t(`dashboard.budgets.per.${per}`)}`;
  return { label, value: t("dashboard.budgets.of", { used: shown(used), max: shown(max) }), part: used / max };
}
