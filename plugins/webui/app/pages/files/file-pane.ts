/** `<chela-file-pane>`: one file of the workspace: editing, a look at it, saving over the version that was read, and what others did to it. */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { type GatewayEvent, gateway } from "../../client/gateway.ts";
import { href, router } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { ago, bytes } from "../../i18n/formats.ts";
import { t } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/diff.ts";
import "../../parts/editor.ts";
import type { Editor } from "../../parts/editor.ts";
import "../../parts/icon.ts";
import { unifiedDiff } from "../../parts/line-diff.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { plain } from "../../parts/plain.ts";
import { TextDraft } from "../../parts/text-draft.ts";
import { toast, toastError } from "../../parts/toast.ts";
import { type FileRow, type OpenFile, readFile, removeFile, writeFile } from "./api.ts";
import "./name-dialog.ts";
import { fileHref } from "./paths.ts";

const nothing: OpenFile = { path: "", text: "", hash: "", size: 0, modifiedAt: 0, isBinary: false };

export const draftNames = "file:";

@customElement("chela-file-pane")
export class FilePane extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; flex-direction: column; gap: 0.6rem; }
      ui-editor { flex: 1; min-height: 14rem; }
      .view { flex: 1; min-height: 0; overflow: auto; }
      h2 { margin: 0; }
      .notice ui-diff { margin-top: 0.5rem; --diff-height: 14rem; }
      .back { display: none; align-self: start; }
      .name { flex: 1 1 12rem; min-width: 0; }
      @media (max-width: 800px) { .back { display: inline-flex; } }
    `,
  ];

  @property() path = "";
  @property({ type: Number }) line = 0;
  @property({ attribute: false }) files: readonly FileRow[] = [];
  @state() private preview = false;
  @state() private busy = false;
  @state() private renaming = false;
  @query("ui-editor") private editor?: Editor;
  /** What was typed into other files, where the browser keeps nothing for this page. */
  readonly #drafts = new Map<string, TextDraft>();
  #draft = new TextDraft("");
  #name = "";
  readonly #file = new Load(this, (signal) => this.load(signal), { manual: true });

  override connectedCallback(): void {
    super.connectedCallback();
    const again = () => void this.#file.again();
    this.untilGone(gateway.on(["workspace_changed"], (event) => this.isMine(event) && again()));
    // Files that the gateway does not watch are looked at when the person comes back.
    this.listen(window, "focus", again);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (this.line > 0 && (changed.has("path") || changed.has("line"))) this.preview = false;
    if (!changed.has("path")) return;
    if (this.#draft.isChanged) this.#drafts.set(this.#name, this.#draft);
    this.#name = this.path;
    this.#draft = this.#drafts.get(this.path) ?? new TextDraft(draftNames + this.path);
    this.#file.value = undefined;
    this.#file.error = undefined;
    void this.#file.again();
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has("line") || changed.has("path")) this.#revealed = false;
    if (this.line < 1 || this.#revealed || this.#file.value?.path !== this.path || !this.editor) return;
    this.#revealed = true;
    void this.editor.ready.then(() => this.editor?.reveal(this.line));
  }

  #revealed = false;

  override render() {
    return html`<a class="button back" href=${href("files")}><ui-icon name="list"></ui-icon>${t("files.back")}</a>
      ${this.#file.show((file) => this.content(file))}`;
  }

  private content(file: OpenFile): unknown {
    const draft = this.#draft;
    const mayWrite = session.can("write") && !file.isBinary;
    return html`<div class="spread">
        <div class="name"><h2 class="wrap">${plain(this.path)}</h2><span class="small muted" role="status">${this.standing(file)}</span></div>
        ${this.actions(file, mayWrite)}
      </div>
      ${file.isBinary ? html`<div class="notice warn">${t("files.binary")}</div>` : ""}
      ${draft.isOvertaken && !this.busy ? this.overtaken(file) : ""}
      ${this.preview ? html`<div class="view card" tabindex="0" role="region" aria-label=${t("files.preview")}><ui-markdown .text=${draft.mine}></ui-markdown></div>` : ""}
      <ui-editor ?hidden=${this.preview} language="markdown" label=${t("files.editor", { path: plain(this.path) })} .value=${draft.mine} ?readonly=${!mayWrite || this.busy}
        @change=${this.typed} @save=${this.save}></ui-editor>
      <chela-file-name ?open=${this.renaming} .files=${this.files} heading=${t("files.rename")} action=${t("files.rename")} .suggested=${this.path}
        @close=${() => this.name(false)} @chosen=${this.rename}></chela-file-name>`;
  }

  private actions(file: OpenFile, mayWrite: boolean): unknown {
    const { isChanged } = this.#draft;
    const isThere = file.hash !== "";
    return html`<div class="row tight">
      <button aria-pressed=${this.preview} @click=${this.toggle}><ui-icon name=${this.preview ? "pencil" : "eye"}></ui-icon>${this.preview ? t("ui.edit") : t("files.preview")}</button>
      ${
        mayWrite
          ? html`<button ?disabled=${!isThere || isChanged || this.busy} @click=${() => this.name(true)}>${t("files.rename")}</button>
            <button class="icon danger" ?disabled=${!isThere || this.busy} aria-label=${t("ui.delete")} title=${t("ui.delete")} @click=${() => this.erase(file)}><ui-icon name="trash-2"></ui-icon></button>
            <button ?disabled=${!isChanged || this.busy} @click=${this.discard}>${t("files.discard")}</button>
            <button class="primary" ?disabled=${(!isChanged && isThere) || this.busy} @click=${this.save}><ui-icon name="save"></ui-icon>${this.busy ? t("ui.saving") : t("ui.save")}</button>`
          : ""
      }
    </div>`;
  }

  private standing(file: OpenFile): string {
    if (this.#draft.isChanged) return t("files.unsaved");
    if (file.hash === "") return t("files.absent");
    return t("files.about", { size: bytes(file.size), time: ago(file.modifiedAt) });
  }

  private overtaken(file: OpenFile): unknown {
    const { mine } = this.#draft;
    const isGone = file.hash === "";
    return html`<div class="notice warn" role="alert">
      <p><strong>${isGone ? t("files.gone") : t("files.overtaken")}</strong> ${t("files.overtaken.hint")}</p>
      <div class="row tight">
        <button class="primary" @click=${this.keepMine}>${t("files.keepMine")}</button>
        ${isGone ? "" : html`<button @click=${this.merge}>${t("files.merge")}</button>`}
        <button @click=${this.takeTheirs}>${t("files.takeTheirs")}</button>
      </div>
      ${isGone ? "" : html`<details open><summary>${t("files.overtaken.what")}</summary><ui-diff .text=${unifiedDiff(file.text, mine)}></ui-diff></details>`}
    </div>`;
  }

  private isMine({ paths }: GatewayEvent): boolean {
    const list = Array.isArray(paths) ? paths : [];
    return list.length === 0 || list.includes(this.path);
  }

  private async load(signal: AbortSignal): Promise<OpenFile> {
    const draft = this.#draft;
    const file = this.path === "" ? nothing : await readFile(this.path, signal);
    if (!signal.aborted) draft.arrived(file);
    return file;
  }

  private typed(event: Event): void {
    this.#draft.type((event.target as Editor).value);
    this.edited();
  }

  private edited(): void {
    this.requestUpdate();
    this.dispatchEvent(new Event("edited"));
  }

  private async toggle(): Promise<void> {
    if (!this.preview) await import("../../parts/markdown.ts").catch(toastError);
    this.preview = !this.preview;
  }

  private async save(): Promise<void> {
    const draft = this.#draft;
    const { base, mine } = draft;
    if (this.busy || !base || !session.can("write") || (!draft.isChanged && base.hash !== "")) return;
    await this.work(async () => {
      const hash = await writeFile(this.path, mine, base.hash);
      draft.begin({ text: mine, hash });
      toast(t("ui.saved"), "ok");
    });
  }

  /** What failed is said, and what is there now is shown beside what was typed. */
  private async work(task: () => Promise<void>): Promise<void> {
    this.busy = true;
    await task().catch(toastError);
    await this.#file.again();
    this.busy = false;
    this.edited();
    this.dispatchEvent(new Event("changed"));
  }

  private async discard(): Promise<void> {
    const { theirs } = this.#draft;
    const question = { text: t("files.discard.ask"), action: t("files.discard"), danger: true };
    if (!theirs || !(await confirm(question))) return;
    this.#draft.begin(theirs);
    this.edited();
  }

  private keepMine(): void {
    this.#draft.adopt();
    this.edited();
    void this.save();
  }

  private merge(): void {
    const { conflicts } = this.#draft.merge({ mine: "<<<<<<<", middle: "=======", theirs: ">>>>>>>" });
    toast(
      conflicts > 0 ? t("files.merge.conflicts", { n: conflicts }) : t("files.merge.done"),
      conflicts > 0 ? "warn" : "ok",
    );
    this.edited();
  }

  private takeTheirs(): void {
    const { theirs } = this.#draft;
    if (theirs) this.#draft.begin(theirs);
    this.edited();
  }

  private async erase({ hash, path }: OpenFile): Promise<void> {
    const draft = this.#draft;
    const question = { text: t("files.delete.ask", { path: plain(path) }), action: t("ui.delete"), danger: true };
    if (!(await confirm(question))) return;
    await this.work(async () => {
      await removeFile(path, hash);
      draft.begin({ text: "", hash: "" });
      if (path === this.path) router.go(href("files"), { replace: true });
    });
  }

  private name(open: boolean): void {
    this.renaming = open;
  }

  /** Written under the new name first: whatever happens between, the text is somewhere. */
  private async rename(event: Event): Promise<void> {
    const { detail: to } = event as CustomEvent<string>;
    const file = this.#file.value;
    this.renaming = false;
    if (!file) return;
    await this.work(async () => {
      await writeFile(to, file.text, "");
      await removeFile(file.path, file.hash);
      router.go(fileHref(to), { replace: true });
    });
  }
}
