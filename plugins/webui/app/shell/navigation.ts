/** The list of pages, made of the panels that are live, and what belongs to the person: language, theme, signing out. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { gateway } from "../client/gateway.ts";
import { type PanelFacts, panels } from "../client/panels.ts";
import { href } from "../client/router.ts";
import { type SessionFacts, session } from "../client/session.ts";
import { type Key, type Locale, languages, localeNames, locales, t } from "../i18n/locale.ts";
import "../parts/icon.ts";
import mark from "../assets/icon.svg";
import { Part } from "../parts/part.ts";
import { short } from "../parts/plain.ts";
import { toastError } from "../parts/toast.ts";
import { chooseTheme, currentTheme, type Theme, themes } from "./theme.ts";

const longestTitle = 80;

/** The title of a panel in the language of the page. */
export function panelTitle(panel: PanelFacts): string {
  if (panel.module.startsWith("webui:")) return t(`nav.${panel.module.slice(6)}` as Key);
  return short(panel.titles?.[languages.locale] ?? panel.title, longestTitle);
}

@customElement("chela-navigation")
export class Navigation extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; flex-direction: column; height: 100%; padding: 0.8rem 0.6rem; gap: 0.6rem; overflow: auto; }
      .brand { display: flex; align-items: center; gap: 0.55rem; font-weight: 700; font-size: 1.05rem; padding: 0.2rem 0.5rem 0.4rem; }
      .brand img { width: 1.7rem; height: 1.7rem; }
      ul { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; gap: 2px; }
      li a { display: flex; align-items: center; gap: 0.65rem; padding: 0.48rem 0.65rem; border-radius: var(--radius-s); color: var(--text); text-decoration: none; }
      li a:hover { background: var(--surface-2); }
      li a[aria-current] { background: var(--accent-soft); color: var(--accent); font-weight: 600; }
      nav { flex: 1; }
      .person { display: grid; gap: 0.5rem; border-top: 1px solid var(--border); padding: 0.7rem 0.3rem 0; font-size: 0.88rem; }
      .person label { display: flex; justify-content: space-between; align-items: center; gap: 0.5rem; font-weight: 400; }
      .person select { width: 8.6rem; min-height: 1.9rem; padding: 0.1rem 0.3rem; }
      .open { justify-content: flex-start; width: 100%; color: var(--text-2); }
    `,
  ];

  /** The id of the page that is shown. */
  @property() current = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(panels, "change", () => this.requestUpdate());
    this.listen(session, "change", () => this.requestUpdate());
  }

  override render() {
    return html`
      <div class="brand"><img src=${mark} alt="" /> Chela</div>
      <button class="open" @click=${() => this.dispatchEvent(new Event("palette"))}><ui-icon name="search"></ui-icon>${t("palette.open")}</button>
      <nav aria-label=${t("app.nav")}><ul>${panels.list?.map((panel) => this.entry(panel))}</ul></nav>
      ${this.person()}
    `;
  }

  private entry(panel: PanelFacts): unknown {
    const current = panel.id === this.current ? "page" : undefined;
    return html`<li><a href=${href(panel.id)} aria-current=${ifDefined(current)} @click=${() => this.dispatchEvent(new Event("chosen"))}>
      <ui-icon name=${panel.icon}></ui-icon><span class="clip">${panelTitle(panel)}</span>
    </a></li>`;
  }

  private person(): unknown {
    const { facts } = session;
    const who = whoOf(facts);
    return html`<div class="person">
      <label>${t("app.language")}
        <select @change=${(event: Event) => languages.choose(chosen<Locale>(event)).catch(toastError)}>
          ${locales.map((locale) => html`<option value=${locale} ?selected=${locale === languages.locale}>${localeNames[locale]}</option>`)}
        </select>
      </label>
      <label>${t("app.theme")}
        <select @change=${(event: Event) => chooseTheme(chosen<Theme>(event))}>
          ${themes.map((theme) => html`<option value=${theme} ?selected=${theme === currentTheme()}>${t(`app.theme.${theme}`)}</option>`)}
        </select>
      </label>
      <div class="spread">
        <span class="muted clip" title=${who}>${who}</span>
        ${hasCookie(facts?.identity?.kind) ? html`<button class="small" @click=${this.signOut}><ui-icon name="log-out"></ui-icon>${t("app.signOut")}</button>` : ""}
      </div>
    </div>`;
  }

  private async signOut(): Promise<void> {
    gateway.stop();
    try {
      await session.signOut();
    } catch (error) {
      gateway.start();
      toastError(error);
    }
  }
}

/** Whoever is not the operator himself has a name. */
function whoOf(facts: SessionFacts | undefined): string {
  const version = t("app.version", { version: facts?.version ?? "" });
  const { kind, name } = facts?.identity ?? {};
  return name !== undefined && (kind === "key" || kind === "proxy")
    ? `${short(name, longestTitle)} · ${version}`
    : version;
}

/** Others are known by their machine or to their proxy, and cannot leave. */
function hasCookie(kind = "open"): boolean {
  return kind !== "open" && kind !== "proxy";
}

function chosen<T extends string>(event: Event): T {
  return (event.target as HTMLSelectElement).value as T;
}
