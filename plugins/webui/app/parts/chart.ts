/**
 * `<ui-chart label="CPU" kind="area" .x=${times} .series=${series}>`: a drawing with its values beside it, and all of it as a
 * table for those who do not see it. The drawing waits until it is on show; colours and language follow the page.
 */
import { css, html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { clock, dateTime } from "../i18n/formats.ts";
import { languages, number, t } from "../i18n/locale.ts";
import { colourOf, palette, resolved } from "./chart-colours.ts";
import { type ChartKind, type ChartSeries, type ChartShape, piled, valueAt } from "./chart-data.ts";
import type { Plot } from "./chart-plot.ts";
import { Part } from "./part.ts";
import { styled } from "./styled.ts";

@customElement("ui-chart")
export class Chart extends Part {
  static override styles = [
    ...Part.styles,
    palette,
    css`
      :host { min-width: 0; }
      .plot { position: relative; min-width: 0; overflow: hidden; }
      .plot.waits { display: grid; place-items: center; }
      ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.15rem 0.9rem; margin: 0 0 0.2rem; padding: 0; font-size: 0.83rem; }
      li { display: inline-flex; align-items: center; gap: 0.35rem; min-width: 0; max-width: 100%; }
      i { width: 0.75em; height: 0.75em; border-radius: 3px; flex: none; }
      strong { font-variant-numeric: tabular-nums; font-weight: 600; }
      details { font-size: 0.83rem; margin-top: 0.15rem; }
      summary { color: var(--text-2); width: fit-content; min-height: 1.5rem; }
      .scroll { max-height: 16rem; border: 1px solid var(--border); border-radius: var(--radius-s); margin-top: 0.3rem; }
      thead th { position: sticky; top: 0; background: var(--surface); }
      .u-cursor-x { border-color: var(--border-strong) !important; }
    `,
  ];

  /** What it shows: its name for readers of the screen. */
  @property() label = "";
  @property() kind: ChartKind = "line";
  /** Milliseconds since 1970. */
  @property({ attribute: false }) x: readonly number[] = [];
  @property({ attribute: false }) series: readonly ChartSeries[] = [];
  /** Where the x axis begins and ends; default: at the data. */
  @property({ attribute: false }) range: readonly [number, number] | undefined;
  @property({ type: Number }) height = 150;
  @property({ attribute: false }) format: (value: number) => string = (value) => number(value);
  /** At the x axis. */
  @property({ attribute: false }) tick: (at: number) => string = clock;
  /** The same moment in full. */
  @property({ attribute: false }) moment: (at: number) => string = dateTime;
  /** Charts of one name move their cursors together. */
  @property() together = "";
  @state() private at: number | null = null;
  @state() private isTableOpen = false;
  @query(".plot") private holder?: HTMLElement;
  #plot: Plot | undefined;
  #shown = "";
  readonly #sized = new ResizeObserver(() => this.fit());

  override connectedCallback(): void {
    super.connectedCallback();
    const redraw = () => {
      this.#shown = "";
      this.requestUpdate();
    };
    this.#sized.observe(this);
    const system = matchMedia("(prefers-color-scheme: dark)");
    this.listen(document, "themechange", redraw);
    this.listen(system, "change", redraw);
    this.listen(languages, "change", redraw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sized.disconnect();
    this.#plot?.end();
    this.#plot = undefined;
    this.#shown = "";
  }

  override render() {
    const { x, height } = this;
    const isEmpty = x.length === 0;
    return html`${isEmpty ? nothing : this.legend()}
      <div class="plot ${isEmpty ? "waits" : ""}" role="img" aria-label=${this.told()} ${styled({ height: `${height}px` })}>
        ${isEmpty ? html`<span class="muted small">${t("ui.chart.none")}</span>` : nothing}
      </div>
      ${isEmpty ? nothing : this.table()}`;
  }

  override updated(changed: PropertyValues): void {
    if (changed.size === 1 && (changed.has("at") || changed.has("isTableOpen"))) return;
    void this.draw();
  }

  private legend() {
    const { series, x } = this;
    // The cursor may stand where there was something before.
    const at = this.at !== null && this.at < x.length ? this.at : null;
    const when = at === null ? undefined : x[at];
    return html`<ul aria-hidden="true">
      ${series.map(
        (
          one,
          place,
        ) => html`<li><i ${styled({ background: colourOf(one, place) })}></i><span class="clip">${one.label}</span>
          <strong>${this.shown(valueAt(one, at, this.kind))}</strong></li>`,
      )}
      ${when === undefined ? nothing : html`<li class="muted">${this.moment(when)}</li>`}
    </ul>`;
  }

  private told(): string {
    const values = this.series.map((one) => `${one.label} ${this.shown(valueAt(one, null, this.kind))}`);
    return `${this.label}: ${values.join(", ") || t("ui.chart.none")}`;
  }

  private shown(value: number | null): string {
    return value === null ? "–" : this.format(value);
  }

  private table() {
    const toggled = (event: Event) => {
      this.isTableOpen = (event.target as HTMLDetailsElement).open;
    };
    return html`<details @toggle=${toggled}><summary>${t("ui.chart.table")}<span class="visually-hidden">: ${this.label}</span></summary>
      ${this.isTableOpen ? this.rows() : nothing}
    </details>`;
  }

  private rows() {
    const { series, x, label } = this;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table>
      <thead><tr><th scope="col">${t("ui.chart.time")}</th>${series.map((one) => html`<th scope="col" class="number">${one.label}</th>`)}</tr></thead>
      <tbody>${x.map(
        (when, at) => html`<tr><th scope="row">${this.moment(when)}</th>
          ${series.map(({ values }) => html`<td class="number">${this.shown(values[at] ?? null)}</td>`)}</tr>`,
      )}</tbody>
    </table></div>`;
  }

  private fit(): void {
    const { holder } = this;
    if (this.#plot && holder) this.#plot.resize(holder.clientWidth);
    else void this.draw();
  }

  private async draw(): Promise<void> {
    const { Plot, sheet } = await import("./chart-plot.ts");
    const { holder, series, x, range, kind } = this;
    if (!holder || !this.isConnected || holder.clientWidth === 0) return;
    const shape = this.shape();
    const shown = JSON.stringify([shape, this.height, x.length === 0]);
    if (shown !== this.#shown) {
      this.#plot?.end();
      this.#plot = undefined;
      const root = this.renderRoot as ShadowRoot;
      if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
      this.#shown = shown;
      const hovered = (at: number | null) => {
        this.at = at;
      };
      if (x.length > 0) this.#plot = new Plot(shape, { holder, height: this.height, hovered });
    }
    const rows = kind === "bars" ? piled(series) : series.map(({ values }) => values);
    this.#plot?.draw({ x, rows, range });
  }

  private shape(): ChartShape {
    const { kind, series, together } = this;
    const wanted = ["var(--text-2)", "var(--border)", ...series.map(colourOf)];
    const [text = "", line = "", ...colours] = resolved(this.renderRoot, wanted);
    const font = getComputedStyle(this).fontFamily;
    const x = (at: number) => this.tick(at);
    const y = (value: number) => this.format(value);
    return { kind, colours, ink: { text, line }, font, x, y, together };
  }
}
