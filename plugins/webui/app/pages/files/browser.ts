/** `<chela-files-browser>`: the list of the files, the search in the memory, and the file that is open. */
import type { MemoryHit } from "@chela/sdk/panel";
import { css, html, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { router } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import { keptDrafts } from "../../parts/text-draft.ts";
import { type FileList, listFiles, searchMemory } from "./api.ts";
import { draftNames } from "./file-pane.ts";
import "./name-dialog.ts";
import { fileHref, today } from "./paths.ts";
import "./tree.ts";

const quietMs = 250;

@customElement("chela-files-browser")
export class FilesBrowser extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: grid; grid-template: minmax(0, 1fr) / 17rem minmax(0, 1fr); gap: 1rem; min-height: 0; }
      .list { display: flex; flex-direction: column; gap: 0.6rem; min-height: 0; }
      .found { overflow: auto; flex: 1; min-height: 0; }
      .hits { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.3rem; }
      .hits a { display: block; padding: 0.4rem 0.6rem; border-radius: var(--radius-s); color: var(--text); text-decoration: none; border: 1px solid var(--border); background: var(--surface); }
      .hits a:hover { background: var(--surface-2); }
      .hits p { margin: 0.2rem 0 0; max-height: 4.5em; overflow: hidden; }
      .empty { align-self: start; }
      chela-file-pane { min-height: 0; }
      @media (max-width: 800px) {
        :host { grid-template-columns: minmax(0, 1fr); }
        :host(.open) .list, :host(:not(.open)) .empty { display: none; }
      }
    `,
  ];

  /** Below the workspace; empty: none is open. */
  @property() path = "";
  /** Where to go in it; 0: nowhere. */
  @property({ type: Number }) line = 0;
  @state() private words = "";
  @state() private naming = false;
  readonly #list = new Load(this, listFiles, { events: ["workspace_changed"] });
  readonly #hits = new Load(this, (signal) => this.search(signal), { events: ["workspace_changed"] });
  #timer: ReturnType<typeof setTimeout> | undefined;

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("path")) this.classList.toggle("open", this.path !== "");
  }

  override render() {
    return html`<section class="list" aria-label=${t("files.list")}>
        <div class="row tight">
          <input class="grow" type="search" aria-label=${t("files.search")} placeholder=${t("files.search")} maxlength="500" @input=${this.typed} />
          ${session.can("write") ? html`<button class="icon" aria-label=${t("files.new")} title=${t("files.new")} @click=${() => this.name(true)}><ui-icon name="plus"></ui-icon></button>` : ""}
        </div>
        <div class="found">${this.words === "" ? this.#list.show((list) => this.tree(list)) : this.#hits.show((hits) => this.results(hits))}</div>
        <chela-file-name ?open=${this.naming} .files=${this.#list.value?.files ?? []} heading=${t("files.new")} action=${t("files.new.go")}
        .suggested=${this.suggested()} @close=${() => this.name(false)} @chosen=${this.made}></chela-file-name>
      </section>
      <div class="card muted empty" ?hidden=${this.path !== ""}>${t("files.choose")}</div>
      <chela-file-pane ?hidden=${this.path === ""} .path=${this.path} .line=${this.line} .files=${this.#list.value?.files ?? []}
        @changed=${() => this.#list.again()} @edited=${() => this.requestUpdate()}></chela-file-pane>`;
  }

  private tree(list: FileList): unknown {
    const unsaved = keptDrafts(draftNames).map((name) => name.slice(draftNames.length));
    return html`<chela-files-tree .list=${list} .current=${this.path} .unsaved=${unsaved}></chela-files-tree>`;
  }

  private results(hits: readonly MemoryHit[]): unknown {
    return html`<p class="small muted" role="status">${t("files.found", { n: hits.length })}</p>
      <ul class="hits">${hits.map(
        ({ path, line, text }) => html`<li><a href=${fileHref(path, line)}>
          <strong class="small wrap">${plain(path)}</strong> <span class="small muted">${t("files.line", { line })}</span>
          <p class="small wrap">${plain(text.slice(0, 300))}</p>
        </a></li>`,
      )}</ul>`;
  }

  private typed(event: Event): void {
    this.words = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#hits.again(), quietMs);
  }

  private search(signal: AbortSignal): Promise<readonly MemoryHit[]> {
    return this.words === "" ? Promise.resolve([]) : searchMemory(this.words, signal);
  }

  /** The note of today, unless it is there. */
  private suggested(): string {
    const path = `memory/${today()}.md`;
    return this.#list.value?.files.some((row) => row.path === path) ? "memory/" : path;
  }

  private name(open: boolean): void {
    this.naming = open;
  }

  private made(event: Event): void {
    this.naming = false;
    router.go(fileHref((event as CustomEvent<string>).detail));
  }
}
