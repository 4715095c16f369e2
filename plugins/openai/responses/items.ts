/** The items of a Responses request, from OpenAI's wire into the house's form. Whatever does not fit is refused with its path. */
import { type ContentPart, isObject, type Message, type ToolCall, type ToolSpec } from "@chela/sdk";
import { plain } from "../chat/messages.ts";
import { invalid } from "../errors.ts";

const roles: ReadonlySet<unknown> = new Set(["system", "developer", "user", "assistant"]);
const maxTools = 128;

/** Calls that follow each other, and the text before them, are one message of the assistant, as models know it. */
export function readInput(value: unknown): readonly Message[] {
  if (typeof value === "string") return [{ role: "user", content: value }];
  if (!Array.isArray(value)) throw invalid("input must be text or a list of items", "input");
  const messages: Message[] = [];
  for (const [index, item] of value.entries()) {
    const read = readItem(item, `input[${index}]`);
    const last = messages.at(-1);
    if (read && "call" in read) {
      if (last?.role === "assistant")
        messages[messages.length - 1] = { ...last, toolCalls: [...(last.toolCalls ?? []), read.call] };
      else messages.push({ role: "assistant", content: "", toolCalls: [read.call] });
    } else if (read) messages.push(read);
  }
  return messages;
}

/** Undefined: an item that only its own model could read, such as its thoughts. */
function readItem(item: unknown, at: string): Message | { readonly call: ToolCall } | undefined {
  if (!isObject(item)) throw invalid(`${at} must be an object`, at);
  switch (item.type ?? "message") {
    case "message":
      return readMessage(item, at);
    case "function_call": {
      const { call_id: id, name, arguments: text } = item;
      if (typeof id !== "string" || typeof name !== "string" || typeof text !== "string")
        throw invalid(`${at} must have call_id, name and arguments`, at);
      return { call: { id, name, arguments: text } };
    }
    case "function_call_output": {
      const { call_id: toolCallId, output } = item;
      if (typeof toolCallId !== "string" || toolCallId === "") throw invalid(`${at}.call_id must name the call`, at);
      return { role: "tool", content: readContent(output, `${at}.output`), toolCallId };
    }
    case "reasoning":
    case "item_reference":
      return undefined;
    default:
      throw invalid(`${at}.type is not supported: ${String(item.type).slice(0, 60)}`, `${at}.type`);
  }
}

function readMessage({ role, content }: Record<string, unknown>, at: string): Message {
  if (!roles.has(role)) throw invalid(`${at}.role must be system, developer, user or assistant`, `${at}.role`);
  const said = readContent(content, `${at}.content`);
  if (role === "assistant" && typeof said !== "string") throw invalid(`${at}.content must be text`, `${at}.content`);
  if (role === "assistant") return { role, content: said };
  return { role: role === "user" ? "user" : "system", content: said };
}

function readContent(value: unknown, at: string): string | readonly ContentPart[] {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw invalid(`${at} must be text or a list of parts`, at);
  return plain(value.map((part: unknown, index) => readPart(part, `${at}[${index}]`)));
}

function readPart(part: unknown, at: string): ContentPart {
  if (isObject(part)) {
    const { type, text, refusal, image_url: url } = part;
    if ((type === "input_text" || type === "output_text" || type === "text") && typeof text === "string")
      return { type: "text", text };
    if (type === "refusal" && typeof refusal === "string") return { type: "text", text: refusal };
    if (type === "input_image" && typeof url === "string" && /^(data:image\/|https?:\/\/)/i.test(url))
      return { type: "image", url };
  }
  throw invalid(`${at} must be input_text, output_text, or input_image with a data: or http(s) URL`, at);
}

export function readFunctions(value: unknown): readonly ToolSpec[] {
  if ((value ?? null) === null) return [];
  if (!Array.isArray(value) || value.length > maxTools)
    throw invalid(`tools must be a list of at most ${maxTools} tools`, "tools");
  const tools = value.map((tool: unknown, index) => readFunction(tool, `tools[${index}]`));
  const twice = tools.find((tool, index) => tools.findIndex(({ name }) => name === tool.name) !== index);
  if (twice) throw invalid(`tools must not name "${twice.name}" twice`, "tools");
  return tools;
}

function readFunction(tool: unknown, at: string): ToolSpec {
  if (!isObject(tool) || tool.type !== "function")
    throw invalid(`${at}.type must be function: the gateway has no tools of OpenAI's own`, `${at}.type`);
  const { name, description, parameters, strict } = tool;
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    throw invalid(`${at}.name must have 1 to 64 letters, digits, _ or -`, `${at}.name`);
  if ((parameters ?? null) !== null && !isObject(parameters))
    throw invalid(`${at}.parameters must be a JSON Schema`, `${at}.parameters`);
  const input = isObject(parameters) ? parameters : { type: "object", properties: {} };
  const about = typeof description === "string" ? description : "";
  return { name, about, input, ...(strict === true && { strict }) };
}
