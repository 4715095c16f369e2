/** `<provider-countdown .until=${ms}>`: how long something still holds, second by second. Tells `over` when it no longer does. */
import { html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";

@customElement("provider-countdown")
export class Countdown extends Part {
  @property({ attribute: false }) until = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    const timer = setInterval(() => {
      this.requestUpdate();
      if (Date.now() < this.until) return;
      clearInterval(timer);
      this.dispatchEvent(new Event("over"));
    }, 1000);
    this.untilGone(() => clearInterval(timer));
  }

  override render() {
    const left = Math.max(0, Math.round((this.until - Date.now()) / 1000));
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    return html`<span class="muted small" role="timer" aria-live="off">${t("providers.login.left", { time })}</span>`;
  }
}
