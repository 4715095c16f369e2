/** What a chart shows, and how series are piled onto each other. Knows nothing of drawing. */

export interface ChartSeries {
  readonly label: string;
  /** One for each place on the x axis; null: there is none. */
  readonly values: readonly (number | null)[];
  /** Of the palette, from 0; default: its place among the series. */
  readonly colour?: number | "rest" | "bad";
}

/** `bars` are piled up; the others lie over each other. */
export type ChartKind = "line" | "area" | "bars";

/** What the plot cannot change afterwards. */
export interface ChartShape {
  readonly kind: ChartKind;
  /** Resolved colours, one for each series. */
  readonly colours: readonly string[];
  readonly ink: { readonly text: string; readonly line: string };
  readonly font: string;
  readonly x: (at: number) => string;
  readonly y: (value: number) => string;
  /** Charts of one name move their cursors together. */
  readonly together: string;
}

/** Each series on top of those before it. */
export function piled(series: readonly ChartSeries[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map(({ values }) =>
    values.map((value, at) => {
      sums[at] = (sums[at] ?? 0) + (value ?? 0);
      return sums[at];
    }),
  );
}

/** Null where nothing is known. */
function sumOf({ values }: ChartSeries): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** The newest value there is. */
function latest({ values }: ChartSeries): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** What lies at a place; without one, of bars their sum and of all others the newest. */
export function valueAt(series: ChartSeries, at: number | null, kind: ChartKind): number | null {
  if (at !== null) return series.values[at] ?? null;
  return kind === "bars" ? sumOf(series) : latest(series);
}
