/** The frame of the page: navigation, the page itself, what lies over it. It never goes away, whatever happens to the gateway. */
import { css, html } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { gateway, type Link } from "../client/gateway.ts";
import { panels } from "../client/panels.ts";
import { router } from "../client/router.ts";
import { session } from "../client/session.ts";
import { t } from "../i18n/locale.ts";
import "../parts/confirm.ts";
import "../parts/icon.ts";
import { Part } from "../parts/part.ts";
import { short } from "../parts/plain.ts";
import { toastError } from "../parts/toast.ts";
import "./login.ts";
import { panelTitle } from "./navigation.ts";
import type { Outlet } from "./outlet.ts";
import "./outlet.ts";
import "./palette.ts";
import type { Palette } from "./palette.ts";

/** A break shorter than this is not worth a word. A gateway that starts answers before its events come through. */
const patienceMs: Readonly<Partial<Record<Link, number>>> = { lost: 1000, mute: 5000 };

@customElement("chela-app")
export class App extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: grid; grid-template: "head head" auto "side main" minmax(0, 1fr) / 15rem minmax(0, 1fr); height: 100dvh; }
      aside { grid-area: side; border-inline-end: 1px solid var(--border); background: var(--surface); min-height: 0; }
      main { grid-area: main; min-height: 0; min-width: 0; }
      header { grid-area: head; }
      .banner > div { display: flex; align-items: center; justify-content: center; flex-wrap: wrap; gap: 0.4rem 1rem; padding: 0.4rem 1rem; background: var(--warn-soft); font-size: 0.92rem; }
      .top { display: none; }
      .skip { position: absolute; inset-inline-start: 0.5rem; top: -4rem; z-index: 40; }
      .skip:focus { top: 0.5rem; }
      .veil { display: none; }
      @media (max-width: 800px) {
        :host { grid-template: "head" auto "main" minmax(0, 1fr) / minmax(0, 1fr); }
        .top { display: flex; align-items: center; gap: 0.5rem; padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--border); background: var(--surface); font-weight: 600; }
        aside { position: fixed; inset: 0 auto 0 0; width: 17rem; z-index: 20; visibility: hidden; transform: translateX(-100%); transition: transform 0.15s; box-shadow: var(--shadow); }
        aside.open { visibility: visible; transform: none; }
        .veil.open { display: block; position: fixed; inset: 0; z-index: 15; background: rgb(0 0 0 / 40%); }
      }
      @media print {
        :host { display: block; height: auto; }
        header, aside, .veil { display: none; }
      }
    `,
  ];

  @state() private drawer = false;
  /** What is said of the connection. */
  @state() private trouble: Link | undefined;
  @state() private wasSignedIn = false;
  /** Of the gateway that this page came from. */
  #version: string | undefined;
  @query("chela-palette") private palette?: Palette;
  @query("chela-outlet") private outlet?: Outlet;
  #patience: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(session, "change", () => this.sessionChanged());
    this.listen(gateway, "link", () => this.linkChanged());
    this.listen(router, "change", () => this.requestUpdate());
    this.listen(panels, "change", () => this.requestUpdate());
    this.listen(window, "keydown", (event) => this.key(event as KeyboardEvent));
    this.sessionChanged();
  }

  override render() {
    const current = router.place.panel;
    const panel = panels.find(current);
    document.title = panel ? `${panelTitle(panel)} · Chela` : "Chela";
    return html`
      <header ?inert=${this.isLoginShown}>
        <a class="skip button" href="#main" @click=${this.skip}>${t("app.skip")}</a>
        <div class="banner" role="status">${this.banners()}</div>
        <div class="top">
          <button class="icon plain" aria-label=${t("app.menu")} aria-expanded=${this.drawer} @click=${() => {
            this.drawer = !this.drawer;
          }}><ui-icon name="menu"></ui-icon></button>
          <span class="clip">${panel ? panelTitle(panel) : "Chela"}</span>
        </div>
      </header>
      <div class="veil ${this.drawer ? "open" : ""}" @click=${() => {
        this.drawer = false;
      }}></div>
      <aside class=${this.drawer ? "open" : ""} ?inert=${this.isLoginShown}>
        <chela-navigation .current=${current} @chosen=${() => {
          this.drawer = false;
        }} @palette=${() => this.palette?.show()}></chela-navigation>
      </aside>
      <main id="main" ?inert=${this.isLoginShown}>${this.wasSignedIn ? html`<chela-outlet></chela-outlet>` : ""}</main>
      ${this.isLoginShown ? html`<chela-login ?expired=${this.wasSignedIn}></chela-login>` : ""}
      <chela-palette></chela-palette><ui-confirm></ui-confirm><ui-toasts></ui-toasts>
    `;
  }

  private get isLoginShown(): boolean {
    return session.facts !== undefined && !session.isSignedIn;
  }

  private banners(): unknown {
    const { facts } = session;
    const version = facts?.version ?? this.#version;
    return html`${this.connection()}
      ${version === this.#version ? "" : html`<div>${t("app.updated", { version: short(version ?? "") })}${reload()}</div>`}
      ${facts?.safe_mode ? html`<div>${t("app.safeMode", { reason: short(facts.safe_mode_reason) })}</div>` : ""}`;
  }

  private connection(): unknown {
    if (session.isBarred) return html`<div>${t("app.barred")}${reload()}</div>`;
    if (this.trouble === "mute") return html`<div>${t("app.mute")}</div>`;
    if (this.trouble === undefined) return "";
    return html`<div>${t("app.offline")}<button class="small" @click=${this.retry}>${t("app.offline.retry")}</button></div>`;
  }

  private sessionChanged(): void {
    if (session.isSignedIn) {
      this.wasSignedIn = true;
      this.#version ??= session.facts?.version ?? undefined;
      gateway.start();
      panels.refresh().catch(toastError);
    } else if (session.facts !== undefined) gateway.stop();
    this.requestUpdate();
  }

  private linkChanged(): void {
    const { state } = gateway;
    const patience = patienceMs[state];
    clearTimeout(this.#patience);
    if (patience === undefined) this.trouble = undefined;
    else
      this.#patience = setTimeout(() => {
        this.trouble = state;
      }, patience);
  }

  private retry(): void {
    gateway.retry();
    void session.refresh().catch(() => undefined);
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.drawer = false;
    const isAsked =
      event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!isAsked || !session.isSignedIn) return;
    event.preventDefault();
    this.palette?.show();
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.outlet?.focus();
  }
}

function reload(): unknown {
  return html`<button class="small" @click=${() => location.reload()}>${t("app.reload")}</button>`;
}
