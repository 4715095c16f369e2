/**
 * `<ui-markdown .text=…>`: a text as Markdown. While it streams it is drawn once per picture, and only its last block again;
 * a long one is drawn piece by piece, so that the page stays smooth.
 */
import { html } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { number, t } from "../i18n/locale.ts";
import "./code.ts";
import { Part } from "./part.ts";
import { plain } from "./plain.ts";
import { MarkdownCanvas } from "./text/canvas.ts";
import { markdownStyles } from "./text/markdown-styles.ts";

const mostShown = 200_000;
/** For one picture, so that the rest of the page has its share of it; more where nothing else is waited for. */
const budgetMs = { streaming: 8, still: 24 };
/** After a drawing that took long, so many times as long nothing is drawn, within bounds. */
const rest = { times: 3, mostMs: 2000 };

@customElement("ui-markdown")
export class Markdown extends Part {
  static override styles = [...Part.styles, markdownStyles];

  @property() text = "";
  /** More of it is coming. */
  @property({ type: Boolean }) streaming = false;
  @state() private isWhole = false;
  @query(".md") private place!: HTMLElement;
  #canvas: MarkdownCanvas | undefined;
  #source = "";
  #clean = "";
  #frame: number | undefined;
  #restUntil = 0;

  override render() {
    const cut = this.text.length > mostShown && !this.isWhole;
    return html`<div class="md"></div>
      ${
        cut
          ? html`<button class="small" @click=${() => {
              this.isWhole = true;
            }}>${t("ui.showAll", { n: number(this.text.length) })}</button>`
          : ""
      }`;
  }

  override updated(): void {
    if (this.#canvas === undefined) void this.prepare();
    else this.soon();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.#canvas !== undefined) this.soon();
  }

  /** The words are there before the engine is. */
  private async prepare(): Promise<void> {
    this.place.textContent = this.shown();
    const { MarkdownEngine } = await import("./text/engine.ts");
    if (this.#canvas !== undefined) return;
    this.#canvas = new MarkdownCanvas(new MarkdownEngine(), this.place);
    this.paint();
  }

  private soon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      if (performance.now() < this.#restUntil && this.streaming) this.soon();
      else this.paint();
    });
  }

  private paint(): void {
    const canvas = this.#canvas;
    if (canvas === undefined) return;
    const started = performance.now();
    const budget = this.streaming ? budgetMs.streaming : budgetMs.still;
    const isDone = canvas.draw(this.shown(), { streaming: this.streaming, until: started + budget });
    const took = performance.now() - started;
    this.#restUntil = took > 2 * budget ? performance.now() + Math.min(rest.mostMs, took * rest.times) : 0;
    if (!isDone) this.soon();
  }

  /** Only what is new is looked through, and all of it at the end: what belongs together may have come in two pieces. */
  private shown(): string {
    const text = this.isWhole ? this.text : this.text.slice(0, mostShown);
    const grows = this.streaming && this.#source !== "" && text.startsWith(this.#source);
    this.#clean = grows ? this.#clean + plain(text.slice(this.#source.length)) : plain(text);
    this.#source = text;
    return this.#clean;
  }
}
