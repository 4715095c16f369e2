/**
 * The page's session: a credential is judged on the one way in, under the one limiter, and handed back as a cookie that
 * only this gateway reads, in a form that no script can. Who signs out closes what was opened with that very cookie.
 */
import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type Credentials, GatewayError, type Identity, type RouteRequest } from "@chela/sdk";
import type { Host } from "../host/host.ts";
import type { Arrival } from "../http/open-replies.ts";
import { Presented } from "./credentials.ts";
import { oneText } from "./host-name.ts";
import { checkOrigin } from "./origin.ts";

type SignInHost = Pick<Host, "auth" | "current" | "dispatcher" | "gate" | "listener" | "streams">;

const weekSeconds = 7 * 24 * 3600;
/** What browsers keep of one cookie is 4,096 bytes, name and attributes included. */
const maxValue = 3072;
const plainPath = /^(\/[\w~-][\w.~-]*)+$/;
const maxPath = 256;

export async function signIn(
  host: SignInHost,
  credential: string,
  request: RouteRequest,
): Promise<{ identity: Identity; cookie: string | null }> {
  const { credentials, base } = host.dispatcher.arrival(request);
  // Half a surrogate pair has no UTF-8: it becomes another text, which is wrong.
  const secret = Buffer.from(credential.trim()).toString();
  const value = `${randomBytes(8).toString("hex")}.${encodeURIComponent(secret)}`;
  if (secret === "" || value.length > maxValue)
    throw new GatewayError("CREDENTIAL_UNUSABLE", 400, "the credential is empty, or too long to be kept in a cookie");
  assertOwnPage(host, credentials);
  const judged = { ...credentials, candidates: [new Presented("frame", secret)] };
  const facts = { method: "POST", headers: credentials.headers as IncomingHttpHeaders };
  const identity = await host.gate.identify(facts, judged, host.current(), { what: "route", access: "read" });
  const needsSecret = identity.kind !== "open" && identity.kind !== "proxy";
  return { identity, cookie: needsSecret ? cookie(host, { credentials, base }, value) : null };
}

export async function signOut(host: SignInHost, request: RouteRequest): Promise<{ cookie: string; closed: number }> {
  const arrival = host.dispatcher.arrival(request);
  assertOwnPage(host, arrival.credentials);
  const mine = sessionOf(host, request.headers);
  const isMine = ({ headers }: Pick<RouteRequest, "headers">) =>
    mine !== undefined && sessionOf(host, headers) === mine;
  const replies = host.dispatcher.endThose(isMine);
  const closed = replies + (await host.streams.endThose(isMine));
  return { cookie: cookie(host, arrival, ""), closed };
}

/** As strict as a write with a cookie, which is what this is about to become. */
function assertOwnPage(host: SignInHost, { headers }: Credentials): void {
  const candidates = [new Presented("cookie", "")];
  checkOrigin(
    { method: "POST", headers: headers as IncomingHttpHeaders, credentials: { candidates } },
    "route",
    host.auth(),
  );
}

function sessionOf({ auth }: SignInHost, headers: RouteRequest["headers"]): string | undefined {
  const start = `${auth().cookieName}=`;
  const pairs = oneText(headers.cookie)?.split(";") ?? [];
  return pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(start));
}

/** `value` empty: it goes at once. */
function cookie(host: SignInHost, { base, credentials: { peer, headers } }: Arrival, value: string): string {
  const { cookieName, trusts } = host.auth();
  const forwarded = (name: string) => (trusts(peer) ? lastHop(headers[name]) : undefined);
  const isTls = host.listener?.place.tls !== undefined || forwarded("x-forwarded-proto") === "https";
  const path = base || prefixOf(forwarded("x-forwarded-prefix")) || "/";
  const age = value === "" ? 0 : weekSeconds;
  return `${cookieName}=${value}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=Strict${isTls ? "; Secure" : ""}`;
}

/** What the proxy itself wrote stands last. */
function lastHop(header: string | string[] | undefined): string | undefined {
  return oneText(header)?.split(",").at(-1)?.trim();
}

function prefixOf(header = ""): string {
  const path = header.replace(/\/$/, "");
  return path.length <= maxPath && plainPath.test(path) ? path : "";
}
