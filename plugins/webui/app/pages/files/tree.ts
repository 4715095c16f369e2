/** `<chela-files-tree>`: the files by folder. Documents that are not there are named, too: they can be written. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { ago, bytes } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import type { FileList } from "./api.ts";
import { type Entry, type Folder, fileHref, foldersOf } from "./paths.ts";

const mostShown = 100;

@customElement("chela-files-tree")
export class FilesTree extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ul { list-style: none; margin: 0 0 0.5rem; padding: 0; display: grid; gap: 1px; }
      summary { padding: 0.25rem 0.2rem; font-size: 0.85rem; font-weight: 600; color: var(--text-2); }
      a { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 0.5rem; align-items: center; padding: 0.35rem 0.5rem; border-radius: var(--radius-s); color: var(--text); text-decoration: none; }
      a:hover { background: var(--surface-2); }
      a[aria-current] { background: var(--accent-soft); color: var(--accent); font-weight: 600; }
      .absent { color: var(--text-2); font-style: italic; }
      .unsaved { color: var(--warn); font-weight: 700; }
    `,
  ];

  @property({ attribute: false }) list?: FileList;
  @property() current = "";
  /** Paths with text that was typed and not saved. */
  @property({ attribute: false }) unsaved: readonly string[] = [];
  @state() private whole: readonly string[] = [];

  override render() {
    const { list } = this;
    if (!list) return "";
    return html`${foldersOf(this.withUnsaved(list)).map((folder) => this.folder(folder))}
      ${list.truncated ? html`<p class="small muted">${t("files.truncated")}</p>` : ""}`;
  }

  /** A new file is not there yet. */
  private withUnsaved(list: FileList): FileList {
    const known = new Set([...list.documents, ...list.files.map(({ path }) => path)]);
    const added = this.unsaved.filter((path) => !known.has(path));
    const rows = added.map((path) => ({
      path,
      size: 0,
      modifiedAt: 0,
      kind: path.startsWith("memory/") ? ("memory" as const) : ("file" as const),
    }));
    return { ...list, files: [...list.files, ...rows] };
  }

  private folder({ id, entries }: Folder): unknown {
    const isWhole = entries.length <= mostShown || this.whole.includes(id);
    return html`<details open>
      <summary>${folderName(id)} <span class="small">(${entries.length})</span></summary>
      <ul>${(isWhole ? entries : entries.slice(0, mostShown)).map((entry) => this.entry(entry, id))}</ul>
      ${isWhole ? "" : html`<button class="small" @click=${() => this.showAll(id)}>${t("files.all", { n: entries.length })}</button>`}
    </details>`;
  }

  private entry({ path, row }: Entry, folder: string): unknown {
    const isCurrent = path === this.current;
    const isUnsaved = this.unsaved.includes(path);
    const name = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
    const about = row
      ? t("files.about", { size: bytes(row.size), time: row.modifiedAt ? ago(row.modifiedAt) : "" })
      : t("files.absent");
    return html`<li><a href=${fileHref(path)} title=${`${plain(path)} · ${about}`} aria-current=${ifDefined(isCurrent ? "true" : undefined)} class=${row ? "" : "absent"}>
      <ui-icon name=${row ? "file-text" : "plus"}></ui-icon>
      <span class="clip">${plain(name)}${row ? "" : html`<span class="visually-hidden"> (${t("files.absent")})</span>`}</span>
      ${isUnsaved ? html`<span class="unsaved small">${t("files.unsaved")}</span>` : ""}
    </a></li>`;
  }

  private showAll(id: string): void {
    this.whole = [...this.whole, id];
  }
}

function folderName(id: string): string {
  if (id === "documents" || id === "memory") return t(`files.${id}`);
  return id === "." ? t("files.top") : plain(id);
}
