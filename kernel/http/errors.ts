/** How the kernel renders an error where no dialect's tap does: ClawGo's plain text, or JSON where it carries details. */
import { GatewayError, type Reply, wantsJson } from "@chela/sdk";
import { replyTrouble } from "./reply-trouble.ts";
import type { Outgoing } from "./respond.ts";

/** Any thrown value as the one error type. A fault shows no inner text: that goes to the log, under the request id. */
export function asGatewayError(error: unknown, requestId: string): GatewayError {
  if (isRefusal(error)) return error;
  return new GatewayError(
    "INTERNAL",
    500,
    `internal error; the log has the reason under request ${requestId}`,
    undefined,
    { cause: error },
  );
}

/** An error that can be told to a client as it is; anything else is a fault of who threw it. */
export function isRefusal(error: unknown): error is GatewayError {
  if (!GatewayError.is(error) || !(error.status >= 400)) return false;
  const { status, headers = {}, details } = error;
  try {
    if (details !== undefined) JSON.stringify(details);
  } catch {
    return false;
  }
  return replyTrouble({ status, headers, body: null } as Reply) === undefined;
}

export function renderError(error: GatewayError, accept: string | undefined): Outgoing {
  const headers: Record<string, string> = { "x-content-type-options": "nosniff", ...error.headers };
  if (error.details === undefined && !wantsJson(accept)) {
    return {
      status: error.status,
      headers: { "content-type": "text/plain; charset=utf-8", ...headers },
      body: `${error.message}\n`,
    };
  }
  const body = { ok: false, error: error.message, code: error.code, ...error.details };
  return {
    status: error.status,
    headers: { "content-type": "application/json", ...headers },
    body: `${JSON.stringify(body)}\n`,
  };
}
