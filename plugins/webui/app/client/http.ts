/** The one way to ask the gateway: the cookie goes along, every refusal becomes an `ApiError`, silence has a limit. */
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
  /** Milliseconds to the head of the reply, default 30 000; 0 waits for ever. */
  readonly timeout?: number;
}

/** Tells whoever listens how the gateway answered: `reached`, `lost` or `unauthorized`. */
export const traffic = new EventTarget();

export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { body, timeout = 30_000, signal, headers, ...rest } = options;
  const plain = body === undefined || body instanceof FormData || body instanceof Blob || typeof body === "string";
  const signals = [signal, timeout > 0 ? AbortSignal.timeout(timeout) : undefined].filter((one) => one != null);
  const url = address(path);
  let response: Response;
  try {
    response = await fetch(url, {
      ...rest,
      method: rest.method ?? (body === undefined ? "GET" : "POST"),
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(!plain && { "content-type": "application/json" }),
        ...(headers as Record<string, string> | undefined),
      },
      body: (plain ? body : JSON.stringify(body)) as BodyInit | undefined,
      signal: AbortSignal.any(signals),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    traffic.dispatchEvent(new Event("lost"));
    throw new ApiError({ status: 0, code: "UNREACHABLE", message: "The gateway does not answer." });
  }
  traffic.dispatchEvent(new Event(response.status === 401 ? "unauthorized" : "reached"));
  if (!response.ok) throw await refusal(response);
  return response;
}

export async function get<T>(path: string, options?: RequestOptions): Promise<T> {
  return read<T>(await request(path, options));
}

export async function post<T>(path: string, body: unknown, options?: RequestOptions): Promise<T> {
  return read<T>(await request(path, { ...options, method: "POST", body }));
}

/** What says nothing is undefined. */
async function read<T>(response: Response): Promise<T> {
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
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
