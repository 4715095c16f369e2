/** The colours of series: far apart in light and dark, also for those who see few colours. Names stand beside them always. */
import { css } from "lit";
import type { ChartSeries } from "./chart-data.ts";

/** Eight, and grey for the rest. */
export const palette = css`
  :host {
    --chart-0: light-dark(#2463b5, #6ea8f0); --chart-1: light-dark(#c2560c, #f2985a); --chart-2: light-dark(#17805a, #4fc48f);
    --chart-3: light-dark(#a83a7c, #e788bf); --chart-4: light-dark(#6a52c4, #a996f0); --chart-5: light-dark(#8f6b00, #d9b23f);
    --chart-6: light-dark(#0b7d8f, #4cc0d0); --chart-7: light-dark(#8d3b2c, #d98a78); --chart-rest: light-dark(#6f675e, #a39b90);
    --chart-bad: var(--bad);
  }
`;

const colours = 8;

/** The custom property of a series' colour. */
export function colourOf({ colour }: ChartSeries, place: number): string {
  const name = typeof colour === "string" ? colour : (colour ?? place) % colours;
  return `var(--chart-${name})`;
}

/** A canvas knows no custom properties: what each of these colours is for this element now. */
export function resolved(root: ParentNode & Node, wanted: readonly string[]): string[] {
  const probe = document.createElement("span");
  probe.hidden = true;
  root.append(probe);
  const found = wanted.map((colour) => {
    probe.style.color = colour;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return found;
}
