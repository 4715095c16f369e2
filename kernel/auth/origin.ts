/**
 * Which pages may speak for a browser's user. The same list decides upgrades, writes with an ambient credential and what
 * CORS echoes, so that they cannot disagree.
 */
import type { IncomingHttpHeaders } from "node:http";
import { type Credentials, GatewayError } from "@chela/sdk";
import { isLoopback, normaliseAddress } from "./address.ts";
import { type HostName, oneText, originKey, parseHost, parseOrigin, sameHost } from "./host-name.ts";
import type { ResolvedAuth } from "./settings.ts";

type OriginSettings = Pick<ResolvedAuth, "origins" | "hostNames">;

/** The facts an Origin check looks at. */
export interface OriginFacts {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly credentials: Pick<Credentials, "candidates">;
}

const setting = "gateway.controlUi.allowedOrigins";

/**
 * True for an origin on the list (`*` is any but `null`), and for the page that this gateway itself serves, as long as it
 * was reached by an address, localhost or the machine's name: any other name may be a rebound one.
 */
export function originAllowed(origin: string | undefined, host: string | undefined, settings: OriginSettings): boolean {
  if (origin === undefined || origin === "" || origin.trim().toLowerCase() === "null") return false;
  if (settings.origins.has("*") || settings.origins.has(originKey(origin))) return true;
  const page = parseOrigin(origin);
  const self = parseHost(host);
  return page !== undefined && self !== undefined && sameHost(page, self) && isOwnName(self, settings);
}

/** True when `Host` names this machine in a way that DNS cannot have been bent to: what mode none demands. */
export function hostIsLocal(host: string | undefined, settings: OriginSettings): boolean {
  const parsed = parseHost(host);
  if (parsed === undefined) return false;
  if (parsed.literal ? isLoopback(normaliseAddress(parsed.name)) : isOwnName(parsed, settings)) return true;
  for (const allowed of settings.origins) {
    const origin = parseOrigin(allowed);
    if (origin !== undefined && sameHost(origin, parsed)) return true;
  }
  return false;
}

/**
 * Throws `ORIGIN` 403 for: an upgrade from a page that is not allowed; a write whose credential the browser attaches by
 * itself (a cookie, the proxy's session, or being local in mode none) from such a page; anything at all from such a page
 * in mode none. Requests of programs carry no Origin and pass.
 */
export function checkOrigin(request: OriginFacts, what: "route" | "stream", settings: ResolvedAuth): void {
  const { headers, method } = request;
  const { origin, host } = headers;
  if (origin === undefined && !isOfOtherPage(headers)) return;
  if (!isGuarded(request, what, settings)) return;
  if (origin !== undefined) {
    if (!originAllowed(origin, host, settings)) throw refused(`origin ${shown(origin)}`);
    return;
  }
  // Browsers leave Origin out of such GETs. Following a link is fine, being embedded or fetched is not.
  if (isRead(method) && headers["sec-fetch-mode"] === "navigate") return;
  throw refused("this request of another page");
}

/** True for what a page that is not allowed made a browser send, as far as the browser says so. */
export function fromForeignPage(headers: Credentials["headers"], settings: OriginSettings): boolean {
  const origin = oneText(headers.origin);
  if (origin === undefined) return isOfOtherPage(headers);
  return !originAllowed(origin, oneText(headers.host), settings);
}

function isGuarded(
  { credentials, headers, method }: OriginFacts,
  what: "route" | "stream",
  settings: ResolvedAuth,
): boolean {
  if (what === "stream" || settings.mode === "none") return true;
  const cookie = credentials.candidates.some(({ transport }) => transport === "cookie");
  const ambient = cookie || settings.mode === "trusted-proxy";
  if (!isRead(method)) return ambient;
  const only = credentials.candidates.every(({ transport }) => transport === "cookie");
  return ambient && only && headers.origin === undefined;
}

/** For a browser all ports of a machine are one site, whose cookies it sends to each of them. */
function isOfOtherPage(headers: Credentials["headers"]): boolean {
  return headers["sec-fetch-site"] === "cross-site" || headers["sec-fetch-site"] === "same-site";
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function isOwnName({ literal, name }: HostName, settings: OriginSettings): boolean {
  return literal || name === "localhost" || name.endsWith(".localhost") || settings.hostNames.has(name);
}

function refused(who: string): GatewayError {
  return new GatewayError("ORIGIN", 403, `${who} is not allowed; add the page's origin to ${setting} if you trust it`);
}

/** Quoted, cut, and without a character that could forge a line or an escape sequence. */
function shown(origin: string): string {
  return JSON.stringify(origin.slice(0, 200).replace(/[^\x20-\x7e]/g, "?"));
}
