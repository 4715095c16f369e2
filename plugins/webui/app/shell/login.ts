/** The form that asks for a credential. A modal dialog lies over all others, so that what is behind it keeps what was typed. */
import { css, html } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import mark from "../assets/icon.svg";
import { session } from "../client/session.ts";
import { type Key, t } from "../i18n/locale.ts";
import { Part } from "../parts/part.ts";

/** Where the credential is found, by the mode of `gateway.auth`. */
const hints: Readonly<Record<string, Key>> = {
  password: "login.hint.password",
  "trusted-proxy": "login.hint.proxy",
};

@customElement("chela-login")
export class Login extends Part {
  static override styles = [
    ...Part.styles,
    css`
      dialog { width: 100vw; height: 100dvh; max-width: none; max-height: none; border: 0; padding: 1rem; background: var(--bg); color: var(--text); }
      dialog[open] { display: grid; place-items: center; }
      form { padding: 1.6rem; max-width: 30rem; box-shadow: var(--shadow); }
      h1 { display: flex; align-items: center; gap: 0.7rem; margin-bottom: 1.2rem; }
      img { width: 2.2rem; height: 2.2rem; }
      .with { display: flex; gap: 0.4rem; }
    `,
  ];

  /** The person was signed in before. */
  @property({ type: Boolean }) expired = false;
  @state() private busy = false;
  @state() private shown = false;
  @state() private error = "";
  @query("input") private input?: HTMLInputElement;
  #before: HTMLElement | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#before = focused();
  }

  /** Who was interrupted goes on where he was. */
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#before?.focus();
  }

  override render() {
    const mode = session.facts?.auth_mode ?? "";
    return html`<dialog aria-labelledby="title" @cancel=${(event: Event) => event.preventDefault()} @close=${this.show}><form class="card" @submit=${this.submit}>
      <h1 id="title"><img src=${mark} alt="" />${t("login.title")}</h1>
      ${this.expired ? html`<p class="notice warn">${t("login.expired")}</p>` : ""}
      ${mode === "none" ? html`<p class="notice warn">${t("login.hint.none")}</p>` : this.fields(mode)}
    </form></dialog>`;
  }

  private fields(mode: string): unknown {
    return html`<div class="field">
        <label for="credential">${t("login.credential")}</label>
        <div class="with">
          <input id="credential" name="credential" type=${this.shown ? "text" : "password"} autocomplete="current-password" autocapitalize="off"
            spellcheck="false" required maxlength="4096" aria-describedby="hint error" aria-invalid=${this.error !== ""} />
          <button type="button" aria-pressed=${this.shown} @click=${() => {
            this.shown = !this.shown;
          }}>${this.shown ? t("login.hide") : t("login.show")}</button>
        </div>
        <span id="error" class="error" role="alert">${this.error}</span>
        <span id="hint" class="hint">${t(hints[mode] ?? "login.hint")}</span>
      </div>
      <button class="primary" ?disabled=${this.busy}>${this.busy ? t("login.busy") : t("login.submit")}</button>`;
  }

  override firstUpdated(): void {
    this.show();
  }

  /** A browser closes a dialog when Escape is pressed twice, whatever is answered. */
  private show(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
    this.input?.focus();
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    const credential = this.input?.value.trim() ?? "";
    if (credential === "" || this.busy) return;
    this.busy = true;
    this.error = "";
    try {
      await session.signIn(credential);
    } catch (error) {
      this.error = (error as Error).message;
      this.input?.select();
    }
    this.busy = false;
  }
}

/** What has the focus, in whatever element it lies. */
function focused(): HTMLElement | undefined {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found instanceof HTMLElement ? found : undefined;
}
