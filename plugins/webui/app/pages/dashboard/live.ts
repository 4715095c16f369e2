/** The last quarter of an hour of the process, as charts that go on by themselves. Only what is new is asked for. */
import { css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { bytes, millis, percent } from "../../i18n/formats.ts";
import { number, t } from "../../i18n/locale.ts";
import "../../parts/chart.ts";
import type { ChartKind, ChartSeries } from "../../parts/chart-data.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import type { Sample } from "./facts.ts";
import "./machine.ts";

const everyMs = 5_000;
const windowMs = 15 * 60_000;
/** As long as there is little to show. */
const shortMs = 2 * 60_000;

interface Recent {
  readonly samples: readonly Sample[];
}

interface Card {
  readonly name: string;
  readonly kind: ChartKind;
  readonly format: (value: number) => string;
  readonly series: readonly ChartSeries[];
}

@customElement("dashboard-live")
export class Live extends Part {
  static override styles = [
    ...Part.styles,
    css`.grid { grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); } .card { padding: 0.8rem 0.9rem; }`,
  ];

  readonly #samples: Load<readonly Sample[]> = new Load(this, () => this.more(), { every: everyMs });

  override render() {
    return html`<section aria-labelledby="live">
      <h2 id="live">${t("dashboard.live")}</h2>
      ${this.#samples.show(
        (samples) => html`
        ${samples.length === 0 ? html`<p class="muted small">${t("dashboard.live.wait")}</p>` : nothing}
        <div class="grid">
          ${cards(samples).map((card) => this.card(card, samples))}
          <dashboard-machine class="card"></dashboard-machine>
        </div>`,
      )}
    </section>`;
  }

  private card({ name, kind, format, series }: Card, samples: readonly Sample[]) {
    return html`<div class="card"><h3>${name}</h3>
      <ui-chart label=${name} kind=${kind} height="130" together="live" .x=${samples.map(({ at }) => at)} .series=${series}
        .range=${rangeOf(samples)} .format=${format}></ui-chart>
    </div>`;
  }

  private async more(): Promise<readonly Sample[]> {
    const known = this.#samples.value ?? [];
    const since = known.at(-1)?.at ?? 0;
    const { samples } = await call<Recent>("metrics.recent", { since });
    // The gateway's clock was set back: it has told all that it knows.
    const isAnew = samples.some(({ at }) => at <= since);
    const newest = samples.at(-1)?.at ?? since;
    return [...(isAnew ? [] : known), ...samples].filter(({ at }) => at > newest - windowMs);
  }
}

function rangeOf(samples: readonly Sample[]): readonly [number, number] {
  const until = samples.at(-1)?.at ?? Date.now();
  const first = samples[0]?.at ?? until;
  return [Math.max(until - windowMs, Math.min(first, until - shortMs)), until];
}

function cards(samples: readonly Sample[]): Card[] {
  const of = (key: keyof Sample) => samples.map((sample) => sample[key]);
  return [
    {
      name: t("dashboard.cpu"),
      kind: "area",
      format: percent,
      series: [{ label: t("dashboard.cpu.one"), values: of("cpu") }],
    },
    {
      name: t("dashboard.memory"),
      kind: "line",
      format: bytes,
      series: [
        { label: t("dashboard.memory.rss"), values: of("rss") },
        { label: t("dashboard.memory.heap"), values: of("heap"), colour: 2 },
      ],
    },
    {
      name: t("dashboard.requests"),
      kind: "area",
      format: decimal,
      series: [
        { label: t("dashboard.requests.all"), values: of("requests") },
        { label: t("dashboard.requests.errors"), values: of("errors"), colour: "bad" },
      ],
    },
    {
      name: t("dashboard.lag"),
      kind: "line",
      format: millis,
      series: [
        { label: t("dashboard.lag.p99"), values: of("lag_p99_ms"), colour: 2 },
        { label: t("dashboard.lag.max"), values: of("lag_max_ms"), colour: 1 },
      ],
    },
    {
      name: t("dashboard.sockets"),
      kind: "area",
      format: decimal,
      series: [{ label: t("dashboard.sockets.open"), values: of("sockets"), colour: 4 }],
    },
  ];
}

function decimal(value: number): string {
  return number(value, { maximumFractionDigits: value < 10 ? 1 : 0 });
}
