/** Adds a provider in three steps: who it is, what it wants to be told, and whether it answers. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t, told } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { Edit } from "../../parts/schema-form/values.ts";
import { type AddState, addForm, sectionOf } from "./add-form.ts";
import "./first-look.ts";
import "./preset-picker.ts";
import { isConfigured, type Listing, type Preset } from "./shapes.ts";
import { ask } from "./wish.ts";
import { foundEdits, freeName, primaryEdit, providerPath, writeEdits } from "./writes.ts";

@customElement("provider-add")
export class AddDialog extends Part {
  static override styles = [
    ...Part.styles,
    css`
      fieldset { border: 1px solid var(--border); border-radius: var(--radius-s); margin: 0 0 0.9rem; padding: 0.6rem 0.9rem; min-width: 0; }
      legend { font-weight: 550; font-size: 0.9rem; }
      label.check { font-weight: 400; padding: 0.2rem 0; }
      details { margin-bottom: 0.9rem; }
    `,
  ];

  /** Undefined: closed; empty: anybody; else the id of a preset. */
  @property({ attribute: false }) start: string | undefined;
  @property({ attribute: false }) listing?: Listing;
  @state() private presets: readonly Preset[] | undefined;
  @state() private chosen: AddState | undefined;
  /** Its name, once it is in the config. */
  @state() private made = "";
  @state() private wantsDefault = false;
  @state() private error = "";
  @state() private busy = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("start") && this.start !== undefined) void this.begin(this.start);
  }

  override render() {
    return html`<ui-dialog ?wide=${this.chosen === undefined} ?open=${this.start !== undefined} heading=${this.heading()} @close=${this.close}>
      ${this.start === undefined ? "" : this.step()}
      <p class="error" role="alert">${short(this.error, 800)}</p>
      ${this.buttons()}
    </ui-dialog>`;
  }

  private heading(): string {
    if (this.made !== "") return t("providers.added", { name: this.made });
    return this.chosen?.preset ? t("providers.add.one", { name: told(this.chosen.preset.title) }) : t("providers.add");
  }

  private step(): unknown {
    const { chosen, made, presets } = this;
    if (made !== "")
      return html`<provider-first-look name=${made} ?wantsDefault=${this.wantsDefault} @leave=${this.close}></provider-first-look>`;
    if (chosen)
      return html`<form @submit=${this.save}>${addForm(chosen, (auth) => this.choose({ ...chosen, auth }))}<button hidden></button></form>`;
    if (presets === undefined) return html`<p class="muted" role="status">${t("app.loading")}</p>`;
    return html`<provider-presets .presets=${presets} @pick=${(event: CustomEvent<Preset | null>) => this.pick(event.detail)}></provider-presets>`;
  }

  private buttons(): unknown {
    if (this.made !== "") return html`<button slot="actions" @click=${this.close}>${t("ui.close")}</button>`;
    if (this.chosen === undefined) return html`<button slot="actions" @click=${this.close}>${t("ui.cancel")}</button>`;
    return html`<button slot="actions" ?disabled=${this.busy} @click=${this.back}>${t("providers.add.back")}</button>
      <button slot="actions" class="primary" ?disabled=${this.busy} @click=${this.save}>${this.busy ? t("ui.saving") : t(this.chosen.auth === "oauth" ? "providers.add.login" : "providers.add.save")}</button>`;
  }

  private async begin(id: string): Promise<void> {
    this.chosen = undefined;
    this.made = "";
    this.error = "";
    try {
      const { presets } = await call<{ presets: readonly Preset[] }>("providers.presets");
      if (this.start !== id) return;
      this.presets = presets;
      const preset = this.presets.find((one) => one.id === id);
      if (preset) this.pick(preset);
    } catch (error) {
      this.error = (error as Error).message;
    }
  }

  private pick(preset: Preset | null): void {
    const { configured = [], providers = [] } = this.listing ?? {};
    const isFirst = configured.length === 0;
    this.choose({
      preset,
      auth: preset?.auth[0] ?? "api_key",
      name: freeName(preset?.id ?? "my-server", { configured }),
      isFirst,
      found: isFirst ? providers.filter((one) => !isConfigured(one)).map(({ name }) => name) : [],
    });
  }

  private choose(state: AddState): void {
    const form = this.renderRoot.querySelector("form");
    const name = form ? String(new FormData(form).get("name")) : state.name;
    this.chosen = { ...state, name };
  }

  private back(): void {
    this.chosen = undefined;
    this.error = "";
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    const form = this.renderRoot.querySelector("form");
    const { chosen } = this;
    if (this.busy || chosen === undefined || form === null || !form.reportValidity()) return;
    const fields = new FormData(form);
    const name = String(fields.get("name")).trim();
    if (this.listing?.configured.includes(name)) {
      this.error = t("providers.field.name.taken", { name });
      return;
    }
    this.busy = true;
    this.error = "";
    this.wantsDefault = fields.has("primary");
    try {
      await this.write(name, chosen, fields);
      ask(this, "changed");
      if (chosen.auth === "oauth") ask(this, "login", name);
      else this.made = name;
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.busy = false;
  }

  private async write(name: string, chosen: AddState, fields: FormData): Promise<void> {
    const value = sectionOf(chosen, fields);
    const [first] = (value.models as readonly string[] | undefined) ?? [];
    const found = this.listing?.providers.filter((one) => chosen.found.includes(one.name) && one.name !== name) ?? [];
    const kept = fields.has("keep") ? foundEdits(found, this.presets ?? []) : [];
    const edits: Edit[] = [...kept, { path: providerPath(name), value }];
    if (this.wantsDefault && first !== undefined && first !== "*") edits.push(primaryEdit(`${name}/${first}`));
    await writeEdits(edits, t("providers.added", { name }));
  }

  private close(): void {
    this.chosen = undefined;
    this.made = "";
    this.error = "";
    this.dispatchEvent(new Event("close"));
  }
}
