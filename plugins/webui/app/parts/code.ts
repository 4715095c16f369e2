/**
 * `<ui-code language="ts" .code=…>`: a block of code with its language, a button that copies it, and colours once it is complete
 * and somebody looks at it: a hundred blocks at once would stop the page.
 */
import { css, html } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { t } from "../i18n/locale.ts";
import { copy } from "./clipboard.ts";
import "./icon.ts";
import { Part } from "./part.ts";
import { GrowingText } from "./text/growing-text.ts";
import { languageOf } from "./text/languages.ts";

/** Colouring more takes longer than a person waits for a picture. */
const mostColoured = 40_000;

@customElement("ui-code")
export class Code extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { margin: 0.6rem 0; border: 1px solid var(--border); border-radius: var(--radius-s); background: var(--surface-2); overflow: hidden; }
      header { display: flex; align-items: center; justify-content: space-between; gap: 0.5rem; padding: 0.1rem 0.2rem 0.1rem 0.7rem; border-bottom: 1px solid var(--border); font-size: 0.8rem; min-height: 1.9rem; }
      pre { margin: 0; padding: 0.6rem 0.75rem; overflow: auto; max-height: 34rem; line-height: 1.45; font-size: 0.87rem; tab-size: 4; }
      pre:focus-visible { outline-offset: -2px; }
      code { overflow-wrap: normal; font-size: 1em; }
      .part { display: block; }
      .hljs-comment, .hljs-quote { color: var(--text-2); font-style: italic; }
      .hljs-keyword, .hljs-selector-tag, .hljs-literal, .hljs-section, .hljs-doctag, .hljs-type { color: var(--accent); }
      .hljs-string, .hljs-regexp, .hljs-addition, .hljs-attr-value, .hljs-meta .hljs-string { color: var(--ok); }
      .hljs-number, .hljs-symbol, .hljs-bullet, .hljs-link, .hljs-variable, .hljs-template-variable { color: var(--warn); }
      .hljs-title, .hljs-name, .hljs-attr, .hljs-attribute, .hljs-built_in, .hljs-selector-class, .hljs-selector-id, .hljs-property { color: var(--info); }
      .hljs-deletion, .hljs-template-tag { color: var(--bad); }
      .hljs-emphasis { font-style: italic; } .hljs-strong { font-weight: 700; }
    `,
  ];

  @property() code = "";
  @property() language = "";
  /** More of it is coming. */
  @property({ type: Boolean }) streaming = false;
  /** Names the block for those who do not see it; default: its language. */
  @property() label = "";
  @query("code") private place!: HTMLElement;
  #growing: GrowingText | undefined;
  #coloured = "";
  readonly #sight = new IntersectionObserver((seen) => {
    if (seen.some(({ isIntersecting }) => isIntersecting)) void this.colour();
  });

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sight.disconnect();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.requestUpdate();
  }

  override render() {
    const name = this.label || this.language || t("ui.code");
    return html`<header>
        <span class="mono muted clip">${name}</span>
        <button class="small plain" aria-label=${t("ui.copyCode")} @click=${() => copy(this.code)}><ui-icon name="copy"></ui-icon>${t("ui.copy")}</button>
      </header>
      <pre tabindex="0" role="group" aria-label=${name}><code></code></pre>`;
  }

  override updated(): void {
    const { code, place } = this;
    if (this.#coloured === code && code !== "") return;
    this.#growing ??= new GrowingText(place);
    if (this.#growing.text !== code) this.#growing.set(code);
    // Observed anew: it tells once more, also of what is in sight already.
    this.#sight.unobserve(this);
    if (!this.streaming && code.length <= mostColoured && languageOf(this.language)) this.#sight.observe(this);
  }

  private async colour(): Promise<void> {
    this.#sight.unobserve(this);
    const { code } = this;
    const known = languageOf(this.language);
    if (known === undefined) return;
    const { highlight } = await import("./text/highlight.ts");
    const nodes = await highlight(code, known).catch(() => undefined);
    if (nodes === undefined || this.code !== code || this.streaming) return;
    this.place.replaceChildren(nodes);
    this.#coloured = code;
    this.#growing = undefined;
  }
}
