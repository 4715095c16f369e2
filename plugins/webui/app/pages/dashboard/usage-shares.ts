/** Who used how much of all: models, keys, sessions and others, the largest first. */
import { css, html, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { percent } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { styled } from "../../parts/styled.ts";
import type { NamedTotals, UsageTotals } from "./facts.ts";
import { amountOf, amountText, type Measure, nameOf } from "./usage-days.ts";

const kinds = ["model", "identity", "session", "provider", "agent"] as const;
const most = 8;

interface Shares {
  readonly by: (typeof kinds)[number];
  readonly total: UsageTotals;
  readonly rows: readonly NamedTotals[];
}

@customElement("dashboard-usage-shares")
export class UsageShares extends Part {
  static override styles = [
    ...Part.styles,
    css`
      label { display: inline-flex; align-items: center; gap: 0.4rem; font-weight: 400; }
      select { width: auto; min-height: 1.9rem; padding: 0.1rem 0.4rem; }
      table { table-layout: fixed; }
      td, th { padding: 0.35rem 0.4rem; }
      tbody th { color: var(--text); font-weight: 500; white-space: normal; }
      .number { width: 6rem; }
      .track { height: 0.35rem; border-radius: 99px; background: var(--surface-3); margin-top: 0.2rem; }
      .track div { height: 100%; border-radius: 99px; background: var(--accent-bg); }
    `,
  ];

  /** Milliseconds since 1970. */
  @property({ type: Number }) since = 0;
  @property() measure: Measure = "cost";
  /** Load again when this is another. */
  @property({ attribute: false }) stamp: unknown;
  @state() private by: (typeof kinds)[number] = "model";
  readonly #shares = new Load(this, (signal) => this.ask(signal), { manual: true });

  override render() {
    const choose = (event: Event) => {
      this.by = (event.target as HTMLSelectElement).value as typeof this.by;
    };
    return html`<label class="small">${t("dashboard.usage.by")}
        <select @change=${choose}>${kinds.map((kind) => html`<option value=${kind} ?selected=${kind === this.by}>${t(`dashboard.usage.${kind}`)}</option>`)}</select></label>
      ${this.#shares.show((shares) => this.table(shares))}`;
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("since") || changed.has("stamp") || (changed as Map<string, unknown>).has("by"))
      void this.#shares.again();
  }

  private table({ by, total, rows }: Shares) {
    const { measure } = this;
    const all = amountOf(total, measure) ?? 0;
    const sorted = [...rows].sort((a, b) => (amountOf(b, measure) ?? 0) - (amountOf(a, measure) ?? 0));
    const isLate = by !== this.by;
    return html`${isLate ? html`<p class="muted small" role="status">${t("app.loading")}</p>` : nothing}<table>
      <thead><tr><th scope="col">${t(`dashboard.usage.${by}`)}</th><th scope="col" class="number">${t(`dashboard.usage.${measure}`)}</th></tr></thead>
      <tbody>${sorted.slice(0, most).map((row) => {
        const amount = amountOf(row, measure);
        const share = all > 0 ? (amount ?? 0) / all : 0;
        return html`<tr><th scope="row" class="wrap">${by === "session" && row.name !== "" ? html`<a href=${href("chat", row.name)}>${nameOf(row)}</a>` : nameOf(row)}
            <div class="track"><div ${styled({ width: `${share * 100}%` })}></div></div></th>
          <td class="number">${amountText(amount, measure)}<br /><span class="muted small">${all > 0 ? percent(share) : nothing}</span></td></tr>`;
      })}</tbody>
    </table>`;
  }

  private ask(signal: AbortSignal): Promise<Shares> {
    return call<Shares>("usage.totals", { since: String(this.since), by: this.by, limit: 100 }, { signal });
  }
}
