/** `<chat-composer>`: where a message is written. What is not sent yet survives a reload, session by session. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { Memory } from "../../client/memory.ts";
import { percent } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import type { Attachment } from "./model/attachment.ts";
import { Uploads } from "./model/uploads.ts";
import "./thread/media.ts";

export interface Draft {
  readonly text: string;
  readonly media: readonly Attachment[];
  /** Number of the message that it is to take the place of. */
  readonly edits?: number | undefined;
}

export type WhenBusy = "queue" | "steer";

const saveMs = 200;

@customElement("chat-composer")
export class Composer extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { max-width: 50rem; width: 100%; margin: 0 auto; padding: 0 1.2rem 0.8rem; }
      form { border: 1px solid var(--border-strong); border-radius: 14px; background: var(--surface); padding: 0.35rem; }
      form:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
      form.over { border-style: dashed; border-color: var(--accent); background: var(--accent-soft); }
      textarea { display: block; border: 0 !important; background: none !important; resize: none; outline: none !important; max-height: 40vh; overflow-y: auto; padding: 0.45rem 0.6rem; line-height: 1.45; }
      .tools { display: flex; align-items: center; gap: 0.3rem; }
      .files { display: flex; flex-wrap: wrap; gap: 0.4rem; padding: 0.3rem 0.4rem; }
      .file { display: flex; align-items: center; gap: 0.2rem; max-width: 100%; }
      progress { width: 5rem; accent-color: var(--accent-bg); }
      select { width: auto; min-height: 1.9rem; padding: 0 0.3rem; font-size: 0.85rem; }
      .editing { display: flex; align-items: center; justify-content: space-between; gap: 0.5rem; padding: 0.2rem 0.5rem; font-size: 0.88rem; }
      @media (max-width: 640px) { :host { padding: 0 0.6rem 0.6rem; } }
    `,
  ];

  @property() session = "";
  /** A turn runs there. */
  @property({ type: Boolean }) busy = false;
  @property({ type: Boolean }) readonly = false;
  @state() private isOver = false;
  @state() private edits: number | undefined;
  @state() private isEmpty = true;
  @state() private whenBusy: WhenBusy = "queue";
  @query("textarea") private area!: HTMLTextAreaElement;
  @query("input[type=file]") private picker!: HTMLInputElement;
  readonly #drafts = new Memory<Draft>("chat.drafts", 50);
  readonly #uploads = new Uploads(() => this.changed());
  #pending: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(window, "pagehide", () => this.save());
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session") && changed.get("session")) this.save(changed.get("session"));
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("session")) this.put(this.#drafts.get(this.session) ?? { text: "", media: [] });
  }

  override render() {
    const { busy, readonly } = this;
    return html`<form class=${this.isOver ? "over" : ""} @submit=${this.submit} @dragover=${this.over} @dragleave=${this.left} @drop=${this.dropped}>
      ${this.edits === undefined ? "" : html`<div class="editing notice warn"><span>${t("chat.editing")}</span><button type="button" class="small" @click=${this.cancel}>${t("ui.cancel")}</button></div>`}
      ${this.files()}
      <textarea rows="1" aria-label=${t("chat.message")} placeholder=${readonly ? t("chat.readonly") : t("chat.placeholder")} ?disabled=${readonly} dir="auto"
        @input=${this.changed} @keydown=${this.key} @paste=${this.pasted}></textarea>
      <div class="tools">
        <input type="file" multiple hidden tabindex="-1" aria-hidden="true" @change=${this.picked} />
        <button type="button" class="icon plain" title=${t("chat.attach")} aria-label=${t("chat.attach")} ?disabled=${readonly} @click=${() => this.picker.click()}><ui-icon name="paperclip"></ui-icon></button>
        <slot></slot>
        <span class="grow"></span>
        ${busy && !this.isEmpty ? this.choice() : ""}
        ${busy ? html`<button type="button" class="icon" title=${t("chat.stop")} aria-label=${t("chat.stop")} @click=${() => this.tell("stop")}><ui-icon name="circle-stop"></ui-icon></button>` : ""}
        <button class="icon primary" title=${t("chat.send")} aria-label=${t("chat.send")} ?disabled=${readonly || this.isEmpty || this.#uploads.isBusy}><ui-icon name="send"></ui-icon></button>
      </div>
    </form>`;
  }

  override focus(): void {
    this.area?.focus();
  }

  get draft(): Draft {
    return { text: this.area?.value ?? "", media: this.#uploads.done, edits: this.edits };
  }

  /** Takes the place of what is written. */
  put({ text, media, edits }: Draft): void {
    this.area.value = text;
    this.#uploads.begin(media);
    this.edits = edits;
    this.changed();
  }

  private choice(): unknown {
    return html`<select aria-label=${t("chat.busy")} @change=${(event: Event) => {
      this.whenBusy = (event.target as HTMLSelectElement).value as WhenBusy;
    }}>
      <option value="queue" ?selected=${this.whenBusy === "queue"}>${t("chat.busy.queue")}</option>
      <option value="steer" ?selected=${this.whenBusy === "steer"}>${t("chat.busy.steer")}</option>
    </select>`;
  }

  private files(): unknown {
    const { items } = this.#uploads;
    if (items.length === 0) return "";
    return html`<div class="files">${items.map(
      (item) => html`<div class="file">
        ${item.done ? html`<chat-media small .file=${item.done}></chat-media>` : html`<span class="small clip">${item.name}</span>`}
        ${item.done || item.error !== undefined ? "" : html`<progress max="1" .value=${item.fraction} aria-label=${t("chat.uploading", { name: item.name, part: percent(item.fraction) })}></progress>`}
        ${item.error === undefined ? "" : html`<span class="error" role="alert">${item.error}</span>`}
        <button type="button" class="icon plain small" aria-label=${t("chat.file.remove", { name: item.name })} @click=${() => this.#uploads.drop(item)}><ui-icon name="x"></ui-icon></button>
      </div>`,
    )}</div>`;
  }

  private submit(event?: Event): void {
    event?.preventDefault();
    if (this.readonly || this.isEmpty || this.#uploads.isBusy) return;
    this.dispatchEvent(
      new CustomEvent("send", { detail: { ...this.draft, ...(this.busy && { whenBusy: this.whenBusy }) } }),
    );
    this.put({ text: "", media: [] });
    this.save();
  }

  private cancel(): void {
    this.put({ text: "", media: [] });
    this.area.focus();
  }

  private tell(type: "stop"): void {
    this.dispatchEvent(new Event(type));
  }

  private changed(): void {
    const { area } = this;
    this.isEmpty = area.value.trim() === "" && this.#uploads.done.length === 0;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => this.save(), saveMs);
    this.requestUpdate();
  }

  private save(session = this.session): void {
    clearTimeout(this.#pending);
    const { text, media, edits } = this.draft;
    const isNothing = text === "" && media.length === 0;
    if (session !== "") this.#drafts.set(session, isNothing ? undefined : { text, media, edits });
  }

  private key(event: KeyboardEvent): void {
    // 229: Safari tells of the Enter that ends a composition after it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  private pasted(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#uploads.add(files);
  }

  private picked(): void {
    this.#uploads.add([...(this.picker.files ?? [])]);
    this.picker.value = "";
    this.area.focus();
  }

  private over(event: DragEvent): void {
    if (this.readonly || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.isOver = true;
  }

  private left(): void {
    this.isOver = false;
  }

  private dropped(event: DragEvent): void {
    this.isOver = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0 || this.readonly) return;
    event.preventDefault();
    this.#uploads.add(files);
  }
}
