/** What the sessions need of those around them: of the agent, whose turns run in them, and of what else is known by key or by log. */
import type { Logger, Query, Store } from "@chela/sdk";
import type { Cut, SessionCopy } from "./rewind.ts";
import type { SessionTableOptions } from "./session-table.ts";

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
  /** In the commit that takes a session back. */
  readonly cut?: (query: Query, gone: Cut) => Promise<void>;
  /** In the commit that begins the session `to` with the messages of another one before `seq`. */
  readonly copied?: (query: Query, copy: SessionCopy) => Promise<void>;
  /** After the commit that gave a session the key `to`, or removed it. */
  readonly left?: (key: string, to?: string) => void;
  /** After the commit that took a session back. */
  readonly rewound?: (key: string, seq: number) => void;
  /** Of the older part of a log, where there is one. */
  readonly summary?: (log: string) => Promise<string | undefined>;
  /** Sessions in which a turn runs. */
  readonly running?: () => ReadonlySet<string>;
  /** Who answers in these sessions, where that was settled. */
  readonly agents?: (keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Before the index is looked after for the first time. */
  readonly restMs?: number;
}
