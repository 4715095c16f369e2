/** The page of the files: the Markdown of the workspace with an editor, and what was uploaded. */
import { css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { ifDefined } from "lit/directives/if-defined.js";
import { href, type Place } from "../../client/router.ts";
import { t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import "./browser.ts";
import "./uploads.ts";

@customElement("chela-page-files")
export class FilesPage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { height: 100%; }
      .page { display: flex; flex-direction: column; height: 100%; padding-bottom: 1rem; }
      .scrolls { height: auto; }
      nav { display: flex; gap: 0.3rem; }
      chela-files-browser { flex: 1; min-height: 0; }
    `,
  ];

  @property({ attribute: false }) place?: Place;

  override render() {
    const isUploads = this.place?.rest[0] === "uploads";
    const query = this.place?.query;
    return html`<div class="page ${isUploads ? "scrolls" : ""}">
      <header>
        <h1>${t("files.title")}</h1>
        <nav aria-label=${t("files.tabs")}>${tab(t("files.tab.workspace"), href("files"), !isUploads)}${tab(t("files.tab.uploads"), href("files", "uploads"), isUploads)}</nav>
      </header>
      <chela-files-browser ?hidden=${isUploads} .path=${isUploads ? "" : (query?.get("path") ?? "")} .line=${Number(query?.get("line") ?? 0)}></chela-files-browser>
      ${isUploads ? html`<chela-files-uploads></chela-files-uploads>` : ""}
    </div>`;
  }
}

function tab(name: string, address: string, isCurrent: boolean): unknown {
  return html`<a class="button ${isCurrent ? "primary" : ""}" href=${address} aria-current=${ifDefined(isCurrent ? "page" : undefined)}>${name}</a>`;
}
