/**
 * The door to oauth4webapi: code exchange with PKCE, device flow (RFC 8628) and refresh against one server. What servers send
 * that is not quite OAuth is straightened here, and every refusal becomes an `OauthRefusal`. Loaded when somebody logs in or
 * a token has to be renewed.
 */
import { isObject, jsonOf, messageOf } from "@chela/sdk";
import * as oauth from "oauth4webapi";
import { headerOf, payloadOf } from "./claims.ts";
import { isOneLine, longestToken, oneLine, webAddress } from "./one-line.ts";
import { OauthRefusal } from "./refusal.ts";
import type { OauthSettings } from "./settings.ts";
import type { Transport } from "./transport.ts";

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly token_type: string;
  readonly scope?: string;
  /** Seconds. */
  readonly expires_in?: number;
  /** Qwen: where this account's API is. */
  readonly resource_url?: string;
}

/** The client at the server, and the way there. */
export interface Peer {
  readonly settings: Pick<OauthSettings, "tokenUrl" | "deviceUrl" | "clientId" | "clientSecret" | "vendor" | "scopes">;
  readonly send: Transport;
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CodeGrant {
  readonly callback: URLSearchParams;
  readonly state: string;
  readonly verifier: string;
  readonly redirectUrl: string;
}

export interface DeviceStart {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly url: string;
  readonly expiresMs: number;
  readonly intervalMs: number;
}

/** Own clocks are wrong now and then. */
const clockTolerance = 300;

export async function exchangeCode(peer: Peer, grant: CodeGrant): Promise<Tokens> {
  const { as, client } = server(peer);
  const parameters = new URLSearchParams(grant.callback);
  // Which server it was is known from the flow; its issuer name is not.
  for (const name of ["iss", "response", "session_state"]) parameters.delete(name);
  const answer = oauth.validateAuthResponse(as, client, parameters, grant.state);
  const verifier = grant.verifier === "" ? oauth.nopkce : grant.verifier;
  const extra: Record<string, string> = peer.settings.vendor.stateInExchange ? { state: grant.state } : {};
  return tokens(peer, (auth, options) =>
    oauth.authorizationCodeGrantRequest(as, client, auth, answer, grant.redirectUrl, verifier, {
      ...options,
      additionalParameters: extra,
    }),
  );
}

export async function refreshTokens(peer: Peer, refreshToken: string): Promise<Tokens> {
  const { as, client } = server(peer);
  return tokens(peer, (auth, options) => oauth.refreshTokenGrantRequest(as, client, auth, refreshToken, options));
}

export async function startDevice(peer: Peer, verifier: string): Promise<DeviceStart> {
  const { as, client } = server(peer);
  const { scopes, vendor } = peer.settings;
  const parameters = new URLSearchParams(scopes.length > 0 ? { scope: scopes.join(" ") } : {});
  if (verifier !== "") {
    parameters.set("code_challenge", await oauth.calculatePKCECodeChallenge(verifier));
    parameters.set("code_challenge_method", "S256");
  }
  const response = await withEitherAuth(peer, (auth, options) =>
    oauth.deviceAuthorizationRequest(as, client, auth, parameters, options),
  );
  const reply = await conform(oauth.processDeviceAuthorizationResponse(as, client, response));
  return {
    deviceCode: reply.device_code,
    userCode: oneLine(reply.user_code, 64),
    url:
      webAddress(reply.verification_uri_complete) || webAddress(reply.verification_uri) || vendor.verificationUrl || "",
    expiresMs: reply.expires_in * 1000,
    intervalMs: (reply.interval ?? 5) * 1000,
  };
}

/** One look. Throws `OauthRefusal` with `authorization_pending` or `slow_down` while the user has not decided. */
export async function pollDevice(peer: Peer, deviceCode: string, verifier: string): Promise<Tokens> {
  const { as, client } = server(peer);
  const extra: Record<string, string> = verifier === "" ? {} : { code_verifier: verifier };
  return tokens(peer, (auth, options) =>
    oauth.deviceCodeGrantRequest(as, client, auth, deviceCode, { ...options, additionalParameters: extra }),
  );
}

export async function challengeOf(verifier: string): Promise<string> {
  return oauth.calculatePKCECodeChallenge(verifier);
}

type Options = oauth.TokenEndpointRequestOptions;
type Ask = (auth: oauth.ClientAuth, options: Options) => Promise<Response>;

function server({ settings }: Peer): { as: oauth.AuthorizationServer; client: oauth.Client } {
  const as: oauth.AuthorizationServer = {
    issuer: settings.tokenUrl,
    token_endpoint: settings.tokenUrl,
    ...(settings.deviceUrl === "" ? {} : { device_authorization_endpoint: settings.deviceUrl }),
  };
  return { as, client: { client_id: settings.clientId, [oauth.clockTolerance]: clockTolerance } };
}

async function tokens(peer: Peer, ask: Ask): Promise<Tokens> {
  const response = await withEitherAuth(peer, ask);
  const { as, client } = server(peer);
  const { id_token } = (await response.clone().json()) as { id_token?: string };
  const issuer = payloadOf(id_token).iss;
  const alg = headerOf(id_token).alg;
  // The issuer is whatever the token endpoint says; audience and times of an id_token are checked against it.
  const said: oauth.AuthorizationServer = { ...as, issuer: typeof issuer === "string" ? issuer : as.issuer };
  const means: oauth.Client = typeof alg === "string" ? { ...client, id_token_signed_response_alg: alg } : client;
  return (await conform(oauth.processGenericTokenEndpointResponse(said, means, response))) as unknown as Tokens;
}

/** Most servers read the secret from the form; one that wants it in a header says that it does not know the client. */
async function withEitherAuth(peer: Peer, ask: Ask): Promise<Response> {
  const { clientSecret } = peer.settings;
  const options = optionsOf(peer);
  if (clientSecret === "") return ask(oauth.None(), options);
  try {
    return await ask(oauth.ClientSecretPost(clientSecret), options);
  } catch (error) {
    const unknown = error instanceof OauthRefusal && (error.error === "invalid_client" || error.status === 401);
    if (!unknown || peer.settings.vendor.jsonTokens) throw error;
    return ask(oauth.ClientSecretBasic(clientSecret), options);
  }
}

function optionsOf({ settings, send, signal, headers }: Peer): Options {
  return {
    signal,
    headers: { ...headers },
    // The operator may have written a plain address; what a request brought along was held to https before.
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: async (url: string, init: oauth.CustomFetchOptions<"POST", URLSearchParams>) => {
      const { headers: own, body, method } = init;
      const json = settings.vendor.jsonTokens && url === settings.tokenUrl;
      const response = await send(url, {
        method,
        signal,
        headers: json ? { ...own, "content-type": "application/json" } : own,
        body: json ? JSON.stringify(Object.fromEntries(body)) : body.toString(),
      });
      return straighten(response);
    },
  };
}

/** A refusal is thrown; a success becomes what the specification says it looks like. */
async function straighten(response: Response): Promise<Response> {
  const text = await response.text();
  const said = jsonOf(text);
  const body = isObject(said) ? said : undefined;
  if (response.status < 200 || response.status > 299 || !body || body.error)
    throw OauthRefusal.of(response.status, body, text);
  const reply: Record<string, unknown> = { token_type: "Bearer", expires_in: undefined, ...body };
  for (const name of ["refresh_token", "id_token", "scope", "token_type"]) {
    if (typeof reply[name] !== "string" || reply[name] === "") delete reply[name];
  }
  reply.token_type ??= "Bearer";
  const odd = Object.entries(reply).find(([, value]) => typeof value === "string" && !isOneLine(value, longestToken));
  if (odd) throw new OauthRefusal(502, "invalid_response", `${odd[0]} is not one line of text`);
  if (reply.device_code !== undefined) {
    reply.verification_uri ??= reply.verification_url;
    reply.expires_in ??= 600;
  }
  return new Response(JSON.stringify(reply), { headers: { "content-type": "application/json" } });
}

async function conform<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof OauthRefusal) throw error;
    throw new OauthRefusal(502, "invalid_response", messageOf(error));
  }
}
