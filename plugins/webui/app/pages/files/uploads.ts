/** `<chela-files-uploads>`: what was attached in conversations and is still kept. */
import { css, html } from "lit";
import { customElement } from "lit/decorators.js";
import { address } from "../../client/address.ts";
import { request } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { ago, bytes, dateTime } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/icon.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import { toast, toastError } from "../../parts/toast.ts";
import { listUploads, type Upload, uploadPath } from "./api.ts";

@customElement("chela-files-uploads")
export class FilesUploads extends Part {
  static override styles = [
    ...Part.styles,
    css`
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.5rem; }
      li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.3rem 1rem; align-items: center; padding: 0.6rem 0.9rem; }
    `,
  ];

  readonly #list = new Load(this, listUploads);

  override render() {
    return this.#list.show(({ uploads, count, bytes: size }) => {
      if (count === 0) return html`<div class="card muted">${t("files.uploads.none")}</div>`;
      return html`<div class="spread">
          <p class="muted">${t("files.uploads.sum", { n: count, size: bytes(size) })}</p>
          <button class="small" @click=${() => this.#list.again()}><ui-icon name="refresh-cw"></ui-icon>${t("ui.reload")}</button>
        </div>
        <ul>${uploads.map((upload) => this.row(upload))}</ul>
        ${count > uploads.length ? html`<p class="small muted">${t("files.uploads.more", { n: count - uploads.length })}</p>` : ""}`;
    });
  }

  private row({ id, name, size, at }: Upload): unknown {
    const shown = plain(name);
    return html`<li class="card">
      <div><div class="wrap"><strong>${shown.slice(0, 300)}</strong></div><span class="small muted" title=${dateTime(at)}>${bytes(size)} · ${ago(at)}</span></div>
      <div class="row tight">
        <a class="button" href=${address(uploadPath(id)).href} download=${shown} aria-label=${t("files.uploads.get", { name: shown })}><ui-icon name="download"></ui-icon></a>
        ${session.can("write") ? html`<button class="icon danger" aria-label=${t("files.uploads.delete", { name: shown })} @click=${() => this.erase(id, shown)}><ui-icon name="trash-2"></ui-icon></button>` : ""}
      </div>
    </li>`;
  }

  private async erase(id: string, name: string): Promise<void> {
    const question = { text: t("files.delete.ask", { path: name }), action: t("ui.delete"), danger: true };
    if (!(await confirm(question))) return;
    try {
      await request(uploadPath(id), { method: "DELETE" });
      toast(t("files.uploads.deleted"), "ok");
    } catch (error) {
      toastError(error);
    }
    await this.#list.again();
  }
}
