/** What the Responses API refuses, in its words. The first complaint is the answer; undefined means the request is good. */
import { type Body, listOf, unknownKeys } from "../vendor/server.ts";

const fields = [
  "model",
  "input",
  "instructions",
  "tools",
  "tool_choice",
  "max_output_tokens",
  "temperature",
  "top_p",
  "include",
  "metadata",
  "previous_response_id",
  "stream",
  "store",
  "reasoning",
  "text",
  "parallel_tool_calls",
  "service_tier",
  "user",
  "truncation",
  "prompt_cache_key",
  "safety_identifier",
  "top_logprobs",
];
const includable = [
  "file_search_call.results",
  "web_search_call.action.sources",
  "reasoning.encrypted_content",
  "message.output_text.logprobs",
];

/** `sealed`: thoughts that were given out. */
export function complaint(body: Body, sealed: ReadonlySet<string>): string | undefined {
  const [extra] = unknownKeys(body, fields);
  if (extra !== undefined) return `Unknown parameter: '${extra}'.`;
  if (typeof body.model !== "string") return "Missing required parameter: 'model'.";
  if (body.max_output_tokens !== undefined && Number(body.max_output_tokens) < 16)
    return "Invalid 'max_output_tokens': integer below minimum value.";
  const wrong = listOf(body.include).find((one: unknown) => !includable.includes(String(one)));
  if (wrong !== undefined) return `Invalid value: '${String(wrong)}'.`;
  const thinks = /^gpt-[5-9]/.test(body.model);
  if (thinks && body.temperature !== undefined)
    return "Unsupported parameter: 'temperature' is not supported with this model.";
  if (!thinks && listOf(body.include).some((one: unknown) => one === "reasoning.encrypted_content"))
    return "Encrypted content is not supported with this model.";
  return tools(body) ?? input(body, sealed);
}

function tools({ tools: list, tool_choice: choice }: Body): string | undefined {
  if (choice !== undefined && listOf(list).length === 0) return "Tool choice is only allowed when tools are specified.";
  for (const [index, tool] of listOf(list).entries()) {
    if (tool.type === "web_search" || (tool.type === "file_search" && listOf(tool.vector_store_ids).length > 0))
      continue;
    if (tool.type !== "function" || typeof tool.name !== "string")
      return `Missing required parameter: 'tools[${index}].name'.`;
    if (tool.strict !== false && (tool.parameters as Body | undefined)?.additionalProperties !== false)
      return `Invalid schema for function '${tool.name}': 'additionalProperties' is required to be supplied and to be false.`;
  }
  return undefined;
}

function input(
  { input: given, previous_response_id: previous }: Body,
  sealed: ReadonlySet<string>,
): string | undefined {
  if (typeof given === "string") return undefined;
  const items = listOf(given);
  if (items.length === 0 && previous === undefined) return "One of 'input' or 'previous_response_id' must be provided.";
  const calls = new Set(items.flatMap((item) => (item.type === "function_call" ? [item.call_id] : [])));
  const outputs = new Set(items.flatMap((item) => (item.type === "function_call_output" ? [item.call_id] : [])));
  for (const id of outputs)
    if (!calls.has(id) && previous === undefined)
      return `No tool call found for function call output with call_id ${id}.`;
  for (const id of calls) if (!outputs.has(id)) return `No tool output found for function call ${id}.`;
  return items.map((item, index) => itemComplaint(item, index, { items, sealed })).find(Boolean);
}

interface Around {
  readonly items: readonly Body[];
  readonly sealed: ReadonlySet<string>;
}

function itemComplaint(item: Body, index: number, { items, sealed }: Around): string | undefined {
  if (item.type === "function_call") {
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(String(item.name)))
      return `Invalid 'input[${index}].name': string does not match pattern.`;
    return typeof item.arguments === "string" ? undefined : `Invalid type for 'input[${index}].arguments'.`;
  }
  if (item.type === "function_call_output") return undefined;
  if (item.type === "reasoning") {
    if (!sealed.has(String(item.encrypted_content)))
      return `Item with id '${item.id}' not found. Items are not persisted when \`store\` is set to false.`;
    const next = items[index + 1]?.type;
    return next === undefined || next === "function_call_output"
      ? `Item '${item.id}' of type 'reasoning' was provided without its required following item.`
      : undefined;
  }
  if (!["user", "assistant", "system", "developer"].includes(String(item.role)))
    return `Invalid value: '${item.type}'.`;
  const kinds = item.role === "assistant" ? ["output_text", "refusal"] : ["input_text", "input_image", "input_file"];
  const bad =
    typeof item.content === "string"
      ? undefined
      : listOf(item.content).find((part) => !kinds.includes(String(part.type)));
  return bad === undefined ? undefined : `Invalid value: '${bad.type}'. Supported values are: ${kinds.join(", ")}.`;
}
