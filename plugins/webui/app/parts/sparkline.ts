/** `<ui-sparkline .values=${numbers}>`: the way a number took, beside the number itself; so readers of the screen do not hear it. */
import { css, html, nothing, svg } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Part } from "./part.ts";

const width = 100;
const height = 24;

@customElement("ui-sparkline")
export class Sparkline extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { height: 1.9rem; color: var(--accent); }
      svg { width: 100%; height: 100%; display: block; overflow: visible; }
      .line { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
      .under { fill: currentColor; opacity: 0.12; }
    `,
  ];

  @property({ attribute: false }) values: readonly number[] = [];
  /** What reaches the upper edge at least. */
  @property({ type: Number }) top = 0;

  override render() {
    const points = this.points();
    if (points === "") return nothing;
    return html`<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true">
      ${svg`<polygon class="under" points="0,${height} ${points} ${width},${height}" /><polyline class="line" points=${points} />`}
    </svg>`;
  }

  private points(): string {
    const { values } = this;
    if (values.length < 2) return "";
    const top = Math.max(this.top, ...values) || 1;
    const step = width / (values.length - 1);
    return values
      .map((value, at) => `${(at * step).toFixed(2)},${(height - (value / top) * (height - 2) - 1).toFixed(2)}`)
      .join(" ");
  }
}
