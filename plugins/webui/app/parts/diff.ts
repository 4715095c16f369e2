/**
 * `<ui-diff text="…">`: a unified diff, to be read: signs and words say what colours say, long lines wrap, and of long diffs
 * the beginning is shown first.
 */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { count } from "../i18n/formats.ts";
import { languages, t } from "../i18n/locale.ts";
import { Part } from "./part.ts";
import { plain } from "./plain.ts";

type Kind = "added" | "removed" | "same" | "place" | "note";

interface Line {
  readonly kind: Kind;
  readonly text: string;
}

const kinds: Readonly<Record<string, Kind>> = { "+": "added", "-": "removed", "@": "place", "#": "note", " ": "same" };
const signs: Readonly<Partial<Record<Kind, string>>> = { added: "+", removed: "−" };
const step = 400;
const longest = 2000;

@customElement("ui-diff")
export class Diff extends Part {
  static override styles = [
    ...Part.styles,
    css`
      .lines { border: 1px solid var(--border); border-radius: var(--radius-s); background: var(--surface); max-height: var(--diff-height, 24rem); overflow: auto; font-family: var(--mono); font-size: 0.84rem; line-height: 1.5; }
      .line { display: grid; min-height: 1.5em; grid-template-columns: 1.6rem minmax(0, 1fr); }
      .line > span:first-child { text-align: center; user-select: none; }
      .text { white-space: pre-wrap; overflow-wrap: anywhere; padding-inline-end: 0.5rem; text-decoration: none; }
      .added { background: var(--ok-soft); } .removed { background: var(--bad-soft); }
      .place { background: var(--surface-2); color: var(--text-2); }
      .note { background: var(--warn-soft); }
      .summary { margin: 0 0 0.4rem; }
      button { margin-top: 0.5rem; }
    `,
  ];

  @property() text = "";
  @state() private shown = step;

  override connectedCallback(): void {
    super.connectedCallback();
    void languages.load("editor").then(() => this.requestUpdate());
  }

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("text")) this.shown = step;
  }

  override render() {
    const lines = linesOf(this.text);
    if (lines.length === 0) return html`<p class="muted">${t("editor.diff.same")}</p>`;
    const added = lines.filter(({ kind }) => kind === "added").length;
    const removed = lines.filter(({ kind }) => kind === "removed").length;
    const rest = lines.length - this.shown;
    return html`${added + removed > 0 ? html`<p class="summary small muted">${t("editor.diff.summary", { added, removed })}</p>` : ""}
      <div class="lines" role="region" tabindex="0" aria-label=${t("editor.diff")}>${lines.slice(0, this.shown).map(line)}</div>
      ${rest > 0 ? html`<button class="small" @click=${this.more}>${t("editor.diff.more", { n: Math.min(rest, step) })}</button>` : ""}`;
  }

  private more(): void {
    this.shown += step;
  }
}

function line({ kind, text }: Line): unknown {
  const sign = signs[kind];
  const said = kind === "added" || kind === "removed" ? t(`editor.diff.${kind}`) : "";
  return html`<div class="line ${kind}"><span aria-hidden="true">${sign ?? ""}</span><span class="text">${said ? html`<span class="visually-hidden">${said} </span>` : ""}${cut(text)}</span></div>`;
}

function cut(text: string): string {
  const rest = text.length - longest;
  return rest <= 0
    ? plain(text)
    : `${plain(text.slice(0, longest))} ${t("editor.diff.cut", { n: count(rest, false) })}`;
}

/** Without the names of the files: those who show it say what is compared. */
function linesOf(text: string): readonly Line[] {
  const all = text.split("\n").filter((one) => !/^(?:={20,}|\\ |Index: )/.test(one));
  const start = all.findIndex((one) => one.startsWith("@@"));
  const header = (one: string, index: number) => index < start && /^(?:---|\+\+\+) /.test(one);
  return all
    .filter((one, index) => one !== "" && !header(one, index))
    .map((one) => {
      const kind = kinds[one[0] as string] ?? "same";
      return { kind, text: kind === "place" || kind === "note" ? one : one.slice(1) };
    });
}
