/** `<chat-tool>`: a call of a tool, folded; its input and output are put on the page when it is opened. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { number, t } from "../../../i18n/locale.ts";
import "../../../parts/code.ts";
import "../../../parts/icon.ts";
import { Part } from "../../../parts/part.ts";
import { plain } from "../../../parts/plain.ts";
import type { ToolCall } from "../model/blocks.ts";

const mostShown = 20_000;

@customElement("chat-tool")
export class Tool extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { margin: 0.35rem 0; }
      details { border: 1px solid var(--border); border-radius: var(--radius-s); background: var(--surface); }
      summary { display: flex; align-items: center; gap: 0.5rem; padding: 0.3rem 0.6rem; font-size: 0.88rem; list-style: none; min-height: 1.9rem; border-radius: var(--radius-s); }
      summary::-webkit-details-marker { display: none; }
      summary:hover { background: var(--surface-2); }
      .name { font-weight: 600; flex: none; max-width: 60%; }
      .about { flex: 1; min-width: 0; }
      .chevron { transition: transform 0.12s; color: var(--text-2); }
      details[open] .chevron { transform: rotate(90deg); }
      .inside { padding: 0 0.6rem 0.5rem; }
      h4 { margin: 0.4rem 0 0; font-size: 0.8rem; color: var(--text-2); font-weight: 600; }
      .spin { animation: turn 1s linear infinite; }
      @keyframes turn { to { transform: rotate(360deg); } }
    `,
  ];

  @property({ attribute: false }) call!: ToolCall;
  @state() private isOpen = false;
  @state() private isWhole = false;

  override render() {
    const { name, input, state } = this.call;
    return html`<details @toggle=${(event: Event) => {
      this.isOpen = (event.target as HTMLDetailsElement).open;
    }}>
      <summary>
        <ui-icon class="chevron" name="chevron-right"></ui-icon>
        <span class="name clip mono">${plain(name)}</span>
        <span class="about clip muted small">${plain(input.slice(0, 200))}</span>
        ${badge(state)}
      </summary>
      ${this.isOpen ? html`<div class="inside">${this.texts()}</div>` : ""}
    </details>`;
  }

  private texts(): unknown {
    const { input, output } = this.call;
    return html`${this.text(t("chat.tool.input"), input)}
      ${output === undefined ? "" : this.text(t("chat.tool.output"), output)}
      ${
        Math.max(input.length, output?.length ?? 0) > mostShown && !this.isWhole
          ? html`<button class="small" @click=${() => {
              this.isWhole = true;
            }}>${t("ui.showAll", { n: number(Math.max(input.length, output?.length ?? 0)) })}</button>`
          : ""
      }`;
  }

  private text(label: string, text: string): unknown {
    const { shown, language } = readable(this.isWhole ? text : text.slice(0, mostShown));
    return html`<ui-code .label=${label} .language=${language} .code=${plain(shown)}></ui-code>`;
  }
}

function badge(state: ToolCall["state"]): unknown {
  if (state === "ok") return html`<span class="badge ok"><ui-icon name="check"></ui-icon>${t("chat.tool.ok")}</span>`;
  if (state === "failed")
    return html`<span class="badge bad"><ui-icon name="x"></ui-icon>${t("chat.tool.failed")}</span>`;
  return html`<span class="badge info"><ui-icon class="spin" name="refresh-cw"></ui-icon>${t("chat.tool.running")}</span>`;
}

/** JSON on lines of its own; everything else as it is. */
function readable(text: string): { readonly shown: string; readonly language: string } {
  if (!/^\s*[[{]/.test(text)) return { shown: text, language: "" };
  try {
    return { shown: JSON.stringify(JSON.parse(text), null, 2), language: "json" };
  } catch {
    return { shown: text, language: "" };
  }
}
