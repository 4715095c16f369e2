/**
 * An OpenAI chat request as an agent's turn. Without a session the client's messages are the whole conversation; with one
 * the history is ours: only the last user message counts, and what the system messages say for this turn. Results of the client's tools go on with the client's own messages.
 */
import {
  contentText,
  isObject,
  type Message,
  type RouteRequest,
  relayFields,
  type ToolSpec,
  type TurnRequest,
} from "@chela/sdk";
import { invalid } from "../errors.ts";
import { header } from "../header.ts";
import { chatFields, refuseUnserved } from "../unserved.ts";
import { imagesOf, readMessages, readTools } from "./messages.ts";

/** Passed to the model as they are. */
const passed = [
  "top_p",
  "frequency_penalty",
  "presence_penalty",
  "logit_bias",
  "seed",
  "stop",
  "response_format",
  "reasoning_effort",
  "verbosity",
  "parallel_tool_calls",
  // Which page of the relay is to carry it out; other providers are not told.
  ...relayFields.one,
  ...relayFields.many,
] as const;

const reservedPrefixes = ["subagent:", "cron:", "acp:"];

export interface TurnTarget {
  readonly agent: string | undefined;
  readonly model: string | undefined;
}

export type Body = Readonly<Record<string, unknown>>;

export function turnRequest(request: RouteRequest<unknown, Body>, target: TurnTarget): TurnRequest {
  const { body, headers, identity, signal } = request;
  const session = sessionOf(header(headers["x-openclaw-session-key"]), body.user);
  const clientTools = readTools(body.tools);
  const key = header(headers["idempotency-key"]);
  return {
    session,
    ...spoken(readMessages(body.messages), session),
    ...target,
    ...(clientTools.length > 0 ? { clientTools } : {}),
    options: readOptions(body, clientTools),
    channel: "openai",
    identity,
    ...(key === undefined ? {} : { idempotencyKey: key }),
    signal,
  };
}

/** What the user says now, and what was said before. */
export function spoken(
  messages: readonly Message[],
  session: string | null,
): Pick<TurnRequest, "text" | "media" | "context" | "instructions"> {
  const last = messages.at(-1) as Message;
  if (last.role === "tool") return { text: "", context: messages };
  const at = session === null ? messages.length - 1 : messages.findLastIndex((message) => message.role === "user");
  const said = messages[at];
  if (session !== null && !said) throw invalid("messages must hold a message of the user", "messages");
  if (said?.role !== "user") return { text: "", context: messages };
  const media = imagesOf(said.content);
  const text = contentText(said.content, "");
  if (text.trim() === "" && media.length === 0 && (session !== null || at === 0))
    throw invalid("messages must say something", "messages");
  return {
    text,
    ...(media.length > 0 ? { media } : {}),
    ...(session === null ? { context: messages.slice(0, at) } : { instructions: instructionsOf(messages) }),
  };
}

function instructionsOf(messages: readonly Message[]): string {
  const prompts = messages.filter(({ role }) => role === "system").map(({ content }) => contentText(content, ""));
  return prompts.join("\n\n");
}

/** The session that is named, or null: then the turn leaves nothing behind. */
export function sessionOf(key: string | undefined, user: unknown): string | null {
  if ((user ?? null) !== null && typeof user !== "string") throw invalid("user must be text", "user");
  const name = key ?? (typeof user === "string" ? user.trim() : "");
  if (name === "") return null;
  const at = key === undefined ? "user" : "x-openclaw-session-key";
  const bare = name.replace(/^agent:[^:]*:/, "");
  if (reservedPrefixes.some((prefix) => bare.toLowerCase().startsWith(prefix))) {
    throw invalid(`${at} cannot use reserved internal session namespaces (${reservedPrefixes.join(" ")})`, at);
  }
  if (name.length > 180 || /\p{Cc}/u.test(name))
    throw invalid(`${at} must have 1 to 180 characters and no control characters`, at);
  return key === undefined ? `openai:user:${name}` : name;
}

export function readOptions(body: Body, tools: readonly ToolSpec[]): NonNullable<TurnRequest["options"]> {
  refuseUnserved(body, chatFields);
  const { stop } = body;
  if (Array.isArray(stop) && stop.length > 4) throw invalid("stop must hold at most 4 texts", "stop");
  const temperature = readTemperature(body.temperature);
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? undefined;
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && Number(maxTokens) > 0)) {
    throw invalid("max_completion_tokens must be a whole number > 0", "max_completion_tokens");
  }
  const toolChoice = readToolChoice(body.tool_choice, tools);
  const extra = Object.fromEntries(
    passed.flatMap((name) => ((body[name] ?? null) === null ? [] : [[name, body[name]]])),
  );
  return {
    ...(maxTokens === undefined ? {} : { maxTokens: Number(maxTokens) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

export function readTemperature(value: unknown): number | undefined {
  if ((value ?? null) === null) return undefined;
  if (typeof value === "number" && value >= 0 && value <= 2) return value;
  throw invalid("temperature must be a number between 0 and 2", "temperature");
}

function readToolChoice(value: unknown, tools: readonly ToolSpec[]): NonNullable<TurnRequest["options"]>["toolChoice"] {
  if ((value ?? null) === null) return undefined;
  if (value === "auto" || value === "none" || (value === "required" && tools.length > 0)) return value;
  const name = isObject(value) && isObject(value.function) ? value.function.name : undefined;
  if (typeof name === "string" && tools.some((tool) => tool.name === name)) return { name };
  throw invalid("tool_choice must be auto, none, required or one of the tools of this request", "tool_choice");
}
