/**
 * Turns whatever an upstream does wrong into one GatewayError, once. Later code decides by `code` and
 * `details`, never by the text. The provider's key never leaves in a message.
 */
import { GatewayError, messageOf } from "@chela/sdk";
import { isBadKey, readErrorBody, statusOf, toUpstreamError, type UpstreamError } from "./error-body.ts";

export type FaultCode =
  | "UPSTREAM_AUTH"
  | "UPSTREAM_RATE"
  | "UPSTREAM_REQUEST"
  | "UPSTREAM_FAULT"
  | "UPSTREAM_TIMEOUT"
  | "UPSTREAM_UNREACHABLE"
  | "UPSTREAM_CUT"
  | "UPSTREAM_PROTOCOL";

/** Whom an error is about. */
export interface Culprit {
  /** `provider/model`. */
  readonly id: string;
  /** The provider's key and secret headers, to blank them out of what the upstream says. */
  readonly secrets?: readonly string[];
}

const undiciTimeouts: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: "did not accept the connection in time",
  UND_ERR_HEADERS_TIMEOUT: "did not answer in time",
  UND_ERR_BODY_TIMEOUT: "stopped sending in the middle of its reply",
  ETIMEDOUT: "did not accept the connection in time",
};

/** A fault of the upstream that has no status of its own. */
export function fault(code: FaultCode, culprit: Culprit, message: string, cause?: unknown): GatewayError {
  return new GatewayError(code, code === "UPSTREAM_TIMEOUT" ? 504 : 502, `${culprit.id}: ${message}`, undefined, {
    cause,
  });
}

/** An answer with an error status, from its status, headers and body. */
export function statusFault(
  culprit: Culprit,
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): GatewayError {
  const upstream = readErrorBody(blank(body, culprit.secrets), status);
  const [code, own] = status === 400 && isBadKey(upstream) ? classify(401) : classify(status);
  const wait = retryAfterMs(headers, Date.now()) ?? retryInfoMs(body);
  const seconds = wait === undefined ? undefined : Math.ceil(wait / 1000);
  // A server that knows the path says in JSON what else it does not know.
  const lost = status === 404 && !/"error"\s*:/.test(body) ? "; is api_base right? Most end with /v1" : "";
  const hint =
    status >= 300 && status < 400
      ? `a redirect to ${String(headers.location)}, and redirects are not followed; set api_base to the final address`
      : upstream.message;
  return new GatewayError(
    code,
    own,
    `${culprit.id} answered ${status}: ${hint}${lost}`,
    {
      upstreamStatus: status,
      upstream,
      ...(seconds === undefined ? {} : { retryAfter: seconds, retryAfterMs: wait }),
    },
    seconds === undefined ? undefined : { headers: { "retry-after": String(seconds) } },
  );
}

/** An `error` object inside a reply that began with status 200. */
export function bodyFault(culprit: Culprit, error: unknown): GatewayError {
  const told = Object.entries(toUpstreamError(error)).map(([name, text]) => [name, blank(text, culprit.secrets)]);
  const upstream = Object.fromEntries(told) as UpstreamError;
  const [code, own] = classify(isBadKey(upstream) ? 401 : statusOf(upstream));
  return new GatewayError(code, own, `${culprit.id} broke off with an error: ${upstream.message}`, { upstream });
}

/** What the socket or the HTTP parser reported. `begun`: the reply's headers had arrived. */
export function socketFault(culprit: Culprit, error: unknown, begun: boolean): GatewayError {
  if (GatewayError.is(error)) return error;
  const code = String((error as { code?: unknown } | null)?.code ?? "");
  const text = messageOf(error);
  const late = undiciTimeouts[code];
  if (late) return fault("UPSTREAM_TIMEOUT", culprit, late, error);
  const name = (error as { name?: unknown } | null)?.name;
  if (name === "HTTPParserError" || code === "UND_ERR_HEADERS_OVERFLOW") {
    return fault("UPSTREAM_PROTOCOL", culprit, `the upstream does not speak HTTP correctly (${text})`, error);
  }
  if (begun)
    return fault(
      "UPSTREAM_CUT",
      culprit,
      `the upstream closed the connection in the middle of its reply (${text})`,
      error,
    );
  return fault(
    "UPSTREAM_UNREACHABLE",
    culprit,
    `the upstream cannot be reached (${code || text}); is api_base right and the server up?`,
    error,
  );
}

/** The connection ended before a byte of the reply: a kept one may have been closed by the server a moment before. */
export function hungUp(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code === "EPIPE";
}

/** The caller left or stopped the turn: nobody's fault, never counted. */
export function aborted(culprit: Culprit, cause?: unknown): GatewayError {
  return new GatewayError("ABORTED", 499, `${culprit.id}: stopped by the caller.`, undefined, { cause });
}

/** Milliseconds from `retry-after-ms` or `retry-after` (seconds or a date), at most a day. */
export function retryAfterMs(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | undefined {
  const day = 86_400_000;
  const exact = Number.parseFloat(first(headers["retry-after-ms"]));
  if (exact >= 0) return Math.min(exact, day);
  const text = first(headers["retry-after"]).trim();
  if (text === "") return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), day);
}

/** Google says it in the body: `"retryDelay": "34s"`. */
function retryInfoMs(body: string): number | undefined {
  const told = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(body)?.[1];
  return told === undefined ? undefined : Math.min(Number(told) * 1000, 86_400_000);
}

export function blank(text: string, secrets: readonly string[] = []): string {
  return secrets.reduce((kept, secret) => (secret.length >= 4 ? kept.replaceAll(secret, "***") : kept), text);
}

function classify(status: number): [FaultCode, number] {
  if (status === 401 || status === 403) return ["UPSTREAM_AUTH", status];
  if (status === 402 || status === 429) return ["UPSTREAM_RATE", status];
  if (status === 408) return ["UPSTREAM_TIMEOUT", 504];
  if (status >= 400 && status < 500) return ["UPSTREAM_REQUEST", status];
  return ["UPSTREAM_FAULT", 502];
}

function first(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? "";
}
