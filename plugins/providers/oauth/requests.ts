/** What clients send to log in, read with care: texts are texts, and a provider config from a request is cut down to what a login needs. */
import { GatewayError, isObject, jsonOf, objectOf } from "@chela/sdk";
import { type Fields, fieldIn, textIn as plainText } from "../fields.ts";
import type { ProviderSection } from "../schema.ts";
import { fits, problemsOf } from "../settings-check.ts";
import type { LoginRequest } from "./desk.ts";
import { isOneLine } from "./one-line.ts";

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

/** Throws 400 `BAD_REQUEST` for what is too long. */
export function textIn(fields: Fields, name: string): string {
  const text = plainText(fields, name);
  if (text.length > maxText) throw bad(`${name} must be a text of at most ${maxText} characters`);
  return text;
}

export function loginRequest(fields: Fields): LoginRequest {
  const label = textIn(fields, "account_label");
  if (!isOneLine(label, 200)) throw bad("account_label must be one line of at most 200 characters");
  return {
    provider: textIn(fields, "provider"),
    label,
    proxy: textIn(fields, "network_proxy"),
    ...providerIn(fields),
  };
}

/** In a form it is JSON text. Nothing when it says nothing about a login: then the stored one counts. */
function providerIn(fields: Fields): Pick<LoginRequest, "inline" | "whole"> {
  const given = fieldIn(fields, "provider_config");
  if (given === undefined || given === "") return {};
  const config = typeof given === "string" ? jsonOf(given) : given;
  if (!isObject(config)) throw bad("invalid provider_config");
  const inline = loginPart(config);
  return inline ? { inline, whole: { ...config, auth: inline.auth } } : {};
}

/** A new provider, as it will stand in the config. Throws 400 when it cannot stand there. */
export function newSection(name: string, section: unknown): ProviderSection {
  if (!fits(section)) throw bad("invalid provider_config");
  const [problem] = problemsOf(name, section);
  if (problem) throw bad(`${problem.path} ${problem.message}`);
  return section;
}

function loginPart(config: Fields): ProviderSection | undefined {
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

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== "";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= 500 && value.every((item) => typeof item === "string");
}

function bad(message: string): GatewayError {
  return new GatewayError("BAD_REQUEST", 400, message);
}
