/** `<chat-media>`: a file of a message. Pictures are shown, everything can be downloaded; both through the gateway, never by a path. */
import { css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { address } from "../../../client/address.ts";
import { get, request } from "../../../client/http.ts";
import { bytes } from "../../../i18n/formats.ts";
import { t } from "../../../i18n/locale.ts";
import "../../../parts/icon.ts";
import { Part } from "../../../parts/part.ts";
import { plain } from "../../../parts/plain.ts";
import { toastError } from "../../../parts/toast.ts";
import { type Attachment, addressOf, isPicture } from "../model/attachment.ts";

@customElement("chat-media")
export class Media extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: inline-flex; max-width: 100%; }
      button { max-width: 100%; height: auto; }
      button.picture { padding: 0; border-radius: var(--radius-s); overflow: hidden; }
      img { display: block; max-width: min(20rem, 100%); max-height: 14rem; min-width: 2rem; min-height: 2rem; object-fit: contain; }
      :host([small]) img { max-height: 4.5rem; max-width: 9rem; }
    `,
  ];

  @property({ attribute: false }) file!: Attachment;
  /** Of a picture that has no address of its own. */
  @state() private picture = "";
  @state() private isBroken = false;
  #asked = "";

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.picture !== "") URL.revokeObjectURL(this.picture);
    this.picture = "";
    this.#asked = "";
  }

  override willUpdate(): void {
    if (!this.isConnected || this.#asked === this.file.path) return;
    this.#asked = this.file.path;
    this.isBroken = false;
    const place = addressOf(this.file);
    if (isPicture(this.file) && place !== undefined && "file" in place) void this.load();
  }

  override render() {
    const { file } = this;
    const name = plain(file.name);
    const place = addressOf(file);
    const canLoad = place !== undefined;
    const source =
      canLoad && "upload" in place && isPicture(file) ? address(uploadPath(place.upload)).href : this.picture;
    if (source !== "" && !this.isBroken)
      return html`<button class="picture" title=${name} aria-label=${t("chat.file.download", { name })} @click=${this.download}><img src=${source} alt=${name} loading="lazy" @error=${this.failed} /></button>`;
    return html`<button class="small" title=${canLoad ? name : t("chat.file.outside")} ?disabled=${!canLoad} @click=${this.download}>
      <ui-icon name=${isPicture(file) ? "image" : "file"}></ui-icon><span class="clip">${name}</span>
      ${file.size === undefined ? nothing : html`<span class="muted">${bytes(file.size)}</span>`}
    </button>`;
  }

  private failed(): void {
    this.isBroken = true;
  }

  private async load(): Promise<void> {
    const { path } = this.file;
    const blob = await content(this.file).catch(() => undefined);
    if (blob !== undefined && this.isConnected && this.#asked === path) this.picture = URL.createObjectURL(blob);
  }

  private async download(): Promise<void> {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await content(this.file));
      link.download = this.file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      toastError(error);
    }
  }
}

async function content(file: Attachment): Promise<Blob> {
  const place = addressOf(file);
  if (place === undefined) throw new Error(t("chat.file.outside"));
  if ("upload" in place) return (await request(uploadPath(place.upload))).blob();
  const query = new URLSearchParams({ path: place.file, encoding: "base64" });
  const { found, content: text } = await get<{ found: boolean; content: string }>(`/api/workspace_file?${query}`);
  if (!found) throw new Error(t("chat.file.gone"));
  return new Blob([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], { type: typeOf(file) });
}

function uploadPath(id: string): string {
  return `/api/upload/${id}`;
}

function typeOf({ name }: Attachment): string {
  const ending = name.split(".").at(-1)?.toLowerCase() ?? "";
  return isPicture({ path: "", name }) ? `image/${ending === "jpg" ? "jpeg" : ending}` : "application/octet-stream";
}
