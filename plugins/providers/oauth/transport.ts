/**
 * The way to an OAuth server: the host's guarded fetch, or a proxy of the account's own. Through a proxy nobody here sees the
 * addresses, so only servers that the operator or a vendor's data named are reached that way. Redirects are not followed.
 */

import { type Context, GatewayError } from "@chela/sdk";
import type { Dispatcher } from "undici";
import { whole } from "../http/whole.ts";
import { maskProxy } from "./proxy-url.ts";
import { type OauthSettings, originOf } from "./settings.ts";

export type Fetch = Context["fetch"];
export type Transport = (url: string, init: RequestInit) => Promise<Response>;

const maxBytes = 1024 * 1024;
const requestMs = 30_000;

/** Replies come whole, at most a megabyte. `proxy` belongs to the account or the login. */
export function transportFor(
  settings: Pick<OauthSettings, "trust" | "known" | "proxy">,
  proxy: string | undefined,
  guarded: Fetch,
): Transport {
  const way = proxy || settings.proxy;
  return async (url, given) => {
    const signals = [AbortSignal.timeout(requestMs), ...(given.signal ? [given.signal] : [])];
    const init = { ...given, signal: AbortSignal.any(signals) };
    if (!way) return received(url, await guarded(url, { ...init, redirect: "manual", trust: settings.trust }));
    if (!settings.known.has(originOf(url))) {
      throw new GatewayError(
        "OUTBOUND_REFUSED",
        403,
        `${originOf(url)} is not reached through a proxy: save the provider in the config first`,
      );
    }
    return viaProxy(url, init, way);
  };
}

/**
 * The way for renewals: not cut when the plugin stops, because the answer may hold the only refresh token that is still good.
 * They go where the config or the vendor's data says and nowhere else; `accounts.close` waits for them.
 */
export const lastingFetch: Fetch = (url, { trust: _, ...init } = {}) => fetchPlainly(String(url), init);

async function viaProxy(url: string, init: RequestInit, proxy: string): Promise<Response> {
  const dispatcher = await proxyDispatcher(proxy);
  try {
    return await received(url, await fetchPlainly(url, { ...init, redirect: "manual" }, { dispatcher, proxy }));
  } finally {
    void dispatcher.destroy();
  }
}

async function proxyDispatcher(proxy: string): Promise<Dispatcher> {
  // The package as a whole: the agent alone lacks the method that opens its tunnel.
  const { ProxyAgent } = await import("undici");
  return new ProxyAgent(proxy);
}

async function received(url: string, response: Response): Promise<Response> {
  const tooLarge = (most: number) =>
    new GatewayError("OUTBOUND_TOO_LARGE", 502, `${originOf(url)} answered with more than ${most} bytes`);
  const body = response.body ? await whole(response.body, maxBytes, tooLarge) : null;
  const empty = [101, 204, 205, 304].includes(response.status);
  const { status, headers } = response;
  return new Response(empty ? null : body, { status: status < 200 ? 502 : status, headers });
}

async function fetchPlainly(
  url: string,
  init: RequestInit,
  via?: { readonly dispatcher: Dispatcher; readonly proxy: string },
): Promise<Response> {
  try {
    return await fetch(url, { ...init, ...(via ? { dispatcher: via.dispatcher as never } : {}) });
  } catch (error) {
    if (init.signal?.aborted) throw init.signal.reason;
    const cause = (error as { cause?: unknown }).cause ?? error;
    const reason = cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause);
    const way = via ? ` through ${maskProxy(via.proxy)}` : "";
    const message = `${originOf(url)} cannot be reached${way}: ${reason}`;
    throw new GatewayError("OUTBOUND_FAILED", 502, message, undefined, { cause });
  }
}
