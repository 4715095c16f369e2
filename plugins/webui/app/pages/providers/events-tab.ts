/** What happened to one provider lately: calls that worked, errors, and changes of its credentials and of their order. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call, post } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { dateTime } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { toastError } from "../../parts/toast.ts";
import { providerEvents } from "./shapes.ts";
import { because } from "./wording.ts";

interface Happening {
  readonly when: string;
  readonly kind: "api_key" | "oauth" | "scheduler" | "relay";
  readonly target?: string;
  readonly reason?: string;
  readonly detail?: string;
}

interface View {
  readonly view: { readonly items: readonly { readonly events: readonly Happening[]; readonly next_cursor: number }[] };
}

const page = 40;
/** Calls that work are told by no event. */
const refreshMs = 15_000;

@customElement("provider-events")
export class EventsTab extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .bar { margin-bottom: 0.8rem; }
      td:first-child { white-space: nowrap; }
      td.wrap { min-width: 8rem; }
    `,
  ];

  @property() provider = "";
  @state() private changesOnly = false;
  @state() private limit = page;
  readonly #view = new Load(
    this,
    (signal) => {
      const params = { provider: this.provider, limit: String(this.limit), changes_only: String(this.changesOnly) };
      return call<View>("providers.runtime", params, { signal });
    },
    { events: providerEvents, every: refreshMs },
  );

  override render() {
    return html`<div class="spread bar">
        <label class="check"><input type="checkbox" .checked=${this.changesOnly} @change=${this.toggle} />${t("providers.events.changes")}</label>
        ${session.can("write") ? html`<button class="small" @click=${this.forget}>${t("providers.events.clear")}</button>` : ""}
      </div>
      ${this.#view.show(({ view }) => this.table(view.items[0]?.events ?? [], (view.items[0]?.next_cursor ?? 0) > 0))}`;
  }

  private table(events: readonly Happening[], isMore: boolean): unknown {
    if (events.length === 0) return html`<p class="muted">${t("providers.events.none")}</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("providers.tab.events")}><table>
        <thead><tr><th scope="col">${t("ui.chart.time")}</th><th scope="col">${t("providers.events.who")}</th><th scope="col">${t("providers.events.what")}</th></tr></thead>
        <tbody>${events.map(
          ({ when, kind, target = "", reason = "", detail = "" }) => html`<tr><td>${dateTime(when)}</td>
            <td class="wrap"><span class="badge">${t(`providers.kind.${kind}`)}</span> <span class="mono">${short(target, 80)}</span></td>
            <td class="wrap">${because(reason)}${detail === "" ? "" : html` <span class="muted">${short(detail, 300)}</span>`}</td></tr>`,
        )}</tbody></table></div>
      ${isMore ? html`<button class="small" @click=${this.more}>${t("providers.events.more")}</button>` : ""}`;
  }

  private toggle(event: Event): void {
    this.changesOnly = (event.target as HTMLInputElement).checked;
    void this.#view.again();
  }

  private more(): void {
    this.limit += page;
    void this.#view.again();
  }

  private async forget(): Promise<void> {
    try {
      await post("/api/provider/runtime", { provider: this.provider, action: "clear_history" });
    } catch (error) {
      toastError(error);
    }
    await this.#view.again();
  }
}
