/** The models of one provider: which it is asked for, what they see and cost, how they answer, and what else the vendor has. */
import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import type { Edit } from "../../parts/schema-form/values.ts";
import { toastError } from "../../parts/toast.ts";
import { modelListStyles } from "./model-list-styles.ts";
import { type ModelRowPort, modelRow } from "./model-row.ts";
import { ModelTests } from "./model-tests.ts";
import { isConfigured, type Listing, type Model, type Price, type Provider, providerEvents } from "./shapes.ts";
import { findModels } from "./vendor-models.ts";
import { ask } from "./wish.ts";
import {
  forgetEdits,
  idOf,
  type ModelEntry,
  primaryEdit,
  providerPath,
  withModels,
  writeEdits,
  written,
} from "./writes.ts";

interface Known {
  readonly models: ReadonlyMap<string, Model>;
  readonly prices: Readonly<Record<string, Price | null>>;
}

const mostPrices = 500;
const mostShown = 60;
/** More are asked at once only by somebody who means it. */
const mostUnasked = 20;

@customElement("provider-models")
export class ModelsTab extends Part implements ModelRowPort {
  static override styles = [...Part.styles, modelListStyles];

  @property({ attribute: false }) provider?: Provider;
  @property({ attribute: false }) listing?: Listing;
  @state() busy = false;
  @state() private vendorSeen = false;
  @state() private words = "";
  readonly tests = new ModelTests(this);
  readonly #known = new Load(this, (signal) => this.look(signal), { events: providerEvents });

  override render() {
    const { provider } = this;
    if (provider === undefined) return "";
    return html`${this.#known.show((known) => this.list(provider, known))}
      ${this.mayEdit ? this.adding() : ""}
      ${session.can("write") ? this.vendor(provider) : ""}`;
  }

  get mayEdit(): boolean {
    return session.can("admin") && this.provider !== undefined && isConfigured(this.provider);
  }

  private list(provider: Provider, { models, prices }: Known): unknown {
    const ids = provider.models.map((model) => `${provider.name}/${model}`);
    const found = ids.length > mostShown ? findModels(ids, this.words) : ids;
    return html`<div class="spread">
        <h2>${t("providers.models", { n: ids.length })}</h2>
        ${this.testAll(ids)}
      </div>
      ${ids.length === 0 ? html`<p class="notice">${t(provider.open ? "providers.models.open" : "providers.models.none")}</p>` : ""}
      ${ids.length > mostShown ? html`<input type="search" aria-label=${t("ui.search")} placeholder=${t("providers.vendor.search", { n: ids.length })} .value=${this.words} @input=${this.search} />` : ""}
      <ul class="models">${found.slice(0, mostShown).map((id) => modelRow(this, { id, facts: models.get(id), price: prices[id] }))}</ul>
      ${ids.length > mostShown ? html`<p class="muted small" role="status">${found.length === 0 ? t("palette.none") : found.length > mostShown ? t("providers.more", { n: found.length - mostShown }) : ""}</p>` : ""}
      ${
        this.mayEdit && ids.length > 0
          ? html`<label class="check"><input type="checkbox" .checked=${provider.open} ?disabled=${this.busy} @change=${this.toggleOpen} />${t("providers.models.star")}</label>`
          : ""
      }`;
  }

  private testAll(ids: readonly string[]): unknown {
    if (!session.can("write") || ids.length === 0) return "";
    return this.tests.isBusy
      ? html`<button class="small" @click=${() => this.tests.stop()}><ui-icon name="circle-stop"></ui-icon>${t("ui.cancel")}</button>`
      : html`<button class="small" @click=${() => this.runAll(ids)}><ui-icon name="activity"></ui-icon>${t("providers.test.all")}</button>`;
  }

  private adding(): unknown {
    return html`<form class="add" @submit=${this.typed}>
      <div class="field grow"><label for="model">${t("providers.models.name")}</label>
        <input id="model" name="model" required maxlength="300" autocomplete="off" spellcheck="false" /></div>
      <div class="field"><label for="window">${t("providers.models.window")}</label>
        <input id="window" name="window" type="number" min="1" inputmode="numeric" /></div>
      <button ?disabled=${this.busy}><ui-icon name="plus"></ui-icon>${t("ui.add")}</button>
    </form>`;
  }

  private vendor(provider: Provider): unknown {
    if (!this.vendorSeen)
      return html`<button @click=${this.askVendor}><ui-icon name="list"></ui-icon>${t("providers.vendor.ask")}</button>`;
    const taken = new Set(provider.models);
    return html`<provider-vendor-models provider=${provider.name} .taken=${taken} ?editable=${this.mayEdit} ?busy=${this.busy}
      @add=${(event: CustomEvent<readonly string[]>) => this.add(event.detail)}></provider-vendor-models>`;
  }

  private askVendor(): void {
    this.vendorSeen = true;
  }

  private search(event: Event): void {
    this.words = (event.target as HTMLInputElement).value;
  }

  private async runAll(ids: readonly string[]): Promise<void> {
    const question = { text: t("providers.test.many", { n: ids.length }), action: t("providers.test.all") };
    if (ids.length <= mostUnasked || (await confirm(question))) await this.tests.run(ids);
  }

  private toggleOpen(): Promise<boolean> {
    const isOpen = this.provider?.open;
    return this.write((entries) => {
      const rest = entries.filter((entry) => idOf(entry) !== "*");
      return isOpen ? rest : [...rest, "*"];
    });
  }

  private async typed(event: Event): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const id = String(fields.get("model")).trim();
    const size = Number(fields.get("window"));
    if (id === "") return;
    if (await this.add([size > 0 ? { id, context_window: size } : id])) form.reset();
  }

  private async add(more: readonly ModelEntry[]): Promise<boolean> {
    return this.write((entries) => withModels(entries, more));
  }

  drop(model: string): Promise<boolean> {
    const own = `${this.provider?.name}/${model}`;
    return this.write(
      (entries) => entries.filter((entry) => idOf(entry) !== model),
      () => forgetEdits((id) => id === own),
    );
  }

  /** One place up: the first is the provider's default. */
  raise(model: string): Promise<boolean> {
    return this.write((entries) => {
      const at = entries.findIndex((entry) => idOf(entry) === model);
      if (at < 1) return entries;
      const others = entries.filter((_, index) => index !== at);
      return [...others.slice(0, at - 1), ...entries.slice(at, at + 1), ...others.slice(at - 1)];
    });
  }

  choose(id: string): Promise<boolean> {
    return this.save(async () => [primaryEdit(id)]);
  }

  /** From what the file says now: another page may have changed it meanwhile. */
  private write(
    change: (entries: readonly ModelEntry[]) => readonly ModelEntry[],
    more: () => Promise<readonly Edit[]> = async () => [],
  ): Promise<boolean> {
    const path = providerPath(this.provider?.name ?? "", "models");
    return this.save(async () => {
      const entries = change((await written<readonly ModelEntry[]>(path)) ?? []);
      return [entries.length > 0 ? { path, value: entries } : { path }, ...(await more())];
    });
  }

  private async save(edits: () => Promise<readonly Edit[]>): Promise<boolean> {
    this.busy = true;
    let isSaved = false;
    try {
      await writeEdits(await edits(), t("ui.saved"));
      isSaved = true;
    } catch (error) {
      toastError(error);
    }
    await this.#known.again();
    ask(this, "changed");
    this.busy = false;
    return isSaved;
  }

  private async look(signal: AbortSignal): Promise<Known> {
    const name = this.provider?.name ?? "";
    const { models } = await call<{ models: readonly Model[] }>("providers.models", {}, { signal });
    const own = models.filter(({ provider }) => provider === name);
    const ids = own.map(({ id }) => id).slice(0, mostPrices);
    // Prices are of another plugin, which may be off.
    const priced = call<{ prices: Known["prices"] }>("usage.prices", { models: ids }, { signal });
    const { prices } = await priced.catch(() => ({ prices: {} }));
    return { models: new Map(own.map((model) => [model.id, model])), prices };
  }
}
