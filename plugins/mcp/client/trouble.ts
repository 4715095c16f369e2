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
/** Words of the client package for an answer that nothing can be made of. */
const useless: ReadonlySet<unknown> = new Set([
  "CAPABILITY_NOT_SUPPORTED",
  "CLIENT_HTTP_UNEXPECTED_CONTENT",
  "INPUT_REQUIRED_ROUNDS_EXCEEDED",
  "INVALID_RESULT",
  "UNSUPPORTED_RESULT_TYPE",
]);

interface Fields {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly status?: unknown;
  readonly cause?: unknown;
  readonly data?: Readonly<Record<string, unknown>>;
  /** Of a message with the wrong shape. */
  readonly issues?: unknown;
}

/**
 * Over HTTP nothing tells that a server is gone but the request that fails. An answer with an error is an answer, one of no
 * use too, and so is trouble of the server with one call.
 */
export function isLost(error: unknown): boolean {
  const { code, status } = fieldsOf(error);
  if (typeof status === "number") return strangers.has(status);
  return !(isTimeout(error) || typeof code === "number" || useless.has(code) || shapeTrouble(error));
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
  const said = lastWords();
  const words = said ? `; it said: ${plainLine(blank(said).slice(-300), 300)}` : "";
  if (isTimeout(error)) return new GatewayError("MCP_TIMEOUT", 504, `${timeoutTold(error)}${words}`);
  const { code, name, status } = fieldsOf(error);
  const http = typeof status === "number" ? `it answered with HTTP status ${status}: ` : "";
  const told = `${http}${plainLine(blank(messageOf(error)), 1000)}`;
  const last = reason();
  const isClosed = code === "CONNECTION_CLOSED" || name === "AbortError";
  const whole = isClosed && last ? last : told.includes(last) ? told : `${told}: ${last}`;
  const isAnswer = typeof code === "number" || shapeTrouble(error) !== undefined;
  return new GatewayError("MCP_FAILED", 502, isAnswer ? told : `${whole}${words}`, undefined, { cause: error });
}

function timeoutTold(error: unknown): string {
  const { data = {} } = fieldsOf(error);
  const seconds = (ms: unknown) => `${Math.round(Number(ms) / 100) / 10} s`;
  if (typeof data.maxTotalTimeout === "number") return `it came to no end within ${seconds(data.maxTotalTimeout)}`;
  return typeof data.timeout === "number" ? `it did not answer within ${seconds(data.timeout)}` : "it did not answer";
}

function messageOf(error: unknown): string {
  const { code, data, message } = fieldsOf(error);
  const asked = code === "CAPABILITY_NOT_SUPPORTED" ? data?.method : undefined;
  if (typeof asked === "string") return `it asks for what it is not given (${asked})`;
  return shapeTrouble(error) ?? message ?? String(error);
}

/** The packages tell it in their own words, at length. */
function shapeTrouble(error: unknown): string | undefined {
  if (error instanceof SyntaxError) return "its answer is no JSON";
  return Array.isArray(fieldsOf(error).issues) ? "its answer is no message of the protocol" : undefined;
}

function fieldsOf(error: unknown): Fields {
  return error ?? {};
}
