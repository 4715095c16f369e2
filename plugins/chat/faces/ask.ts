/** What a client asks in ClawGo's chat dialect, and how errors read there. Decoding is Go's: any letter case, null is absent. */
import { contentText, GatewayError, isObject, type StoredMessage, Type, type Usage, wantsJson } from "@chela/sdk";
import { chooseSession } from "../sessions/session-key.ts";

export interface Ask {
  readonly session: string;
  /** The prompt: the message, then the file as `[file: …]`. */
  readonly text: string;
  readonly idempotencyKey: string | undefined;
  /** Only where the frame says so: else the configuration decides. */
  readonly whenBusy?: "queue" | "steer";
  readonly agent?: string;
  readonly model?: string;
  /** Where a list was given. */
  readonly media?: readonly string[];
}

const maxFiles = 32;

/** For the reference only: wrong types have to be answered in this dialect's own words, by `readAsk`. */
export const askSchema = Type.Unsafe<unknown>({
  description:
    "session defaults to the query parameter session, then main; media is the path of an uploaded file, or a list of up to 32",
  properties: {
    session: { description: "Session key" },
    message: { description: "What the user says" },
    media: { description: "Path of an uploaded file, or a list of them" },
    agent: { description: "Name of the agent that answers; default: the one that picks it up" },
    model: { description: "provider/model" },
    whenBusy: { description: "queue or steer: what to do while the session is busy" },
    idempotencyKey: { description: "A retry with the same key returns the first outcome for 24 h" },
  },
});

/** Throws 400 `invalid json` for anything that is not an object with texts. */
export function readAsk(body: unknown, querySession?: unknown): Ask {
  if (!isObject(body)) throw invalidJson();
  const message = textField(body, "message");
  const busy = textField(body, "whenBusy");
  const media = mediaField(body);
  const file = typeof media === "string" && media !== "" ? `[file: ${media}]` : "";
  const agent = textField(body, "agent").trim();
  const model = textField(body, "model").trim();
  return {
    session: chooseSession(textField(body, "session"), querySession),
    text: message !== "" && file !== "" ? `${message}\n${file}` : message + file,
    idempotencyKey: textField(body, "idempotencyKey") || undefined,
    ...((busy === "queue" || busy === "steer") && { whenBusy: busy }),
    ...(agent !== "" && { agent }),
    ...(model !== "" && { model }),
    ...(typeof media !== "string" && media.length > 0 && { media }),
  };
}

/** Where a client that was away goes on. Throws 400 `invalid json`. */
export function readResume(frame: unknown, querySession?: unknown) {
  if (!isObject(frame)) throw invalidJson();
  const { after = 0 } = frame;
  if (typeof after !== "number" || !Number.isSafeInteger(after) || after < 0) throw invalidJson();
  const session = chooseSession(textField(frame, "session"), querySession);
  return { session, after, epoch: textField(frame, "epoch") };
}

/** The value of `type` in a frame. */
export function frameType(frame: unknown): string {
  return isObject(frame) ? textField(frame, "type") : "";
}

export function invalidJson(): GatewayError {
  return new GatewayError("BAD_JSON", 400, "invalid json");
}

/** In this dialect every failure of a model is a 500 whose text says so. Details only for clients that read JSON. */
export function chatError(error: unknown, accept?: string): GatewayError {
  if (!GatewayError.is(error))
    return new GatewayError("TURN_FAILED", 500, "the turn failed; the log has the reason", undefined, { cause: error });
  if (!error.code.startsWith("UPSTREAM_")) return error;
  const details = wantsJson(accept) ? { ...error.details } : undefined;
  return new GatewayError(error.code, 500, `LLM call failed: ${error.message}`, details, { cause: error });
}

/** US dollars that a call of a model costs; null where that is not known. */
export type PriceOf = (model: string, usage: Usage) => number | null;

/** A message as `/api/chat/history` shows it: ClawGo's keys, with what else is stored of it, and what it costs by today's prices. */
export function historyEntry(message: StoredMessage, price: PriceOf): Record<string, unknown> {
  const { role, content, toolCalls, toolCallId, seq, at, state, model, usage, reasoning } = message;
  const cost = model !== undefined && usage ? price(model, usage) : null;
  return {
    role,
    content: contentText(content),
    ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
    ...(toolCalls && {
      tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        type: "function",
        function: { name, arguments: text },
      })),
    }),
    seq,
    at: new Date(at).toISOString(),
    state,
    ...(model !== undefined && { model }),
    ...(usage && { usage }),
    ...(cost !== null && { cost }),
    ...(reasoning !== undefined && { reasoning }),
  };
}

function mediaField(body: Readonly<Record<string, unknown>>): string | readonly string[] {
  const value = field(body, "media");
  if (!Array.isArray(value)) return textField(body, "media");
  if (!value.every((path) => typeof path === "string")) throw invalidJson();
  const paths = value.filter((path) => path !== "");
  if (paths.length > maxFiles) throw new GatewayError("INVALID", 400, `media may name ${maxFiles} files at most`);
  return paths;
}

function textField(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = field(body, name);
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw invalidJson();
  return value;
}

function field(body: Readonly<Record<string, unknown>>, name: string): unknown {
  const key = Object.keys(body).findLast(
    (key) => key.length === name.length && key.toLowerCase() === name.toLowerCase(),
  );
  return key === undefined ? undefined : body[key];
}
