/** One plugin in the list: its state, why it is so, and its switch. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t, told } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { act, type PluginAction } from "./actions.ts";
import { type PluginRow, toneOf } from "./shapes.ts";
import { switchStyles } from "./switch-styles.ts";

@customElement("plugin-card")
export class PluginCard extends Part {
  static override styles = [
    ...Part.styles,
    switchStyles,
    css`
      :host { display: flex; }
      .card { display: flex; flex-direction: column; gap: 0.5rem; flex: 1; padding: 0.85rem 1rem; }
      h2 { margin: 0; display: flex; align-items: baseline; gap: 0.5rem; min-width: 0; flex: 1; }
      h2 a { color: var(--text); text-decoration: none; min-height: 24px; }
      h2 a:hover { text-decoration: underline; }
      p { margin: 0; flex: 1; }
      .reason { padding: 0.4rem 0.6rem; font-size: 0.86rem; }
    `,
  ];

  @property({ attribute: false }) plugin!: PluginRow;
  /** A newer version in the registry. */
  @property() latest = "";
  @state() private busy = false;

  override render() {
    const { id, version, state, reason, origin, about, critical, enabled } = this.plugin;
    const canChange = session.can("admin") && !this.busy;
    return html`<article class="card">
      <div class="row">
        <h2><a class="clip" href=${href("plugins", id)}>${id}</a><span class="muted mono">${short(version, 30)}</span></h2>
        <button class="switch" role="switch" aria-checked=${enabled} aria-label=${t("plugins.switch", { id })} ?disabled=${!canChange}
          @click=${() => this.run(enabled ? "disable" : "enable")}></button>
      </div>
      <p class="muted small wrap">${short(told(about), 200)}</p>
      ${reason === "" || state === "disabled" ? "" : html`<div class="notice reason ${toneOf(state)}">${short(reason, 400)}</div>`}
      <div class="row tight">
        <span class="badge ${toneOf(state)}">${this.busy ? t("plugins.busy") : t(`plugins.state.${state}`)}</span>
        ${origin === "builtin" ? "" : html`<span class="badge info">${t(`plugins.origin.${origin}`)}</span>`}
        ${critical ? html`<span class="badge">${t("plugins.critical")}</span>` : ""}
        <span class="grow"></span>
        ${state === "quarantined" || state === "failed" ? html`<button class="small" ?disabled=${!canChange} @click=${() => this.run("release")}>${t("plugins.release")}</button>` : ""}
        ${this.latest === "" ? "" : html`<button class="small primary" ?disabled=${!canChange} @click=${() => this.run("update")}>${t("plugins.updateTo", { version: this.latest })}</button>`}
      </div>
    </article>`;
  }

  private async run(action: PluginAction): Promise<void> {
    this.busy = true;
    const done = await act(action, this.plugin.id);
    this.busy = false;
    if (done) this.dispatchEvent(new CustomEvent("done", { detail: action }));
  }
}
