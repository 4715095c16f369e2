/** The one way to ask the gateway: the cookie goes along, every refusal becomes an `ApiError`, silence has a limit. */
import { t } from "../i18n/locale.ts";
import { address } from "./address.ts";

/** A refusal of the gateway, or its absence (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(facts: { status: number; code: string; message: string; details?: Record<string, unknown> }) {
    super(facts.message);
    this.name = "ApiError";
    this.status = facts.status;
    this.code = facts.code;
    this.details = facts.details ?? {};
  }
}

export interface RequestOptions extends Omit<RequestInit, "body"> {
  /** Sent as JSON, unless it is a form or a file. */
  readonly body?: unknown;
  /** Milliseconds, default 30 000; 0 waits for ever. For `request` they end with the head of the reply. */
  readonly timeout?: number;
}

/** Tells whoever listens how the gateway answered: `reached`, `lost` or `unauthorized`. */
export const traffic = new EventTarget();

export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  return exchange(path, options, async (response) => response);
}

export async function get<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return exchange(path, options, read<T>);
}

export async function post<T>(path: string, body: unknown, options?: RequestOptions): Promise<T> {
  return exchange(path, { ...options, method: "POST", body }, read<T>);
}

/** The limit of time holds until `take` is done with the reply. */
async function exchange<T>(
  path: string,
  { timeout = 30_000, signal, ...options }: RequestOptions,
  take: (response: Response) => Promise<T>,
): Promise<T> {
  const url = address(path);
  const init = initOf(options);
  const late = new AbortController();
  const timer = timeout > 0 ? setTimeout(() => late.abort(), timeout) : undefined;
  try {
    const response = await fetch(url, {
      ...init,
      signal: AbortSignal.any(signal ? [late.signal, signal] : [late.signal]),
    });
    if (response.type === "opaqueredirect") throw foreign(response);
    traffic.dispatchEvent(new Event(response.status === 401 ? "unauthorized" : "reached"));
    if (!response.ok) throw await refusal(response);
    return await take(response);
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    traffic.dispatchEvent(new Event("lost"));
    throw new ApiError({ status: 0, code: "UNREACHABLE", message: t("app.unreachable") });
  } finally {
    clearTimeout(timer);
  }
}

function initOf({ body, headers, ...rest }: Omit<RequestOptions, "timeout" | "signal">): RequestInit {
  const plain = body === undefined || body instanceof FormData || body instanceof Blob || typeof body === "string";
  return {
    ...rest,
    method: rest.method ?? (body === undefined ? "GET" : "POST"),
    credentials: "same-origin",
    headers: {
      accept: "application/json",
      ...(!plain && { "content-type": "application/json" }),
      ...(headers as Record<string, string> | undefined),
    },
    body: (plain ? body : JSON.stringify(body)) as BodyInit | undefined,
  };
}

/** What says nothing is undefined. */
async function read<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch {
    throw foreign(response);
  }
}

/** Somebody in between answers for the gateway: a proxy that wants people to sign in, or the page of a network. */
function foreign({ status }: Response): ApiError {
  return new ApiError({ status, code: "FOREIGN", message: t("app.barred") });
}

/** Runs an RPC method; throws its refusal. */
export async function call<T>(method: string, params: unknown = {}, options?: RequestOptions): Promise<T> {
  const { result } = await post<{ result: T }>("/api/call", { method, params }, options);
  return result;
}

async function refusal(response: Response): Promise<ApiError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  const told = parsed(text);
  const error = told?.error;
  const nested = typeof error === "object" && error !== null ? (error as Record<string, unknown>) : undefined;
  const message = nested?.message ?? error ?? (text.trim().slice(0, 500) || response.statusText);
  const details = nested?.details ?? told;
  return new ApiError({
    status,
    code: String(nested?.code ?? told?.code ?? `HTTP_${status}`),
    message: String(message),
    details: details as Record<string, unknown> | undefined,
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
