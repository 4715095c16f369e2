/**
 * Brings lines into the store: the newest page, then the stream, older pages on demand. New lines are held back while it is
 * paused, and while somebody reads what they would push out.
 */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { call } from "../../client/http.ts";
import { type LogEntry, LogFeed, type LogFilter } from "../../client/log-feed.ts";
import { LogStore } from "./log-store.ts";

export type SourceState = "loading" | "live" | "paused" | "lost" | "still";

interface Page {
  readonly logs: readonly LogEntry[];
  readonly before: string | null;
}

const pageLines = 200;
/** A look back goes on until it has found so many. */
const fewLines = 50;

export class LogSource implements ReactiveController {
  readonly store = new LogStore();
  /** Why the last question failed. */
  error: Error | undefined;
  /** Why there is nothing to follow. */
  reason = "";
  /** Where older lines end; null: there are none, or they are out of reach. */
  before: string | null = null;
  isLoadingOlder = false;
  readonly #host: ReactiveControllerHost & Element;
  #filter: LogFilter = { level: "", plugin: "", query: "" };
  #feed: LogFeed | undefined;
  #link: "loading" | "live" | "lost" | "still" = "loading";
  #isPaused = false;
  #isReading = false;
  /** The page is there that the stream follows. */
  #isFilled = false;
  /** The newest page is on its way: the last of those that were asked for counts. Holds what the stream tells meanwhile. */
  #early: LogStore | undefined;
  #held = new LogStore();
  #frame = 0;

  constructor(host: ReactiveControllerHost & Element) {
    this.#host = host;
    host.addController(this);
  }

  get state(): SourceState {
    return this.#isPaused && this.#link === "live" ? "paused" : this.#link;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** So many came that are held back. */
  get waiting(): number {
    return this.#held.dropped + this.#held.lines.length;
  }

  hostConnected(): void {
    this.#feed?.open();
  }

  hostDisconnected(): void {
    this.#feed?.close();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** Shows what fits from the newest on. */
  open(filter: LogFilter = this.#filter): void {
    this.#feed?.close();
    this.#filter = { ...filter, query: filter.query.trim() };
    this.#link = "loading";
    this.#isFilled = false;
    this.#early = undefined;
    this.#held = new LogStore();
    this.isLoadingOlder = false;
    const feed = new LogFeed(this.#filter, {
      opened: () => void this.#catchUp("live"),
      line: (entry) => this.#take(entry),
      closed: () => this.#become("lost"),
      refused: (reason) => {
        this.reason = reason;
        void this.#catchUp("still");
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
    this.#release();
  }

  /** While somebody reads, what is there stays there. */
  read(isReading: boolean): void {
    this.#isReading = isReading;
    this.#release();
  }

  async older(): Promise<void> {
    const feed = this.#feed;
    if (this.isLoadingOlder || !this.#hasOlder) return;
    this.isLoadingOlder = true;
    const { start } = this.store;
    while (this.#hasOlder && start - this.store.start < fewLines) {
      this.#host.requestUpdate();
      const { before } = this;
      const page = await this.#page(before ?? undefined);
      if (feed !== this.#feed) return;
      if (!page || this.before !== before) break;
      this.store.older(page.logs);
      this.before = page.before;
    }
    this.isLoadingOlder = false;
    this.#host.requestUpdate();
  }

  get #hasOlder(): boolean {
    return this.before !== null && !this.store.isFull;
  }

  async #catchUp(link: "live" | "still"): Promise<void> {
    const early = new LogStore();
    this.#early = early;
    const page = await this.#page();
    if (early !== this.#early) return;
    this.#early = undefined;
    if (page) this.#fill(page, link);
    this.#target.take(early);
    this.#become(link);
    this.#changed();
    if (this.store.lines.length < fewLines) void this.older();
  }

  #fill({ logs, before }: Page, link: "live" | "still"): void {
    // Memory holds other lines than the file.
    const isSame = this.#isFilled && link === "live" && this.#link !== "still";
    if (isSame) {
      this.#target.join(logs, this.#held.lines.at(-1) ?? this.store.lines.at(-1));
      return;
    }
    this.#isFilled = true;
    this.#held = new LogStore();
    this.store.reset(logs);
    this.before = before;
  }

  async #page(before?: string): Promise<Page | undefined> {
    const asked = Object.entries({ ...this.#filter, before }).filter(([, value]) => value);
    try {
      const page = await call<Page>("logs.recent", { limit: pageLines, ...Object.fromEntries(asked) });
      this.error = undefined;
      return page;
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      return undefined;
    }
  }

  get #isHolding(): boolean {
    return this.#isPaused || (this.#isReading && this.store.isFull);
  }

  /** Where new lines go. */
  get #target(): LogStore {
    return this.#isHolding ? this.#held : this.store;
  }

  #take(entry: LogEntry): void {
    (this.#early ?? this.#target).add(entry);
    this.#changed();
  }

  #release(): void {
    if (!this.#isHolding) {
      this.store.take(this.#held);
      this.#held = new LogStore();
    }
    this.#changed();
  }

  #become(link: "live" | "lost" | "still"): void {
    if (link === "lost" && this.#link === "still") return;
    this.#link = link;
    this.#host.requestUpdate();
  }

  /** A burst of lines is one change of the page, and none while nobody sees it. */
  #changed(): void {
    // What the cursor continues was left out: one would see a gap.
    if (this.store.dropped > 0) this.before = null;
    if (this.#frame !== 0 || !this.#host.checkVisibility()) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#host.requestUpdate();
    });
  }
}
