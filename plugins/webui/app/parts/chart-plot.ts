/** The door to uPlot: one drawing on a canvas. Loaded with the first chart that is shown. */
import { unsafeCSS } from "lit";
import uPlot from "uplot";
import text from "uplot/dist/uPlot.min.css?inline";
import type { ChartShape } from "./chart-data.ts";

/** Belongs to the root that holds the plot. */
export const sheet = unsafeCSS(text).styleSheet as CSSStyleSheet;

export interface Plotted {
  /** Milliseconds since 1970. */
  readonly x: readonly number[];
  /** As they are drawn: piled up, where they are. */
  readonly rows: readonly (readonly (number | null)[])[];
  /** Where the x axis begins and ends; default: at the data. */
  readonly range: readonly [number, number] | undefined;
}

export interface Place {
  readonly holder: HTMLElement;
  readonly height: number;
  /** Called with the place of the cursor on the x axis; null: there is none. */
  readonly hovered: (at: number | null) => void;
}

export class Plot {
  readonly #plot: uPlot;
  readonly #shape: ChartShape;
  readonly #height: number;
  #data: Plotted = { x: [], rows: [], range: undefined };

  constructor(shape: ChartShape, { holder, height, hovered }: Place) {
    this.#shape = shape;
    this.#height = height;
    const width = Math.max(holder.clientWidth, 60);
    this.#plot = new uPlot(
      {
        width,
        height,
        ms: 1,
        legend: { show: false },
        padding: [8, 20, 0, 0],
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { show: shape.kind !== "bars", size: 6 },
          ...(shape.together !== "" && { sync: { key: shape.together, scales: ["x", null] } }),
        },
        scales: { x: this.#xScale(), y: { range: (_, __, max) => [0, topOf(max)] } },
        axes: [this.#xAxis(), this.#yAxis()],
        series: [{}, ...this.#series()],
        hooks: { setCursor: [({ cursor }) => hovered(cursor.idx ?? null)] },
      },
      undefined,
      holder,
    );
  }

  draw(data: Plotted): void {
    this.#data = data;
    const isBars = this.#shape.kind === "bars";
    const x = isBars ? data.x.map((_, place) => place) : [...data.x];
    // The lower ones are drawn later, over the feet of the higher ones.
    const rows = (isBars ? [...data.rows].reverse() : data.rows).map((row) => [...row]);
    this.#plot.setData([x, ...rows]);
  }

  resize(width: number): void {
    if (width > 0 && Math.round(width) !== this.#plot.width)
      this.#plot.setSize({ width: Math.round(width), height: this.#height });
  }

  end(): void {
    this.#plot.destroy();
  }

  #xScale(): uPlot.Scale {
    if (this.#shape.kind === "bars")
      return { time: false, range: () => [-0.6, Math.max(this.#data.x.length, 1) - 0.4] };
    return {
      time: true,
      range: (_, min, max) => {
        const [from, until] = this.#data.range ?? [min, max];
        return from < until ? [from, until] : [from - 1_000, until + 1_000];
      },
    };
  }

  #xAxis(): uPlot.Axis {
    const { kind, x } = this.#shape;
    const common = { ...this.#ink(), size: 30, gap: 6, grid: { show: false }, space: 64 };
    if (kind !== "bars") return { ...common, incrs: timeSteps, values: (_, splits) => splits.map((at) => x(at)) };
    return {
      ...common,
      incrs: [1, 2, 5, 7, 10, 14, 30],
      values: (_, splits) => splits.map((at) => (this.#data.x[at] === undefined ? "" : x(this.#data.x[at]))),
    };
  }

  #yAxis(): uPlot.Axis {
    const { y } = this.#shape;
    return {
      ...this.#ink(),
      space: 34,
      gap: 6,
      values: (_, splits) => splits.map((value) => y(value)),
      size: (_, values) => 14 + Math.max(20, ...(values ?? []).map(widthOf)),
    };
  }

  #ink() {
    const { ink, font } = this.#shape;
    return {
      stroke: ink.text,
      font: `11px ${font}`,
      grid: { stroke: ink.line, width: 1 },
      ticks: { stroke: ink.line, width: 1, size: 4 },
    };
  }

  #series(): uPlot.Series[] {
    const { kind, colours } = this.#shape;
    if (kind === "bars") {
      const paths = uPlot.paths.bars?.({ size: [0.7, 46] });
      return [...colours].reverse().map((colour) => ({ fill: colour, width: 0, paths, points: { show: false } }));
    }
    return colours.map((colour) => ({
      stroke: colour,
      width: 1.5,
      points: { show: false },
      ...(kind === "area" && { fill: `color-mix(in srgb, ${colour} 16%, transparent)` }),
    }));
  }
}

/** About, in pixels: Chinese characters are as wide as they are high. */
function widthOf(text: string): number {
  return [...text].reduce((width, character) => width + (character > "\u2e80" ? 11.5 : 6.4), 0);
}

/** From a minute on, in milliseconds. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1_440, 2_880, 10_080].map((minutes) => minutes * 60_000);

/** Room above the highest value; something to look at where all are zero. */
function topOf(max: number | null): number {
  if (max === null || !(max > 0)) return 1;
  return uPlot.rangeNum(0, max, 0.1, true)[1] ?? max;
}
