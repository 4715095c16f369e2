/** What a provider's requests may be signed with: a key, an account, or nothing. One word for all of them, so that failover walks them alike. */
import type { Cancellation } from "@chela/sdk";

export interface Credential {
  /** Stable and no secret: cooldowns, health and records are kept under it. Changes with the secret of a key, not with the token of an account. */
  readonly id: string;
  /** `relay`: what signs is the client that carries the request out. */
  readonly kind: "api_key" | "oauth" | "relay" | "none";
  /** For people: a masked key, or the e-mail of an account. */
  readonly target: string;
  /** The token to send now; undefined for `none`. Refreshes first where it is about to expire. Throws `UPSTREAM_AUTH` when there is none to be had. */
  token(signal: Cancellation): Signed | Promise<Signed>;
  /** The upstream refused this token (401): the next `token` asks for a new one where that is possible. True when it is. */
  refused?(token: string): boolean;
  /** The upstream said that the account is at its end (`token_revoked`, `deactivated_workspace`): not used again before a new login. */
  disable?(reason: string): Promise<void>;
}

export interface Signed {
  readonly token: string | undefined;
  /** What belongs to the account rather than to the provider. */
  readonly account?: {
    readonly id?: string;
    readonly projectId?: string;
    /** Its own base URL, where the vendor gave it one. */
    readonly baseUrl?: string;
    /** Proxy of its own, as a URL. */
    readonly proxy?: string;
  };
}
