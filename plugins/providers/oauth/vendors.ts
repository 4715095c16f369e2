/**
 * Vendors whose accounts can be logged in to, as data: endpoints, scopes, kind of flow, loopback callback and how long before
 * expiry a token is renewed. Client ids and secrets are never here: they come from the config or the environment.
 */

/** `callback`: a browser comes back with a code. `device`: a code is typed in elsewhere while we poll. */
export type FlowKind = "callback" | "device";

export interface OauthVendor {
  readonly name: string;
  readonly flow: FlowKind;
  readonly aliases: readonly string[];
  readonly authUrl?: string;
  readonly tokenUrl?: string;
  readonly deviceUrl?: string;
  /** Where the user types the code, when the server's answer does not say. */
  readonly verificationUrl?: string;
  /** `codex`: JSON bodies and a code exchange at the end, instead of RFC 8628. */
  readonly deviceForm?: "codex";
  readonly pkce: boolean;
  /** The vendor's clients are confidential. */
  readonly needsSecret?: boolean;
  readonly scopes: readonly string[];
  readonly authParams?: Readonly<Record<string, string>>;
  /** The token endpoint reads JSON. */
  readonly jsonTokens?: boolean;
  /** Sends `state` along with the code. */
  readonly stateInExchange?: boolean;
  /** Loopback address that the vendor knows for its clients. */
  readonly callback: { readonly port: number; readonly path: string };
  readonly leadSec: number;
  /** Without an e-mail in its answers, the caller has to name the account. */
  readonly needsLabel?: boolean;
  /** Every account sends an id of the device it was made on. */
  readonly deviceHeader?: string;
  readonly userinfo?: { readonly url: string; readonly tokenIn: "header" | "accessToken" };
  /** Accounts belong to a project that has to be asked for. */
  readonly projectUrl?: string;
  readonly apiBase?: string;
  /** Where its accounts are served, where that is not where its keys are; `over`: the origin that is meant for keys alone. */
  readonly accountApi?: { readonly base: string; readonly over?: string };
  readonly modelHeaders?: Readonly<Record<string, string>>;
}

const google = {
  authUrl: "https://accounts.google.com/o/oauth2/v2/auth",
  tokenUrl: "https://oauth2.googleapis.com/token",
  pkce: true,
  needsSecret: true,
  authParams: { access_type: "offline", prompt: "consent" },
  userinfo: { url: "https://www.googleapis.com/oauth2/v1/userinfo?alt=json", tokenIn: "header" },
} as const;
const googleScopes = [
  "https://www.googleapis.com/auth/cloud-platform",
  "https://www.googleapis.com/auth/userinfo.email",
  "https://www.googleapis.com/auth/userinfo.profile",
];
const hour = 3600;

export const oauthVendors: readonly OauthVendor[] = [
  {
    name: "codex",
    aliases: ["openai-codex", "codex-api-key", "chatgpt"],
    flow: "device",
    deviceForm: "codex",
    authUrl: "https://auth.openai.com/oauth/authorize",
    tokenUrl: "https://auth.openai.com/oauth/token",
    deviceUrl: "https://auth.openai.com/api/accounts/deviceauth/usercode",
    verificationUrl: "https://auth.openai.com/codex/device",
    pkce: false,
    scopes: ["openid", "profile", "email", "offline_access"],
    callback: { port: 1455, path: "/auth/callback" },
    leadSec: 5 * 24 * hour,
    accountApi: { base: "https://chatgpt.com/backend-api/codex", over: "https://api.openai.com" },
  },
  {
    name: "claude",
    aliases: ["anthropic", "claude-code", "claude-api-key"],
    flow: "callback",
    authUrl: "https://claude.ai/oauth/authorize",
    tokenUrl: "https://console.anthropic.com/v1/oauth/token",
    pkce: true,
    scopes: ["org:create_api_key", "user:profile", "user:inference"],
    authParams: { code: "true" },
    jsonTokens: true,
    stateInExchange: true,
    callback: { port: 54545, path: "/callback" },
    leadSec: 4 * hour,
    apiBase: "https://api.anthropic.com/v1",
    modelHeaders: { "anthropic-version": "2023-06-01", "anthropic-beta": "oauth-2025-04-20" },
  },
  {
    ...google,
    name: "antigravity",
    aliases: [],
    flow: "callback",
    scopes: [
      ...googleScopes,
      "https://www.googleapis.com/auth/cclog",
      "https://www.googleapis.com/auth/experimentsandconfigs",
    ],
    callback: { port: 51121, path: "/oauth-callback" },
    leadSec: 300,
    projectUrl: "https://cloudcode-pa.googleapis.com/v1internal:loadCodeAssist",
  },
  {
    ...google,
    name: "gemini",
    aliases: ["gemini-cli", "geminicli", "google", "google-ai-studio"],
    flow: "callback",
    scopes: googleScopes,
    callback: { port: 8085, path: "/oauth2callback" },
    leadSec: hour / 2,
  },
  {
    name: "iflow",
    aliases: ["i-flow"],
    flow: "callback",
    authUrl: "https://iflow.cn/oauth",
    tokenUrl: "https://iflow.cn/oauth/token",
    pkce: true,
    needsSecret: true,
    scopes: [],
    callback: { port: 11451, path: "/oauth2callback" },
    leadSec: hour / 2,
    userinfo: { url: "https://iflow.cn/api/oauth/getUserInfo", tokenIn: "accessToken" },
    apiBase: "https://apis.iflow.cn/v1",
  },
  {
    name: "kimi",
    aliases: ["kimi-code", "kimi-coding"],
    flow: "device",
    tokenUrl: "https://auth.kimi.com/api/oauth/token",
    deviceUrl: "https://auth.kimi.com/api/oauth/device_authorization",
    pkce: false,
    scopes: [],
    callback: { port: 0, path: "/callback" },
    leadSec: 300,
    deviceHeader: "x-msh-device-id",
    apiBase: "https://api.kimi.com/coding/v1",
    accountApi: { base: "https://api.kimi.com/coding/v1" },
  },
  {
    name: "qwen",
    aliases: ["qwen-code", "qwen-portal"],
    flow: "device",
    tokenUrl: "https://chat.qwen.ai/api/v1/oauth2/token",
    deviceUrl: "https://chat.qwen.ai/api/v1/oauth2/device/code",
    pkce: true,
    scopes: ["openid", "profile", "email", "model.completion"],
    callback: { port: 0, path: "/callback" },
    leadSec: 3 * hour,
    needsLabel: true,
    apiBase: "https://portal.qwen.ai/v1",
    accountApi: { base: "https://portal.qwen.ai/v1" },
  },
];

const byName: ReadonlyMap<string, OauthVendor> = new Map(
  oauthVendors.flatMap((vendor) => [vendor.name, ...vendor.aliases].map((name) => [name, vendor] as const)),
);

/** By name or alias, whatever the case. Undefined: one of the operator's own. */
export function knownVendor(name: string): OauthVendor | undefined {
  return byName.get(name.trim().toLowerCase());
}

/** What an OAuth provider is called in session files: aliases of a vendor become its name. */
export function vendorName(name: string): string {
  return knownVendor(name)?.name ?? name.trim().toLowerCase();
}

/** A server that only the config describes. */
export function ownVendor(name: string, flow: FlowKind): OauthVendor {
  return {
    name: vendorName(name),
    aliases: [],
    flow,
    pkce: true,
    scopes: [],
    callback: { port: 0, path: "/callback" },
    leadSec: 300,
  };
}
