/** A normalised model request as a Messages API body. */
import { type ModelRequest, objectOf, type ToolSpec } from "@chela/sdk";
import type { ProviderSpec } from "../../settings.ts";
import { splitSystem, wellFormed } from "../messages.ts";
import { expectServed } from "../unserved.ts";
import { type Conversation, cacheControl, conversation } from "./conversation.ts";
import { defaultMaxTokens, takesStrict } from "./models.ts";
import { takesSampling } from "./places.ts";
import { thinkingFields } from "./thinking.ts";

/** Shorter beginnings than about a thousand tokens are not cached: a breakpoint would do nothing. */
const worthCaching = 4000;
/** The API has no such format without a schema. */
const onlyJson = "Answer with one JSON object and nothing else: no other text, no code fence.";

export function anthropicBody(request: ModelRequest, model: string, spec: ProviderSpec): string {
  const { extra = {} } = request;
  expectServed(request, `${spec.name}/${model}`, ["logit_bias", "response_format"]);
  const maxTokens = request.maxTokens ?? spec.maxTokens ?? defaultMaxTokens(model);
  const thinking = thinkingFields(extra, model, maxTokens);
  return JSON.stringify({
    ...prompt(request, model, spec, thinking.thinking !== undefined),
    max_tokens: maxTokens,
    ...thinking,
    ...(takesSampling(spec, model) && !thinking.thinking ? sampling(request, spec) : {}),
    ...stopSequences(extra),
    ...(typeof extra.user === "string" && extra.user !== "" ? { metadata: { user_id: extra.user } } : {}),
    stream: true,
  });
}

export function countBody(request: ModelRequest, model: string, spec: ProviderSpec): string {
  return JSON.stringify(prompt(request, model, spec, false));
}

/** Model, system, tools and messages, with breakpoints for the vendor's cache: behind the system, and behind everything. */
function prompt(request: ModelRequest, model: string, spec: ProviderSpec, thinks: boolean): Record<string, unknown> {
  const { system: told, rest } = splitSystem(request.messages);
  const system =
    objectOf(request.extra?.response_format).type === "json_object" ? `${told}\n\n${onlyJson}`.trim() : told;
  const said = conversation(wellFormed(rest, request.tools), `${spec.name}/${model}`);
  const tools = toolsOf(request, said, takesStrict(model));
  const cached = JSON.stringify(tools ?? "").length + system.length >= worthCaching;
  if (cached) markLast(said);
  return {
    model,
    ...(system === "" ? {} : { system: [{ type: "text", text: system, ...(cached ? cacheControl : {}) }] }),
    ...(tools ? { tools: cached && system === "" ? withBreakpoint(tools) : tools } : {}),
    ...toolChoice(request, tools !== undefined, thinks),
    messages: said.messages,
  };
}

function markLast({ messages }: Conversation): void {
  const last = messages.at(-1)?.content.at(-1);
  if (last) Object.assign(last, cacheControl);
}

function withBreakpoint(tools: readonly Record<string, unknown>[]): unknown[] {
  return tools.map((tool, index) => (index === tools.length - 1 ? { ...tool, ...cacheControl } : tool));
}

/** Calls in the conversation need their tools, also where none may be called any more. */
function toolsOf(
  { tools }: ModelRequest,
  { called }: Conversation,
  takesStrict: boolean,
): Record<string, unknown>[] | undefined {
  if (tools?.length) return tools.map((tool) => anthropicTool(tool, takesStrict));
  if (called.size === 0) return undefined;
  return [...called].map((name) => ({ name, input_schema: { type: "object" } }));
}

function anthropicTool({ name, about, input, strict }: ToolSpec, takesStrict: boolean): Record<string, unknown> {
  return { name, description: about, input_schema: objectSchema(input), ...(strict && takesStrict && { strict }) };
}

/** The API wants an object, and no choice between several at the top: the properties of all are offered then. */
function objectSchema(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { anyOf, oneOf, allOf, ...rest } = schema;
  const branches = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list : []));
  if (branches.length === 0) return { ...rest, type: "object" };
  const properties = Object.assign({}, ...branches.map((branch) => objectOf(objectOf(branch).properties))) as object;
  return { ...rest, type: "object", properties: { ...properties, ...objectOf(rest.properties) } };
}

function toolChoice(request: ModelRequest, hasTools: boolean, thinks: boolean): Record<string, unknown> {
  if (!hasTools) return {};
  const { toolChoice: choice = "auto", extra = {} } = request;
  if (!request.tools?.length || choice === "none") return { tool_choice: { type: "none" } };
  const single = extra.parallel_tool_calls === false ? { disable_parallel_tool_use: true } : {};
  // A model that thinks decides for itself; the API refuses to force it.
  if (choice === "auto" || thinks)
    return request.toolChoice === undefined && !("disable_parallel_tool_use" in single)
      ? {}
      : { tool_choice: { type: "auto", ...single } };
  if (choice === "required") return { tool_choice: { type: "any", ...single } };
  return { tool_choice: { type: "tool", name: choice.name, ...single } };
}

function sampling({ temperature, extra = {} }: ModelRequest, spec: ProviderSpec): Record<string, unknown> {
  const heat = temperature ?? spec.temperature;
  // Newer models take one of the two only.
  if (heat !== undefined) return { temperature: Math.min(Math.max(heat, 0), 1), ...numberIn(extra, "top_k") };
  return { ...numberIn(extra, "top_p"), ...numberIn(extra, "top_k") };
}

function numberIn(extra: Readonly<Record<string, unknown>>, key: string): Record<string, number> {
  const value = extra[key];
  return typeof value === "number" ? { [key]: value } : {};
}

function stopSequences({ stop, stop_sequences: own }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const list = (Array.isArray(own ?? stop) ? (own ?? stop) : [own ?? stop]) as readonly unknown[];
  const texts = list.filter((text) => typeof text === "string" && text.trim() !== "");
  return texts.length === 0 ? {} : { stop_sequences: texts };
}
