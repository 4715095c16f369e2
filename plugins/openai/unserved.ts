/**
 * What OpenAI's own models can do and neither an agent nor a model behind another API can: left out in silence, the client
 * would take the reply for what it asked for. What makes no such difference (`store`, `service_tier`, `prediction` …) is left out.
 */
import { invalid } from "./errors.ts";

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;

const isGiven = (value: unknown): boolean => (value ?? null) !== null;
const isSome = (value: unknown): boolean => typeof value === "number" && value > 0;

export const chatFields: Fields = {
  n: (value) => (value ?? 1) !== 1,
  logprobs: (value) => value === true,
  top_logprobs: isSome,
  modalities: (value) => Array.isArray(value) && value.some((one) => one !== "text"),
  audio: isGiven,
  functions: isGiven,
  function_call: isGiven,
  web_search_options: isGiven,
  moderation: isGiven,
};

export const responseFields: Fields = {
  background: (value) => value === true,
  conversation: isGiven,
  prompt: isGiven,
  top_logprobs: isSome,
  include: (value) => Array.isArray(value) && value.includes("message.output_text.logprobs"),
  context_management: isGiven,
  moderation: isGiven,
};

const instead: Readonly<Record<string, string>> = {
  functions: "send tools",
  function_call: "send tool_choice",
  conversation: "use previous_response_id",
  prompt: "send input",
};

/** Throws 400 with the name of the first field that cannot be served. */
export function refuseUnserved(body: Readonly<Record<string, unknown>>, fields: Fields): void {
  const param = Object.keys(fields).find((name) => fields[name]?.(body[name]));
  if (param === undefined) return;
  const hint = instead[param] ?? "only a model whose provider speaks this API itself can have it";
  throw invalid(`${param} is not supported here: ${hint}`, param);
}
