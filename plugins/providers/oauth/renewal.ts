/**
 * Renews the token of one account. New tokens are on disk before anybody may use them; a server's final no disables the
 * account for good, a network that fails does not.
 */
import { GatewayError } from "@chela/sdk";
import type { Account } from "./account.ts";
import type { AccountFiles } from "./account-files.ts";
import { claimsOf } from "./claims.ts";
import type { Tokens } from "./protocol.ts";
import { OauthRefusal } from "./refusal.ts";
import type { Session } from "./session.ts";
import { type OauthSettings, requireClient } from "./settings.ts";
import { type Fetch, transportFor } from "./transport.ts";

export interface RenewalTools {
  readonly files: AccountFiles;
  readonly fetch: Fetch;
  readonly now: () => number;
  /** The account can never be renewed again. */
  readonly onEnd: (account: Account, reason: string) => void;
}

/** `expiring`: only when it must be. `refused`: unless the file holds another token by now. `asked`: in any case. */
export type RenewalWhy = "expiring" | "refused" | "asked";

const refreshMs = 20_000;

/** To be run under `account.exclusive`. */
export async function renew(
  account: Account,
  settings: OauthSettings,
  why: { readonly reason: RenewalWhy; readonly leadMs?: number },
  tools: RenewalTools,
): Promise<Session> {
  const { files, now } = tools;
  await catchUp(account, files);
  const due = account.dead || account.expiring(now(), why.leadMs, why.leadMs === undefined);
  if (why.reason !== "asked" && !due) return account.session;
  if (why.reason !== "asked" && account.waitMs(now()) > 0) throw account.lastError;
  if (account.session.refresh_token === "") {
    throw new GatewayError("OAUTH_RENEWAL", 400, `${account.target} has no refresh token: log in again`);
  }
  let fresh: Session;
  try {
    fresh = merged(account.session, await ask(account, settings, tools), now());
  } catch (error) {
    if (await renewedElsewhere(account, tools)) return account.session;
    await recordFailure(account, error, tools);
    throw error;
  }
  account.unsaved = fresh;
  await save(account, files);
  account.renewed();
  return fresh;
}

/** What a login or a refresh brought, over what was known. */
export function merged(session: Session, tokens: Tokens, now: number): Session {
  const id_token = tokens.id_token ?? session.id_token;
  const claims = claimsOf(id_token);
  const seconds = Number(tokens.expires_in ?? 0);
  return {
    ...session,
    access_token: tokens.access_token,
    refresh_token: tokens.refresh_token ?? session.refresh_token,
    id_token,
    token_type: tokens.token_type,
    scope: tokens.scope ?? session.scope,
    resource_url: typeof tokens.resource_url === "string" ? tokens.resource_url.slice(0, 500) : session.resource_url,
    email: session.email || claims.email || "",
    account_id: session.account_id || claims.accountId || "",
    expire: seconds > 0 ? Math.round(now + Math.min(seconds, 1e9) * 1000) : 0,
    last_refresh: now,
    disabled: false,
    disable_reason: "",
  };
}

export async function save(account: Account, files: AccountFiles): Promise<void> {
  const session = account.unsaved;
  if (!session || account.removed) return;
  const { stamp } = await files.write(account.path, session);
  account.session = session;
  account.stamp = stamp;
  account.unsaved = undefined;
}

/** What was not written before is written now; what somebody else wrote is taken over. */
async function catchUp(account: Account, files: AccountFiles): Promise<void> {
  if (account.unsaved) return save(account, files);
  const file = files.read(account.path);
  if (!file || account.removed) {
    throw new GatewayError("OAUTH_RENEWAL", 404, `the file of ${account.target} is gone`);
  }
  if (!("session" in file) || file.stamp === account.stamp) return;
  account.session = file.session;
  account.stamp = file.stamp;
}

/** Another process with the same file may have used the refresh token up a moment before: what it got is in the file. */
async function renewedElsewhere(account: Account, { files, now }: RenewalTools): Promise<boolean> {
  const { access_token: before } = account.session;
  await catchUp(account, files).catch(() => undefined);
  const { access_token, disabled } = account.session;
  if (access_token === before || disabled || account.dead || account.expiring(now())) return false;
  account.renewed();
  return true;
}

async function ask(account: Account, settings: OauthSettings, { fetch }: RenewalTools): Promise<Tokens> {
  const { session } = account;
  const client = { ...settings, ...clientOf(session) };
  requireClient(client);
  const { refreshTokens } = await import("./protocol.ts");
  const send = transportFor(settings, session.network_proxy, fetch);
  const headers = deviceHeaders(settings, session);
  const peer = { settings: client, send, headers, signal: AbortSignal.timeout(refreshMs) };
  return refreshTokens(peer, session.refresh_token);
}

/** A refresh token belongs to the client it was issued to: an imported one may name its own. */
export function clientOf({ token }: Session): { readonly clientId?: string; readonly clientSecret?: string } {
  if (typeof token.client_id !== "string" || token.client_id === "") return {};
  const clientSecret = typeof token.client_secret === "string" ? token.client_secret : "";
  return { clientId: token.client_id, clientSecret };
}

export function deviceHeaders({ vendor }: Pick<OauthSettings, "vendor">, session: Session): Record<string, string> {
  const { deviceHeader } = vendor;
  return deviceHeader && session.device_id ? { [deviceHeader]: session.device_id } : {};
}

async function recordFailure(account: Account, error: unknown, { files, now, onEnd }: RenewalTools): Promise<void> {
  account.failed(error, now());
  const reason = error instanceof OauthRefusal ? error.endOfAccount : undefined;
  if (reason === undefined) return;
  await disable(account, reason, files);
  onEnd(account, reason);
}

/** Kept in the file. Where that cannot be written, it holds as long as the gateway runs. */
export async function disable(account: Account, reason: string, files: AccountFiles): Promise<void> {
  // Tokens that wait to be written are the newest there are, and may be good again one day.
  const session = { ...(account.unsaved ?? account.session), disabled: true, disable_reason: reason };
  account.session = session;
  if (account.removed) return;
  account.unsaved = session;
  await save(account, files).catch(() => undefined);
}
