/** A normalised model request as a Responses API body. Nothing is stored at the vendor unless the request refers to it. */
import { contentText, type Message, type ModelRequest, objectOf, type ToolSpec } from "@chela/sdk";
import type { ProviderSpec } from "../../settings.ts";
import { splitLevel } from "../chat/levels.ts";
import { argumentsText, partsOf, splitSystem, wellFormed, withCallIds } from "../messages.ts";
import { isBare, isStrict, quirksOf, thinksAlways } from "../quirks.ts";
import { expectServed } from "../unserved.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Output of a reply, kept whole for the model that gave it. */
export interface ResponsesParts {
  readonly by: string;
  readonly items: readonly Fields[];
}

/** Fields of a request that this API has too. */
const passed = [
  "metadata",
  "parallel_tool_calls",
  "previous_response_id",
  "prompt_cache_key",
  "safety_identifier",
  "service_tier",
  "store",
  "top_logprobs",
  "truncation",
  "user",
] as const;

/** An API for accounts alone answers 400 to these. */
const refusedFromAccounts: ReadonlySet<string> = new Set([
  "previous_response_id",
  "safety_identifier",
  "store",
  "truncation",
  "user",
]);

const callIds = { fits: /^.{1,64}$/s, length: 64 } as const;

export function responsesBody(request: ModelRequest, asked: string, spec: ProviderSpec): string {
  expectServed(request, `${spec.name}/${asked}`, ["logit_bias", "stop", "response_format"]);
  const quirks = quirksOf(spec);
  const bare = isBare(spec, quirks);
  const extra = bare ? withoutRefused(request.extra) : (request.extra ?? {});
  const { model, level } = splitLevel(asked, quirks);
  const strict = isStrict(spec, quirks);
  const thinks = strict && thinksAlways(model);
  const { system, rest } = splitSystem(request.messages);
  const said = withCallIds(wellFormed(rest, request.tools), strict ? callIds : undefined);
  const maxTokens = request.maxTokens ?? spec.maxTokens;
  const include = includes(extra, spec, thinks);
  return JSON.stringify({
    ...(extra.previous_response_id === undefined ? { store: false } : {}),
    ...Object.fromEntries(passed.flatMap((key) => (extra[key] === undefined ? [] : [[key, extra[key]]]))),
    model,
    ...(system === "" && !bare ? {} : { instructions: system }),
    input: inputOf(said, `${spec.name}/${asked}`, extra.previous_response_id !== undefined),
    ...toolFields(request, spec),
    ...(maxTokens === undefined || bare ? {} : { max_output_tokens: maxTokens }),
    ...(thinks || bare ? {} : sampling(request, spec)),
    ...reasoning(extra, level, thinks),
    ...textFormat(extra),
    ...(include.length > 0 ? { include } : {}),
    stream: true,
  });
}

function withoutRefused(extra: Fields = {}): Fields {
  return Object.fromEntries(Object.entries(extra).filter(([key]) => !refusedFromAccounts.has(key)));
}

function includes(extra: Fields, { responses }: ProviderSpec, thinks: boolean): readonly unknown[] {
  const asked = Array.isArray(extra.include) ? (extra.include as unknown[]) : [];
  // Without it thoughts could not be given back, since nothing is stored.
  const thoughts = thinks && extra.previous_response_id === undefined ? ["reasoning.encrypted_content"] : [];
  return [...new Set([...(responses?.include ?? []), ...asked, ...thoughts])];
}

function sampling({ temperature, extra = {} }: ModelRequest, spec: ProviderSpec): Fields {
  const heat = temperature ?? spec.temperature;
  return {
    ...(heat === undefined ? {} : { temperature: heat }),
    ...(typeof extra.top_p === "number" ? { top_p: extra.top_p } : {}),
  };
}

function reasoning(extra: Fields, level: string | undefined, thinks: boolean): Fields {
  const own = objectOf(extra.reasoning);
  const effort = own.effort ?? extra.reasoning_effort ?? (level === "auto" ? undefined : level);
  if (effort === undefined && Object.keys(own).length === 0 && !thinks) return {};
  return { reasoning: { summary: "auto", ...own, ...(effort === undefined ? {} : { effort }) } };
}

/** `response_format` of chat completions lies one level deeper, and `verbosity` beside it. */
function textFormat(extra: Fields): Fields {
  const { type, json_schema: described } = objectOf(extra.response_format);
  const own = { ...(typeof extra.verbosity === "string" && { verbosity: extra.verbosity }), ...objectOf(extra.text) };
  if (type === "json_object") return { text: { ...own, format: { type } } };
  if (type === "json_schema") return { text: { ...own, format: { type, ...objectOf(described) } } };
  return Object.keys(own).length > 0 ? { text: own } : {};
}

function toolFields(request: ModelRequest, { responses = {} }: ProviderSpec): Fields {
  const tools: unknown[] = (request.tools ?? []).map(functionTool);
  if (responses.web_search_enabled) {
    const size = responses.web_search_context_size;
    tools.push({ type: "web_search", ...(size ? { search_context_size: size } : {}) });
  }
  const stores = responses.file_search_vector_store_ids ?? [];
  if (stores.length > 0) {
    const max = responses.file_search_max_num_results;
    tools.push({ type: "file_search", vector_store_ids: stores, ...(max ? { max_num_results: max } : {}) });
  }
  if (tools.length === 0) return {};
  const choice = request.toolChoice ?? "auto";
  return { tools, tool_choice: typeof choice === "string" ? choice : { type: "function", name: choice.name } };
}

/** This API is strict unless told otherwise, and a strict schema has no optional properties. */
function functionTool({ name, about, input, strict = false }: ToolSpec): unknown {
  return { type: "function", name, description: about, parameters: input, strict };
}

/** Something must be asked, unless an earlier reply is to be gone on with. */
function inputOf(messages: readonly Message[], by: string, goesOn: boolean): unknown[] {
  const items = inputItems(messages, by);
  return items.length === 0 && !goesOn ? [{ role: "user", content: "Continue." }] : items;
}

function inputItems(messages: readonly Message[], by: string): unknown[] {
  return messages.flatMap((message) => {
    if (message.role === "tool")
      return [{ type: "function_call_output", call_id: message.toolCallId, output: outputOf(message.content) }];
    if (message.role !== "assistant") return [{ role: message.role, content: inputContent(message.content) }];
    return nativeItems(message, by) ?? assistantItems(message);
  });
}

function assistantItems({ content, toolCalls = [] }: Message): unknown[] {
  const text = contentText(content);
  const said = text === "" ? [] : [{ role: "assistant", content: text }];
  const calls = toolCalls.map(({ id, name, arguments: args }) => {
    return { type: "function_call", call_id: id, name, arguments: argumentsText(args) };
  });
  return [...said, ...calls];
}

/** Only for the model they are from, and only while they make the same calls as the message does. */
function nativeItems({ native, toolCalls = [] }: Message, by: string): readonly unknown[] | undefined {
  if (native?.wire !== "responses") return undefined;
  const parts = native.parts as ResponsesParts;
  if (parts.by !== by) return undefined;
  const ids = parts.items.flatMap((item) => (item.type === "function_call" ? [item.call_id] : []));
  const names = new Map<unknown, string>(toolCalls.map(({ id, name }) => [id, name]));
  if (ids.length !== toolCalls.length || toolCalls.some(({ id }) => !ids.includes(id))) return undefined;
  return parts.items.map((item) => (item.type === "function_call" ? { ...item, name: names.get(item.call_id) } : item));
}

function outputOf(content: Message["content"]): unknown {
  return typeof content === "string" ? content : inputContent(content);
}

function inputContent(content: Message["content"]): unknown {
  if (typeof content === "string") return content;
  return partsOf(content).map((part) => {
    if (part.type === "text") return { type: "input_text", text: part.text };
    return { type: "input_image", image_url: part.url, detail: "auto" };
  });
}
