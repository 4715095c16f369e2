/** A Responses request as a turn of an agent or a call of a model. */
import { isObject, type Message, type ModelRequest, type TurnRequest } from "@chela/sdk";
import { readTemperature } from "../chat/turn-request.ts";
import { invalid } from "../errors.ts";
import { refuseUnserved, responseFields } from "../unserved.ts";
import { readFunctions, readInput } from "./items.ts";
import type { Body } from "./object.ts";

type Options = NonNullable<TurnRequest["options"]>;

export interface Asked {
  /** What this request adds to the conversation. */
  readonly input: readonly Message[];
  /** The client's own system prompt; not part of the conversation that is kept. */
  readonly instructions: string;
  readonly previous: string | undefined;
  readonly tools: NonNullable<ModelRequest["tools"]>;
  readonly options: Options;
  readonly stored: boolean;
}

/** Throws 400 for what cannot be served. */
export function readAsked(body: Body): Asked {
  const input = readInput(body.input);
  if (input.length === 0) throw invalid("input must hold at least one item", "input");
  refuseUnserved(body, responseFields);
  const { instructions, previous_response_id: previous } = body;
  if ((instructions ?? null) !== null && typeof instructions !== "string")
    throw invalid("instructions must be text", "instructions");
  if ((previous ?? null) !== null && typeof previous !== "string")
    throw invalid("previous_response_id must be text", "previous_response_id");
  const tools = readFunctions(body.tools);
  return {
    input,
    instructions: typeof instructions === "string" ? instructions : "",
    previous: typeof previous === "string" ? previous : undefined,
    tools,
    options: readOptions(body, tools),
    stored: body.store !== false,
  };
}

function readOptions(body: Body, tools: Asked["tools"]): Options {
  const { max_output_tokens: maxTokens, top_p, parallel_tool_calls } = body;
  if ((maxTokens ?? null) !== null && !(Number.isInteger(maxTokens) && Number(maxTokens) > 0))
    throw invalid("max_output_tokens must be a whole number > 0", "max_output_tokens");
  const temperature = readTemperature(body.temperature);
  const toolChoice = readToolChoice(body.tool_choice, tools);
  const given = { top_p, parallel_tool_calls, ...readReasoning(body.reasoning), ...readText(body.text) };
  const extra = Object.fromEntries(Object.entries(given).filter(([, value]) => (value ?? null) !== null));
  return {
    ...(typeof maxTokens === "number" ? { maxTokens } : {}),
    ...(temperature === undefined ? {} : { temperature }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

function readReasoning(value: unknown): Record<string, unknown> {
  if ((value ?? null) !== null && !isObject(value)) throw invalid("reasoning must be an object", "reasoning");
  return isObject(value) ? { reasoning_effort: value.effort } : {};
}

/** In chat completions the format of the text has a name of its own, and a schema stands one level deeper. */
function readText(value: unknown): Record<string, unknown> {
  if ((value ?? null) !== null && !isObject(value)) throw invalid("text must be an object", "text");
  if (!isObject(value)) return {};
  const { format, verbosity } = value;
  if (!isObject(format) || format.type === "text") return { verbosity };
  if (format.type === "json_object") return { verbosity, response_format: { type: "json_object" } };
  if (format.type !== "json_schema" || !isObject(format.schema))
    throw invalid("text.format must be text, json_object, or json_schema with a schema", "text.format");
  const { type, ...schema } = format;
  return { verbosity, response_format: { type, json_schema: schema } };
}

function readToolChoice(value: unknown, tools: Asked["tools"]): Options["toolChoice"] {
  if ((value ?? null) === null) return undefined;
  if (value === "auto" || value === "none" || (value === "required" && tools.length > 0)) return value;
  const name = isObject(value) && value.type === "function" ? value.name : undefined;
  if (typeof name === "string" && tools.some((tool) => tool.name === name)) return { name };
  throw invalid("tool_choice must be auto, none, required or one of the tools of this request", "tool_choice");
}
