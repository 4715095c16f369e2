/** `<chat-reasoning>`: what the model thought, folded. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t } from "../../../i18n/locale.ts";
import "../../../parts/icon.ts";
import "../../../parts/markdown.ts";
import { Part } from "../../../parts/part.ts";

@customElement("chat-reasoning")
export class Reasoning extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { margin: 0.2rem 0 0.4rem; color: var(--text-2); font-size: 0.92rem; }
      summary { display: inline-flex; align-items: center; gap: 0.4rem; list-style: none; min-height: 1.8rem; }
      summary::-webkit-details-marker { display: none; }
      .chevron { transition: transform 0.12s; }
      details[open] .chevron { transform: rotate(90deg); }
      ui-markdown { border-inline-start: 2px solid var(--border); padding-inline-start: 0.8rem; margin-inline-start: 0.5rem; }
    `,
  ];

  @property() text = "";
  @property({ type: Boolean }) streaming = false;
  @state() private isOpen = false;

  override render() {
    return html`<details @toggle=${(event: Event) => {
      this.isOpen = (event.target as HTMLDetailsElement).open;
    }}>
      <summary><ui-icon class="chevron" name="chevron-right"></ui-icon><ui-icon name="brain"></ui-icon>${this.streaming ? t("chat.thinking") : t("chat.thoughts")}</summary>
      ${this.isOpen ? html`<ui-markdown .text=${this.text} ?streaming=${this.streaming}></ui-markdown>` : ""}
    </details>`;
  }
}
