/**
 * The running gateway, as commands see it: found through `--url`, the environment or `<state>/gateway.json`, and spoken
 * to over `POST /api/call`. The token never follows a redirect.
 */
import { GatewayError } from "@chela/sdk";
import type { GatewayFacts } from "../process/gateway-file.ts";
import type { Cli } from "./cli.ts";
import { post, type Target } from "./transport.ts";

export interface Gateway {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
  /** The one it must show, where its own file names it. */
  readonly certificate?: string | undefined;
  /** Null when the address came from a flag or the environment. */
  readonly facts: GatewayFacts | null;
  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown>;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The gateway, or null when none is running. Does not connect. */
export async function findGateway(cli: Cli): Promise<Gateway | null> {
  const given = cli.flags.url ?? cli.io.env.CHELA_GATEWAY_URL;
  const { readGatewayFile } = await import("../process/gateway-file.ts");
  const facts = given ? null : await readGatewayFile(cli.places.stateDir);
  const url = given ? checkedUrl(given) : facts?.url.replace(/\/+$/, "");
  if (!url) {
    if (!facts) await requireReadable(cli.places.stateDir);
    return null;
  }
  const { tokenFor } = await import("./credentials.ts");
  const token = await tokenFor(cli, url);
  const target = { url, token, certificate: facts?.certificate };
  return { ...target, facts, call: (method, params, options) => call(target, method, { params, ...options }) };
}

/** "Not running" would be a guess about a state dir that this user may not look into. */
async function requireReadable(stateDir: string): Promise<void> {
  const { access } = await import("node:fs/promises");
  const { gatewayFilePath } = await import("../process/gateway-file.ts");
  const code = await access(gatewayFilePath(stateDir), 4).then(
    () => "",
    (error: NodeJS.ErrnoException) => error.code,
  );
  if (code !== "EACCES" && code !== "EPERM") return;
  throw new GatewayError(
    "STATE_DIR",
    500,
    `The state dir ${stateDir} cannot be read by this user (${code}). Run this as the user who runs the gateway, or give --url and --token.`,
    { stateDir },
  );
}

/**
 * The gateway when it can be asked. One on this machine that runs without api-config watches its files all the same, so
 * commands that can work on the files do that instead: the way back in after switching api-config off.
 */
export async function findAnswering(cli: Cli): Promise<Gateway | null> {
  const gateway = await findGateway(cli);
  if (!gateway?.facts) return gateway;
  try {
    await gateway.call("config.get", { path: "gateway.port" }, { timeoutMs: 10_000 });
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    if (error.code === "GATEWAY_NO_RPC") return null;
    if (error.code === "GATEWAY_UNREACHABLE" || error.code === "UNAUTHORIZED") throw error;
  }
  return gateway;
}

/** Throws `GATEWAY_NOT_RUNNING` (exit 69) and says how to start one. */
export async function needGateway(cli: Cli, what: string): Promise<Gateway> {
  const gateway = await findGateway(cli);
  if (gateway) return gateway;
  throw new GatewayError(
    "GATEWAY_NOT_RUNNING",
    503,
    `${what} needs a running gateway, and none runs for ${cli.places.stateDir}. Start one with: chela gateway run`,
    { stateDir: cli.places.stateDir },
  );
}

async function call(target: Target, method: string, options: CallOptions & { params?: unknown }): Promise<unknown> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  try {
    const { status, text } = await post(target, "/api/call", {
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(target.token ? { authorization: `Bearer ${target.token}` } : {}),
      },
      body: JSON.stringify({ method, ...(options.params === undefined ? {} : { params: options.params }) }),
      signal,
    });
    return resultOf(target, status, parse(text));
  } catch (error) {
    if (GatewayError.is(error)) throw error;
    throw timeout.aborted ? tooLate(target, method) : unreachable(target, error);
  }
}

function resultOf(target: Target, status: number, body: Record<string, unknown> | undefined): unknown {
  if (status >= 200 && status < 300 && body?.ok === true) return body.result;
  if (status === 401) throw unauthorized(target);
  const error = body?.error;
  if (status === 404 && (typeof error !== "object" || error === null)) throw noRpc(target);
  if (typeof error === "object" && error !== null) {
    const { code, message, details } = error as { code?: unknown; message?: unknown; details?: object };
    const hint = code === "METHOD_UNKNOWN" ? " Is its plugin running? See: chela plugins list" : "";
    throw new GatewayError(String(code ?? "ERROR"), status, `${message ?? ""}${hint}`, { ...details });
  }
  if (typeof error === "string") {
    throw new GatewayError(typeof body?.code === "string" ? body.code : "ERROR", status, error);
  }
  throw new GatewayError(
    "GATEWAY_REPLY",
    502,
    `${target.url} answered POST /api/call with status ${status} and no Chela reply. Is that a Chela gateway with api-config running?`,
  );
}

/** The gateway runs without the plugin that answers calls. */
function noRpc(target: Target): GatewayError {
  return new GatewayError(
    "GATEWAY_NO_RPC",
    404,
    `${target.url} answers no calls: the plugin api-config is not running there, or it is no Chela gateway. Switch it on with: chela plugins enable api-config`,
  );
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function unauthorized(target: Target): GatewayError {
  const tried = target.token ? "refused the token" : "wants a token and none was found";
  return new GatewayError(
    "UNAUTHORIZED",
    401,
    `The gateway at ${target.url} ${tried}. Pass --token or set CHELA_GATEWAY_TOKEN.`,
  );
}

export function unreachable(target: Pick<Gateway, "url">, error: unknown): GatewayError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, message } = (cause ?? {}) as { code?: string; message?: string };
  return new GatewayError(
    "GATEWAY_UNREACHABLE",
    503,
    `The gateway at ${target.url} cannot be reached (${code || message || cause}). Check that it runs with: chela status`,
    { url: target.url },
    { cause: error },
  );
}

function tooLate(target: Target, method: string): GatewayError {
  return new GatewayError(
    "GATEWAY_TIMEOUT",
    504,
    `The gateway at ${target.url} did not answer ${method} in time. See what it does with: chela logs --limit 20`,
  );
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username || url.password) {
    throw new GatewayError(
      "USAGE",
      400,
      `${JSON.stringify(text)} is no gateway address. Give it like http://127.0.0.1:18790, the token apart from it.`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}
