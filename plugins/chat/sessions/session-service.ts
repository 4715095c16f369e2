/**
 * The `sessions` service: the table with what belongs to it but is not needed at once (search, lists in pages, export,
 * import), which is loaded when it is first asked for. What changes a whole session waits for the turns in it to end.
 */
import {
  type HistoryWindow,
  KeyedLock,
  type NewMessage,
  type SessionInfo,
  type SessionQuery,
  type Sessions,
} from "@chela/sdk";
import type { Indexer } from "./search/indexer.ts";
import type { Found, Search } from "./search/search.ts";
import type { SessionDetails } from "./session-details.ts";
import type { SessionServiceOptions } from "./session-parts.ts";
import { epochOf, movable } from "./session-rows.ts";
import { SessionTable } from "./session-table.ts";
import type { ImportOptions, ImportReport, Source } from "./transcript/import.ts";

/** After the start: so long the gateway has other things to do. */
const usualRestMs = 3_000;
/** After a fault of the database. */
const pauseMs = 60_000;

interface Searching {
  readonly indexer: Indexer;
  readonly search: Search;
}

export class SessionService implements Sessions {
  readonly table: SessionTable;
  readonly #options: SessionServiceOptions;
  readonly #imports = new KeyedLock();
  /** What a session is changes once at a time: a fork sees one state of it, however long it takes. */
  readonly #changes = new KeyedLock();
  #opening: Promise<Searching> | undefined;
  #indexer: Indexer | undefined;
  #restUntil: number;
  #closed = false;

  constructor(options: SessionServiceOptions) {
    this.#options = options;
    this.#restUntil = performance.now() + (options.restMs ?? usualRestMs);
    this.table = new SessionTable(options.store, {
      onAppend: (key) => this.#indexer?.touch(key),
      moved: options.moved,
      forget: async (log) => {
        await options.forget?.log(log);
        await this.#indexer?.forget(log);
        await (await options.store.textIndex(indexName)).remove(log);
      },
    });
  }

  append(key: string, messages: readonly NewMessage[]): Promise<number> {
    return this.table.append(key, messages);
  }

  history(key: string, window?: HistoryWindow) {
    return this.table.history(key, window);
  }

  list(limit?: number): Promise<readonly SessionInfo[]> {
    return this.table.list({ limit });
  }

  remove(key: string): Promise<boolean> {
    return this.#change(key, async () => {
      const removed = await this.table.remove(key);
      this.#options.left?.(key);
      return removed;
    });
  }

  async rename(key: string, to: string): Promise<void> {
    // First, so that one that cannot be ends nothing that runs.
    await movable(this.#options.store, key, to);
    if (key === to) return;
    const work = async () => {
      await this.table.rename(key, to);
      this.#options.left?.(key, to);
    };
    await this.#change(key, work).finally(() => this.#options.forget?.key(to));
  }

  /**
   * Ends what runs in a session and removes its messages from `seq` on: the next one gets this number. Resolves to how many
   * are gone. Throws `SESSION_UNKNOWN` 404.
   */
  async rewind(key: string, seq: number): Promise<number> {
    const { placeNamed, rewindSession } = await import("./rewind.ts");
    await placeNamed(this.#options.store, key);
    const work = async () => rewindSession(this.#options, this.table, { key, seq, ...(await this.#searching()) });
    const { removed, loose } = await this.#change(key, () => this.table.alone(key, work));
    if (loose !== undefined) await this.#empty(loose);
    return removed;
  }

  /** Begins the session `to` with the messages before `seq`; what runs goes on. Throws `SESSION_UNKNOWN` 404, `SESSION_EXISTS` 409. */
  async fork(key: string, seq: number, to: string): Promise<void> {
    const { store, forget, copied = async () => {} } = this.#options;
    const work = async () => {
      const { forkSession } = await import("./rewind.ts");
      await forkSession({ store, logs: this.table.logs }, { key, to, seq }, copied);
    };
    await this.#changes.run(key, () => this.table.alone(to, work)).finally(() => forget?.key(to));
    this.#indexer?.touch(to);
  }

  /** While it is the same, so are the messages that had a number. Undefined: there is no such session. */
  epoch(key: string): Promise<string | undefined> {
    return epochOf(this.#options.store, key);
  }

  /** What a list may show beside its rows, by key. */
  async details(keys: readonly string[]): Promise<ReadonlyMap<string, SessionDetails>> {
    const { store, running, agents } = this.#options;
    const { sessionDetails } = await import("./session-details.ts");
    return sessionDetails(store, keys, { running: running?.() ?? new Set(), agents });
  }

  async search(query: SessionQuery) {
    return (await this.find(query)).hits;
  }

  /** The same, with the number of messages that could not be looked at yet. */
  async find(query: SessionQuery): Promise<Found> {
    return (await this.#searching()).search.find(query);
  }

  /** One at a time in a session, and none during a turn: two at once would not see what the other one stores. */
  import(source: Source, options: ImportOptions): Promise<ImportReport> {
    const { between = (_key, _signal, work) => work() } = this.#options;
    const work = async () => {
      options.onProgress?.(0);
      const { importSession } = await import("./transcript/import.ts");
      return importSession(this.table, source, options);
    };
    return this.#imports.run(source.key, () => (options.dryRun ? work() : between(source.key, options.signal, work)));
  }

  /** Looks through all messages again; what is found already stays found meanwhile. */
  async reindex(): Promise<void> {
    await (await this.#searching()).indexer.rescan();
  }

  /** Once a second: brings the search up to date. Never throws. */
  async round(): Promise<void> {
    if (this.#closed || performance.now() < this.#restUntil) return;
    try {
      if (this.#indexer === undefined) await this.table.logs.sweep();
      await (await this.#searching()).indexer.round();
    } catch (error) {
      this.#restUntil = performance.now() + pauseMs;
      if (!this.#closed)
        this.#options.log.warn({ error }, "the search index is not up to date; it is tried again in a minute");
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#indexer?.close(), this.table.logs.close(), this.table.flush()]);
  }

  /** Ends what runs in a session; then nothing else changes it. */
  #change<T>(key: string, work: () => Promise<T>): Promise<T> {
    return this.#options.alone(key, () => this.#changes.run(key, work));
  }

  /** What is left of a session is nobody's any more: when it cannot be removed now, the next start does it. */
  async #empty(log: string): Promise<void> {
    await this.table.logs.empty(log).catch((error: unknown) => {
      if (!this.#closed) this.#options.log.warn({ error }, "messages that are gone still take room on the disk");
    });
  }

  #searching(): Promise<Searching> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Searching> {
    const { store, summary = async () => undefined } = this.#options;
    const [{ Indexer }, { Search }] = await Promise.all([import("./search/indexer.ts"), import("./search/search.ts")]);
    const index = await store.textIndex(indexName);
    const indexer = new Indexer({ store, index });
    this.#indexer = indexer;
    return { indexer, search: new Search({ store, index, indexer, summary }) };
  }
}

const indexName = "chat_messages";
