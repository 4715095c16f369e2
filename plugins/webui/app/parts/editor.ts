/**
 * `<ui-editor label="…" language="json">`: an editor of text. Its machinery (CodeMirror) comes with the first one that is shown.
 * Tells `change` while somebody types, `cursor` when it moves, `save` on Ctrl S. Tab indents; Escape, then Tab, leaves it.
 */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { languages, t } from "../i18n/locale.ts";
import type { CodeEditor } from "./editor-code.ts";
import { Part } from "./part.ts";

export type EditorLanguage = "json" | "markdown";

/** Something wrong with the text, at a line and column that count from 1. */
export interface EditorProblem {
  readonly message: string;
  readonly level: "error" | "warning";
  readonly line?: number;
  readonly column?: number;
}

export interface EditorCompletion {
  readonly label: string;
  readonly kind: "property" | "value";
  /** What is put in; the label when absent. */
  readonly insert?: string;
  /** Where the cursor stands then, within `insert`. */
  readonly caret?: number;
  readonly detail?: string;
  readonly about?: string;
}

export interface EditorSpan {
  readonly from: number;
  readonly to: number;
}

/** What is known about the text: what may stand at a place, what stands there, and what is better shown as a word. */
export interface EditorAssist {
  /** `asked`: the person wants to see all, though nothing was typed. */
  complete?(
    text: string,
    at: number,
    asked: boolean,
  ): (EditorSpan & { readonly options: readonly EditorCompletion[] }) | undefined;
  describe?(text: string, at: number): (EditorSpan & { readonly title: string; readonly about: string }) | undefined;
  chip?: { readonly pattern: RegExp; text(): string };
}

@customElement("ui-editor")
export class Editor extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; flex-direction: column; min-height: 12rem; border: 1px solid var(--border-strong); border-radius: var(--radius-s); background: var(--surface); overflow: hidden; }
      :host(:focus-within) { border-color: var(--accent); }
      .place { flex: 1; min-height: 0; display: flex; flex-direction: column; }
      .place > div { flex: 1; min-height: 0; }
      p { padding: 0.6rem 0.8rem; margin: 0; }
    `,
  ];

  /** What is edited, for those who do not see it. */
  @property() label = "";
  @property() language: EditorLanguage = "json";
  @property() value = "";
  @property({ type: Boolean }) readonly = false;
  @property({ attribute: false }) problems: readonly EditorProblem[] = [];
  @property({ attribute: false }) assist: EditorAssist = {};
  @state() private error = "";
  @query(".place") private place?: HTMLElement;
  #code: CodeEditor | undefined;
  #opened: () => void = () => undefined;
  /** Resolves when it can be worked with. */
  readonly ready = new Promise<void>((resolve) => {
    this.#opened = resolve;
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(languages, "change", () => this.#code?.translate());
    if (this.hasUpdated) void this.open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#code?.destroy();
    this.#code = undefined;
  }

  override render() {
    return html`<div class="place"></div>
      ${this.error ? html`<p class="error" role="alert">${this.error} <button class="small" @click=${this.open}>${t("ui.retry")}</button></p>` : ""}
      <span id="keys" class="visually-hidden">${t("editor.keys")}</span>`;
  }

  override firstUpdated(): void {
    void this.open();
  }

  override updated(changed: PropertyValues<this>): void {
    const code = this.#code;
    if (!code) return;
    if (changed.has("value")) code.text = this.value;
    if (changed.has("language")) code.language = this.language;
    if (changed.has("readonly") || changed.has("label")) code.settle(this);
    if (changed.has("problems")) code.problems = this.problems;
  }

  override focus(): void {
    this.#code?.focus();
  }

  /** Where the cursor is in the text. */
  get cursor(): number {
    return this.#code?.cursor ?? 0;
  }

  /** Shows a place and puts the cursor there. */
  reveal(line: number, column = 1): void {
    this.#code?.reveal(line, column);
  }

  private async open(): Promise<void> {
    this.error = "";
    try {
      const [{ CodeEditor }] = await Promise.all([import("./editor-code.ts"), languages.load("editor")]);
      if (this.#code || !this.place || !this.isConnected) return;
      this.#code = new CodeEditor(this.place, this, {
        typed: (text) => this.typed(text),
        moved: () => this.dispatchEvent(new Event("cursor")),
        save: () => this.dispatchEvent(new Event("save")),
      });
      this.#code.problems = this.problems;
      this.requestUpdate();
      this.#opened();
    } catch (error) {
      this.error = (error as Error).message;
    }
  }

  private typed(text: string): void {
    this.value = text;
    this.dispatchEvent(new Event("change"));
  }
}
