/**
 * Shows the page of the current place. A page that was opened stays, hidden, with all that was typed into it. What fails in a
 * page stays in that page.
 */
import { css, html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { gateway } from "../client/gateway.ts";
import { type PanelFacts, panels } from "../client/panels.ts";
import { href, router } from "../client/router.ts";
import { session } from "../client/session.ts";
import { t } from "../i18n/locale.ts";
import { Part } from "../parts/part.ts";
import { plain } from "../parts/plain.ts";
import { folderOf, isOwn, makePanel, type PanelElement } from "./panel-element.ts";
import { watchFaults } from "./panel-faults.ts";

interface Opened {
  readonly panel: PanelFacts;
  readonly attempt: number;
  element?: PanelElement;
  /** Why it could not be made. */
  error?: Error;
  /** What nobody caught in it afterwards. */
  fault?: Error | undefined;
}

@customElement("chela-outlet")
export class Outlet extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; flex-direction: column; height: 100%; overflow: auto; }
      .message { max-width: 44rem; }
      .message h1 { font-size: 1.1rem; margin-bottom: 0.4rem; }
      .message.above { padding-bottom: 0; }
      .fill { flex: 1; min-height: 0; overflow: auto; outline: none; }
      @media print { :host, .fill { display: block; height: auto; overflow: visible; } }
    `,
  ];

  readonly #opened = new Map<string, Opened>();
  @state() private current = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(router, "change", () => this.follow());
    this.listen(panels, "change", () => this.follow());
    this.listen(gateway, "back", () => this.openFailed());
    this.untilGone(
      watchFaults(
        () => this.folders(),
        (id, error) => this.faulty(id, error),
      ),
    );
    this.follow();
  }

  override render() {
    const { current } = this;
    return html`${this.notice(current, this.#opened.get(current))}
      ${[...this.#opened].map(
        ([id, { element }]) =>
          html`<div class="fill" tabindex="-1" ?hidden=${id !== current || !panels.find(id)}>${element}</div>`,
      )}`;
  }

  /** Dialogs of a page that is hidden must not lie over the one that is shown. */
  override updated(): void {
    document.dispatchEvent(new Event("pagechange"));
  }

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>(".fill:not([hidden])")?.focus({ preventScroll: true });
  }

  private notice(id: string, opened: Opened | undefined): unknown {
    const panel = panels.find(id);
    if (panels.list === undefined) return loading();
    if (panel === undefined) return opened === undefined ? absent() : gone();
    if (opened?.error) return failed(opened.error, () => this.open(id, true));
    if (opened?.element === undefined) return loading();
    if (!isOwn(panel) && !isSame(panel, opened.panel)) return replaced(panel);
    return opened.fault
      ? faulty(
          opened.fault,
          () => this.open(id, true),
          () => this.faulty(id, undefined),
        )
      : "";
  }

  private follow(): void {
    const [first] = panels.list ?? [];
    const { panel } = router.place;
    if (panel === "" && first !== undefined) {
      router.go(href(first.id), { replace: true });
      return;
    }
    const isElsewhere = this.current !== "" && this.current !== panel;
    this.current = panel;
    if (panels.find(panel) !== undefined) void this.open(panel);
    this.requestUpdate();
    if (isElsewhere) void this.updateComplete.then(() => this.arrive());
  }

  /** Who went to another page goes on from there, with the keyboard too; unless the page has a better place for that. */
  private arrive(): void {
    if (this.renderRoot.querySelector(".fill:not([hidden]):focus-within") === null) this.focus();
  }

  private async open(id: string, anew = false): Promise<void> {
    const panel = panels.find(id);
    if (panel === undefined) return;
    let opened = this.#opened.get(id);
    const isMended = opened?.error !== undefined && !isSame(panel, opened.panel);
    if (opened === undefined || anew || isMended) {
      opened = { panel, attempt: opened === undefined ? 0 : opened.attempt + 1 };
      this.#opened.set(id, opened);
      this.requestUpdate();
      await make(opened);
    }
    if (opened.element && router.place.panel === id) lead(opened, opened.element);
    this.requestUpdate();
  }

  private openFailed(): void {
    for (const [id, { error }] of this.#opened) if (error) void this.open(id, true);
  }

  private *folders(): Iterable<readonly [string, string]> {
    for (const [id, { panel, element }] of this.#opened) if (element && !isOwn(panel)) yield [id, folderOf(panel)];
  }

  private faulty(id: string, error: Error | undefined): void {
    const opened = this.#opened.get(id);
    if (opened) opened.fault = error;
    this.requestUpdate();
  }
}

async function make(opened: Opened): Promise<void> {
  try {
    opened.element = await makePanel(opened.panel, opened.attempt);
  } catch (error) {
    opened.error = error instanceof Error ? error : new Error(String(error));
    // Perhaps it is not the page: nobody answers, or somebody in between.
    session.refresh().catch(() => undefined);
  }
}

/** The element of a plugin may throw at whatever it is given. */
function lead(opened: Opened, element: PanelElement): void {
  try {
    element.place = router.place;
  } catch (error) {
    opened.fault = error as Error;
  }
}

function isSame(a: PanelFacts, b: PanelFacts): boolean {
  return a.module === b.module && (isOwn(a) || (a.owner === b.owner && a.version === b.version));
}

function loading(): unknown {
  return html`<p class="page message muted" role="status">${t("app.loading")}</p>`;
}

function absent(): unknown {
  return html`<div class="page message"><h1 class="notice warn">${t("app.notFound")}</h1></div>`;
}

function gone(): unknown {
  return html`<div class="page message"><div class="notice warn" role="status">
    <h1>${t("app.panelGone")}</h1>
    <p>${t("app.panelGone.hint")}</p>
    <a class="button" href=${href("plugins")}>${t("app.panelGone.go")}</a>
  </div></div>`;
}

function failed(error: Error, again: () => void): unknown {
  return html`<div class="page message"><div class="notice bad" role="alert">
    <h1>${t("app.panelFailed")}</h1>
    <p>${t("app.panelFailed.hint")}</p>
    <p class="mono wrap">${plain(error.message)}</p>
    <button @click=${again}>${t("ui.retry")}</button>
  </div></div>`;
}

/** An element is registered once in the life of a browser page: its new version needs a new one. */
function replaced({ owner, version }: PanelFacts): unknown {
  return html`<div class="page message above"><div class="notice warn" role="status">
    <p>${t("app.panelNew", { plugin: owner, version })}</p>
    <button @click=${() => location.reload()}>${t("app.panelNew.go")}</button>
  </div></div>`;
}

function faulty(error: Error, again: () => void, dismiss: () => void): unknown {
  return html`<div class="page message above"><div class="notice bad" role="alert">
    <p><strong>${t("app.panelFault")}</strong> ${t("app.panelFailed.hint")}</p>
    <p class="mono wrap">${plain(error.message)}</p>
    <div class="row"><button @click=${again}>${t("app.panelFault.again")}</button><button @click=${dismiss}>${t("ui.dismiss")}</button></div>
  </div></div>`;
}
