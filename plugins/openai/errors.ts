/** The one renderer of errors in OpenAI's shape: for whole replies and for the event that ends a stream. */
import { GatewayError, Reply } from "@chela/sdk";

interface OpenAiError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** What official clients look for, where our own code says the same. */
const wireCodes: Readonly<Record<string, string>> = {
  MODEL_UNKNOWN: "model_not_found",
  AGENT_UNKNOWN: "model_not_found",
  UNAUTHORIZED: "invalid_api_key",
};

export function invalid(message: string, param: string): GatewayError {
  return new GatewayError("INVALID_REQUEST", 400, message, { param });
}

export function unknownModel(id: string): GatewayError {
  const message = `The model "${id.slice(0, 200)}" does not exist. GET /v1/models lists those that can be asked.`;
  return new GatewayError("MODEL_UNKNOWN", 404, message, { param: "model" });
}

export function noEmbeddings(id: string): GatewayError {
  return invalid(`The provider of "${id.slice(0, 200)}" has no embeddings of OpenAI's form.`, "model");
}

function toOpenAi(error: GatewayError): OpenAiError {
  const { upstream, param } = (error.details ?? {}) as { upstream?: Partial<OpenAiError>; param?: unknown };
  return {
    message: error.code === "UNAUTHORIZED" ? "Unauthorized" : error.message,
    type: upstream?.type ?? typeOf(error.status),
    param: upstream?.param ?? (typeof param === "string" ? param : error.code === "MODEL_UNKNOWN" ? "model" : null),
    code: upstream?.code ?? wireCodes[error.code] ?? error.code.toLowerCase(),
  };
}

export function errorReply(error: GatewayError): Reply {
  return Reply.json(
    { error: toOpenAi(error) },
    { status: error.status, headers: { "x-content-type-options": "nosniff", ...error.headers } },
  );
}

/** Ends a stream. Clients throw at it, so neither a finish reason nor `[DONE]` may follow. */
export function errorEvent(error: GatewayError): string {
  return `data: ${JSON.stringify({ error: toOpenAi(error) })}\n\n`;
}

export function asGatewayError(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error;
  return new GatewayError("INTERNAL", 500, "internal error; the log has the reason", undefined, { cause: error });
}

function typeOf(status: number): string {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 429) return "rate_limited";
  return status < 500 ? "invalid_request_error" : "api_error";
}
