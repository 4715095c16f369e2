/** What every element of the page is: it speaks the chosen language and shares one sheet of styles. */
import { LitElement } from "lit";
import { languages } from "../i18n/locale.ts";
import { base } from "./styles.ts";

export abstract class Part extends LitElement {
  static override styles = [base];

  readonly #undo: (() => void)[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(languages, "change", () => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** Until the element leaves the page. Call it in `connectedCallback`. */
  protected listen(target: EventTarget, type: string, listener: (event: Event) => void): void {
    target.addEventListener(type, listener);
    this.#undo.push(() => target.removeEventListener(type, listener));
  }

  /** Something to undo when the element leaves the page. Call it in `connectedCallback`. */
  protected untilGone(undo: () => void): void {
    this.#undo.push(undo);
  }
}
