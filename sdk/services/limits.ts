/** Limits of API keys, for faces that tell them in their replies. */
import type { Identity } from "../identity.ts";
import { defineService } from "../service.ts";

/** Where a key stands in its minute. */
export interface RateFacts {
  /** Requests per minute. */
  readonly limit: number;
  readonly remaining: number;
  /** Until all are there again. */
  readonly resetMs: number;
}

/** In the headers that OpenAI's clients read. */
export function rateHeaders({ limit, remaining, resetMs }: RateFacts): Record<string, string> {
  return {
    "x-ratelimit-limit-requests": String(limit),
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": `${Math.ceil(resetMs / 1000)}s`,
  };
}

/** Provided by the plugin `keys`. */
export interface Limits {
  /** Undefined: no limit. */
  rate(identity: Identity): RateFacts | undefined;
  /** What people call the key behind the id of an identity; undefined: no key that is known. */
  name?(identity: string): string | undefined;
}

/** Name it in `needs`. */
export const limits = defineService<Limits>("limits", "1.0.0");
