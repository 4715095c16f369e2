/** Asks before what cannot be undone: `await confirm({ text, action })`. */
import { html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../i18n/locale.ts";
import "./dialog.ts";
import { Part } from "./part.ts";
import { short } from "./plain.ts";

export interface Question {
  readonly heading?: string;
  readonly text: string;
  /** The label of the button that does it. */
  readonly action: string;
  readonly danger?: boolean;
}

interface Asked extends Question {
  answer(yes: boolean): void;
}

const questions = new EventTarget();

/** True when the person says yes. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((answer) => {
    questions.dispatchEvent(new CustomEvent("ask", { detail: { ...question, answer } }));
  });
}

@customElement("ui-confirm")
export class Confirm extends Part {
  @state() private asked: Asked | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(questions, "ask", (event) => {
      this.asked?.answer(false);
      this.asked = (event as CustomEvent<Asked>).detail;
    });
  }

  override render() {
    const { asked } = this;
    return html`<ui-dialog ?open=${asked !== undefined} heading=${asked?.heading ?? t("ui.confirm")} @close=${() => this.end(false)}>
      <p class="wrap">${short(asked?.text ?? "", 2000)}</p>
      <button slot="actions" @click=${() => this.end(false)}>${t("ui.cancel")}</button>
      <button slot="actions" class=${asked?.danger ? "danger" : "primary"} @click=${() => this.end(true)}>${asked?.action}</button>
    </ui-dialog>`;
  }

  private end(yes: boolean): void {
    this.asked?.answer(yes);
    this.asked = undefined;
  }
}
