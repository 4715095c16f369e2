/** Model providers: one failover function for every caller, and the straight-through wire for the OpenAI face. */
import type { Cancellation } from "../cancellation.ts";
import type { ModelCaller, ModelEvent, ModelRequest } from "../messages.ts";
import { defineService } from "../service.ts";

/** A model that can be asked. */
export interface ModelInfo {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  /** `config`, `discovered` on a local port or in the environment, or `builtin`. */
  readonly source: "config" | "discovered" | "builtin";
  /** Tokens of its context, where the configuration says. */
  readonly contextWindow?: number;
  /** Whether it takes images, where the configuration or its preset says. */
  readonly images?: boolean;
}

/** One failed try of a call, as `details.attempts` holds them. */
export interface Attempt {
  readonly model: string;
  readonly ms: number;
  readonly code: string;
  readonly status?: number;
  readonly message: string;
}

/** A request in the OpenAI wire form, passed on unchanged but for `model`. */
export interface ForwardRequest {
  /** `provider/model`. */
  readonly model: string;
  /** `/chat/completions`, `/embeddings`. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly signal: Cancellation;
  readonly caller?: ModelCaller;
}

/** The upstream's answer, unread. */
export interface ForwardReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** The body, when all of it was there at once: whoever takes it has no need of `body`. */
  readonly whole?: Uint8Array;
  /** The model that answered. */
  readonly model: string;
}

/** Calls models; provided by the plugin `providers`. */
export interface Providers {
  /** All models that can be asked, in candidate order. */
  models(): readonly ModelInfo[];
  /** The model a request without a choice of its own goes to: `provider/model`. */
  primary(): string;
  /** Models to try after the primary one, in order. */
  fallbacks(): readonly string[];
  /**
   * Runs one model call with failover over `model` and `fallbacks`; never after the first byte.
   * Throws GatewayError: `UPSTREAM_*` with the upstream's status, `details.attempts` holding what was tried.
   */
  stream(request: ModelRequest, signal: AbortSignal, caller?: ModelCaller): AsyncIterable<ModelEvent>;
  /** True when `forward` can serve this path for this model: the upstream speaks the same wire. */
  passes(model: string, path: string): boolean;
  /** Sends an OpenAI-shaped request to one model's upstream. 4xx keep status, message and Retry-After; faults are GatewayErrors. */
  forward(request: ForwardRequest): Promise<ForwardReply>;
}

/** Name it in `needs`. */
export const providers = defineService<Providers>("providers", "1.0.0");
