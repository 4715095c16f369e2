/**
 * The kernel's own taps: the four auth modes on `auth:identify` and the scope check on `auth:authorize`. They read the
 * settings on every call. Secrets are compared as SHA-256 digests in constant time, here and nowhere else.
 */
import { timingSafeEqual } from "node:crypto";
import { allows, type Candidate, type Credentials, GatewayError, type Identity, type Want } from "@chela/sdk";
import { isForwarded, isLoopback } from "./address.ts";
import { Presented } from "./credentials.ts";
import { oneText } from "./host-name.ts";
import { hostIsLocal, originAllowed } from "./origin.ts";
import { type ResolvedAuth, sha256 } from "./settings.ts";

const everything = Object.freeze(["read", "write", "admin"] as const);
const tokenIdentity: Identity = Object.freeze({ id: "token", name: "token", kind: "token", scopes: everything });
const passwordIdentity: Identity = Object.freeze({
  id: "password",
  name: "password",
  kind: "password",
  scopes: everything,
});
const openIdentity: Identity = Object.freeze({ id: "open", name: "open", kind: "open", scopes: everything });
const maxUser = 256;

/** Nobody: what a request without (right) credentials is. */
export const anonymous: Identity = Object.freeze({
  id: "anonymous",
  name: "anonymous",
  kind: "anonymous",
  scopes: Object.freeze([]),
});

/** `auth:identify`: who presents these credentials under the mode in force now. Never waits. */
export function identifyTap(settings: () => ResolvedAuth): (credentials: Credentials) => Identity | undefined {
  return (credentials) => {
    const auth = settings();
    switch (auth.mode) {
      case "token":
        return bySecret(credentials, auth.tokenDigest, tokenIdentity);
      case "password":
        return bySecret(credentials, auth.passwordDigest, passwordIdentity);
      case "trusted-proxy":
        return byProxy(credentials, auth) ?? byLocalToken(credentials, auth);
      case "none":
        return byLocality(credentials, auth);
    }
  };
}

/** `auth:authorize`: the scopes the identity was given, against what the entrance demands. */
export function authorizeTap(): (identity: Identity, want: Want) => GatewayError | undefined {
  return (identity, want) => (allows(identity, want.access) ? undefined : refusal(identity, want));
}

/** 401 for nobody, 403 for somebody without the scope. */
function refusal(identity: Identity, want: Want): GatewayError {
  if (identity.kind === "anonymous") return unauthorized();
  return new GatewayError("FORBIDDEN", 403, `missing scope: ${want.access}`, {
    code: "MISSING_SCOPE",
    missingScope: want.access,
    requiredScopes: [want.access],
  });
}

/** The same words for no credential, a wrong one and a revoked one. */
export function unauthorized(): GatewayError {
  const headers = { "www-authenticate": "Bearer" };
  return new GatewayError("UNAUTHORIZED", 401, "unauthorized", undefined, { headers });
}

function bySecret(
  { candidates }: Credentials,
  digest: Uint8Array | undefined,
  identity: Identity,
): Identity | undefined {
  if (digest === undefined) return undefined;
  for (const candidate of candidates) {
    if (timingSafeEqual(digestOf(candidate), digest))
      return candidate.transport === "referer" ? readOnly(identity) : identity;
  }
  return undefined;
}

function digestOf(candidate: Candidate): Uint8Array {
  return candidate instanceof Presented ? candidate.bytes : sha256(candidate.value);
}

/** A Referer leaks easily: it opens what a page loads, and no more. */
function readOnly(identity: Identity): Identity {
  return { ...identity, scopes: ["read"] };
}

/** The machine's own CLI must get in without the proxy, also where the proxy is on this machine; nobody else may use the token in this mode. */
function byLocalToken(credentials: Credentials, auth: ResolvedAuth): Identity | undefined {
  const direct = isLoopback(credentials.peer) && !isForwarded(credentials.headers);
  return direct ? bySecret(credentials, auth.tokenDigest, tokenIdentity) : undefined;
}

function byProxy({ peer, headers }: Credentials, auth: ResolvedAuth): Identity | undefined {
  const { allowLoopback, allowUsers, scopes, userHeader } = auth.trustedProxy;
  if (!auth.trusts(peer) || (isLoopback(peer) && !allowLoopback)) return undefined;
  const user = userName(headers[userHeader]);
  if (user === undefined || (allowUsers !== undefined && !allowUsers.has(user))) return undefined;
  return { id: `user:${user}`, name: user, kind: "proxy", scopes };
}

/** Exactly one name: a comma means that the client sent the header as well and the proxy did not replace it. */
function userName(header: string | string[] | undefined): string | undefined {
  if (typeof header !== "string") return undefined;
  const user = header.trim();
  if (user === "" || user.length > maxUser || user.includes(",") || hasControl(user)) return undefined;
  return user;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

/** Mode none: this machine only, and no page from elsewhere acting for it (DNS rebinding, foreign Origin). */
function byLocality({ local, headers }: Credentials, auth: ResolvedAuth): Identity | undefined {
  const host = oneText(headers.host);
  if (!local || !hostIsLocal(host, auth)) return undefined;
  const origin = oneText(headers.origin);
  return origin === undefined || originAllowed(origin, host, auth) ? openIdentity : undefined;
}
