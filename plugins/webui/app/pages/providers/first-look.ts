/** Whether a provider that was just added answers: the last step before a chat. Where it lists no model, one is chosen here. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { ModelTests, outcome } from "./model-tests.ts";
import { ask } from "./wish.ts";
import { idOf, type ModelEntry, primaryEdit, providerPath, writeEdits, written } from "./writes.ts";

const mostShown = 200;

@customElement("provider-first-look")
export class FirstLook extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .good { color: var(--ok); }
      .result { font-size: 1rem; }
      select { flex: 1 1 14rem; width: auto; min-width: 0; }
    `,
  ];

  @property() name = "";
  @property({ type: Boolean }) wantsDefault = false;
  /** The model that is asked; empty: none is chosen yet. */
  @state() private model = "";
  @state() private offered: readonly string[] | undefined;
  @state() private error = "";
  @state() private busy = true;
  readonly #tests = new ModelTests(this);

  override connectedCallback(): void {
    super.connectedCallback();
    void this.begin();
  }

  override render() {
    const { name, model } = this;
    const id = `${name}/${model}`;
    const state = this.#tests.of(id)?.state;
    return html`<div class="stack">
      ${model === "" ? this.choice() : html`<p class="result wrap"><code>${short(model, 120)}</code> ${outcome(this.#tests, id)}</p>`}
      ${this.error === "" ? "" : html`<p class="notice bad" role="alert">${short(this.error, 600)}</p>`}
      ${state === "failed" || this.error !== "" ? html`<p>${t("providers.look.failed")}</p>` : ""}
      <div class="row">
        ${state === "ok" ? html`<a class="button primary" href=${href("chat")} @click=${this.leave}><ui-icon name="message-square"></ui-icon>${t("providers.chat")}</a>` : ""}
        ${state === "failed" ? html`<button @click=${() => this.#tests.run([id])}>${t("ui.retry")}</button>` : ""}
        ${this.error === "" ? "" : html`<button @click=${this.begin}>${t("ui.retry")}</button>`}
        <a class="button" href="${href("providers", name)}?tab=${state === "failed" || this.error !== "" ? "settings" : "models"}" @click=${this.leave}>${t(state === "failed" || this.error !== "" ? "providers.look.settings" : "providers.look.models")}</a>
      </div>
    </div>`;
  }

  private choice(): unknown {
    const { offered } = this;
    if (this.error !== "") return "";
    if (offered === undefined) return html`<p class="muted" role="status">${t("providers.look.asking")}</p>`;
    if (offered.length === 0) return html`<p>${t("providers.vendor.none")}</p>`;
    return html`<form class="row" @submit=${this.use}>
      <label for="first">${t("providers.look.choose", { n: offered.length })}</label>
      <select id="first" name="first">
        ${offered.slice(0, mostShown).map((model) => html`<option value=${model}>${short(model, 120)}</option>`)}
        ${offered.length > mostShown ? html`<option disabled>${t("providers.more", { n: offered.length - mostShown })}</option>` : ""}
      </select>
      <button class="primary" ?disabled=${this.busy}>${t("providers.look.use")}</button>
    </form>`;
  }

  private async begin(): Promise<void> {
    const { name } = this;
    this.error = "";
    this.busy = true;
    try {
      const entries = (await written<readonly ModelEntry[]>(providerPath(name, "models"))) ?? [];
      if (!this.isConnected) return;
      const first = entries.map(idOf).find((model) => model !== "*");
      if (first === undefined) {
        const { models } = await call<{ models: readonly string[] }>(
          "providers.upstream_models",
          { provider: name },
          { timeout: 120_000 },
        );
        this.offered = models;
      } else this.test(first);
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.busy = false;
  }

  private async use(event: Event): Promise<void> {
    event.preventDefault();
    const model = String(new FormData(event.target as HTMLFormElement).get("first"));
    const { name } = this;
    this.busy = true;
    try {
      const edits = [{ path: providerPath(name, "models"), value: [model, "*"] }];
      await writeEdits(this.wantsDefault ? [...edits, primaryEdit(`${name}/${model}`)] : edits, t("ui.saved"));
      ask(this, "changed");
      this.test(model);
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.busy = false;
  }

  private test(model: string): void {
    this.model = model;
    void this.#tests.run([`${this.name}/${model}`]);
  }

  private leave(): void {
    this.dispatchEvent(new Event("leave"));
  }
}
