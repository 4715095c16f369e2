/**
 * What an upstream says is wrong, in one form: OpenAI's, Anthropic's and Google's error objects, and what others make of
 * them. Two codes are given to those that have none of their own: `context_length_exceeded` and `insufficient_quota`.
 */
import { objectOf } from "@chela/sdk";

/** As far as the upstream said it. */
export interface UpstreamError {
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
}

type Fields = Readonly<Record<string, unknown>>;

const longestMessage = 4000;
const tooLong =
  /prompt is too long|maximum context length|context[_ ](?:length|window)|input token count.*exceeds|too many (?:input )?tokens|exceeds? the (?:maximum|max) (?:number of )?(?:allowed )?(?:input )?tokens|input length and `?max_tokens`? exceed|reduce the length of the (?:messages|input|prompt)/i;
const usedUp = /credit balance is too low|exceeded your current quota, please check your plan|insufficient balance/i;
/** Statuses that errors inside a reply stand for, by their type or status word. */
const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  invalid_prompt: 400,
  invalid_argument: 400,
  failed_precondition: 400,
  authentication_error: 401,
  unauthenticated: 401,
  billing_error: 402,
  permission_error: 403,
  permission_denied: 403,
  not_found_error: 404,
  not_found: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  resource_exhausted: 429,
  insufficient_quota: 429,
  timeout_error: 408,
  deadline_exceeded: 408,
  overloaded_error: 529,
  // MiniMax
  1002: 429,
  1004: 401,
  1026: 400,
  1027: 400,
  1039: 400,
  2013: 400,
  2049: 401,
  2056: 429,
};

/** The error of a body, or a message made from what else it holds. */
export function readErrorBody(body: string, status: number): UpstreamError {
  try {
    const whole: unknown = JSON.parse(body);
    // Google's streams wrap it in a list.
    const parsed = (Array.isArray(whole) ? whole[0] : whole) as Fields | null;
    const error = parsed?.error ?? parsed?.message ?? parsed?.detail;
    if (error !== undefined && error !== null) return toUpstreamError(error);
  } catch {
    // Not JSON: a proxy's HTML page or plain text, shown in short.
  }
  const text = body
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return { message: text === "" ? `HTTP status ${status} without a message` : text.slice(0, 500) };
}

export function toUpstreamError(error: unknown): UpstreamError {
  if (typeof error === "string") return withCode({ message: error.slice(0, longestMessage) }, undefined);
  const { message, type, code, param, status, details } = (error ?? {}) as Fields;
  const text = typeof message === "string" ? message : (JSON.stringify(error) ?? "unknown error");
  const kind = typeof type === "string" ? type : typeof status === "string" ? status : undefined;
  return withCode(
    {
      message: text.slice(0, longestMessage),
      ...(kind === undefined ? {} : { type: kind }),
      ...(typeof param === "string" ? { param } : {}),
    },
    reasonIn(details) ?? (typeof code === "string" || typeof code === "number" ? String(code) : undefined),
  );
}

/** What a reply of status 200 says that is none, in forms of the vendors' own; `base_resp` is MiniMax's. */
export function complaintIn({ base_resp: base, message, msg, error_msg: own }: Fields): Fields | undefined {
  const { status_code: code, status_msg: told } = objectOf(base);
  if (typeof told === "string" && told !== "" && code !== 0) return { message: told, code };
  const text = [message, msg, own].find((one) => typeof one === "string" && one !== "");
  return text === undefined ? undefined : { message: text };
}

/** The status that an error inside a reply of status 200 stands for. */
export function statusOf({ type = "", code = "", message }: UpstreamError): number {
  const named = Number(code);
  if (named >= 400 && named < 600) return named;
  const known = statuses[type.toLowerCase()] ?? statuses[code.toLowerCase()];
  if (known) return known;
  if (/rate_?limit|quota/i.test(`${type} ${code}`)) return 429;
  return code === "context_length_exceeded" || tooLong.test(message) ? 400 : 500;
}

/** A key that is no key is told by Google with status 400. */
export function isBadKey({ code, message }: UpstreamError): boolean {
  return code === "API_KEY_INVALID" || /^API key (?:not valid|expired)/i.test(message);
}

function withCode(error: UpstreamError, code: string | undefined): UpstreamError {
  const vague = code === undefined || code === "invalid_request_error" || /^\d+$/.test(code);
  if (vague && tooLong.test(error.message)) return { ...error, code: "context_length_exceeded" };
  if (vague && (usedUp.test(error.message) || error.type === "billing_error"))
    return { ...error, code: "insufficient_quota" };
  return code === undefined ? error : { ...error, code };
}

/** Anthropic's `details.error_code`, Google's `details[].reason`. */
function reasonIn(details: unknown): string | undefined {
  const list: readonly unknown[] = Array.isArray(details) ? details : [details];
  for (const one of list) {
    const { error_code: code, reason } = (one ?? {}) as Fields;
    if (typeof code === "string") return code;
    if (typeof reason === "string") return reason;
  }
  return undefined;
}
