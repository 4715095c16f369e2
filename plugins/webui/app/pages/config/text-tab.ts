/** `<chela-config-text>`: the config as text, with what is wrong with it, what a save would do, and what others did meanwhile. */
import { css, html } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { call } from "../../client/http.ts";
import { t, told } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import "../../parts/diff.ts";
import "../../parts/editor.ts";
import type { Editor } from "../../parts/editor.ts";
import "../../parts/icon.ts";
import { unifiedDiff } from "../../parts/line-diff.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { plain, short } from "../../parts/plain.ts";
import { restartGateway } from "../../parts/restart.ts";
import type { Schema } from "../../parts/schema-form/schema.ts";
import { toast } from "../../parts/toast.ts";
import type { LocatedProblem } from "./api.ts";
import { configAssist } from "./assist.ts";
import { pathList, planLine, resultList } from "./plan.ts";
import "./save-dialog.ts";
import { ConfigWork } from "./work.ts";

const mostProblems = 50;
/** The cursor has come to rest. */
const restMs = 120;

@customElement("chela-config-text")
export class ConfigTextTab extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { display: flex; flex-direction: column; gap: 0.7rem; flex: 1; min-height: 0; }
      ui-editor { flex: 1; min-height: 16rem; }
      .problems { flex: none; list-style: none; margin: 0; padding: 0; max-height: 9rem; overflow: auto; display: grid; gap: 0.25rem; font-size: 0.9rem; }
      .problems li { display: flex; gap: 0.5rem; align-items: baseline; }
      .problems ui-icon { align-self: center; }
      .problems .error ui-icon { color: var(--bad); } .problems .warning ui-icon { color: var(--warn); }
      .problems .warning, .problems .error { color: var(--text); }
      .notice ui-diff { margin-top: 0.5rem; --diff-height: 14rem; }
      .about { margin: 0; min-height: 1.4em; }
      .notice p { margin-bottom: 0.4rem; }
    `,
  ];

  readonly #work = new ConfigWork(this);
  readonly #schema = new Load(this, (signal) => call<Schema>("config.schema", {}, { signal }), {
    events: ["generation"],
  });
  readonly #assist = configAssist(() => this.#schema.value, {
    secret: () => t("config.secretKept"),
    fallback: (value) => t("config.default", { value }),
    isDefault: () => t("config.isDefault"),
    told,
  });
  @state() private reviewing = false;
  /** What the key at the cursor means. */
  @state() private about: { readonly title: string; readonly about: string } | undefined;
  @query("ui-editor") private editor?: Editor;
  #resting: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#resting);
  }

  override render() {
    return this.#work.source.show(() => this.content());
  }

  private content(): unknown {
    const work = this.#work;
    return html`${this.notices()}
      <div class="spread">
        <span role="status" class="grow">${this.standing()}</span>
        ${work.mayWrite ? this.actions() : html`<span class="badge">${t("config.readOnly")}</span>`}
      </div>
      <ui-editor label=${t("config.editor")} .value=${work.draft.mine} .problems=${work.problems} .assist=${this.#assist} ?readonly=${!work.mayWrite || work.saving}
        @change=${(event: Event) => work.type((event.target as Editor).value)} @cursor=${this.moved} @save=${this.review}></ui-editor>
      <p class="about small muted wrap">${this.meaning()}</p>
      ${this.problemList(work.problems)}
      <chela-config-save ?open=${this.reviewing} .work=${work} @close=${this.closeReview}></chela-config-save>`;
  }

  private meaning(): unknown {
    const { overrides = {} } = this.#work.source.value ?? {};
    if (!this.about) return t("config.hint");
    const { title, about } = this.about;
    const name = Object.hasOwn(overrides, title) ? overrides[title] : undefined;
    return html`<code>${short(title)}</code> ${name ? html`<span class="badge info">${t("config.override", { name })}</span> ` : ""}${short(about, 600)}`;
  }

  private actions(): unknown {
    const { draft, saving } = this.#work;
    return html`<div class="row tight">
      <button ?disabled=${!draft.isChanged || saving} @click=${this.discard}>${t("config.discard")}</button>
      <button class="primary" ?disabled=${!draft.isChanged || saving} @click=${this.review}><ui-icon name="save"></ui-icon>${saving ? t("ui.saving") : t("config.review")}</button>
    </div>`;
  }

  private standing(): unknown {
    const { draft, judged, judging, problems, unjudged } = this.#work;
    if (!draft.isChanged) return html`<span class="muted">${t("config.unchanged")}</span>`;
    if (judging && !judged) return html`<span class="muted">${t("config.checking")}</span>`;
    if (unjudged)
      return html`<span class="badge warn">${t("config.unsaved")}</span> <span class="wrap">${t("config.unjudged")} ${short(unjudged.message)}</span>`;
    const errors = problems.filter(({ level }) => level === "error").length;
    if (judged && !judged.ok)
      return html`<span class="badge bad">${t("config.errors", { n: Math.max(1, errors) })}</span>`;
    return html`<span class="badge warn">${t("config.unsaved")}</span> ${judged ? planLine(judged.changes) : ""}`;
  }

  private notices(): unknown {
    const { source, draft, result, failure, saving } = this.#work;
    const { trouble, pending = [], overrides = {} } = source.value ?? {};
    const overridden = Object.entries(overrides).map(([path, name]) => `${path} (${name})`);
    const place =
      trouble?.line === undefined ? "" : t("config.at", { line: trouble.line, column: trouble.column ?? 1 });
    return html`
      ${trouble ? html`<div class="notice bad" role="alert"><strong>${t("config.broken")}</strong> ${short(trouble.message, 1000)} ${place} <span>${t("config.broken.hint")}</span></div>` : ""}
      ${failure ? html`<div class="notice bad" role="alert"><strong>${failure.status === 0 ? t("config.unknown") : t("config.notSaved")}</strong> ${short(failure.message, 2000)}</div>` : ""}
      ${draft.isOvertaken && !saving ? this.overtaken() : ""}
      ${result && !draft.isChanged ? html`<div class="notice ${result.pending.length > 0 ? "warn" : "ok"}" role="status"><strong>${t("ui.saved")}</strong>${resultList(result)}</div>` : ""}
      ${pending.length > 0 ? this.waiting(pending) : ""}
      ${overridden.length > 0 ? html`<div class="notice">${t("config.overrides")} ${pathList(overridden)}</div>` : ""}`;
  }

  private overtaken(): unknown {
    const { draft, changedBy, mayWrite } = this.#work;
    const [before, after] = [draft.base?.text ?? "", draft.theirs?.text ?? ""];
    const diff = () => html`<ui-diff .text=${unifiedDiff(before, after)}></ui-diff>`;
    return html`<div class="notice warn" role="alert">
      <p><strong>${t("config.overtaken")}</strong> ${changedBy ? html`<code>${short(changedBy)}</code>` : ""} ${t("config.overtaken.hint")}</p>
      <div class="row tight">
        <button class="primary" ?disabled=${!mayWrite} @click=${this.merge}>${t("config.merge")}</button>
        <button @click=${this.takeTheirs}>${t("config.takeTheirs")}</button>
      </div>
      <details><summary>${t("config.overtaken.what")}</summary>${guard([before, after], diff)}</details>
    </div>`;
  }

  private waiting(pending: readonly string[]): unknown {
    return html`<div class="notice warn spread">
      <span class="grow">${t("config.pending")} ${pathList(pending)}</span>
      ${this.#work.mayWrite ? html`<button class="small" @click=${restartGateway}>${t("ui.restart")}</button>` : ""}
    </div>`;
  }

  private problemList(problems: readonly LocatedProblem[]): unknown {
    if (problems.length === 0) return "";
    return html`<ul class="problems" aria-label=${t("config.problems")}>
      ${problems.slice(0, mostProblems).map(
        ({ level, path, message, line, column }) => html`<li class=${level}>
          <ui-icon name=${level === "error" ? "circle-x" : "triangle-alert"}></ui-icon>
          <span class="visually-hidden">${t(`config.level.${level}`)}</span>
          ${line === undefined ? "" : html`<button class="small" @click=${() => this.editor?.reveal(line, column)}>${t("config.line", { line })}</button>`}
          <span class="wrap">${path ? html`<code>${plain(path)}</code> ` : ""}${short(message, 1000)}</span>
        </li>`,
      )}
    </ul>
    ${problems.length > mostProblems ? html`<p class="muted small">${t("config.moreProblems", { n: problems.length - mostProblems })}</p>` : ""}`;
  }

  /** Reads the whole text: not with every key. */
  private moved(event: Event): void {
    const editor = event.target as Editor;
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.about = this.#assist.describe?.(editor.value, editor.cursor);
    }, restMs);
  }

  private review(): void {
    const { draft, mayWrite } = this.#work;
    if (!mayWrite || !draft.isChanged) return;
    this.reviewing = true;
    void this.#work.judge();
  }

  private closeReview(): void {
    this.reviewing = false;
    this.editor?.focus();
  }

  private async discard(): Promise<void> {
    const question = { text: t("config.discard.ask"), action: t("config.discard"), danger: true };
    if (await confirm(question)) this.#work.discard();
  }

  private async takeTheirs(): Promise<void> {
    const question = { text: t("config.takeTheirs.ask"), action: t("config.takeTheirs"), danger: true };
    if (await confirm(question)) this.#work.discard();
  }

  private merge(): void {
    const { conflicts } = this.#work.merge();
    if (conflicts > 0) toast(t("config.merge.conflicts", { n: conflicts }), "warn");
    else toast(t("config.merge.done"), "ok");
  }
}
