/** The vendors that are known, to choose one from. Tells `pick` with the preset, or null for a server that none of them is. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t, told } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import type { Preset } from "./shapes.ts";

@customElement("provider-presets")
export class PresetPicker extends Part {
  static override styles = [
    ...Part.styles,
    css`
      h3 { margin: 1rem 0 0.4rem; color: var(--text-2); font-size: 0.85rem; }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 12.5rem), 1fr)); }
      li button { width: 100%; flex-direction: column; align-items: start; gap: 0; padding: 0.45rem 0.7rem; white-space: normal; text-align: start; height: 100%; }
      li small { color: var(--text-2); }
    `,
  ];

  @property({ attribute: false }) presets: readonly Preset[] = [];
  @state() private words = "";

  override render() {
    const found = this.found();
    const local = found.filter(({ local }) => local);
    const hosted = found.filter(({ local }) => !local);
    return html`<input type="search" aria-label=${t("ui.search")} placeholder=${t("providers.preset.search", { n: this.presets.length })} maxlength="100" .value=${this.words} @input=${this.typed} />
      <p class="visually-hidden" role="status">${t("providers.preset.found", { n: found.length })}</p>
      ${this.group(t("providers.preset.local"), local)} ${this.group(t("providers.preset.hosted"), hosted)}
      <h3 id="other">${t("providers.preset.other")}</h3>
      <ul aria-labelledby="other"><li><button @click=${() => this.pick(null)}><span>${t("providers.preset.custom")}</span><small>${t("providers.preset.custom.hint")}</small></button></li></ul>`;
  }

  private group(title: string, presets: readonly Preset[]): unknown {
    if (presets.length === 0) return "";
    return html`<h3>${title}</h3>
      <ul aria-label=${title}>${presets.map(
        (preset) =>
          html`<li><button @click=${() => this.pick(preset)}><span>${told(preset.title)}</span><small>${wants(preset)}</small></button></li>`,
      )}</ul>`;
  }

  private found(): readonly Preset[] {
    const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
    return this.presets.filter(({ id, title, aliases }) => {
      const text = [id, title, told(title), ...aliases].join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  private typed(event: Event): void {
    this.words = (event.target as HTMLInputElement).value;
  }

  private pick(preset: Preset | null): void {
    this.dispatchEvent(new CustomEvent<Preset | null>("pick", { detail: preset }));
  }
}

/** What somebody has to have at hand. */
function wants({ needs, login, local, relay }: Preset): string {
  if (relay) return t("providers.wants.relay");
  if (local) return t("providers.wants.nothing");
  const key = login ? t("providers.wants.keyOrLogin") : t("providers.wants.key");
  return needs.includes("api_base") ? t("providers.wants.address", { key }) : key;
}
