/** The log: live, filtered, searched, paused, and back to its beginning. What is asked for stands in the page's address. */
import { css, html, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { LogFilter } from "../../client/log-feed.ts";
import { href, type Place, router } from "../../client/router.ts";
import { type Key, t } from "../../i18n/locale.ts";
import "../../parts/icon.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import "./log-details.ts";
import { save } from "./log-file.ts";
import type { Line } from "./log-line.ts";
import { LogSource } from "./log-source.ts";
import { mostLines } from "./log-store.ts";
import "./log-window.ts";
import type { LogWindow } from "./log-window.ts";

const levels = ["", "info", "warn", "error"] as const;
const nothingAsked: LogFilter = { level: "", plugin: "", query: "" };
const typingMs = 300;

@customElement("chela-page-logs")
export class LogsPage extends Part {
  static override styles = [
    ...Part.styles,
    css`
      :host { height: 100%; }
      .page { max-width: none; height: 100%; display: flex; flex-direction: column; padding-bottom: 1rem; }
      .page > header { margin-bottom: 0.6rem; }
      logs-window { flex: 1; min-height: 12rem; }
      .bar { margin-bottom: 0.6rem; gap: 0.5rem; }
      .bar label { display: contents; }
      .bar select { width: auto; max-width: 12rem; }
      .bar input { flex: 1; min-width: 10rem; width: auto; }
      .above { min-height: 1.9rem; display: flex; align-items: center; gap: 0.6rem; flex-wrap: wrap; }
      .state { display: inline-flex; align-items: center; gap: 0.4rem; }
      .dot { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--text-2); }
      .live .dot { background: var(--ok); } .lost .dot { background: var(--bad); } .paused .dot { background: var(--warn); }
      .list { position: relative; flex: 1; min-height: 0; display: flex; flex-direction: column; }
      .newest { position: absolute; inset: auto 1.2rem 1rem auto; box-shadow: var(--shadow); }
      .empty { position: absolute; inset: 30% 1rem auto; text-align: center; }
      @media (max-width: 640px) { .bar select { flex: 1; } .bar input { flex: 1 0 100%; } }
    `,
  ];

  @property({ attribute: false }) place: Place | undefined;
  @state() private filter = nothingAsked;
  /** The line that is shown in full. */
  @state() private opened: Line | undefined;
  @state() private plugins: readonly string[] = [];
  @query("logs-window") private list?: LogWindow;
  readonly #source = new LogSource(this);
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** Not asked for yet. */
  #typed: string | undefined;
  #isOpen = false;
  /** Where the newest line was when one stopped to follow. */
  #left = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(document, "pagechange", () => this.requestUpdate());
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("place")) this.arrive();
    this.learn();
  }

  override render() {
    const { store } = this.#source;
    const { lines, start } = store;
    return html`<div class="page">
      <header><h1>${t("logs.title")}</h1>${this.state()}</header>
      <div class="row bar">${this.choices()}${this.buttons()}</div>
      ${this.failure()}
      <div class="above small">${this.above()}</div>
      <div class="list">
        <logs-window .lines=${lines} .start=${start} .length=${start + lines.length} .query=${this.filter.query}
          @open=${(event: CustomEvent<number>) => {
            this.opened = lines[event.detail];
          }} @top=${() => this.#source.older()} @follow=${this.followed}></logs-window>
        ${lines.length === 0 ? this.empty() : nothing} ${this.newest()}
      </div>
      <logs-details .line=${this.opened}
        @close=${this.closed} @go=${(event: CustomEvent<number>) => this.step(event.detail)}></logs-details>
    </div>`;
  }

  private state() {
    const { state, reason, waiting, store } = this.#source;
    return html`<div class="row small">
      <span class="state ${state}" role="status"><span class="dot"></span>${t(`logs.state.${state}`, { reason: short(reason) })}</span>
      <span class="muted">${waiting > 0 ? t("logs.waiting", { n: waiting }) : t("logs.count", { n: store.lines.length })}</span>
    </div>`;
  }

  private choices() {
    const { level, plugin, query } = this.filter;
    const known = plugin === "" || this.plugins.includes(plugin) ? this.plugins : [...this.plugins, plugin];
    return html`
      <select aria-label=${t("logs.level")} @change=${(event: Event) => this.ask({ level: chosen(event) })}>
        ${levels.map((one) => html`<option value=${one} ?selected=${one === level}>${t(`logs.level.${one || "all"}` as Key)}</option>`)}
      </select>
      <select aria-label=${t("logs.plugin")} @change=${(event: Event) => this.ask({ plugin: chosen(event) })}>
        <option value="" ?selected=${plugin === ""}>${t("logs.plugin.all")}</option>
        <option value="kernel" ?selected=${plugin === "kernel"}>${t("logs.plugin.kernel")}</option>
        ${known.filter((one) => one !== "kernel").map((one) => html`<option value=${one} ?selected=${one === plugin}>${one}</option>`)}
      </select>
      <input type="search" aria-label=${t("logs.search")} placeholder=${t("logs.search")} maxlength="200" .value=${query} @input=${this.typed} />`;
  }

  private buttons() {
    const { isPaused, store } = this.#source;
    return html`
      <button aria-pressed=${isPaused} @click=${() => (isPaused ? this.#source.resume() : this.#source.pause())}>
        <ui-icon name=${isPaused ? "play" : "pause"}></ui-icon>${t(isPaused ? "logs.resume" : "logs.pause")}</button>
      <button title=${t("logs.download.hint")} ?disabled=${store.lines.length === 0} @click=${() => save(store.lines)}>
        <ui-icon name="download"></ui-icon>${t("logs.download")}</button>`;
  }

  private failure() {
    const { error } = this.#source;
    if (!error) return nothing;
    return html`<div class="notice bad spread" role="alert"><span class="wrap">${short(error.message)}</span>
      <button class="small" @click=${() => this.#source.open()}>${t("ui.retry")}</button></div>`;
  }

  /** What there is before the first line. */
  private above() {
    const { before, isLoadingOlder, state, store } = this.#source;
    const anew = html`<button class="small" @click=${() => this.#source.open()}>${t("ui.reload")}</button>`;
    if (isLoadingOlder) return html`<span class="muted" role="status">${t("logs.older.busy")}</span>`;
    if (store.dropped > 0) return html`<span class="muted">${t("logs.dropped", { n: store.dropped })}</span>${anew}`;
    if (before !== null && store.isFull)
      return html`<span class="muted">${t("logs.full", { n: mostLines })}</span>${anew}`;
    if (before !== null)
      return html`<button class="small" @click=${() => this.#source.older()}>${t("logs.older")}</button>`;
    return state === "loading" || store.lines.length === 0
      ? nothing
      : html`<span class="muted">${t("logs.start")}</span>`;
  }

  private newest() {
    const { store } = this.#source;
    if (!this.list || this.list.isFollowing || store.lines.length === 0) return nothing;
    const n = store.start + store.lines.length + this.#source.waiting - this.#left;
    return html`<button class="newest primary small" @click=${() => this.list?.toNewest()}>
      <ui-icon name="chevron-down"></ui-icon>${n > 0 ? t("logs.newest.count", { n }) : t("logs.newest")}</button>`;
  }

  private empty() {
    const isFiltered = Object.values(this.filter).some((value) => value !== "");
    const { state, error, isLoadingOlder } = this.#source;
    if (state === "loading" || error || isLoadingOlder) return nothing;
    return html`<div class="empty muted"><p>${t(isFiltered ? "logs.none.found" : "logs.none")}</p>
      ${isFiltered ? html`<button @click=${() => this.ask(nothingAsked)}>${t("logs.none.clear")}</button>` : nothing}</div>`;
  }

  /** A bare address keeps what was asked for before. */
  private arrive(): void {
    const asked = this.place?.query;
    const isBare = !asked || !["level", "plugin", "q"].some((name) => asked.has(name));
    const get = (name: string) => (asked?.get(name) ?? "").slice(0, 200);
    const next = isBare ? this.filter : { level: get("level"), plugin: get("plugin"), query: get("q") };
    if (this.#isOpen && JSON.stringify(next) === JSON.stringify(this.filter)) return;
    this.#isOpen = true;
    this.show(next);
  }

  private ask(more: Partial<LogFilter>): void {
    clearTimeout(this.#typing);
    this.show({ ...this.filter, query: this.#typed ?? this.filter.query, ...more });
    this.#typed = undefined;
    // What was typed right before one went elsewhere does not lead back.
    if (router.place.panel !== "logs") return;
    const { level, plugin, query: q } = this.filter;
    const asked = new URLSearchParams(Object.entries({ level, plugin, q }).filter(([, value]) => value !== ""));
    router.go(`${href("logs")}${asked.size > 0 ? `?${asked}` : ""}`, { replace: true });
  }

  private show(filter: LogFilter): void {
    this.filter = levels.some((level) => level === filter.level) ? filter : { ...filter, level: "" };
    this.opened = undefined;
    this.#source.open(this.filter);
    this.list?.toNewest();
  }

  private typed(event: Event): void {
    this.#typed = chosen(event);
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.ask({}), typingMs);
  }

  private followed(): void {
    const { start, lines } = this.#source.store;
    this.#left = start + lines.length;
    this.#source.read(this.list?.isFollowing === false);
  }

  /** From a line that was left out meanwhile, to the first. */
  private step(by: number): void {
    const { lines } = this.#source.store;
    const at = this.opened ? lines.indexOf(this.opened) : -1;
    const place = Math.min(Math.max(at + by, 0), lines.length - 1);
    this.list?.choose(place);
    this.opened = lines[place] ?? this.opened;
  }

  private closed(): void {
    this.opened = undefined;
  }

  /** Plugins are offered once one of their lines was seen. */
  private learn(): void {
    const found = new Set(this.plugins);
    for (const { plugin } of this.#source.store.lines.slice(-200)) if (plugin !== "") found.add(plugin);
    if (found.size !== this.plugins.length) this.plugins = [...found].sort().slice(0, 200);
  }
}

function chosen(event: Event): string {
  return (event.target as HTMLInputElement | HTMLSelectElement).value;
}
