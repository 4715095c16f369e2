/** The files of a message that is being written: how far each one is, and a way to take it out again. */
import { html } from "lit";
import { percent } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { plain } from "../../parts/plain.ts";
import type { Item, Uploads } from "./model/uploads.ts";
import "./thread/media.ts";

export function composerFiles(uploads: Uploads): unknown {
  if (uploads.items.length === 0) return "";
  return html`<div class="files">${uploads.items.map((item) => one(item, () => uploads.drop(item)))}</div>`;
}

function one({ name, fraction, done, error }: Item, drop: () => void): unknown {
  const shown = plain(name);
  return html`<div class="file">
    ${done ? html`<chat-media small .file=${done}></chat-media>` : html`<span class="small clip">${shown}</span>`}
    ${done || error !== undefined ? "" : html`<progress max="1" .value=${fraction} aria-label=${t("chat.uploading", { name: shown, part: percent(fraction) })}></progress>`}
    ${error === undefined ? "" : html`<span class="error" role="alert">${error}</span>`}
    <button type="button" class="icon plain small" aria-label=${t("chat.file.remove", { name: shown })} @click=${drop}><ui-icon name="x"></ui-icon></button>
  </div>`;
}

/** What is dropped; folders are told apart, since a browser takes each for a file that it cannot read. */
export function droppedFiles({ items }: DataTransfer): { readonly files: File[]; readonly hasFolder: boolean } {
  const given = [...items].filter(({ kind }) => kind === "file");
  const files = given.flatMap((item) => (item.webkitGetAsEntry()?.isDirectory ? [] : (item.getAsFile() ?? [])));
  return { files, hasFolder: files.length < given.length };
}

/** Office programs put a picture of the text beside the text: then it is the text that is meant. */
export function pastedFiles({ files, types }: DataTransfer): File[] {
  return types.includes("text/plain") && types.includes("text/html") ? [] : [...files];
}
