/** Logs in to an account of a provider: by browser, by a code on another device, or by the file that another program made. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ApiError, call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import { copy } from "../../parts/clipboard.ts";
import "../../parts/dialog.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toast, toastError } from "../../parts/toast.ts";
import "./countdown.ts";
import { beginLogin, type Flow, finishLogin, giveUp, type LoggedIn, type Names, waitForLogin } from "./login-flow.ts";
import { endsLogin } from "./way-back.ts";
import { ask } from "./wish.ts";
import { type ModelEntry, providerPath, writeEdits, written } from "./writes.ts";

const largestFile = 1024 * 1024;

@customElement("provider-login")
export class LoginDialog extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .code { font-size: 1.7rem; letter-spacing: 0.12em; font-weight: 650; user-select: all; }
      .wait { display: flex; gap: 0.6rem; align-items: center; flex-wrap: wrap; }
      p.wait { margin: 0.9rem 0 0; }
      ol { margin: 0; padding-inline-start: 1.3rem; display: flex; flex-direction: column; gap: 0.9rem; }
    `,
  ];

  /** Of the provider; empty: closed. */
  @property() name = "";
  @state() private flow: Flow | undefined;
  @state() private busy = false;
  @state() private error = "";
  /** The vendor tells no e-mail: the account needs a name before it is kept. */
  @state() private needsLabel = false;
  #names: Names = {};
  /** Ends when it is closed, or another provider's turn comes. */
  #open = new AbortController();
  #waiting = new AbortController();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.end();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("name")) this.end();
  }

  override render() {
    const { name, flow } = this;
    return html`<ui-dialog ?open=${name !== ""} heading=${t("providers.login.title", { name: short(name, 60) })} @close=${this.close}>
      ${name === "" ? "" : this.needsLabel ? this.label() : flow === undefined ? this.beginning() : this.way(flow)}
      <p class="error" role="alert">${short(this.error, 800)}</p>
      <button slot="actions" @click=${this.close}>${t("ui.cancel")}</button>
      ${flow === undefined && name !== "" ? html`<button slot="actions" class="primary" ?disabled=${this.busy} @click=${this.begin}>${t(this.busy ? "providers.login.beginning" : "providers.login.begin")}</button>` : ""}
    </ui-dialog>`;
  }

  private beginning(): unknown {
    return html`<form @submit=${this.begin}>
      <p>${t("providers.login.text")}</p>
      <div class="field"><label for="label">${t("providers.login.label")}</label>
        <input id="label" name="label" maxlength="200" autocomplete="off" aria-describedby="label-hint" />
        <span class="hint" id="label-hint">${t("providers.login.label.hint")}</span></div>
      <details><summary class="small">${t("providers.login.other")}</summary>
        <div class="field"><label for="proxy">${t("providers.login.proxy")}</label>
          <input id="proxy" name="proxy" maxlength="1000" autocomplete="off" spellcheck="false" placeholder="socks5://127.0.0.1:1080" /></div>
        <div class="field"><label for="file">${t("providers.login.import")}</label>
          <input id="file" type="file" accept=".json,application/json" ?disabled=${this.busy} @change=${this.import} aria-describedby="file-hint" />
          <span class="hint" id="file-hint">${t("providers.login.import.hint")}</span></div></details>
      <button hidden></button>
    </form>`;
  }

  private way(flow: Flow): unknown {
    const isWeb = /^https?:\/\//i.test(flow.auth_url);
    return html`<ol>
        ${
          flow.user_code === ""
            ? ""
            : html`<li>${t("providers.login.code")}<div class="wait"><code class="code">${short(flow.user_code, 64)}</code>
          <button class="small" @click=${() => copy(flow.user_code)}><ui-icon name="copy"></ui-icon>${t("ui.copy")}</button></div></li>`
        }
        <li>${t(flow.mode === "device" ? "providers.login.open.device" : "providers.login.open")}
          <div class="wait">${isWeb ? html`<a class="button primary" href=${flow.auth_url} target="_blank" rel="noopener noreferrer nofollow"><ui-icon name="external-link"></ui-icon>${t("providers.login.go")}</a>` : html`<code class="wrap">${short(flow.auth_url)}</code>`}
            <button class="small" @click=${() => copy(flow.auth_url)}><ui-icon name="copy"></ui-icon>${t("providers.login.copy")}</button></div></li>
        ${flow.mode === "device" ? "" : html`<li>${this.paste(flow)}</li>`}
      </ol>
      <p class="wait" role="status"><span>${flow.mode === "device" || flow.listening ? t("providers.login.waiting") : ""}</span>
        <provider-countdown .until=${flow.until} @over=${this.late}></provider-countdown></p>`;
  }

  private paste(flow: Flow): unknown {
    return html`<form @submit=${this.finish}>
      <div class="field"><label for="callback">${t("providers.login.paste")}</label>
        <input id="callback" name="callback" required maxlength="16000" autocomplete="off" spellcheck="false" aria-describedby="callback-hint" />
        <span class="hint" id="callback-hint">${t(flow.listening ? "providers.login.paste.caught" : "providers.login.paste.hint")}</span></div>
      <button ?disabled=${this.busy}>${t("providers.login.finish")}</button>
    </form>`;
  }

  private label(): unknown {
    return html`<form @submit=${this.named}>
      <p>${t("providers.login.nameless")}</p>
      <div class="field"><label for="late">${t("providers.login.label")}</label><input id="late" name="late" required maxlength="200" autocomplete="off" /></div>
      <button class="primary">${t("ui.save")}</button>
    </form>`;
  }

  private async begin(event: Event): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    this.#names = this.typedNames();
    const { name } = this;
    await this.attempt(async (signal) => {
      const flow = await beginLogin(name, this.#names);
      if (signal.aborted) return giveUp(flow);
      this.flow = flow;
      if (flow.mode === "device" || flow.listening) void this.wait(flow);
    });
  }

  private typedNames(): Names {
    const form = this.renderRoot.querySelector("form");
    const fields = form ? new FormData(form) : new FormData();
    const [label, proxy] = ["label", "proxy"].map((name) => String(fields.get(name) ?? "").trim());
    return { ...(label && { account_label: label }), ...(proxy && { network_proxy: proxy }) };
  }

  private async wait(flow: Flow): Promise<void> {
    this.#waiting = new AbortController();
    const { name } = this;
    const { signal } = this.#waiting;
    try {
      await this.done(name, await waitForLogin(flow, this.#names, signal), signal);
    } catch (error) {
      if (!signal.aborted) this.failed(error);
    }
  }

  private async finish(event: Event): Promise<void> {
    event.preventDefault();
    const { flow } = this;
    const address = String(new FormData(event.target as HTMLFormElement).get("callback")).trim();
    if (flow === undefined || this.busy) return;
    if (!endsLogin(flow.auth_url, address)) {
      this.error = t("providers.login.paste.wrong");
      return;
    }
    this.#waiting.abort();
    const { name } = this;
    await this.attempt(async (signal) => this.done(name, await finishLogin(flow, this.#names, address), signal));
  }

  private async named(event: Event): Promise<void> {
    event.preventDefault();
    const { flow } = this;
    this.#names = {
      ...this.#names,
      account_label: String(new FormData(event.target as HTMLFormElement).get("late")).trim(),
    };
    this.needsLabel = false;
    this.error = "";
    if (flow) await this.wait(flow);
  }

  private async import(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file === undefined) return;
    const { name } = this;
    await this.attempt(async (signal) => {
      if (file.size > largestFile) throw new Error(t("providers.login.import.large"));
      const params = { provider: name, content: await file.text(), name: file.name, ...this.typedNames() };
      await this.done(name, await call<LoggedIn>("provider.oauth.import", params, { timeout: 90_000 }), signal);
    });
    input.value = "";
  }

  private async done(name: string, { account, models }: LoggedIn, signal: AbortSignal): Promise<void> {
    toast(t("providers.login.done", { account: short(account, 120) }), "ok");
    if (!signal.aborted) {
      this.flow = undefined;
      this.close();
    }
    await listModels(name, models ?? []).catch(toastError);
    ask(this, "changed");
  }

  private async attempt(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#open;
    this.busy = true;
    this.error = "";
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted) this.failed(error);
    }
    if (!signal.aborted) this.busy = false;
  }

  private late(): void {
    if (this.busy) return;
    this.end();
    this.error = t("providers.login.late");
  }

  /** A flow that failed is over; one that only lacks a name goes on with it. */
  private failed(error: unknown): void {
    this.error = (error as Error).message;
    this.needsLabel = error instanceof ApiError && error.code === "OAUTH_LABEL";
    if (!this.needsLabel) this.flow = undefined;
  }

  private end(): void {
    this.#open.abort();
    this.#open = new AbortController();
    this.#waiting.abort();
    if (this.flow) void giveUp(this.flow);
    this.flow = undefined;
    this.needsLabel = false;
    this.error = "";
    this.busy = false;
  }

  private close(): void {
    this.end();
    this.dispatchEvent(new Event("close"));
  }
}

/** What an account may use becomes the provider's models where it lists none. */
async function listModels(name: string, models: readonly string[]): Promise<void> {
  const section = await written<{ readonly models?: readonly ModelEntry[] }>(providerPath(name));
  if (models.length === 0 || section === undefined || (section.models ?? []).length > 0) return;
  const edits = [{ path: providerPath(name, "models"), value: models }];
  await writeEdits(edits, t("providers.login.models", { n: models.length }));
}
