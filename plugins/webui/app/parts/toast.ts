/** Short news at the edge of the page, read out to those who do not see it. Errors stay until they are dismissed. */
import { css, html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { t } from "../i18n/locale.ts";
import "./icon.ts";
import { Part } from "./part.ts";
import { short } from "./plain.ts";

export type ToastKind = "info" | "ok" | "warn" | "bad";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: ToastKind;
}

const news = new EventTarget();
const shownMs = 5000;
const most = 5;

/** Shows a sentence for five seconds; `bad` stays. */
export function toast(text: string, kind: ToastKind = "info"): void {
  news.dispatchEvent(new CustomEvent("toast", { detail: { text, kind } }));
}

/** Shows why something failed. */
export function toastError(error: unknown): void {
  toast(error instanceof Error && error.message !== "" ? error.message : t("ui.failed"), "bad");
}

@customElement("ui-toasts")
export class Toasts extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { position: fixed; inset: auto 1rem 6.5rem auto; z-index: 50; display: flex; flex-direction: column; gap: 0.5rem; width: min(26rem, calc(100vw - 2rem)); border: 0; padding: 0; margin: 0; background: none; overflow: visible; }
      .toast { display: flex; align-items: start; gap: 0.6rem; padding: 0.6rem 0.5rem 0.6rem 0.9rem; border-radius: var(--radius-s); border: 1px solid var(--border); background: var(--surface); box-shadow: var(--shadow); }
      .toast > span { max-height: 9rem; overflow: auto; padding-top: 0.15rem; }
      .bad { border-color: var(--bad); } .ok { border-color: var(--ok); } .warn { border-color: var(--warn); }
    `,
  ];

  @state() private toasts: readonly Toast[] = [];
  #next = 1;

  override connectedCallback(): void {
    super.connectedCallback();
    this.popover = "manual";
    this.listen(news, "toast", (event) => this.add((event as CustomEvent<Toast>).detail));
  }

  override render() {
    return html`<div role="status" class="stack" aria-live="polite">
      ${repeat(
        this.toasts,
        ({ id }) => id,
        ({ id, text, kind }) => html`<div class="toast ${kind}">
          <span class="grow wrap">${short(text, 2000)}</span>
          <button class="icon plain small" aria-label=${t("ui.dismiss")} @click=${() => this.drop(id)}><ui-icon name="x"></ui-icon></button>
        </div>`,
      )}
    </div>`;
  }

  /** Always there, though empty: only what changes in a place that is there is read out. */
  override firstUpdated(): void {
    this.showPopover();
  }

  private add({ text, kind }: Omit<Toast, "id">): void {
    const id = this.#next++;
    // As a popover it lies above an open dialog, too: the one shown last is on top.
    this.hidePopover();
    this.showPopover();
    this.toasts = [...this.toasts.filter((one) => one.text !== text), { id, text, kind }].slice(-most);
    if (kind !== "bad") setTimeout(() => this.drop(id), shownMs);
  }

  private drop(id: number): void {
    this.toasts = this.toasts.filter((one) => one.id !== id);
  }
}
