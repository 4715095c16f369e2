/** The event bus (provided by the host): what `ctx.emit` publishes, with a bounded memory for clients that reconnect. */
import { defineService } from "../service.ts";

/** One event, as it was published. */
export interface GatewayEvent {
  /** Grows by one per event while the process lives. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Reads the event bus; `ctx.emit` writes to it. */
export interface Events {
  /** Events after `seq` that are still remembered (the last 1,000); `gap` when older ones are gone. */
  since(seq: number): { readonly events: readonly GatewayEvent[]; readonly gap: boolean };
  /** Every event in order. Returns its own undo; a plugin's subscriptions end with it anyway. */
  subscribe(listener: (event: GatewayEvent) => void): () => void;
  /** The newest sequence number; 0 before the first. */
  last(): number;
}

/** Name it in `needs`. */
export const events = defineService<Events>("events", "1.0.0");
