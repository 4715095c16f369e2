/** The client's messages and tools, from OpenAI's wire into the house's form. Whatever does not fit is refused with its path. */
import { type ContentPart, contentText, isObject, type Message, type ToolCall, type ToolSpec } from "@chela/sdk";
import { invalid } from "../errors.ts";

const roles: ReadonlySet<unknown> = new Set(["system", "developer", "user", "assistant", "tool"]);
const maxTools = 128;

export function readMessages(value: unknown): readonly Message[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid("messages must be an array with at least one message", "messages");
  const messages = value.map((message: unknown, index) => readMessage(message, `messages[${index}]`));
  refuseOrphans(messages, (index) => `messages[${index}].tool_call_id`);
  return messages;
}

/** A result without its call would be lost on its way: no upstream takes it. */
export function refuseOrphans(messages: readonly Message[], at: (index: number) => string): void {
  const calls = new Set<string>();
  for (const [index, { toolCalls = [], toolCallId }] of messages.entries()) {
    for (const { id } of toolCalls) calls.add(id);
    if (toolCallId === undefined || calls.has(toolCallId)) continue;
    throw invalid(`${at(index)}: no call "${toolCallId.slice(0, 100)}" was made before it`, at(index));
  }
}

function readMessage(value: unknown, at: string): Message {
  if (!isObject(value)) throw invalid(`${at} must be an object`, at);
  const { role, tool_calls, tool_call_id } = value;
  // A refusal stands in the place of what was said.
  const content = value.content ?? (role === "assistant" ? value.refusal : undefined);
  if (!roles.has(role)) throw invalid(`${at}.role must be system, developer, user, assistant or tool`, `${at}.role`);
  if (role === "assistant") {
    const toolCalls = readCalls(tool_calls, `${at}.tool_calls`);
    if ((content ?? null) === null && toolCalls.length === 0)
      throw invalid(`${at}.content must be set where there are no tool_calls`, `${at}.content`);
    return {
      role,
      content: readContent(content ?? "", `${at}.content`),
      ...(toolCalls.length > 0 ? { toolCalls } : {}),
    };
  }
  if (role !== "tool") {
    return { role: role === "user" ? "user" : "system", content: readContent(content, `${at}.content`) };
  }
  if (typeof tool_call_id !== "string" || tool_call_id === "")
    throw invalid(`${at}.tool_call_id must name the call it answers`, `${at}.tool_call_id`);
  return { role, content: plain(readContent(content, `${at}.content`)), toolCallId: tool_call_id };
}

function readContent(value: unknown, at: string): string | readonly ContentPart[] {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) throw invalid(`${at} must be text or an array of parts`, at);
  return value.map((part: unknown, index) => readPart(part, `${at}[${index}]`));
}

/** As text where nothing but text is in it. */
export function plain(content: Message["content"]): Message["content"] {
  return typeof content === "string" || content.some(({ type }) => type !== "text") ? content : contentText(content);
}

function readPart(part: unknown, at: string): ContentPart {
  if (isObject(part)) {
    const { type, text, refusal, image_url } = part;
    if (type === "text" && typeof text === "string") return { type, text };
    if (type === "refusal" && typeof refusal === "string") return { type: "text", text: refusal };
    const url = isObject(image_url) ? image_url.url : image_url;
    if (type === "image_url" && typeof url === "string" && /^(data:image\/|https?:\/\/)/i.test(url))
      return { type: "image", url };
  }
  throw invalid(`${at} must be a text part or an image_url part with a data: or http(s) URL`, at);
}

function readCalls(value: unknown, at: string): readonly ToolCall[] {
  if ((value ?? null) === null) return [];
  if (!Array.isArray(value)) throw invalid(`${at} must be an array`, at);
  return value.map((call: unknown, index) => {
    const made =
      isObject(call) && isObject(call.function)
        ? { id: call.id, name: call.function.name, arguments: call.function.arguments ?? "{}" }
        : {};
    if (typeof made.id !== "string" || typeof made.name !== "string" || typeof made.arguments !== "string") {
      throw invalid(`${at}[${index}] must be a function call with id, name and arguments`, `${at}[${index}]`);
    }
    return { id: made.id, name: made.name, arguments: made.arguments };
  });
}

export function readTools(value: unknown): readonly ToolSpec[] {
  if ((value ?? null) === null) return [];
  if (!Array.isArray(value) || value.length > maxTools)
    throw invalid(`tools must be an array of at most ${maxTools} tools`, "tools");
  const tools = value.map((tool: unknown, index) => readTool(tool, `tools[${index}]`));
  const twice = tools.find((tool, index) => tools.findIndex((other) => other.name === tool.name) !== index);
  if (twice) throw invalid(`tools must not name "${twice.name}" twice`, "tools");
  return tools;
}

function readTool(value: unknown, at: string): ToolSpec {
  const given = isObject(value) && value.type === "function" && isObject(value.function) ? value.function : undefined;
  if (!given) throw invalid(`${at} must be {type: "function", function: {…}}`, at);
  const { name, description, parameters, strict } = given;
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw invalid(`${at}.function.name must have 1 to 64 letters, digits, _ or -`, `${at}.function.name`);
  }
  if (parameters !== undefined && !isObject(parameters))
    throw invalid(`${at}.function.parameters must be a JSON Schema`, `${at}.function.parameters`);
  return {
    name,
    about: typeof description === "string" ? description : "",
    input: parameters ?? { type: "object", properties: {} },
    ...(strict === true && { strict }),
  };
}

export function imagesOf(content: Message["content"]): readonly string[] {
  return typeof content === "string" ? [] : content.flatMap((part) => (part.type === "image" ? [part.url] : []));
}
