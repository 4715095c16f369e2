/** `<chat-pickers>`: who answers, and with which model. Asks for its choice with the event `choice`. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";

export interface Choice {
  readonly agent?: string | undefined;
  readonly model?: string | undefined;
}

interface Models {
  readonly models: readonly { readonly id: string; readonly provider: string; readonly model: string }[];
  readonly primary: string;
}

interface Agents {
  readonly agents: readonly { readonly id: string; readonly about: string; readonly model: string }[];
}

const changes = [
  "config_changed",
  "plugin_state",
  "providers.discovered",
  "provider_account_added",
  "provider_account_removed",
];

@customElement("chat-pickers")
export class Pickers extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; gap: 0.3rem; min-width: 0; flex: 0 1 auto; }
      select { width: auto; min-width: 0; max-width: 13rem; min-height: 1.9rem; padding: 0 0.3rem; font-size: 0.85rem; text-overflow: ellipsis; border-color: var(--border); background: transparent; }
      @media (max-width: 640px) { select { max-width: 7.2rem; } }
    `,
  ];

  @property({ attribute: false }) choice: Choice = {};
  /** The agent that answers here without a choice, where that was settled. */
  @property() settled = "";
  readonly #models = new Load(this, (signal) => call<Models>("providers.models", {}, { signal }), { events: changes });
  readonly #agents = new Load(this, (signal) => call<Agents>("agents.list", {}, { signal }), { events: changes });

  /** By property: a choice made by hand makes a browser deaf to the attribute. */
  override render() {
    return html`${this.agents()}${this.models()}`;
  }

  private agents(): unknown {
    const agents = this.#agents.value?.agents ?? [];
    const { agent } = this.choice;
    if (agents.length < 2 && agent === undefined) return "";
    const ids = new Set([...agents.map(({ id }) => id), ...(agent === undefined ? [] : [agent])]);
    return html`<select aria-label=${t("chat.agent")} title=${t("chat.agent")} @change=${(event: Event) => this.choose({ agent: chosen(event) })}>
      <option value="" .selected=${agent === undefined}>${t("chat.agent.any", { agent: plain(this.settled || agents[0]?.id || "main") })}</option>
      ${[...ids].map((id) => html`<option value=${id} .selected=${id === agent}>${plain(id)}</option>`)}
    </select>`;
  }

  private models(): unknown {
    const { models = [], primary = "" } = this.#models.value ?? {};
    const { model } = this.choice;
    const providers = new Set(models.map(({ provider }) => provider));
    const isGone = model !== undefined && !models.some(({ id }) => id === model);
    return html`<select aria-label=${t("chat.model")} title=${t("chat.model")} @change=${(event: Event) => this.choose({ model: chosen(event) })}>
      <option value="" .selected=${model === undefined}>${t("chat.model.default", { model: plain(primary) })}</option>
      ${isGone ? html`<option value=${model} .selected=${true}>${plain(model)}</option>` : ""}
      ${[...providers].map(
        (provider) => html`<optgroup label=${plain(provider)}>
          ${models.filter((one) => one.provider === provider).map((one) => html`<option value=${one.id} .selected=${one.id === model}>${plain(one.model)}</option>`)}
        </optgroup>`,
      )}
    </select>`;
  }

  private choose(change: Choice): void {
    this.dispatchEvent(new CustomEvent<Choice>("choice", { detail: { ...this.choice, ...change } }));
  }
}

function chosen(event: Event): string | undefined {
  return (event.target as HTMLSelectElement).value || undefined;
}
