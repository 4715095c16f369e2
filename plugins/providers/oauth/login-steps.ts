/** The steps of a login that need no state: the address to open, the client at the server, waiting, refusals in words. */
import { GatewayError, messageOf } from "@chela/sdk";
import { type Device, isPassing } from "./device.ts";
import type { Flow } from "./flow.ts";
import { challengeOf, type Peer, refreshTokens, type Tokens } from "./protocol.ts";
import { OauthRefusal } from "./refusal.ts";
import { clientOf, deviceHeaders, merged } from "./renewal.ts";
import { emptySession, type Session } from "./session.ts";
import { type OauthSettings, requireClient } from "./settings.ts";

export async function authorizationUrl({ settings, state, verifier }: Flow): Promise<string> {
  const url = new URL(settings.authUrl);
  const parameters: Record<string, string> = {
    response_type: "code",
    client_id: settings.clientId,
    redirect_uri: settings.redirectUrl,
    ...(settings.scopes.length > 0 ? { scope: settings.scopes.join(" ") } : {}),
    state,
    ...(verifier === "" ? {} : { code_challenge: await challengeOf(verifier), code_challenge_method: "S256" }),
    ...settings.vendor.authParams,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

export function peerOf(flow: Flow): Peer {
  const headers = deviceHeaders(flow.settings, { ...emptySession, device_id: flow.deviceId });
  return { settings: flow.settings, send: flow.send, signal: flow.abort.signal, headers };
}

export function isNameless({ vendor }: OauthSettings, session: Session): boolean {
  return vendor.needsLabel === true && session.email === "" && session.account_label === "";
}

/** What the server refuses, and that nobody reaches it, is the caller's to know: with ClawGo's statuses. */
export async function exchanged(work: Promise<Tokens>): Promise<Tokens> {
  return work.catch((error: unknown) => {
    throw told(error, (reason) => ["OAUTH_EXCHANGE", 400, `oauth token exchange failed: ${reason}`]);
  });
}

export async function opened(work: Promise<Device>): Promise<Device> {
  return work.catch((error: unknown) => {
    throw told(error, (reason) => ["OAUTH_START", 500, `oauth login cannot start: ${reason}`]);
  });
}

function told(error: unknown, say: (reason: string) => readonly [code: string, status: number, text: string]): unknown {
  if (!(error instanceof OauthRefusal) && !isPassing(error)) return error;
  const [code, status, text] = say(messageOf(error));
  return new GatewayError(code, status, text, undefined, { cause: error });
}

/** Undefined when it takes longer than a request should. */
export function soon<T>(work: Promise<T>, waitMs: number, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    const timer = setTimeout(() => resolve(undefined), waitMs);
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    });
  });
}

/** An import that brought a refresh token alone. A refresh token belongs to the client it was issued to: the file may name it. */
export async function firstTokens(
  session: Session,
  settings: OauthSettings,
  way: Pick<Peer, "send" | "signal"> & { readonly now: number },
): Promise<Session> {
  const client = { ...settings, ...clientOf(session) };
  requireClient(client);
  const peer: Peer = {
    settings: client,
    send: way.send,
    signal: way.signal,
    headers: deviceHeaders(settings, session),
  };
  return merged(session, await exchanged(refreshTokens(peer, session.refresh_token)), way.now);
}
