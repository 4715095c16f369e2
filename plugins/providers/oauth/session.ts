/**
 * An account as it lies on disk: ClawGo's session file. One reader for our own files and for imported ones with all their
 * synonyms; keys that nobody here knows are kept as they are.
 */
import { GatewayError, isObject, jsonOf } from "@chela/sdk";
import { claimsOf } from "./claims.ts";
import { isOneLine, longestToken } from "./one-line.ts";
import { parseProxy } from "./proxy-url.ts";
import { vendorName } from "./vendors.ts";

export interface Session {
  /** Vendor of the login: `codex`. */
  readonly provider: string;
  readonly type: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly token_type: string;
  readonly account_id: string;
  readonly email: string;
  /** Milliseconds since 1970; 0 when nothing is known. On disk RFC 3339. */
  readonly expire: number;
  readonly last_refresh: number;
  readonly models: readonly string[];
  readonly project_id: string;
  readonly device_id: string;
  /** Base URL that the vendor gave to this account. */
  readonly resource_url: string;
  readonly network_proxy: string;
  readonly scope: string;
  readonly disabled: boolean;
  readonly disable_reason: string;
  /** What the user called it. */
  readonly account_label: string;
  /** Name of the provider in the config that it was made for; empty: any with this vendor. */
  readonly config_provider: string;
  /** What requests are signed with instead of the access token, where the vendor wants that. */
  readonly api_key: string;
  /** What came with a nested token, without the tokens themselves: the client it was issued to. */
  readonly token: Readonly<Record<string, unknown>>;
  /** Keys of the file that are not ours. */
  readonly rest: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

const own: ReadonlySet<string> = new Set(
  (
    "provider type access_token refresh_token id_token token_type account_id email expire last_refresh models project_id " +
    "device_id resource_url network_proxy scope disabled disable_reason account_label config_provider api_key token"
  ).split(" "),
);
/** Read under another name, so that they are not kept a second time. */
const synonyms: ReadonlySet<string> = new Set(
  (
    "auth account_email alias label expired expiry expiry_date projectId deviceId proxy_url http_proxy sub " +
    "accessToken refreshToken idToken tokens"
  ).split(" "),
);
const tokenKeys: ReadonlySet<string> = new Set(
  "access_token refresh_token id_token accessToken refreshToken idToken expire expired expiry expiry_date".split(" "),
);

/** Written with its indents, a file that is nested a thousand times has a million blanks. */
const mostDepth = 16;
/** Of what people see in lists, logs and events. */
const longestLabel = 320;

/** Throws `OAUTH_IMPORT` 400 when it is no session. `name` is what the file is called to whom it may concern. */
export function parseSession(source: string, name: string): Session {
  const value = jsonOf(source.replace(/^\uFEFF/, ""));
  if (value === undefined) throw bad(`${name} is not JSON`);
  if (!isObject(value)) throw bad(`${name} holds no JSON object`);
  if (isDeep(value, mostDepth)) throw bad(`${name} is nested deeper than ${mostDepth} levels`);
  const nested = [value.token, value.auth, value.tokens].filter(isObject);
  const read = (...keys: string[]) => firstText([...nested, value], keys);
  const access_token = read("access_token", "accessToken");
  const refresh_token = read("refresh_token", "refreshToken");
  if (access_token === "" && refresh_token === "") throw bad(`auth.json missing access_token/refresh_token in ${name}`);
  const id_token = read("id_token", "idToken");
  const claims = claimsOf(id_token);
  const label = read("account_label", "label", "alias").slice(0, longestLabel);
  const email = read("email", "account_email") || claims.email || (label.includes("@") ? label : "");
  return {
    provider: vendorName(read("provider", "type")),
    type: read("type"),
    access_token,
    refresh_token,
    id_token,
    token_type: read("token_type") || "Bearer",
    account_id: read("account_id", "sub") || (claims.accountId ?? ""),
    email: email.slice(0, longestLabel) || label,
    expire: firstTime([...nested, value], ["expire", "expired", "expiry", "expiry_date"]),
    last_refresh: firstTime([value], ["last_refresh"]),
    models: textsOf(value.models),
    project_id: read("project_id", "projectId"),
    device_id: read("device_id", "deviceId"),
    resource_url: read("resource_url"),
    network_proxy: proxyOf(read("network_proxy", "proxy_url", "http_proxy")),
    scope: read("scope"),
    disabled: value.disabled === true,
    disable_reason: firstText([value], ["disable_reason"]),
    account_label: label,
    config_provider: firstText([value], ["config_provider"]),
    api_key: firstText([value], ["api_key"]),
    token: without(isObject(value.token) ? value.token : {}, tokenKeys),
    rest: without(value, new Set([...own, ...synonyms])),
  };
}

/** As the file holds it: what is empty is left out. */
export function renderSession(session: Session): string {
  const { rest, token, expire, last_refresh, models, ...texts } = session;
  const fields: Record<string, unknown> = { ...rest };
  for (const [key, value] of Object.entries(texts)) if (value !== "" && value !== false) fields[key] = value;
  if (expire > 0) fields.expire = new Date(expire).toISOString();
  if (last_refresh > 0) fields.last_refresh = new Date(last_refresh).toISOString();
  if (models.length > 0) fields.models = models;
  if (Object.keys(token).length > 0) fields.token = token;
  return `${JSON.stringify(fields, null, 2)}\n`;
}

export const emptySession: Session = {
  provider: "",
  type: "oauth",
  access_token: "",
  refresh_token: "",
  id_token: "",
  token_type: "Bearer",
  account_id: "",
  email: "",
  expire: 0,
  last_refresh: 0,
  models: [],
  project_id: "",
  device_id: "",
  resource_url: "",
  network_proxy: "",
  scope: "",
  disabled: false,
  disable_reason: "",
  account_label: "",
  config_provider: "",
  api_key: "",
  token: {},
  rest: {},
};

/** What people call the account. */
export function labelOf(session: Session): string {
  return session.email || session.account_label || session.account_id || session.project_id;
}

/** True when two sessions are logins of one account. */
export function sameAccount(a: Session, b: Session): boolean {
  if (a.provider !== b.provider) return false;
  if (a.account_id !== "" && b.account_id !== "") return a.account_id === b.account_id;
  return labelOf(a) !== "" && labelOf(a) === labelOf(b) && a.project_id === b.project_id;
}

/** Seconds or milliseconds since 1970, or a date; what is neither is 0. */
export function timeOf(value: unknown): number {
  const number =
    typeof value === "number" ? value : typeof value === "string" && /^\d+$/.test(value) ? Number(value) : NaN;
  const ms = Number.isFinite(number) ? (number > 1e11 ? number : number * 1000) : Date.parse(String(value ?? ""));
  return Number.isFinite(ms) && ms > 0 && ms < 8.64e15 ? Math.round(ms) : 0;
}

function firstTime(places: readonly Fields[], keys: readonly string[]): number {
  for (const place of places) for (const key of keys) if (timeOf(place[key]) > 0) return timeOf(place[key]);
  return 0;
}

/** Control characters would end up in headers and on screens. */
function firstText(places: readonly Fields[], keys: readonly string[]): string {
  for (const place of places) {
    for (const key of keys) {
      const value = place[key];
      if (typeof value !== "string" || value.trim() === "") continue;
      if (!isOneLine(value.trim(), longestToken)) throw bad(`${key} is not one line of text`);
      return value.trim();
    }
  }
  return "";
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string").slice(0, 500) : [];
}

function proxyOf(text: string): string {
  return parseProxy(text) ?? "";
}

function without(fields: Fields, keys: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.has(key) && key !== "__proto__"));
}

function isDeep(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeep(inner, levels - 1));
}

function bad(message: string): GatewayError {
  return new GatewayError("OAUTH_IMPORT", 400, message);
}
