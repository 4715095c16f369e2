/**
 * Collects what a request presents, in ClawGo's order of precedence, without judging it. Values are hashed on first
 * look, once; the Referer form exists for static assets only and is not even read elsewhere.
 */
import type { IncomingHttpHeaders } from "node:http";
import { BoundedMap, type Candidate, type Credentials } from "@chela/sdk";
import { clientAddress } from "./address.ts";
import { type ResolvedAuth, sha256 } from "./settings.ts";

export interface CredentialSource {
  readonly headers: IncomingHttpHeaders;
  /** The request's query; leave it out when there is none. */
  readonly query?: URLSearchParams | undefined;
  /** The socket's remote address, as it is. */
  readonly peer: string | undefined;
  /** True on static assets only. */
  readonly allowReferer?: boolean;
  /** Remembers digests of bearer values, so that a client's next request need not hash the same header again. */
  readonly digests?: DigestCache;
}

const maxCandidates = 8;
const maxValue = 4096;
const maxDigests = 64;
const cookieNames: ReadonlySet<string> = new Set(["clawgo_webui_token", "chela_token"]);
const none: readonly Candidate[] = Object.freeze([]);

/** The page's cookie: which session it is, a dot, the secret. */
const session = /^[0-9a-f]{16}\./;

/** Digests, never decisions: bounded, the oldest forgotten first. */
export class DigestCache {
  readonly #known = new BoundedMap<string, Uint8Array>(maxDigests);

  of(value: string): Uint8Array {
    const known = this.#known.get(value);
    if (known) return known;
    const digest = sha256(value);
    this.#known.set(value, digest);
    return digest;
  }
}

/** A presented secret. The digest is computed when somebody asks for it. */
export class Presented implements Candidate {
  readonly transport: Candidate["transport"];
  readonly value: string;
  readonly #digests: DigestCache | undefined;
  #bytes: Uint8Array | undefined;

  constructor(transport: Candidate["transport"], value: string, digests?: DigestCache) {
    this.transport = transport;
    this.value = value;
    this.#digests = digests;
  }

  /** SHA-256 as 32 bytes, for the constant-time comparison. */
  get bytes(): Uint8Array {
    this.#bytes ??= this.#digests?.of(this.value) ?? sha256(this.value);
    return this.#bytes;
  }

  get digest(): string {
    return Buffer.from(this.bytes).toString("hex");
  }
}

export function readCredentials(
  source: CredentialSource,
  settings: Pick<ResolvedAuth, "trusts" | "cookieName">,
  what: "route" | "stream",
): Credentials {
  const { headers } = source;
  const { peer, address, local } = clientAddress(source.peer, headers, settings.trusts);
  return { candidates: candidatesOf(source, settings.cookieName, what), address, peer, local, headers };
}

function candidatesOf(source: CredentialSource, cookieName: string, what: "route" | "stream"): readonly Candidate[] {
  const { authorization, cookie, referer } = source.headers;
  const useReferer = source.allowReferer === true && what === "route" && referer !== undefined;
  if (authorization === undefined && source.query === undefined && cookie === undefined && !useReferer) return none;
  const found: Candidate[] = [];
  const token = bearer(authorization);
  if (token && token.length <= maxValue) found.push(new Presented("bearer", token, source.digests));
  add(found, "query", source.query?.get("token")?.trim());
  if (cookie !== undefined) addCookies(found, cookie, cookieName);
  if (useReferer) add(found, "referer", refererToken(referer));
  return found;
}

/** Drops what is empty, too long or one too many. The same secret twice stays twice: each transport tells something. */
function add(found: Candidate[], transport: Candidate["transport"], value: string | undefined): void {
  if (value === undefined || value === "" || value.length > maxValue || found.length >= maxCandidates) return;
  found.push(new Presented(transport, value));
}

/** Exactly `Bearer <token>` after trimming; the scheme is case-sensitive. */
function bearer(header: string | undefined): string | undefined {
  const trimmed = header?.trim();
  return trimmed?.startsWith("Bearer ") ? trimmed.slice(7) : undefined;
}

function addCookies(found: Candidate[], header: string, own: string): void {
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, equals)).trim();
    const value = pair.slice(equals + 1).trim();
    if (cookieNames.has(name)) add(found, "cookie", cookieValue(value));
    else if (name === own && session.test(value)) add(found, "cookie", cookieValue(value.replace(session, "")));
  }
}

function cookieValue(raw: string): string {
  const bare = raw.length >= 2 && raw.startsWith('"') && raw.endsWith('"') ? raw.slice(1, -1) : raw;
  return bare.includes("%") ? (decoded(bare) ?? bare) : bare;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refererToken(referer: string): string | undefined {
  if (!referer.includes("token=") || !URL.canParse(referer)) return undefined;
  return new URL(referer).searchParams.get("token")?.trim();
}
