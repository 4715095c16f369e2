/**
 * A real OAuth server (oidc-provider) on a loopback port, with its login and consent pages. PKCE is required, refresh tokens
 * rotate, and one that is used twice ends its whole grant, as with the vendors that matter.
 */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Browser } from "./browser.ts";

export interface OauthServerOptions {
  /** Seconds an access token lives. Default 3600. */
  readonly accessTtl?: number;
  readonly redirectUris?: readonly string[];
  /** Default none: a public client. */
  readonly secret?: string;
  readonly auth?: "none" | "client_secret_basic" | "client_secret_post";
  /** Seconds between two looks of a device. Default 1. */
  readonly interval?: number;
}

export interface TokenRequest {
  readonly grant: string;
  readonly status: number;
}

export interface OauthServer {
  readonly origin: string;
  readonly authUrl: string;
  readonly tokenUrl: string;
  readonly deviceUrl: string;
  readonly userinfoUrl: string;
  /** Every request to the token endpoint, in order. */
  readonly tokenRequests: readonly TokenRequest[];
  /** Somebody logs in and consents: the address that the browser is sent back to. */
  login(authUrl: string, account?: string): Promise<string>;
  /** Somebody types the code in, logs in and confirms. */
  confirmDevice(url: string, account?: string): Promise<void>;
  revoke(refreshToken: string): Promise<void>;
  /** Runs before a request to the token endpoint is answered. */
  beforeToken: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

export const clientId = "chela-test";
export const redirectUri = "http://localhost:18455/callback";

export async function startOauthServer(options: OauthServerOptions = {}): Promise<OauthServer> {
  let listener: RequestListener = (_req, res) => void res.writeHead(503).end();
  const http = createServer((req, res) => listener(req, res));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const provider = await quietly(async () => {
    const { Provider } = await import("oidc-provider");
    return new Provider(origin, configuration(options));
  });
  provider.silent = true;
  const tokenRequests: TokenRequest[] = [];
  const server: OauthServer = {
    origin,
    authUrl: `${origin}/auth`,
    tokenUrl: `${origin}/token`,
    deviceUrl: `${origin}/device/auth`,
    userinfoUrl: `${origin}/me`,
    tokenRequests,
    login: (authUrl, account = "ada@example.com") => new Browser(account).follow(authUrl, origin),
    confirmDevice: (url, account = "ada@example.com") => new Browser(account).confirmDevice(url),
    revoke: async (value) => (await provider.RefreshToken.find(value))?.destroy(),
    beforeToken: undefined,
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
  provider.use(async (ctx, next) => {
    const token = ctx.path === "/token";
    if (token) await server.beforeToken?.();
    await next();
    if (token) tokenRequests.push({ grant: String(ctx.oidc?.params?.grant_type ?? ""), status: ctx.status });
    if (ctx.path === "/device/auth" && typeof ctx.body === "object")
      ctx.body = { ...ctx.body, interval: options.interval ?? 1 };
  });
  listener = provider.callback();
  return server;
}

const page = (form: string) => `<!doctype html>${form}`;
/** Pages of our own: the usual ones warn that they are not made for production. */
const deviceFlow = {
  enabled: true,
  userCodeInputSource: (ctx: { body: unknown }, form: string) => {
    ctx.body = page(form);
  },
  userCodeConfirmSource: (ctx: { body: unknown }, form: string) => {
    ctx.body = page(form);
  },
  successSource: (ctx: { body: unknown }) => {
    ctx.body = page("signed in");
  },
};

function configuration({ accessTtl = 3600, redirectUris = [redirectUri], secret, auth }: OauthServerOptions) {
  const method = auth ?? (secret === undefined ? "none" : "client_secret_post");
  return {
    clients: [
      {
        client_id: clientId,
        ...(secret === undefined ? {} : { client_secret: secret }),
        token_endpoint_auth_method: method,
        application_type: "native",
        redirect_uris: redirectUris,
        response_types: ["code"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      },
    ],
    features: { deviceFlow, devInteractions: { enabled: true }, userinfo: { enabled: true } },
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    claims: { openid: ["sub"], email: ["email"] },
    scopes: ["openid", "offline_access", "email"],
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    findAccount: (_ctx: unknown, sub: string) => ({ accountId: sub, claims: async () => ({ sub, email: sub }) }),
    ttl: {
      AccessToken: accessTtl,
      AuthorizationCode: 60,
      DeviceCode: 600,
      IdToken: 3600,
      RefreshToken: 86_400,
      Grant: 86_400,
      Interaction: 600,
      Session: 600,
    },
    cookies: { keys: ["a test has no secret"] },
  };
}

/** It warns of what is not made for production, and of a Node that it does not know; this is a test. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { warn, info } = console;
  Object.assign(console, { warn: () => undefined, info: () => undefined });
  try {
    return await work();
  } finally {
    Object.assign(console, { warn, info });
  }
}
