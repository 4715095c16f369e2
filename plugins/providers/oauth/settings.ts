/**
 * How one provider logs in: its vendor's data with what the config says over it. Where an address came from decides what it
 * may reach: the operator's may be private, those of a request may not, and no stored secret goes to a server nobody stored.
 */
import { homedir } from "node:os";
import { GatewayError, redactedMark } from "@chela/sdk";
import type { OAuthSection, ProviderSection } from "../schema.ts";
import { parseProxy } from "./proxy-url.ts";
import { type FlowKind, knownVendor, type OauthVendor, ownVendor } from "./vendors.ts";

export interface OauthSettings {
  /** Name of the provider in the config. */
  readonly provider: string;
  readonly vendor: OauthVendor;
  readonly flow: FlowKind;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authUrl: string;
  readonly tokenUrl: string;
  readonly deviceUrl: string;
  readonly userinfoUrl: string;
  readonly projectUrl: string;
  readonly redirectUrl: string;
  readonly scopes: readonly string[];
  readonly apiBase: string;
  /** Where requests of its accounts go instead; empty: where the provider's go. */
  readonly accountBase: string;
  readonly proxy: string | undefined;
  readonly leadMs: number;
  readonly scanMs: number;
  /** The operator's own list of account files; empty: the folder is the list. */
  readonly files: readonly string[];
  readonly models: readonly string[];
  /** The whole provider, where a request brought it and the config does not hold it yet. */
  readonly unsaved?: ProviderSection;
  /** Origins that may be private. */
  readonly trust: readonly string[];
  /** Origins that the operator or the vendor's data named: they may be told secrets, and be reached through a proxy. */
  readonly known: ReadonlySet<string>;
}

export type Env = Readonly<Record<string, string | undefined>>;

export interface Source {
  readonly provider: string;
  /** What the config holds under this name. */
  readonly stored: ProviderSection | undefined;
  /** What a request brought along instead. */
  readonly inline?: ProviderSection;
  readonly env: Env;
}

/** Throws `OAUTH_CONFIG` 400 for a provider that has no accounts, or whose addresses are none. */
export function readOauth({ provider, stored, inline, env }: Source): OauthSettings {
  const entry = inline ?? stored;
  const section = (entry?.oauth ?? {}) as OAuthSection;
  const vendor = vendorOf(provider, entry, section);
  const urls = urlsOf(provider, vendor, section, entry);
  const trust = stored ? originsOf(stored) : [];
  const known = new Set([...trust, ...vendorOrigins(knownVendor(vendor.name) ?? vendor)]);
  if (inline) restrict(urls, known);
  const mayTell = !inline || known.has(originOf(urls.tokenUrl));
  const kept = mayTell ? ((stored?.oauth ?? {}) as OAuthSection) : {};
  const variable = (name: string) => (mayTell ? env[variableName(vendor.name, name)]?.trim() : undefined);
  const secret = section.client_secret === redactedMark ? kept.client_secret : section.client_secret;
  return {
    provider,
    vendor,
    flow: flowOf(vendor, section),
    clientId: text(section.client_id) || env[variableName(vendor.name, "ID")]?.trim() || "",
    clientSecret: text(secret) || variable("SECRET") || "",
    ...urls,
    redirectUrl: redirectOf(vendor, section),
    scopes: scopesOf(section.scopes) ?? vendor.scopes,
    proxy: parseProxy(section.network_proxy === redactedMark ? kept.network_proxy : section.network_proxy),
    leadMs: positive(section.refresh_lead_sec, vendor.leadSec) * 1000,
    scanMs: Math.min(positive(section.refresh_scan_sec, 600) * 1000, 86_400_000),
    files: inline ? [] : filesOf(section),
    models: (entry?.models ?? []).map((model) => (typeof model === "string" ? model : model.id)),
    trust,
    known,
  };
}

/** True for providers whose requests accounts may sign. */
export function usesAccounts(entry: ProviderSection | undefined): boolean {
  return entry?.auth === "oauth" || entry?.auth === "hybrid";
}

/** Throws `OAUTH_CLIENT` 400, and says where to set what is missing. */
export function requireClient(settings: OauthSettings): void {
  const { clientId, clientSecret, provider, vendor } = settings;
  const missing = clientId === "" ? "ID" : clientSecret === "" && vendor.needsSecret ? "SECRET" : undefined;
  if (missing === undefined) return;
  const key = `models.providers.${provider}.oauth.client_${missing.toLowerCase()}`;
  throw new GatewayError(
    "OAUTH_CLIENT",
    400,
    `${vendor.name} has no OAuth client ${missing === "ID" ? "id" : "secret"}: set ${key} or the environment variable ${variableName(vendor.name, missing)}`,
  );
}

/** Relative names mean the accounts folder, `~` the home of whoever runs the gateway. */
export function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}

function vendorOf(provider: string, entry: ProviderSection | undefined, section: OAuthSection): OauthVendor {
  if (entry === undefined) throw bad(`provider "${provider}" not found`);
  if (!usesAccounts(entry)) throw bad(`provider "${provider}" does not use oauth: set its auth to oauth or hybrid`);
  const name = text(section.provider) || (knownVendor(provider) ? provider : "");
  if (name === "") throw bad(`models.providers.${provider}.oauth.provider must be set: the vendor of the login`);
  const vendor = knownVendor(name);
  if (vendor) return isElsewhere(vendor, section) ? plainServer(vendor) : vendor;
  const device = text(section.device_auth_url) !== "";
  if (text(section.token_url) === "" || (!device && text(section.auth_url) === "")) {
    throw bad(
      `models.providers.${provider}.oauth.provider "${name}" is no known vendor: set auth_url (or device_auth_url) and token_url beside it`,
    );
  }
  return ownVendor(name, device ? "device" : "callback");
}

/** A vendor's name over another server: that one is an OAuth server like any other, whatever the vendor's own does. */
function isElsewhere(vendor: OauthVendor, { auth_url, token_url, device_auth_url }: OAuthSection): boolean {
  const told = text(auth_url) !== "" && text(token_url) !== "" && text(device_auth_url) === "";
  return told && originOf(text(token_url)) !== originOf(vendor.tokenUrl ?? "");
}

function plainServer({ name, callback, leadSec, apiBase, modelHeaders }: OauthVendor): OauthVendor {
  const own = ownVendor(name, "callback");
  return { ...own, callback, leadSec, ...(apiBase ? { apiBase } : {}), ...(modelHeaders ? { modelHeaders } : {}) };
}

function flowOf(vendor: OauthVendor, section: OAuthSection): FlowKind {
  return text(section.device_auth_url) === "" ? vendor.flow : "device";
}

function urlsOf(provider: string, vendor: OauthVendor, section: OAuthSection, entry: ProviderSection | undefined) {
  const read = (key: keyof OAuthSection & string, fallback = "") => {
    const value = text(section[key]);
    if (value !== "" && !isHttp(value))
      throw bad(`models.providers.${provider}.oauth.${key} must be an http or https URL`);
    return value || fallback;
  };
  const base = text(entry?.api_base ?? entry?.baseUrl);
  return {
    authUrl: read("auth_url", vendor.authUrl),
    tokenUrl: read("token_url", vendor.tokenUrl),
    deviceUrl: read("device_auth_url", vendor.deviceUrl),
    userinfoUrl: read("userinfo_url", vendor.userinfo?.url),
    // A gateway in front of the API answers this too.
    projectUrl: read(
      "project_url",
      vendor.projectUrl && isHttp(base) ? `${originOf(base)}${new URL(vendor.projectUrl).pathname}` : vendor.projectUrl,
    ),
    apiBase: (isHttp(base) ? base : (vendor.apiBase ?? "")).replace(/\/+$/, ""),
    accountBase: isHttp(base) && originOf(base) !== vendor.accountApi?.over ? "" : (vendor.accountApi?.base ?? ""),
  };
}

function redirectOf(vendor: OauthVendor, section: OAuthSection): string {
  const configured = text(section.redirect_url);
  if (configured !== "") {
    if (!URL.canParse(configured)) throw bad("oauth.redirect_url must be an absolute URL");
    return configured;
  }
  const port = positive(section.callback_port, vendor.callback.port || 1455);
  return `http://localhost:${port}${vendor.callback.path}`;
}

/** Tokens go where a request says only encrypted; what merely would be nice to know is not asked for otherwise. */
function restrict(urls: ReturnType<typeof urlsOf>, known: ReadonlySet<string>): void {
  const isFit = (url: string) => url === "" || url.startsWith("https://") || known.has(originOf(url));
  const unfit = [urls.tokenUrl, urls.deviceUrl].find((url) => !isFit(url));
  if (unfit !== undefined)
    throw bad(`${originOf(unfit)} in provider_config must be https: save the provider first to use a server without`);
  for (const name of ["userinfoUrl", "projectUrl", "apiBase"] as const) if (!isFit(urls[name])) urls[name] = "";
}

function originsOf(entry: ProviderSection): string[] {
  const section = (entry.oauth ?? {}) as OAuthSection;
  const { auth_url, token_url, device_auth_url, userinfo_url, project_url } = section;
  const urls = [auth_url, token_url, device_auth_url, userinfo_url, project_url, entry.api_base, entry.baseUrl];
  return [...new Set(urls.map(text).filter(isHttp).map(originOf))];
}

function vendorOrigins(vendor: OauthVendor): string[] {
  const { authUrl, tokenUrl, deviceUrl, userinfo, projectUrl, apiBase } = vendor;
  return [authUrl, tokenUrl, deviceUrl, userinfo?.url, projectUrl, apiBase].map(text).filter(isHttp).map(originOf);
}

function filesOf(section: OAuthSection): string[] {
  const names = [section.credential_file, ...(section.credential_files ?? [])].map(text);
  return [...new Set(names.filter((name) => name !== ""))];
}

function scopesOf(value: unknown): string[] | undefined {
  if (typeof value === "string") return value.split(/[\s,]+/).filter((scope) => scope !== "");
  return Array.isArray(value) ? value.map(text).filter((scope) => scope !== "") : undefined;
}

export function variableName(vendor: string, what: string): string {
  return `CHELA_OAUTH_${vendor.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}_CLIENT_${what}`;
}

export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "";
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function positive(value: unknown, fallback: number): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : fallback;
}

function bad(message: string): GatewayError {
  return new GatewayError("OAUTH_CONFIG", 400, message);
}
