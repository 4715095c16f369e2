/** What the models used and cost: by day, shared among models, keys or others, and in all. */
import { css, html, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { rememberedHere, rememberHere } from "../../client/storage.ts";
import { count, percent } from "../../i18n/formats.ts";
import { languages, t } from "../../i18n/locale.ts";
import "../../parts/chart.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import "../../parts/sparkline.ts";
import "./budgets.ts";
import type { UsageByDay, UsageTotals } from "./facts.ts";
import {
  amountOf,
  amountText,
  byDay,
  daysOf,
  firstOf,
  type Measure,
  measures,
  nothingUsed,
  stacks,
} from "./usage-days.ts";
import "./usage-shares.ts";

const spans = [7, 14, 30] as const;
const splits = ["model", "provider", "identity", "agent"] as const;

@customElement("dashboard-usage")
export class UsageCard extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .tiles { display: grid; gap: 0.8rem; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); margin: 0.6rem 0 1rem; }
      .tile { padding: 0.6rem 0.75rem; border: 1px solid var(--border); border-radius: var(--radius-s); min-width: 0; }
      .tile { display: flex; flex-direction: column; } .tile ui-sparkline { margin-top: auto; } .tile strong { font-size: 1.25rem; font-variant-numeric: tabular-nums; }
      .group { display: inline-flex; }
      .group button { border-radius: 0; margin-inline-start: -1px; }
      .group button:first-child { border-radius: var(--radius-s) 0 0 var(--radius-s); }
      .group button:last-child { border-radius: 0 var(--radius-s) var(--radius-s) 0; }
      .group [aria-pressed="true"] { background: var(--accent-soft); color: var(--accent); font-weight: 600; }
      .choices label { display: inline-flex; align-items: center; gap: 0.4rem; font-weight: 400; }
      .choices select { width: auto; min-height: 1.9rem; padding: 0.1rem 0.4rem; }
      .columns { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }
      @media (max-width: 980px) { .columns { grid-template-columns: minmax(0, 1fr); } }
    `,
  ];

  /** There may be budgets. */
  @property({ type: Boolean }) keys = false;
  @state() private days = kept("days", spans) ?? 7;
  @state() private split = kept("split", splits) ?? "model";
  @state() private chosen = kept("measure", measures);
  readonly #usage = new Load(this, (signal) => this.ask(signal), { events: ["session_changed"], every: 60_000 });

  override render() {
    return html`<section class="card" aria-labelledby="usage">
      <div class="spread"><h2 id="usage">${t("dashboard.usage")}</h2>
        <div class="group" role="group" aria-label=${t("dashboard.usage.span")}>${spans.map((days) => this.spanButton(days))}</div></div>
      ${this.#usage.show((usage) => this.shown(usage))}
      ${this.keys ? html`<dashboard-budgets></dashboard-budgets>` : nothing}
    </section>`;
  }

  override updated(changed: PropertyValues): void {
    const asked = changed as Map<string, unknown>;
    if (
      (asked.has("days") && asked.get("days") !== undefined) ||
      (asked.has("split") && asked.get("split") !== undefined)
    )
      void this.#usage.again();
  }

  private spanButton(days: (typeof spans)[number]) {
    const choose = () => {
      this.days = days;
      rememberHere("usage.days", `${days}`);
    };
    return html`<button class="small" aria-pressed=${days === this.days} @click=${choose}>${t("dashboard.usage.days", { n: days })}</button>`;
  }

  private shown(usage: UsageByDay) {
    const measure = this.chosen ?? ((usage.total.cost ?? 0) > 0 ? "cost" : "tokens");
    if (usage.total.calls === 0) return html`<p class="muted">${t("dashboard.usage.none")}</p>`;
    return html`${this.tiles(usage)}
      <div class="columns">
        <div>
          <div class="row choices small">${this.choice("measure", measures, measure)} ${this.choice("split", splits, this.split)}</div>
          ${this.chart(usage, measure)}
        </div>
        <dashboard-usage-shares .since=${usage.since} .measure=${measure} .stamp=${usage}></dashboard-usage-shares>
      </div>`;
  }

  private tiles(usage: UsageByDay) {
    const { total, rows } = usage;
    const days = daysOf(usage);
    const found = byDay(rows);
    const way = (read: (totals: UsageTotals) => number) => days.map((at) => read(found.get(at) ?? nothingUsed));
    const { failed, inputTokens: input, outputTokens: output, cachedTokens: cached } = total;
    const inOut = t("dashboard.usage.inOut", { input: count(input), output: count(output) });
    const failures = failed > 0 ? t("dashboard.usage.failed", { n: failed }) : "";
    const unpriced = total.unpriced > 0 ? t("dashboard.usage.unpriced", { n: total.unpriced }) : "";
    return html`<div class="tiles">
      ${tile(t("dashboard.usage.cost"), amountText(amountOf(total, "cost"), "cost"), { hint: unpriced, way: way((row) => row.cost ?? 0) })}
      ${tile(t("dashboard.usage.tokens"), amountText(amountOf(total, "tokens"), "tokens"), { hint: inOut, way: way((row) => row.inputTokens + row.outputTokens) })}
      ${tile(t("dashboard.usage.calls"), amountText(amountOf(total, "calls"), "calls"), { hint: failures, way: way((row) => row.calls) })}
      ${tile(t("dashboard.usage.cached"), percent(cached / Math.max(1, input)), { hint: "", way: way((row) => row.cachedTokens / Math.max(1, row.inputTokens)) })}
    </div>`;
  }

  private chart(usage: UsageByDay, measure: Measure) {
    const x = daysOf(usage);
    const names = { measure: t(`dashboard.usage.${measure}`), split: t(`dashboard.usage.${usage.split}`) };
    const at = (style: Intl.DateTimeFormatOptions) => {
      const format = new Intl.DateTimeFormat(languages.locale, { timeZone: "UTC", ...style });
      return (moment: number) => format.format(moment);
    };
    return html`<ui-chart kind="bars" height="220" label=${t("dashboard.usage.chart", names)} .x=${x} .series=${stacks(usage, x, measure)}
        .format=${(value: number) => amountText(value, measure)} .tick=${at({ month: "short", day: "numeric" })} .moment=${at({ dateStyle: "full" })}></ui-chart>
      <p class="muted small">${t("dashboard.usage.utc")}</p>`;
  }

  private choice<T extends Measure | (typeof splits)[number]>(
    what: "measure" | "split",
    values: readonly T[],
    value: T,
  ) {
    const choose = (event: Event) => {
      const picked = (event.target as HTMLSelectElement).value;
      rememberHere(`usage.${what}`, picked);
      if (what === "measure") this.chosen = picked as Measure;
      else this.split = picked as (typeof splits)[number];
    };
    return html`<label>${t(`dashboard.usage.${what}`)}
      <select @change=${choose}>${values.map((one) => html`<option value=${one} ?selected=${one === value}>${t(`dashboard.usage.${one}`)}</option>`)}</select></label>`;
  }

  private ask(signal: AbortSignal): Promise<UsageByDay> {
    const { days, split } = this;
    const asked = { since: String(firstOf(days)), by: "day", split, limit: days + 1 };
    return call<UsageByDay>("usage.totals", asked, { signal });
  }
}

/** What was chosen before in this tab. */
function kept<T extends string | number>(name: string, values: readonly T[]): T | undefined {
  const before = rememberedHere(`usage.${name}`);
  return values.find((value) => `${value}` === before);
}

interface Beside {
  readonly hint: string;
  /** By day. */
  readonly way: readonly number[];
}

function tile(name: string, value: string, { hint, way }: Beside) {
  return html`<div class="tile">
    <div class="muted small">${name}</div><strong>${value}</strong>
    <div class="muted small wrap">${hint}</div>
    <ui-sparkline .values=${way}></ui-sparkline>
  </div>`;
}
