/** The relay: clients on `/v1/ws` that carry out HTTP requests for us, such as a page that is logged in somewhere (ClawGo §7). */
import { defineService } from "../service.ts";

/** Fields of a model request that name a client: `one` of them alone, or `many` in their order. ClawGo's, and no vendor's. */
export const relayFields = {
  one: ["aistudio_channel", "aistudio_provider", "relay_provider", "channel_id", "provider_id"],
  many: ["aistudio_channels", "aistudio_providers", "relay_providers", "channel_ids", "provider_ids"],
} as const;

/** A connected client. */
export interface RelayChannel {
  /** Lower case: `aistudio`. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  readonly lastSeenAt: number;
  /** Requests that run. */
  readonly open: number;
}

/** A request for a client to carry out. */
export interface RelayRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes that are no UTF-8 travel as base64. */
  readonly body?: string | Uint8Array;
  /** Milliseconds until the head of the reply, and between two pieces of it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * What it answered; the body comes as it arrives. Leave it early and the rest is dropped; a client that asked for it is told.
 * Read it slowly and the client is slowed down for ten seconds in all, then this one reply fails.
 */
export interface RelayReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Provided by the plugin `relay`. Comings and goings are events: `relay_connected`, `relay_disconnected`. */
export interface Relay {
  channels(): readonly RelayChannel[];
  /**
   * Throws `RELAY_ABSENT` 503 when the channel is not connected, `RELAY_BUSY` 503 when it carries out as many requests as it
   * may, `RELAY_FAILED` 502 when it says so (its status in `details.status`) or leaves, `RELAY_TIMEOUT` 504 when it falls silent.
   * The body throws the same.
   */
  request(channel: string, request: RelayRequest): Promise<RelayReply>;
}

/** Name it in `needs`. */
export const relay = defineService<Relay>("relay", "1.0.0");
