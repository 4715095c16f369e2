/** `<ui-icon name="gauge">`: a picture beside words, never instead of them; so readers of the screen do not hear it. */
import { css, html, LitElement, nothing, type SVGTemplateResult, svg } from "lit";
import { customElement, property } from "lit/decorators.js";
import { spread } from "./icon-node.ts";
import { icons } from "./icons.ts";

@customElement("ui-icon")
export class Icon extends LitElement {
  static override styles = css`
    :host { display: inline-flex; width: 1.15em; height: 1.15em; flex: none; }
    svg { width: 100%; height: 100%; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
  `;

  @property() name = "";

  override render() {
    const node = icons[this.name] ?? icons.puzzle;
    return html`<svg viewBox="0 0 24 24" aria-hidden="true">${node?.map(shape) ?? nothing}</svg>`;
  }
}

function shape([tag, attributes]: readonly [
  string,
  Readonly<Record<string, string | number | undefined>>,
]): SVGTemplateResult {
  const bind = spread(attributes);
  if (tag === "path") return svg`<path ${bind} />`;
  if (tag === "circle") return svg`<circle ${bind} />`;
  if (tag === "rect") return svg`<rect ${bind} />`;
  if (tag === "line") return svg`<line ${bind} />`;
  if (tag === "ellipse") return svg`<ellipse ${bind} />`;
  return tag === "polygon" ? svg`<polygon ${bind} />` : svg`<polyline ${bind} />`;
}
