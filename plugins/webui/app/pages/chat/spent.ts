/** `<chat-spent>`: tokens and money that a session took, where the gateway counts them. */
import { html, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { gateway } from "../../client/gateway.ts";
import { call } from "../../client/http.ts";
import { count, dollars } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";

interface Totals {
  readonly session: string;
  readonly total: { readonly inputTokens: number; readonly outputTokens: number; readonly cost: number | null };
}

@customElement("chat-spent")
export class Spent extends Part {
  @property() session = "";
  readonly #load = new Load(this, (signal) => this.ask(signal), { manual: true });

  override connectedCallback(): void {
    super.connectedCallback();
    this.untilGone(
      gateway.on(["session_changed"], ({ session }) => {
        if (session === this.session) void this.#load.again();
      }),
    );
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session") && this.session !== "") void this.#load.again();
  }

  override render() {
    const { session, total } = this.#load.value ?? {};
    if (
      total === undefined ||
      session !== this.session ||
      this.#load.error ||
      total.inputTokens + total.outputTokens === 0
    )
      return "";
    const tokens = t("chat.tokens", { input: count(total.inputTokens), output: count(total.outputTokens) });
    return html`<span class="small muted clip" title=${t("chat.spent")}>${tokens}${total.cost === null ? "" : ` · ${dollars(total.cost)}`}</span>`;
  }

  private async ask(signal: AbortSignal): Promise<Totals> {
    const { session } = this;
    return { ...(await call<Totals>("usage.totals", { session, by: "model", since: "365d" }, { signal })), session };
  }
}
