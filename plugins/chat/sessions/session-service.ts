/**
 * The `sessions` service: the table with what belongs to it but is not needed at once (search, lists in pages, export,
 * import), which is loaded when it is first asked for. What changes a whole session waits for the turns in it to end.
 */
import {
  type HistoryWindow,
  KeyedLock,
  type Logger,
  type NewMessage,
  type Query,
  type SessionInfo,
  type SessionQuery,
  type Sessions,
  type Store,
} from "@chela/sdk";
import type { Indexer } from "./search/indexer.ts";
import type { Found, Search } from "./search/search.ts";
import type { SessionDetails } from "./session-details.ts";
import { epochOf, movable } from "./session-rows.ts";
import { SessionTable, type SessionTableOptions } from "./session-table.ts";
import type { ImportOptions, ImportReport, Source } from "./transcript/import.ts";

/** After the start: so long the gateway has other things to do. */
const usualRestMs = 3_000;
/** After a fault of the database. */
const pauseMs = 60_000;

export interface SessionServiceOptions {
  readonly store: Store;
  readonly log: Pick<Logger, "warn">;
  /** Ends what runs in a session and keeps it free for the time of `work`. */
  readonly alone: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  /** Keeps a session free for the time of `work` once what runs there, and whoever came before, is done. */
  readonly between?: <T>(key: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  /** Of a log that was emptied, or of a key that stands for another log now: what else is known of it is not true any more. */
  readonly forget?: { log(log: string): Promise<void>; key(key: string): void };
  readonly moved?: SessionTableOptions["moved"];
  /** In the commit that removes the messages of a log from `seq` on. */
  readonly cut?: (query: Query, gone: { key: string; log: string; seq: number }) => Promise<void>;
  /** In the commit that begins the session `to` with the messages of another one before `seq`. */
  readonly copied?: (query: Query, copy: SessionCopy) => Promise<void>;
  /** After that commit. */
  readonly left?: (key: string, to?: string) => void;
  /** Of the older part of a log, where there is one. */
  readonly summary?: (log: string) => Promise<string | undefined>;
  /** Sessions in which a turn runs. */
  readonly running?: () => ReadonlySet<string>;
  /** Who answers in these sessions, where that was settled. */
  readonly agents?: (keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Before the index is looked after for the first time. */
  readonly restMs?: number;
}

export interface SessionCopy {
  readonly key: string;
  readonly log: string;
  readonly to: string;
  readonly toLog: string;
  readonly seq: number;
}

interface Searching {
  readonly indexer: Indexer;
  readonly search: Search;
}

export class SessionService implements Sessions {
  readonly table: SessionTable;
  readonly #options: SessionServiceOptions;
  readonly #imports = new KeyedLock();
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
    return this.#options.alone(key, async () => {
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
    await this.#options.alone(key, work).finally(() => this.#options.forget?.key(to));
  }

  /**
   * Ends what runs in a session and removes its messages from `seq` on: the next one gets this number. Resolves to how many
   * are gone. Throws `SESSION_UNKNOWN` 404.
   */
  async rewind(key: string, seq: number): Promise<number> {
    const { store, alone, cut } = this.#options;
    const { cutSession, placeNamed } = await import("./rewind.ts");
    await placeNamed(store, key);
    const work = async () => {
      const { log, last } = await placeNamed(store, key);
      if (seq > last) return 0;
      const { indexer } = await this.#searching();
      const remove = async (query: Query) => {
        await cutSession(query, key, log, seq);
        await cut?.(query, { key, log, seq });
      };
      await indexer.cut(key, log, seq, () => store.transaction(remove));
      return last - seq + 1;
    };
    return alone(key, () => this.table.alone(key, work));
  }

  /** Begins the session `to` with the messages before `seq`; what runs goes on. Throws `SESSION_UNKNOWN` 404, `SESSION_EXISTS` 409. */
  async fork(key: string, seq: number, to: string): Promise<void> {
    const { store, forget, copied } = this.#options;
    const { copySession } = await import("./rewind.ts");
    const copy = async (query: Query) => {
      const { from, copy } = await copySession(query, { key, to, seq }, Date.now());
      await copied?.(query, { key, log: from.log, to, toLog: copy.log, seq });
    };
    await this.table.alone(to, () => store.transaction(copy)).finally(() => forget?.key(to));
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
      if (this.#indexer === undefined) await this.table.sweep();
      await (await this.#searching()).indexer.round();
    } catch (error) {
      this.#restUntil = performance.now() + pauseMs;
      if (!this.#closed)
        this.#options.log.warn({ error }, "the search index is not up to date; it is tried again in a minute");
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#indexer?.close(), this.table.flush()]);
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
