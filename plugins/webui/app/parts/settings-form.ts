/**
 * `<ui-settings-form path="tools.mcp" .schema .hot .effective>`: the form of one section together with its way to the gateway. It
 * loads what the file has there, and again when the config changed; saves what was changed and nothing else; shows what would
 * restart before it does; and puts the gateway's refusals beside the keys they name. Tells `saved`.
 */
import { css, html } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { ApiError, call } from "../client/http.ts";
import { session } from "../client/session.ts";
import { languages, t } from "../i18n/locale.ts";
import { type ChangeResult, tellChange } from "./change-result.ts";
import "./dialog.ts";
import { Load } from "./load.ts";
import { Part } from "./part.ts";
import { short } from "./plain.ts";
import type { Schema } from "./schema-form/schema.ts";
import type { Edit } from "./schema-form/values.ts";
import "./schema-form.ts";
import type { SchemaForm } from "./schema-form.ts";

interface Planned {
  readonly path: string;
  readonly class: "hot" | "restart-plugin" | "restart-gateway" | "none";
  readonly owner: string;
}

@customElement("ui-settings-form")
export class SettingsForm extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .bar { position: sticky; bottom: 0; display: flex; align-items: center; gap: 0.6rem; flex-wrap: wrap; padding: 0.7rem 0; background: var(--bg); border-top: 1px solid var(--border); z-index: 2; }
      .notice { margin-bottom: 0.9rem; }
      .bar .notice { flex-basis: 100%; margin: 0; max-height: 8rem; overflow: auto; }
      ul { margin: 0; padding-inline-start: 1.2rem; }
    `,
  ];

  @property({ attribute: false }) schema: Schema = {};
  @property({ attribute: false }) hot: readonly string[] = [];
  @property({ attribute: false }) effective: unknown;
  @property() path = "";
  @property() restarts: "plugin" | "gateway" = "plugin";
  @state() private errors: readonly string[] = [];
  @state() private refusal = "";
  /** No answer came: whether it was written nobody knows yet. */
  @state() private isLost = false;
  @state() private busy = false;
  @state() private plan: readonly Planned[] | undefined;
  @query("ui-schema-form") private form?: SchemaForm;
  readonly #file = new Load(this, (signal) => this.load(signal), { events: ["config_changed"] });

  override connectedCallback(): void {
    super.connectedCallback();
    void languages.load("form").then(() => this.requestUpdate());
    this.listen(session, "change", () => this.requestUpdate());
  }

  /** True while something is typed that was not saved. */
  get isChanged(): boolean {
    return (this.form?.edits.length ?? 0) > 0;
  }

  override render() {
    return this.#file.show(({ value, overrides }) => {
      const canWrite = session.can("admin");
      return html`${canWrite ? "" : html`<p class="notice">${t("form.readOnly")}</p>`}
        <ui-schema-form .schema=${this.schema} .value=${value} .effective=${this.effective} .hot=${this.hot} .errors=${this.errors}
          path=${this.path} restarts=${this.restarts} .overrides=${overrides} ?disabled=${!canWrite || this.busy} @change=${() => this.requestUpdate()}></ui-schema-form>
        ${canWrite ? this.bar() : ""}${this.planDialog()}`;
    });
  }

  private async load(signal: AbortSignal) {
    const [{ value }, overrides] = await Promise.all([
      call<{ value?: unknown }>("config.get", { path: this.path }, { signal }),
      call<Readonly<Record<string, string>>>("config.overrides", {}, { signal }),
    ]);
    return { value, overrides };
  }

  private bar(): unknown {
    const changes = this.form?.edits.length ?? 0;
    const wrong = this.form?.wrong ?? 0;
    if (changes === 0 && wrong === 0) return "";
    return html`<div class="bar">
      ${this.refusal === "" ? "" : html`<div class="notice bad" role="alert"><strong>${this.isLost ? t("form.lost") : t("form.refused")}</strong><br />${short(this.refusal, 2000)}</div>`}
      <button class="primary" ?disabled=${this.busy || wrong > 0 || changes === 0} @click=${this.ask}>${this.busy ? t("ui.saving") : t("ui.save")}</button>
      <button ?disabled=${this.busy} @click=${this.discard}>${t("form.discard")}</button>
      <span class=${wrong > 0 ? "error" : "muted"} role="status">${wrong > 0 ? t("form.wrong", { n: wrong }) : t("form.changes", { n: changes })}</span>
    </div>`;
  }

  private planDialog(): unknown {
    const rows = this.plan ?? [];
    const owners = new Map(rows.map((row) => [`${row.class} ${row.owner}`, row]));
    return html`<ui-dialog ?open=${this.plan !== undefined} heading=${t("form.plan.title")} @close=${this.back}>
      <p>${t("form.plan.text")}</p>
      <ul>${[...owners.values()]
        .filter((row) => row.class.startsWith("restart"))
        .map(
          (row) => html`<li>
        ${row.class === "restart-gateway" ? t("form.plan.gateway") : t("form.plan.plugin", { id: row.owner })}
        <span class="mono muted wrap">${rows
          .filter((other) => other.owner === row.owner && other.class === row.class)
          .map(({ path }) => path)
          .join(", ")}</span>
      </li>`,
        )}</ul>
      <button slot="actions" @click=${this.back}>${t("ui.cancel")}</button>
      <button slot="actions" class="primary" @click=${this.save}>${t("form.plan.go")}</button>
    </ui-dialog>`;
  }

  private back(): void {
    this.plan = undefined;
  }

  private discard(): void {
    this.form?.reset();
    this.errors = [];
    this.refusal = "";
  }

  private async ask(): Promise<void> {
    await this.attempt(async (edits) => {
      const plan = await call<readonly Planned[]>("config.plan", { edits });
      if (plan.some((row) => row.class.startsWith("restart"))) this.plan = plan;
      else await this.write(edits);
    });
  }

  private async save(): Promise<void> {
    this.plan = undefined;
    await this.attempt((edits) => this.write(edits));
  }

  private async write(edits: readonly Edit[]): Promise<void> {
    const result = await call<ChangeResult>("config.edit", { edits }, { timeout: 120_000 });
    await this.#file.again();
    if (this.#file.error === undefined) this.form?.reset();
    await tellChange(result, t("form.saved"));
    this.dispatchEvent(new Event("saved"));
  }

  private async attempt(work: (edits: readonly Edit[]) => Promise<void>): Promise<void> {
    const edits = this.form?.edits ?? [];
    if (this.busy || edits.length === 0) return;
    this.busy = true;
    this.errors = [];
    this.refusal = "";
    try {
      await work(edits);
    } catch (error) {
      const told = error instanceof ApiError ? error.details.errors : undefined;
      this.errors = Array.isArray(told) ? told.map(String) : [];
      this.refusal = (error as Error).message;
      this.isLost = error instanceof ApiError && error.status === 0;
    }
    this.busy = false;
  }
}
