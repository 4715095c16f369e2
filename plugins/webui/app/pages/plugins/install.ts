/** The dialog that installs a plugin: a name or folder, or a file that is dropped; and how far it is, told by the gateway's events. */
import { css, html } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { type GatewayEvent, gateway } from "../../client/gateway.ts";
import { call, post } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { type Key, t } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { plain, short } from "../../parts/plain.ts";
import { toastError } from "../../parts/toast.ts";
import { type Installed, installedText, tellInstalled } from "./actions.ts";

const steps = ["started", "uploading", "fetching", "unpacking", "checking", "done", "failed"];
/** An install from a registry takes as long as the network does. */
const patient = { timeout: 0 };

@customElement("plugin-install")
export class PluginInstall extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .drop { display: flex; flex-direction: column; align-items: center; gap: 0.5rem; padding: 1.1rem; border: 2px dashed var(--border-strong); border-radius: var(--radius); text-align: center; }
      .drop.over { border-color: var(--accent); background: var(--accent-soft); }
      .with { display: flex; gap: 0.5rem; }
      ol { margin: 0 0 0.8rem; padding-inline-start: 1.3rem; }
      .or { text-align: center; margin: 0.2rem 0 0.8rem; }
    `,
  ];

  @property({ type: Boolean }) open = false;
  @state() private isOver = false;
  @state() private busy = false;
  @state() private passed: readonly string[] = [];
  @state() private error = "";
  @state() private done: Installed | undefined;
  @query("#source") private source?: HTMLInputElement;
  @query("#file") private file?: HTMLInputElement;
  #named = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.untilGone(gateway.on(["plugin_install"], (event) => this.follow(event)));
  }

  override firstUpdated(): void {
    this.source?.focus();
  }

  override render() {
    return html`<ui-dialog ?open=${this.open} heading=${t("plugins.install")} @close=${() => this.dispatchEvent(new Event("close"))}>
      <p class="notice warn">${t("plugins.install.trust")}</p>
      ${this.done === undefined ? this.ways() : ""}
      <div aria-live="polite">${this.progress()}</div>
      ${this.error === "" ? "" : html`<div class="notice bad" role="alert">${plain(this.error)}</div>`}
      ${this.done === undefined ? "" : this.end(this.done)}
    </ui-dialog>`;
  }

  private ways(): unknown {
    return html`<form class="field" @submit=${this.submit}>
        <label for="source">${t("plugins.install.source")}</label>
        <div class="with">
          <input id="source" required maxlength="4096" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="about" ?disabled=${this.busy} />
          <button class="primary" ?disabled=${this.busy}>${t("plugins.install.go")}</button>
        </div>
        <span class="hint" id="about">${t("plugins.install.hint")}</span>
      </form>
      <p class="muted or">${t("plugins.install.or")}</p>
      <div class="drop ${this.isOver ? "over" : ""}" @dragover=${this.over} @dragleave=${this.left} @drop=${this.dropped}>
        <span>${t("plugins.install.drop")}</span>
        <input id="file" type="file" accept=".tgz,.tar.gz,application/gzip" hidden @change=${this.chosen} />
        <button type="button" ?disabled=${this.busy} @click=${() => this.file?.click()}><ui-icon name="upload"></ui-icon>${t("plugins.install.choose")}</button>
      </div><br />`;
  }

  private progress(): unknown {
    if (this.passed.length === 0) return "";
    return html`<ol>${this.passed.map((step) => html`<li>${t(`plugins.install.step.${step}` as Key)}</li>`)}</ol>`;
  }

  private end(done: Installed): unknown {
    const isFine = done.result.failed.length === 0;
    return html`<div class="notice ${isFine ? "ok" : "bad"}"><p>${installedText(done)}</p>
        ${done.result.failed.map(({ id, reason }) => html`<p class="wrap">${short(id)}: ${short(reason, 2000)}</p>`)}</div>
      <div class="row"><a class="button" href=${href("plugins", done.id)} @click=${() => this.dispatchEvent(new Event("close"))}>${t("plugins.install.open", { id: done.id })}</a>
        <button @click=${this.again}>${t("plugins.install.again")}</button></div>`;
  }

  private again(): void {
    this.done = undefined;
    this.passed = [];
    void this.updateComplete.then(() => this.source?.focus());
  }

  private follow(event: GatewayEvent): void {
    const step = String(event.state);
    const isMine = this.busy && event.source === this.#named && steps.includes(step);
    if (isMine && !this.passed.includes(step)) this.passed = [...this.passed, step];
  }

  private submit(event: Event): void {
    event.preventDefault();
    const source = this.source?.value.trim() ?? "";
    // As the gateway names it in its events.
    if (source !== "")
      void this.run(source.slice(0, 200), [], () => call<Installed>("plugins.install", { source }, patient));
  }

  private over(event: DragEvent): void {
    event.preventDefault();
    this.isOver = true;
  }

  private left(): void {
    this.isOver = false;
  }

  private dropped(event: DragEvent): void {
    event.preventDefault();
    this.isOver = false;
    this.upload(event.dataTransfer?.files[0]);
  }

  private chosen(): void {
    this.upload(this.file?.files?.[0]);
    if (this.file) this.file.value = "";
  }

  private upload(file: File | undefined): void {
    if (file === undefined || this.busy) return;
    this.error = "";
    if (!/\.(?:tgz|tar\.gz)$/i.test(file.name)) {
      this.error = t("plugins.install.notTgz", { name: short(file.name, 100) });
      return;
    }
    const form = new FormData();
    form.append("file", file, file.name);
    const name = file.name.replace(/[^\w.@+-]+/g, "-").slice(-100);
    void this.run(name, ["uploading"], () => post<Installed>("/api/plugins/upload", form, patient));
  }

  private async run(named: string, begun: readonly string[], work: () => Promise<Installed>): Promise<void> {
    if (this.busy) return;
    this.#named = named;
    this.busy = true;
    this.error = "";
    this.passed = begun;
    try {
      this.done = await work();
      if (!this.isConnected) await tellInstalled(this.done);
    } catch (error) {
      this.error = (error as Error).message;
      if (!this.isConnected) toastError(error);
    }
    this.busy = false;
  }
}
