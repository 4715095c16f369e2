/**
 * One message to the webhook. The operator wrote the address, so it may be private; a redirect is not followed, since where
 * it leads he did not write. Errors name the origin alone: the rest of such an address is often a secret.
 */
import { type Context, GatewayError } from "@chela/sdk";
import type { Notice } from "./watch.ts";

export interface Answer {
  readonly status: number;
  readonly ms: number;
}

const limitMs = 8_000;

/** Any status from 300 on is an error. */
export async function post(
  fetch: Context["fetch"],
  address: string,
  { level, message, at }: Omit<Notice, "what">,
): Promise<Answer> {
  const { url, headers } = targetOf(address);
  const body = JSON.stringify({ source: "sentinel", level, message, timestamp: new Date(at).toISOString() });
  const clock = AbortSignal.timeout(limitMs);
  const began = performance.now();
  const init = { method: "POST", headers, body, redirect: "manual", trust: [url.origin], signal: clock } as const;
  const response = await fetch(url, init).catch((error: unknown) => {
    if (!clock.aborted) throw error;
    throw failure("SENTINEL_TIMEOUT", `${url.origin} did not answer within ${limitMs / 1000} s`);
  });
  await response.body?.cancel();
  const { status } = response;
  if (status < 300) return { status, ms: Math.round(performance.now() - began) };
  const hint = status < 400 ? "; a redirect is not followed, set sentinel.webhook_url to where it leads" : "";
  throw failure("SENTINEL_REFUSED", `${url.origin} answered ${status}${hint}`);
}

function targetOf(address: string): { url: URL; headers: Record<string, string> } {
  const headers = { "content-type": "application/json", "user-agent": "chela/1.0" };
  try {
    const url = new URL(address);
    const user = [url.username, url.password].map(decodeURIComponent).join(":");
    url.username = "";
    url.password = "";
    const basic = { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
    return { url, headers: user === ":" ? headers : { ...headers, ...basic } };
  } catch {
    throw failure("SENTINEL_URL", "sentinel.webhook_url is no address that can be used");
  }
}

function failure(code: string, message: string): GatewayError {
  return new GatewayError(code, 502, message);
}
