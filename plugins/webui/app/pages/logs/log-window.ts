/**
 * `<logs-window>`: a long list of which only what can be seen is in the document. All rows are of one height. It stays at the
 * newest line while one looks at it, and where it is otherwise, whatever comes or goes in front.
 */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { languages, t } from "../../i18n/locale.ts";
import { Part } from "../../parts/part.ts";
import { styled } from "../../parts/styled.ts";
import { finds, type Line } from "./log-line.ts";

const narrow = "(max-width: 640px)";
const around = 20;
const mostRows = 160;
const nearTop = 300;
const steps: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, PageUp: -15, PageDown: 15 };

@customElement("logs-window")
export class LogWindow extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { min-height: 0; }
      .view { height: 100%; overflow: auto; overflow-anchor: none; background: var(--surface); border: 1px solid var(--border); border-radius: var(--radius-s); contain: strict; }
      .view:focus-visible { outline-offset: -2px; }
      .all { position: relative; overflow: hidden; min-width: 100%; }
      .rows { position: absolute; inset: 0 0 auto 0; font-family: var(--mono); font-size: 0.82rem; }
      .row { display: flex; flex-wrap: nowrap; gap: 0.6rem; height: 26px; align-items: center; padding: 0 0.7rem; cursor: pointer; white-space: pre; overflow: hidden; border-inline-start: 3px solid transparent; }
      .row:hover { background: var(--surface-2); }
      .row[aria-selected="true"] { background: var(--accent-soft); }
      .WARN { border-color: var(--warn); } .ERROR { border-color: var(--bad); }
      .row.gap { border-top: 2px dashed var(--warn); }
      .level { width: 3.2rem; flex: none; font-weight: 600; }
      .WARN .level { color: var(--warn); } .ERROR .level { color: var(--bad); } .DEBUG .level, time { color: var(--text-2); }
      time { flex: none; }
      .plugin { width: 6.5rem; flex: none; color: var(--info); }
      .text { flex: 1; min-width: 0; }
      .more { color: var(--text-2); }
      mark { background: var(--warn-soft); color: var(--text); outline: 1px solid var(--warn); border-radius: 2px; }
      @media (max-width: 640px) {
        .row { height: 46px; display: grid; grid-template-columns: auto auto 1fr; gap: 0 0.6rem; align-content: center; }
        .text { grid-column: 1 / -1; }
        .level, .plugin { width: auto; }
      }
    `,
  ];

  @property({ attribute: false }) lines: readonly Line[] = [];
  /** Falls by what was put in front, grows by what left there; other lines begin anew. */
  @property({ type: Number }) start = 0;
  @property() query = "";
  /** Changes whenever the lines do: the list itself stays the same. */
  @property({ type: Number }) length = 0;
  @state() private top = 0;
  @state() private chosen = -1;
  @state() private isNarrow = matchMedia(narrow).matches;
  @query(".view") private view?: HTMLElement;
  isFollowing = true;
  readonly #sized = new ResizeObserver(() => this.requestUpdate());

  override connectedCallback(): void {
    super.connectedCallback();
    const media = matchMedia(narrow);
    this.listen(media, "change", () => {
      this.isNarrow = media.matches;
    });
    this.#sized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sized.disconnect();
  }

  /** And stays there. */
  toNewest(): void {
    this.follow(true);
    this.requestUpdate();
  }

  /** The line before or after another, for those who read one at a time. */
  choose(place: number): void {
    this.chosen = Math.min(Math.max(place, 0), this.lines.length - 1);
    this.intoView(this.chosen);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("start");
    if (changed.has("lines")) this.chosen = -1;
    else if (before !== undefined && this.chosen >= 0) this.chosen = Math.max(-1, this.chosen + before - this.start);
  }

  override render() {
    const { lines, height, chosen } = this;
    const seen = Math.ceil((this.view?.clientHeight ?? 800) / height);
    const from = Math.max(0, Math.min(Math.floor(this.top / height), lines.length - seen) - around);
    const until = Math.min(lines.length, from + Math.min(mostRows, seen + 2 * around));
    const time = timeFormat();
    const rows = Array.from({ length: until - from }, (_, index) => this.row(from + index, time));
    return html`<div class="view" role="listbox" tabindex="0" aria-label=${t("logs.lines")} aria-description=${t("logs.keys")}
        aria-activedescendant=${chosen >= from && chosen < until ? `l${chosen}` : nothing} @scroll=${this.scrolled} @keydown=${this.key}>
      <div class="all" role="presentation" ${styled({ height: `${lines.length * height}px` })}>
        <div class="rows" role="presentation" ${styled({ transform: `translateY(${from * height}px)` })}>${rows}</div>
      </div>
    </div>`;
  }

  override updated(changed: PropertyValues<this>): void {
    const { view } = this;
    if (!view) return;
    const before = changed.get("start");
    if (this.isFollowing) view.scrollTop = view.scrollHeight;
    else if (before !== undefined && !changed.has("lines")) view.scrollTop += (before - this.start) * this.height;
    if (this.top !== view.scrollTop) this.top = view.scrollTop;
  }

  private get height(): number {
    return this.isNarrow ? 46 : 26;
  }

  private row(place: number, time: (at: number) => string): TemplateResult {
    const { level, at, plugin, text, more, afterGap } = this.lines[place] as Line;
    return html`<div class="row ${level} ${afterGap ? "gap" : ""}" role="option" id="l${place}" aria-selected=${place === this.chosen}
      aria-posinset=${place + 1} aria-setsize=${this.lines.length} title=${afterGap ? t("logs.gap") : nothing} @click=${() => this.open(place)}>
      ${afterGap ? html`<span class="visually-hidden">${t("logs.gap")}</span>` : nothing}
      <time>${time(at)}</time><span class="level">${level}</span><span class="plugin clip">${this.marked(plugin)}</span>
      <span class="text clip">${this.marked(text)} <span class="more">${this.marked(more)}</span></span>
    </div>`;
  }

  private marked(text: string): unknown {
    if (this.query === "") return text;
    return finds(text, this.query).map((piece, place) => (place % 2 === 1 ? html`<mark>${piece}</mark>` : piece));
  }

  private scrolled(): void {
    const { view } = this;
    if (!view) return;
    this.top = view.scrollTop;
    this.follow(view.scrollTop + view.clientHeight >= view.scrollHeight - this.height);
    if (view.scrollTop < nearTop && !this.isFollowing) this.dispatchEvent(new Event("top"));
  }

  private follow(isFollowing: boolean): void {
    if (isFollowing === this.isFollowing) return;
    this.isFollowing = isFollowing;
    this.dispatchEvent(new Event("follow"));
  }

  private key(event: KeyboardEvent): void {
    const last = this.lines.length - 1;
    const at = this.chosen < 0 ? last + (event.key === "ArrowDown" || event.key === "PageDown" ? 0 : 1) : this.chosen;
    const step = steps[event.key];
    if (event.key === "End") {
      this.chosen = last;
      this.toNewest();
    } else if (event.key === "Home") this.choose(0);
    else if (step !== undefined) this.choose(at + step);
    else if ((event.key === "Enter" || event.key === " ") && this.chosen >= 0) this.open(this.chosen);
    else return;
    event.preventDefault();
  }

  private intoView(place: number): void {
    const { view, height } = this;
    if (!view) return;
    const top = place * height;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + height > view.scrollTop + view.clientHeight) view.scrollTop = top + height - view.clientHeight;
  }

  private open(place: number): void {
    this.chosen = place;
    this.dispatchEvent(new CustomEvent("open", { detail: place }));
  }
}

/** To the millisecond; the day where it is not today. */
function timeFormat(): (at: number) => string {
  const parts = {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
  } as const;
  const clock = new Intl.DateTimeFormat(languages.locale, parts);
  const whole = new Intl.DateTimeFormat(languages.locale, { month: "2-digit", day: "2-digit", ...parts });
  const today = new Date().setHours(0, 0, 0, 0);
  return (at) => (Number.isNaN(at) ? "–" : (at >= today ? clock : whole).format(at));
}
