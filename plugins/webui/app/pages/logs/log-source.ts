/** Brings lines into the store: the newest page, then the stream, older pages on demand; held back while it is paused. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { call } from "../../client/http.ts";
import { type LogEntry, LogFeed } from "../../client/log-feed.ts";
import { type Filter, fits } from "./log-line.ts";
import { LogStore, mostLines } from "./log-store.ts";

export type SourceState = "loading" | "live" | "paused" | "lost" | "still";

interface Page {
  readonly logs: readonly LogEntry[];
  readonly before: string | null;
}

const pageLines = 200;

export class LogSource implements ReactiveController {
  readonly store = new LogStore();
  /** Why the last question failed. */
  error: Error | undefined;
  /** Why there is nothing to follow. */
  reason = "";
  /** Where older lines end; null: there are none, or they are out of reach. */
  before: string | null = null;
  isLoadingOlder = false;
  /** So many came while it is paused. */
  waiting = 0;
  readonly #host: ReactiveControllerHost;
  #filter: Filter = { level: "", plugin: "", query: "" };
  #feed: LogFeed | undefined;
  #link: "loading" | "live" | "lost" | "still" = "loading";
  #isPaused = false;
  /** Lines that came before the page they follow, or while it is paused. */
  #held: LogEntry[] = [];
  #isCatchingUp = false;
  #frame = 0;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get state(): SourceState {
    return this.#isPaused && this.#link === "live" ? "paused" : this.#link;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Older lines would not fit. */
  get isFull(): boolean {
    return this.store.lines.length + pageLines > mostLines;
  }

  hostConnected(): void {
    if (this.#feed) this.#feed.open();
  }

  hostDisconnected(): void {
    this.#feed?.close();
    cancelAnimationFrame(this.#frame);
  }

  /** Shows what fits from the newest on. */
  open(filter: Filter = this.#filter): void {
    this.#feed?.close();
    this.#filter = filter;
    this.#link = "loading";
    this.#held = [];
    this.waiting = 0;
    this.#isPaused = false;
    let isFirst = true;
    const feed = new LogFeed(() => filter.level, {
      opened: () => {
        void this.#catchUp(feed, isFirst);
        isFirst = false;
      },
      line: (entry) => this.#take(entry),
      closed: () => this.#become("lost"),
      refused: (reason) => {
        this.reason = reason;
        void this.#catchUp(feed, isFirst, "still");
      },
    });
    this.#feed = feed;
    feed.open();
    this.#host.requestUpdate();
  }

  pause(): void {
    this.#isPaused = true;
    this.#host.requestUpdate();
  }

  resume(): void {
    this.#isPaused = false;
    this.waiting = 0;
    this.#release();
  }

  async older(): Promise<void> {
    const { before } = this;
    const feed = this.#feed;
    if (before === null || this.isLoadingOlder || this.isFull) return;
    this.isLoadingOlder = true;
    this.#host.requestUpdate();
    const page = await this.#page(before);
    this.isLoadingOlder = false;
    if (page && feed === this.#feed && this.before === before) {
      this.store.older(page.logs);
      this.before = page.before;
    }
    this.#host.requestUpdate();
  }

  async #catchUp(feed: LogFeed, isFirst: boolean, link: "live" | "still" = "live"): Promise<void> {
    this.#isCatchingUp = true;
    const page = await this.#page();
    if (feed !== this.#feed) return;
    this.#isCatchingUp = false;
    // Memory holds other lines than the file.
    if (page && (isFirst || link === "still" || this.#link === "still")) {
      this.store.reset(page.logs);
      this.before = page.before;
    } else if (page) this.store.join(page.logs);
    if (!this.#isPaused) this.#release();
    this.#become(link);
  }

  async #page(before?: string): Promise<Page | undefined> {
    const { level, plugin, query } = this.#filter;
    const wanted = { level, plugin, query: query.trim(), before };
    const asked = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value));
    try {
      const page = await call<Page>("logs.recent", { limit: pageLines, ...asked });
      this.error = undefined;
      return page;
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      return undefined;
    }
  }

  #take(entry: LogEntry): void {
    if (!fits(entry, this.#filter)) return;
    if (this.#isPaused) this.waiting += 1;
    if (this.#isPaused || this.#isCatchingUp) {
      this.#held.push(entry);
      if (this.#held.length > mostLines * 2) this.#held.splice(0, mostLines);
    } else this.#put(entry);
    this.#soon();
  }

  #put(entry: LogEntry): void {
    this.store.add(entry);
    // What the cursor continues was left out: one would see a gap.
    if (this.store.dropped > 0) this.before = null;
  }

  #release(): void {
    for (const entry of this.#held.splice(0)) this.#put(entry);
    this.#soon();
  }

  #become(link: "live" | "lost" | "still"): void {
    if (link === "lost" && this.#link === "still") return;
    this.#link = link;
    this.#host.requestUpdate();
  }

  /** A burst of lines is one change of the page. */
  #soon(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#host.requestUpdate();
    });
  }
}
