/** All plugins as cards, with a search, a filter, the look for updates and the way to install one. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { call } from "../../client/http.ts";
import { href, router } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t, told } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { toast, toastError } from "../../parts/toast.ts";
import "./card.ts";
import { isInTrouble, type Outdated, type PluginRow, pluginEvents } from "./shapes.ts";

const filters: Readonly<Record<"all" | "running" | "trouble" | "off" | "installed", (row: PluginRow) => boolean>> = {
  all: () => true,
  running: ({ state }) => state === "running",
  trouble: isInTrouble,
  off: ({ enabled }) => !enabled,
  installed: ({ origin }) => origin !== "builtin",
};
type Filter = keyof typeof filters;
const names = Object.keys(filters) as Filter[];

@customElement("plugin-list")
export class PluginList extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .tools { margin-bottom: 1rem; }
      .tools input { width: auto; flex: 1 1 14rem; max-width: 24rem; }
      .tools select { width: auto; }
    `,
  ];

  /** A filter's name. */
  @property() show = "";
  @state() private words = "";
  @state() private installing = false;
  @state() private checking = false;
  @state() private latest: ReadonlyMap<string, string> = new Map<string, string>();
  readonly #list = new Load(this, (signal) => call<readonly PluginRow[]>("plugins.list", {}, { signal }), {
    events: pluginEvents,
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(session, "change", () => this.requestUpdate());
  }

  override render() {
    const canChange = session.can("admin");
    return html`<header class="spread tools"><h1>${t("plugins.title")}</h1>
        ${
          canChange
            ? html`<div class="row">
          <button ?disabled=${this.checking} @click=${this.check}><ui-icon name="refresh-cw"></ui-icon>${this.checking ? t("plugins.busy") : t("plugins.checkUpdates")}</button>
          <button class="primary" @click=${this.install}><ui-icon name="plus"></ui-icon>${t("plugins.install")}</button>
        </div>`
            : ""
        }
      </header>
      ${this.#list.show((list) => this.content(list))}
      ${
        this.installing
          ? html`<plugin-install open @close=${() => {
              this.installing = false;
            }}></plugin-install>`
          : ""
      }`;
  }

  private get filter(): Filter {
    return names.find((name) => name === this.show) ?? "all";
  }

  private content(list: readonly PluginRow[]): unknown {
    const words = this.words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const suits = ({ id, about }: PluginRow) =>
      words.every((word) => `${id} ${about} ${told(about)}`.toLocaleLowerCase().includes(word));
    const seen = list.filter((row) => filters[this.filter](row) && suits(row));
    return html`<div class="row tools" role="search">
        <input type="search" aria-label=${t("plugins.search")} placeholder=${t("plugins.search")} maxlength="200" .value=${this.words} @input=${this.typed} />
        <select aria-label=${t("plugins.show")} @change=${this.choose}>
          ${names.map((name) => html`<option value=${name} ?selected=${name === this.filter}>${t(`plugins.show.${name}`, { n: list.filter(filters[name]).length })}</option>`)}
        </select>
      </div>
      ${seen.length === 0 ? html`<p class="muted" role="status">${t("plugins.none")} <a href=${href("plugins")} @click=${this.showAll}>${t("plugins.none.clear")}</a></p>` : ""}
      <div class="grid">${repeat(
        seen,
        ({ id }) => id,
        (row) =>
          html`<plugin-card .plugin=${row} latest=${this.latest.get(row.id) ?? ""} @done=${() => this.changed(row.id)}></plugin-card>`,
      )}</div>`;
  }

  private typed(event: Event): void {
    this.words = (event.target as HTMLInputElement).value;
  }

  private showAll(): void {
    this.words = "";
  }

  private choose(event: Event): void {
    const name = (event.target as HTMLSelectElement).value;
    router.go(name === "all" ? href("plugins") : `${href("plugins")}?show=${name}`, { replace: true });
  }

  private changed(id: string): void {
    this.latest = new Map([...this.latest].filter(([other]) => other !== id));
    void this.#list.again();
  }

  private async install(): Promise<void> {
    try {
      await import("./install.ts");
      this.installing = true;
    } catch (error) {
      toastError(error);
    }
  }

  private async check(): Promise<void> {
    this.checking = true;
    try {
      const rows = await call<readonly Outdated[]>("plugins.outdated", {}, { timeout: 0 });
      const newer = rows.filter(({ latest, installed }) => latest !== null && latest !== installed);
      this.latest = new Map(newer.map(({ id, latest }) => [id, latest as string]));
      for (const { id, error } of rows) if (error !== undefined) toast(t("plugins.notChecked", { id, error }), "warn");
      if (rows.length === 0) toast(t("plugins.noneFromRegistry"));
      else if (newer.length > 0) toast(t("plugins.updates", { n: newer.length }), "ok");
      else if (rows.every(({ error }) => error === undefined)) toast(t("plugins.upToDate"), "ok");
    } catch (error) {
      toastError(error);
    }
    this.checking = false;
  }
}
