/** One plugin: what it is and does, its settings, what it registered, and all that can be done with it. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { ApiError, call } from "../../client/http.ts";
import { href, router } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t, told } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import "../../parts/settings-form.ts";
import { act, type PluginAction } from "./actions.ts";
import "./contributions.ts";
import "./overview.ts";
import { type PluginInfo, pluginEvents, toneOf } from "./shapes.ts";

const tabs = ["overview", "settings", "contributions"] as const;
/** Calls and times of hooks go on without an event. */
const refreshMs = 10_000;

@customElement("plugin-detail")
export class PluginDetail extends Part {
  static override styles = [
    ...Part.styles,
    css`
      header { margin: 0.4rem 0 0.8rem; }
      header > .grow { flex-basis: 16rem; }
      nav { display: flex; gap: 0.2rem; border-bottom: 1px solid var(--border); margin-bottom: 1rem; overflow-x: auto; }
      nav a { padding: 0.5rem 0.8rem; color: var(--text-2); text-decoration: none; border-bottom: 3px solid transparent; white-space: nowrap; }
      nav a[aria-current] { color: var(--text); border-color: var(--accent); font-weight: 600; }
      nav a:focus-visible { outline-offset: -3px; }
      .back { display: inline-flex; align-items: center; gap: 0.2rem; min-height: 24px; }
      .back ui-icon { transform: rotate(180deg); }
      .notice { margin-bottom: 1rem; }
    `,
  ];

  /** Its id. */
  @property() plugin = "";
  @property() tab = "";
  @state() private busy: PluginAction | "" = "";
  @state() private settingsSeen = false;
  readonly #info = new Load(this, (signal) => call<PluginInfo>("plugins.info", { id: this.plugin }, { signal }), {
    events: pluginEvents,
    every: refreshMs,
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(session, "change", () => this.requestUpdate());
  }

  override willUpdate(): void {
    if (this.tab === "settings") this.settingsSeen = true;
  }

  override render() {
    const { error } = this.#info;
    const isGone = error instanceof ApiError && error.code === "PLUGIN_UNKNOWN";
    return html`<a class="back" href=${href("plugins")}><ui-icon name="chevron-right"></ui-icon>${t("plugins.all")}</a>
      ${isGone ? html`<h1>${t("plugins.gone", { id: short(this.plugin, 80) })}</h1>` : this.#info.show((info) => this.content(info))}`;
  }

  private content(info: PluginInfo): unknown {
    const { id, version, state, reason, about } = info;
    const open = tabs.find((tab) => tab === this.tab) ?? "overview";
    return html`<header class="spread">
        <div class="grow"><div class="row"><h1 class="wrap">${id}</h1><span class="mono muted">${short(version, 30)}</span><span class="badge ${toneOf(state)}">${t(`plugins.state.${state}`)}</span></div>
          <span class="muted wrap">${short(told(about), 500)}</span></div>
        ${session.can("admin") ? html`<div class="row tight">${this.buttons(info)}</div>` : ""}
      </header>
      ${reason === "" ? "" : html`<div class="notice ${toneOf(state)}" role="status">${short(reason, 4000)}</div>`}
      <nav aria-label=${t("plugins.tabs")}>${tabs.map((tab) => html`<a href="${href("plugins", id)}?tab=${tab}" aria-current=${ifDefined(tab === open ? "page" : undefined)}>${t(`plugins.tab.${tab}`)}</a>`)}</nav>
      ${open === "overview" ? html`<plugin-overview .info=${info}></plugin-overview>` : ""}
      ${this.settingsSeen ? html`<ui-settings-form ?hidden=${open !== "settings"} .schema=${info.schema} .hot=${info.hot} .effective=${info.value} path=${info.section}></ui-settings-form>` : ""}
      ${open === "contributions" ? html`<plugin-contributions .info=${info}></plugin-contributions>` : ""}`;
  }

  private buttons({ enabled, state, origin, removable }: PluginInfo): unknown {
    const offered: readonly (readonly [PluginAction, boolean])[] = [
      ["release", state === "quarantined" || state === "failed"],
      ["reload", state === "running"],
      ["update", origin === "installed"],
      ["enable", !enabled],
      ["disable", enabled],
      ["uninstall", removable],
    ];
    return offered
      .filter(([, suits]) => suits)
      .map(
        ([
          action,
        ]) => html`<button class=${action === "uninstall" ? "danger" : ""} ?disabled=${this.busy !== ""} @click=${() => this.run(action)}>
        ${this.busy === action ? t("plugins.busy") : t(`plugins.${action}`)}</button>`,
      );
  }

  private async run(action: PluginAction): Promise<void> {
    this.busy = action;
    const done = await act(action, this.plugin);
    this.busy = "";
    if (done && action === "uninstall") router.go(href("plugins"), { replace: true });
    else await this.#info.again();
  }
}
