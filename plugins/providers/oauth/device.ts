/** The device flow from the first code to the tokens: RFC 8628, and the JSON form of it that codex has. */
import { GatewayError, isObject, jsonOf } from "@chela/sdk";
import { oneLine } from "./one-line.ts";
import { type DeviceStart, exchangeCode, type Peer, pollDevice, startDevice, type Tokens } from "./protocol.ts";
import { OauthRefusal } from "./refusal.ts";
import { originOf } from "./settings.ts";

export interface Device {
  readonly start: DeviceStart;
  /** One look; throws `authorization_pending` or `slow_down` while nothing has been decided. */
  readonly poll: () => Promise<Tokens>;
}

const slowerMs = 5000;
const slowestMs = 60_000;
/** A server may name any pause; no timer can hold them all. */
const hourMs = 3_600_000;
const codexMinMs = 3000;
const codexExpiresMs = 15 * 60_000;

export async function openDevice(peer: Peer, verifier: string): Promise<Device> {
  if (peer.settings.vendor.deviceForm === "codex") return openCodex(peer);
  const start = await startDevice(peer, verifier);
  return { start, poll: () => pollDevice(peer, start.deviceCode, verifier) };
}

/** Until the user has decided or the code has expired. What the network does meanwhile is waited out. */
export async function waitForDevice({ start, poll }: Device, signal: AbortSignal): Promise<Tokens> {
  const end = performance.now() + start.expiresMs;
  let pauseMs = Math.min(Math.max(start.intervalMs, 1000), start.expiresMs, hourMs);
  for (;;) {
    await pause(pauseMs, signal);
    if (performance.now() >= end) throw expired();
    try {
      return await poll();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OauthRefusal)) {
        if (!isPassing(error)) throw error;
        pauseMs = Math.min(pauseMs * 2, slowestMs);
        continue;
      }
      if (error.error === "slow_down") pauseMs = Math.min(pauseMs + slowerMs, slowestMs);
      else if (error.error === "expired_token") throw expired();
      else if (error.error !== "authorization_pending" && error.status < 500) throw error;
    }
  }
}

async function openCodex(peer: Peer): Promise<Device> {
  const { deviceUrl, vendor, clientId } = peer.settings;
  const reply = await postJson(peer, deviceUrl, { client_id: clientId });
  const id = String(reply.device_auth_id ?? "");
  const userCode = oneLine(reply.user_code ?? reply.usercode, 64);
  if (id === "" || userCode === "") throw new OauthRefusal(502, "invalid_response", "no device_auth_id and user_code");
  const wait = Number(reply.interval);
  const left = Date.parse(String(reply.expires_at ?? "")) - Date.now();
  const url = originOf(deviceUrl) === originOf(vendor.deviceUrl ?? "") ? vendor.verificationUrl : undefined;
  const start: DeviceStart = {
    deviceCode: id,
    userCode,
    url: url ?? `${originOf(deviceUrl)}/codex/device`,
    expiresMs: left > 0 ? Math.min(left, codexExpiresMs) : codexExpiresMs,
    intervalMs: Math.max(wait > 0 ? wait * 1000 : 0, codexMinMs),
  };
  return { start, poll: () => pollCodex(peer, id, userCode) };
}

/** The server hands out a code with the verifier that belongs to it; the exchange is the usual one. */
async function pollCodex(peer: Peer, id: string, userCode: string): Promise<Tokens> {
  const { deviceUrl } = peer.settings;
  let reply: Record<string, unknown>;
  try {
    reply = await postJson(peer, deviceUrl.replace(/\/usercode\/?$/, "/token"), {
      device_auth_id: id,
      user_code: userCode,
    });
  } catch (error) {
    if (error instanceof OauthRefusal && (error.status === 403 || error.status === 404))
      throw new OauthRefusal(error.status, "authorization_pending", "");
    throw error;
  }
  const callback = new URLSearchParams({ code: String(reply.authorization_code ?? ""), state: "device" });
  return exchangeCode(peer, {
    callback,
    state: "device",
    verifier: String(reply.code_verifier ?? ""),
    redirectUrl: `${originOf(deviceUrl)}/deviceauth/callback`,
  });
}

async function postJson(peer: Peer, url: string, body: unknown): Promise<Record<string, unknown>> {
  const headers = { "content-type": "application/json", accept: "application/json", "user-agent": "chela/1.0" };
  const response = await peer.send(url, { method: "POST", headers, body: JSON.stringify(body), signal: peer.signal });
  const text = await response.text();
  const reply = jsonOf(text);
  if (!response.ok || !isObject(reply))
    throw OauthRefusal.of(response.status, isObject(reply) ? reply : undefined, text);
  return reply;
}

/** The way to the server failed, not what was asked there. */
export function isPassing(error: unknown): boolean {
  if (GatewayError.is(error)) return error.code === "OUTBOUND_FAILED" || error.code === "OUTBOUND_TIMEOUT";
  return (error as { name?: unknown } | null)?.name === "TimeoutError";
}

function expired(): OauthRefusal {
  return new OauthRefusal(400, "expired_token", "the code was not confirmed in time; start again");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal.addEventListener("abort", leave, { once: true });
  });
}
