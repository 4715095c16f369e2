/** Sessions: durable conversations with a sequence number per message. */
import type { Message, Usage } from "../messages.ts";
import { defineService } from "../service.ts";

/** A message of the history. */
export interface StoredMessage extends Message {
  /** 1-based, without gaps, per session. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `partial`: the turn was cut off; what had arrived is kept. `failed`: a tool call that failed. */
  readonly state: "complete" | "partial" | "failed";
  readonly model?: string;
  readonly usage?: Usage;
}

/** One conversation in a list. */
export interface SessionInfo {
  readonly key: string;
  readonly kind: string;
  readonly messages: number;
  /** A name for people; empty: none was given. */
  readonly title: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Bounds are sequence numbers: `after` and `before` exclude, `around` centres (contract: ClawGo §1.3). */
export interface HistoryWindow {
  readonly around?: number;
  readonly before?: number;
  readonly after?: number;
  /** 1 … 2000, default 200. */
  readonly limit?: number;
}

/** A message to store. */
export interface NewMessage extends Message {
  readonly state?: StoredMessage["state"];
  readonly model?: string;
  readonly usage?: Usage;
}

/** What to look for in the history. */
export interface SessionQuery {
  readonly words: string;
  /** Kinds of sessions: `main`, `cron`, `subagent`, `hook`, `other`; absent: all. */
  readonly kinds?: readonly string[];
  /** A session to leave out. */
  readonly except?: string;
  /** Sessions, 1 … 100, default 5. */
  readonly limit?: number;
}

/** A session in which something was found. */
export interface SessionHit {
  readonly session: SessionInfo;
  /** What it is about, on one line: the summary of its older part, else how it begins. */
  readonly summary: string;
  /** Higher is better. */
  readonly score: number;
  /** The best passages, around the words. */
  readonly snippets: readonly { readonly seq: number; readonly role: string; readonly text: string }[];
}

/** Keeps conversations; provided by the plugin `chat`. */
export interface Sessions {
  /** Durable when it resolves. Creates the session when needed. Resolves to the sequence number of the last message. */
  append(key: string, messages: readonly NewMessage[]): Promise<number>;
  history(key: string, window?: HistoryWindow): Promise<readonly StoredMessage[]>;
  /** The most recently used first; `limit`: so many of them. */
  list(limit?: number): Promise<readonly SessionInfo[]>;
  /** False when there was none. */
  remove(key: string): Promise<boolean>;
  search(query: SessionQuery): Promise<readonly SessionHit[]>;
  /** Moves a conversation to another key. Throws `SESSION_UNKNOWN` 404, `SESSION_EXISTS` 409. */
  rename(key: string, to: string): Promise<void>;
}

/** A session's key is a name of one line, and never a path. */
export function isSessionKey(key: string): boolean {
  return key.length >= 1 && key.length <= 200 && !/[\p{Cc}\p{Cs}]/u.test(key);
}

/** Name it in `needs`. */
export const sessions = defineService<Sessions>("sessions", "1.0.0");
