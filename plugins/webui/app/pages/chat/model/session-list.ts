/** The list of sessions, the most recently used first: read page by page, and kept as it is in the gateway by its events. */
import { gateway } from "../../../client/gateway.ts";
import { call } from "../../../client/http.ts";
import { Memory } from "../../../client/memory.ts";
import { remember, remembered } from "../../../client/storage.ts";
import { plain } from "../../../parts/plain.ts";
import type { SessionRow } from "./wire.ts";

interface Page {
  readonly sessions: readonly SessionRow[];
  readonly nextCursor?: string;
}

const page = 100;
/** A turn tells several things at once. */
const calmMs = 250;

export class SessionList extends EventTarget {
  rows: readonly SessionRow[] = [];
  state: "loading" | "ready" | Error = "loading";
  readonly #memory = new Memory<number>("chat.seen", 1000);
  readonly #seen = this.#memory.all();
  readonly #since = firstVisit();
  /** Those that people opened further down than the list was read. */
  readonly #others = new Map<string, SessionRow>();
  #cursor: string | undefined;
  #pending: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;

  /** Returns its own undo. */
  open(): () => void {
    void this.refresh();
    const again = () => void this.refresh();
    gateway.addEventListener("back", again);
    const undo = gateway.on(["session_changed", "turn_started"], ({ type, session, deleted }) => {
      const key = String(session);
      if (deleted === true) this.#others.delete(key);
      else if (this.#others.has(key)) void this.look(key);
      if (deleted === true) this.#set(this.rows.filter(({ key }) => key !== session));
      else if (type === "turn_started")
        this.#set(this.rows.map((row) => (row.key === session ? { ...row, running: true } : row)));
      this.#soon();
    });
    return () => {
      undo();
      gateway.removeEventListener("back", again);
      clearTimeout(this.#pending);
    };
  }

  get hasMore(): boolean {
    return this.#cursor !== undefined;
  }

  find(key: string): SessionRow | undefined {
    return this.rows.find((row) => row.key === key) ?? this.#others.get(key);
  }

  /** Reads what a list that is not read so far has of a session, if there is one. */
  async look(key: string): Promise<void> {
    const { session } = await call<{ session: SessionRow | null }>("sessions.info", { key }).catch(() => ({
      session: null,
    }));
    if (session === null) return;
    this.#others.set(key, session);
    this.#set(this.rows);
  }

  /** Something was said there since it was open here last. */
  isUnread({ key, updated_at = 0 }: SessionRow): boolean {
    return updated_at > (this.#seen.get(key) ?? this.#since);
  }

  saw(key: string): void {
    const { updated_at = Date.now() } = this.find(key) ?? {};
    if ((this.#seen.get(key) ?? 0) >= updated_at) return;
    this.#seen.set(key, updated_at);
    this.#memory.set(key, updated_at);
    this.#set(this.rows);
  }

  /** Reads the first page anew; what lies behind it stays, since only what was used moves. */
  async refresh(): Promise<void> {
    try {
      const { sessions, nextCursor } = await this.#ask(undefined);
      const fresh = new Set(sessions.map(({ key }) => key));
      const isFirst = this.state !== "ready" || this.rows.length <= page;
      if (isFirst || nextCursor === undefined) this.#cursor = nextCursor;
      const behind = isFirst || nextCursor === undefined ? [] : this.rows.filter(({ key }) => !fresh.has(key));
      this.state = "ready";
      this.#set([...sessions, ...behind]);
    } catch (error) {
      if (this.state !== "ready") this.state = error instanceof Error ? error : new Error(String(error));
      this.#set(this.rows);
    }
  }

  /** All of them, as long as `wanted` says so. */
  async all(wanted: () => boolean): Promise<void> {
    while (this.#cursor !== undefined && !this.#isLoading && wanted()) await this.more();
  }

  async more(): Promise<void> {
    if (this.#isLoading || this.#cursor === undefined) return;
    this.#isLoading = true;
    try {
      const { sessions, nextCursor } = await this.#ask(this.#cursor);
      const known = new Set(this.rows.map(({ key }) => key));
      this.#cursor = nextCursor;
      this.#set([...this.rows, ...sessions.filter(({ key }) => !known.has(key))]);
    } finally {
      this.#isLoading = false;
    }
  }

  #ask(cursor: string | undefined): Promise<Page> {
    return call<Page>("sessions.list", { limit: page, details: true, ...(cursor !== undefined && { cursor }) });
  }

  #soon(): void {
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => void this.refresh(), calmMs);
  }

  #set(rows: readonly SessionRow[]): void {
    this.rows = rows;
    this.dispatchEvent(new Event("change"));
  }
}

/** What is older than the first visit of this browser is not news. */
function firstVisit(): number {
  const kept = Number(remembered("chat.since"));
  if (kept > 0) return kept;
  remember("chat.since", String(Date.now()));
  return Date.now();
}

/** What people call a session, fit to be shown. */
export function sessionName({ key, title, first }: SessionRow): string {
  return plain(title ?? "") || bare(first) || plain(key);
}

/** A line of what was said, without the marks of Markdown and the paths of files. */
export function bare(text = ""): string {
  return plain(text)
    .replace(/\[file: [^\]]*(?:\]|$)/g, "")
    .replace(/[#*`>|]+/g, "")
    .trim();
}
