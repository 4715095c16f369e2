/** Who is asking, and what they may do. Made by the `auth:identify` hook, never from a field the client fills in. */

/** What an entrance demands. `public` needs no credential; `admin` includes `write`, `write` includes `read`. */
export type Access = "public" | "read" | "write" | "admin";
/** What a credential may do. Each includes the one before: `read`, `write`, `admin`. */
export type Scope = Exclude<Access, "public">;

/** Somebody who was identified. */
export interface Identity {
  /** Stable id for audit and ownership: `token`, `password`, `user:alice`, `key:k_…`, `anonymous`. */
  readonly id: string;
  readonly name: string;
  readonly kind: "token" | "password" | "proxy" | "key" | "open" | "anonymous" | "internal";
  readonly scopes: readonly Scope[];
}

/** One secret the client presented, and where. Order is the order of precedence (contracts: ClawGo §1.1). */
export interface Candidate {
  readonly transport: "bearer" | "query" | "cookie" | "referer" | "frame";
  readonly value: string;
  /** SHA-256 of `value`, hex. Compare digests, not values. */
  readonly digest: string;
}

/** What a client presented, before anybody judged it. */
export interface Credentials {
  readonly candidates: readonly Candidate[];
  /** Normalised client address: the socket's peer, or the rightmost untrusted hop behind a trusted proxy. */
  readonly address: string;
  /** The TCP peer itself. */
  readonly peer: string;
  /** The peer is a loopback address and no proxy stands in between. */
  readonly local: boolean;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What an identity wants, as the `auth:authorize` hook sees it. */
export interface Want {
  /** `frame`: one that came over a stream that counts them as requests. */
  readonly what: "route" | "stream" | "frame" | "method" | "tool";
  /** `GET /api/cron`, `/api/chat/live`, `cron.list`, `exec`. */
  readonly name: string;
  readonly access: Access;
  /** The plugin that owns the entrance. */
  readonly owner: string;
}

/** True when `identity` may pass an entrance that demands `access`. */
export function allows(identity: Identity, access: Access): boolean {
  if (access === "public") return true;
  const rank = { read: 0, write: 1, admin: 2 } as const;
  return identity.scopes.some((scope) => rank[scope] >= rank[access]);
}
