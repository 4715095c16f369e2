/** What went wrong with a call: whether the connection is over with it, and how it is told. */
import { GatewayError } from "@chela/sdk";
import { plainLine } from "./plain.ts";

/** What else is known of the server. */
export interface Witness {
  /** The last trouble it told of. */
  reason(): string;
  /** The last it said outside of messages. */
  lastWords(): string;
  /** A text without what the operator gave the server to know. */
  blank(text: string): string;
}

const methodNotFound = -32_601;
/** What servers say to a session or a credential that they do not know. */
const strangers: ReadonlySet<unknown> = new Set([400, 401, 403, 404]);

/**
 * Over HTTP nothing tells that a server is gone but the request that fails. An answer with an error is an answer, and so is
 * trouble of the server with one call.
 */
export function isLost(error: unknown): boolean {
  const { code, status } = fieldsOf(error);
  if (typeof status === "number") return strangers.has(status);
  return !(isTimeout(error) || typeof code === "number");
}

export function isTimeout(error: unknown): boolean {
  return fieldsOf(error).code === "REQUEST_TIMEOUT";
}

/** Of an error that `explained` made. */
export function isUnknownMethod(error: unknown): boolean {
  return fieldsOf(fieldsOf(error).cause).code === methodNotFound;
}

export function explained(error: unknown, { reason, lastWords, blank }: Witness): GatewayError {
  if (GatewayError.is(error)) return error;
  const { message = String(error), code, status } = fieldsOf(error);
  if (isTimeout(error)) return new GatewayError("MCP_TIMEOUT", 504, "it did not answer in time");
  const http = typeof status === "number" ? `it answered with HTTP status ${status}: ` : "";
  const told = `${http}${plainLine(blank(message), 1000)}`;
  const last = reason();
  const cause = last && !told.includes(last) ? `: ${last}` : "";
  const words = lastWords() ? `; it said: ${plainLine(blank(lastWords()).slice(-300), 300)}` : "";
  const isAnswer = typeof code === "number";
  return new GatewayError("MCP_FAILED", 502, isAnswer ? told : `${told}${cause}${words}`, undefined, { cause: error });
}

function fieldsOf(error: unknown): { message?: string; code?: unknown; status?: unknown; cause?: unknown } {
  return error ?? {};
}
