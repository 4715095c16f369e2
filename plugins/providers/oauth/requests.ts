/** What clients send to log in, read with care: texts are texts, and a provider config from a request is cut down to what a login needs. */
import { GatewayError, isObject, jsonOf, objectOf } from "@chela/sdk";
import type { ProviderSection } from "../schema.ts";
import type { LoginRequest } from "./desk.ts";

export type Fields = Readonly<Record<string, unknown>>;

const oauthTexts = [
  "provider",
  "network_proxy",
  "client_id",
  "client_secret",
  "auth_url",
  "token_url",
  "device_auth_url",
  "userinfo_url",
  "project_url",
  "redirect_url",
] as const;
const oauthNumbers = ["callback_port", "refresh_lead_sec", "refresh_scan_sec"] as const;
const maxText = 16_384;

/** Throws `BAD_REQUEST` 400 for what is no text. */
export function textIn(fields: Fields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null) return "";
  if (typeof value !== "string" || value.length > maxText)
    throw bad(`${name} must be a text of at most ${maxText} characters`);
  return value.trim();
}

export function fieldsOf(value: unknown): Fields {
  if (value === undefined || value === null || value === "") return {};
  if (typeof value !== "object" || Array.isArray(value)) throw bad("the body must be a JSON object");
  return value as Fields;
}

export function loginRequest(fields: Fields): LoginRequest {
  return {
    provider: textIn(fields, "provider"),
    label: oneLine("account_label", textIn(fields, "account_label")),
    proxy: textIn(fields, "network_proxy"),
    inline: inlineIn(fields),
  };
}

/** In a form it is JSON text. Undefined when it says nothing about a login: then the stored one counts. */
function inlineIn(fields: Fields): ProviderSection | undefined {
  const given = fields.provider_config;
  if (given === undefined || given === null || given === "") return undefined;
  const config = typeof given === "string" ? jsonOf(given) : given;
  if (!isObject(config)) throw bad("invalid provider_config");
  const oauth = objectOf(config.oauth);
  const says =
    ["api_base", "api_key", "models", "auth"].some((name) => isGiven(config[name])) || isGiven(oauth.provider);
  if (!says) return undefined;
  const scopes = oauth.scopes;
  const section: Record<string, unknown> = {};
  for (const name of oauthTexts) if (typeof oauth[name] === "string") section[name] = oauth[name].slice(0, maxText);
  for (const name of oauthNumbers) if (typeof oauth[name] === "number") section[name] = oauth[name];
  if (typeof scopes === "string" || isTexts(scopes)) section.scopes = scopes;
  return {
    auth: typeof config.auth === "string" && config.auth !== "" ? config.auth : "oauth",
    ...(typeof config.api_base === "string" ? { api_base: config.api_base } : {}),
    ...(isTexts(config.models) ? { models: [...config.models] } : {}),
    oauth: section,
  };
}

function oneLine(name: string, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (text.length > 200 || /[\u0000-\u001f\u007f]/.test(text))
    throw bad(`${name} must be one line of at most 200 characters`);
  return text;
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== "";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= 500 && value.every((item) => typeof item === "string");
}

function bad(message: string): GatewayError {
  return new GatewayError("BAD_REQUEST", 400, message);
}
