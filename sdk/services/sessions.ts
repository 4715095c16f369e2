/** Sessions: durable conversations with a sequence number per message. */
import type { Message, Usage } from "../messages.ts";
import { defineService } from "../service.ts";

/** A message of the history. */
export interface StoredMessage extends Message {
  /** 1-based, without gaps, per session. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `partial`: the turn was cut off; what had arrived is kept. */
  readonly state: "complete" | "partial" | "failed";
  readonly model?: string;
  readonly usage?: Usage;
}

/** One conversation in a list. */
export interface SessionInfo {
  readonly key: string;
  readonly kind: string;
  readonly messages: number;
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

/** Keeps conversations; provided by the plugin `chat`. */
export interface Sessions {
  /** Durable when it resolves. Creates the session when needed. Resolves to the sequence number of the last message. */
  append(key: string, messages: readonly NewMessage[]): Promise<number>;
  history(key: string, window?: HistoryWindow): Promise<readonly StoredMessage[]>;
  list(): Promise<readonly SessionInfo[]>;
  /** False when there was none. */
  remove(key: string): Promise<boolean>;
}

/** Name it in `needs`. */
export const sessions = defineService<Sessions>("sessions", "1.0.0");
