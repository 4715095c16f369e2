/** For somebody without a provider: what answers now, what was found on this machine, and the shortest ways to a model. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import type { Listing } from "./shapes.ts";
import { ask } from "./wish.ts";

/** Vendors that most people come with, and the server that most run themselves. */
const usual = [
  ["openai", "OpenAI"],
  ["claude", "Anthropic Claude"],
  ["gemini", "Google Gemini"],
  ["deepseek", "DeepSeek"],
  ["qwen", "Qwen"],
  ["openrouter", "OpenRouter"],
  ["ollama", "Ollama"],
] as const;

@customElement("providers-welcome")
export class Welcome extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.5rem; }
      .card { border-color: var(--accent); }
    `,
  ];

  @property({ attribute: false }) listing?: Listing;

  override render() {
    const { listing } = this;
    if (listing === undefined) return "";
    return html`<section class="card stack" aria-labelledby="welcome">
      ${listing.providers.length > 0 ? this.found(listing) : this.nothing()}
      ${session.can("admin") ? this.ways() : html`<p class="muted">${t("providers.welcome.admin")}</p>`}
    </section>`;
  }

  private found({ providers, primary }: Listing): unknown {
    const names = providers.map(({ name }) => short(name, 60)).join(", ");
    const [first] = providers;
    return html`<h2 id="welcome">${t("providers.found", { names })}</h2>
      <p>${t("providers.found.text", { model: short(primary, 100) })}</p>
      <div class="row">
        <a class="button primary" href=${href("chat")}><ui-icon name="message-square"></ui-icon>${t("providers.chat")}</a>
        ${session.can("admin") ? html`<button @click=${() => ask(this, "keep", first?.name ?? "")}><ui-icon name="save"></ui-icon>${t("providers.keep")}</button>` : ""}
      </div>`;
  }

  private nothing(): unknown {
    return html`<h2 id="welcome">${t("providers.welcome")}</h2>
      <p>${t("providers.welcome.text")}</p>
      <p class="muted">${t("providers.welcome.search")}</p>`;
  }

  private ways(): unknown {
    return html`<p class="muted">${t("providers.welcome.ways")}</p>
      <ul>${usual.map(([id, title]) => html`<li><button @click=${() => ask(this, "add", id)}>${title}</button></li>`)}
        <li><button class="plain" @click=${() => ask(this, "add")}>${t("providers.welcome.more")}</button></li></ul>`;
  }
}
