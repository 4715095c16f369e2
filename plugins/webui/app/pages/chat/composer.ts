/** `<chat-composer>`: where a message is written. What is not sent yet survives a reload, session by session. */
import { html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { Memory } from "../../client/memory.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { toast } from "../../parts/toast.ts";
import { composerFiles, droppedFiles, pastedFiles } from "./composer-files.ts";
import { composerStyles } from "./composer-styles.ts";
import type { Attachment } from "./model/attachment.ts";
import { mostFiles, Uploads } from "./model/uploads.ts";

export interface Draft {
  readonly text: string;
  readonly media: readonly Attachment[];
  /** Number of the message that it is to take the place of. */
  readonly edits?: number | undefined;
  /** Of the session when that number was read. */
  readonly epoch?: string | undefined;
  /** What was written when the edit began. */
  readonly before?: Draft | undefined;
}

const nothing: Draft = { text: "", media: [] };
/** On such a keyboard there is no other way to begin a line. */
const touch = matchMedia("(pointer: coarse)");

export type WhenBusy = "queue" | "steer";
const saveMs = 200;

@customElement("chat-composer")
export class Composer extends Part {
  static override styles = [...Part.styles, composerStyles];

  @property() session = "";
  /** A turn runs there. */
  @property({ type: Boolean }) busy = false;
  @property({ type: Boolean }) readonly = false;
  /** What was sent last is not taken yet. */
  @property({ type: Boolean }) held = false;
  @state() private isOver = false;
  @state() private edits: Pick<Draft, "edits" | "epoch" | "before"> | undefined;
  @state() private isEmpty = true;
  @state() private whenBusy: WhenBusy = "queue";
  @query("textarea") private area!: HTMLTextAreaElement;
  @query("input[type=file]") private picker!: HTMLInputElement;
  readonly #drafts = new Memory<Draft>("chat.drafts", 50);
  #uploads = new Uploads(() => this.changed());
  /** Of sessions that were left while files were on their way. */
  readonly #left = new Map<string, Uploads>();
  #pending: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(window, "pagehide", () => {
      this.save();
      for (const [session, { done: media }] of this.#left) this.keep(session, { ...this.kept(session), media });
    });
    const { host } = this.getRootNode() as ShadowRoot;
    this.listen(host, "dragover", (event) => this.over(event as DragEvent));
    this.listen(host, "drop", (event) => this.dropped(event as DragEvent));
    this.listen(host, "dragleave", () => {
      this.isOver = false;
    });
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("session");
    if (!changed.has("session") || !before) return;
    this.save(before);
    if (this.#uploads.isBusy) this.#left.set(before, this.#uploads);
    this.#uploads = this.#left.get(this.session) ?? new Uploads(() => this.changed());
  }

  /** Who opens the page at a desk may write at once. */
  override firstUpdated(): void {
    if (!touch.matches && document.activeElement === document.body) this.focus();
  }

  override updated(changed: PropertyValues<this>): void {
    if (!changed.has("session")) return;
    const draft = this.kept(this.session);
    if (this.#left.delete(this.session)) this.write(draft);
    else this.put(draft);
  }

  override render() {
    const { busy, readonly } = this;
    return html`<form class=${this.isOver ? "over" : ""} @submit=${this.submit}>
      ${this.edits === undefined ? "" : html`<div class="editing notice warn"><span>${t("chat.editing")}</span><button type="button" class="small" ?disabled=${this.held} @click=${this.cancel}>${t("ui.cancel")}</button></div>`}
      ${composerFiles(this.#uploads)}
      <textarea rows="1" aria-label=${t("chat.message")} placeholder=${readonly ? t("chat.readonly") : t(touch.matches ? "chat.placeholder.touch" : "chat.placeholder")} ?disabled=${readonly} ?readonly=${this.held} dir="auto"
        @input=${this.changed} @keydown=${this.key} @paste=${this.pasted}></textarea>
      <div class="tools">
        <input type="file" multiple hidden tabindex="-1" aria-hidden="true" @change=${this.picked} />
        <button type="button" class="icon plain" title=${t("chat.attach")} aria-label=${t("chat.attach")} ?disabled=${readonly} @click=${() => this.picker.click()}><ui-icon name="paperclip"></ui-icon></button>
        <slot></slot>
        <span class="grow"></span>
        ${busy && !this.isEmpty ? this.choice() : ""}
        ${busy ? html`<button type="button" class="icon" title=${t("chat.stop")} aria-label=${t("chat.stop")} @click=${() => this.tell("stop")}><ui-icon name="circle-stop"></ui-icon></button>` : ""}
        <button class="icon primary" title=${t("chat.send")} aria-label=${t("chat.send")} ?disabled=${!this.canSend}><ui-icon name="send"></ui-icon></button>
      </div>
    </form>`;
  }

  override focus(): void {
    this.area?.focus();
  }

  get draft(): Draft {
    return { text: this.area?.value ?? "", media: this.#uploads.done, ...this.edits };
  }

  /** Takes the place of what is written, which comes back when the edit is called off or sent. */
  edit(draft: Draft): void {
    this.put({ ...draft, before: this.edits?.before ?? this.draft });
    this.area.focus();
  }

  /** It is on its way. */
  sent(session: string): void {
    this.keep(session, undefined);
    if (session === this.session) this.put(this.edits?.before ?? nothing);
  }

  /** What could not be sent goes back to where it was written, before what is written there now. */
  giveBack(session: string, { text, media }: Draft): void {
    const now = session === this.session ? this.draft : this.kept(session);
    const both = { ...now, text: [text, now.text].filter(Boolean).join("\n"), media: [...media, ...now.media] };
    if (session === this.session) this.put(both);
    else this.keep(session, both);
  }

  /** What was edited is not there any more: what was written stays, as a message of its own. */
  loosen(): void {
    const { text, media, before } = this.draft;
    if (before) this.put({ text: [before.text, text].filter(Boolean).join("\n"), media: [...before.media, ...media] });
  }

  private get canSend(): boolean {
    return !(this.readonly || this.held || this.isEmpty || this.#uploads.isBusy);
  }

  private put(draft: Draft): void {
    this.#uploads.begin(draft.media);
    this.write(draft);
  }

  private write({ text, edits, epoch, before }: Draft): void {
    this.area.value = text;
    this.edits = edits === undefined ? undefined : { edits, epoch, before };
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

  private submit(event?: Event): void {
    event?.preventDefault();
    if (!this.canSend) return;
    this.dispatchEvent(
      new CustomEvent("send", { detail: { ...this.draft, ...(this.busy && { whenBusy: this.whenBusy }) } }),
    );
  }

  private cancel(): void {
    this.put(this.edits?.before ?? nothing);
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
    this.keep(session, this.draft);
  }

  private kept(session: string): Draft {
    return this.#drafts.get(session) ?? nothing;
  }

  private keep(session: string, draft: Draft | undefined): void {
    const isNothing = draft === undefined || (draft.text === "" && draft.media.length === 0);
    if (session !== "") this.#drafts.set(session, isNothing ? undefined : draft);
  }

  private key(event: KeyboardEvent): void {
    const { key, shiftKey, ctrlKey, metaKey } = event;
    // 229: Safari tells of the Enter that ends a composition after it.
    if (event.isComposing || event.keyCode === 229) return;
    if (key === "Escape" && this.edits !== undefined && !this.held) {
      event.preventDefault();
      this.cancel();
    } else if (key === "Enter" && (ctrlKey || metaKey || !(shiftKey || touch.matches))) {
      event.preventDefault();
      this.submit();
    }
  }

  private pasted(event: ClipboardEvent): void {
    const files = event.clipboardData ? pastedFiles(event.clipboardData) : [];
    if (files.length === 0) return;
    event.preventDefault();
    this.attach(files);
  }

  private picked(): void {
    this.attach([...(this.picker.files ?? [])]);
    this.picker.value = "";
    this.area.focus();
  }

  private over(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (!this.readonly) this.isOver = true;
  }

  private dropped(event: DragEvent): void {
    this.isOver = false;
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const { files, hasFolder } = droppedFiles(event.dataTransfer);
    if (hasFolder) toast(t("chat.attach.folder"), "warn");
    if (!this.readonly) this.attach(files);
  }

  private attach(files: readonly File[]): void {
    if (!this.#uploads.add(files)) toast(t("chat.attach.most", { n: mostFiles }), "warn");
  }
}
