/**
 * One line of a transcript to a message. Reads what ClawGo and OpenClaw write (`{type:"message", message:{…}}`, role
 * `toolResult`), flat `{role, content}` lines, and our own export, which adds `seq`, `at`, `state`, `model` and `usage`.
 */
import { type ContentPart, isObject, type NewMessage, type ToolCall, type Usage } from "@chela/sdk";
import type { DatedMessage } from "../tables.ts";

export type Decoded =
  /** With the time at which it was said, where the line tells it. */
  | { readonly message: DatedMessage }
  /** A line that is no message: a header, a change of settings. `title` where it names the session. */
  | { readonly other: true; readonly title?: string }
  | { readonly problem: string };

type Fields = Readonly<Record<string, unknown>>;

const roles: ReadonlyMap<string, NewMessage["role"]> = new Map([
  ["user", "user"],
  ["assistant", "assistant"],
  ["system", "system"],
  ["tool", "tool"],
  ["toolresult", "tool"],
  ["tool_result", "tool"],
  ["function", "tool"],
]);

export function decodeLine(text: string): Decoded {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return { problem: "it is no JSON" };
  }
  try {
    return decode(line);
  } catch {
    // The arguments of a call, when they are made text again.
    return { problem: "it is nested too deeply" };
  }
}

function decode(line: unknown): Decoded {
  if (!isObject(line)) return { problem: "it is no JSON object" };
  if (isObject(line.message)) return decodeMessage(line.message, line);
  if (typeof line.role === "string") return decodeMessage(line, line);
  if (line.type === "message") return { problem: "it says message and holds none" };
  if (typeof line.type !== "string") return { problem: "it has neither a role nor a type" };
  const title = line.type === "session_info" && typeof line.name === "string" ? line.name : undefined;
  return { other: true, ...(title !== undefined && { title }) };
}

function decodeMessage(message: Fields, line: Fields): Decoded {
  const role = typeof message.role === "string" ? roles.get(message.role.toLowerCase()) : undefined;
  if (role === undefined) return { problem: `the role ${JSON.stringify(message.role)?.slice(0, 40)} is not known` };
  const parts = partsOf(message.content);
  if (parts === undefined) return { problem: "the content is neither text nor a list of parts" };
  const calls = [...parts.calls, ...toolCallsOf(message.toolCalls ?? message.tool_calls)];
  const callId = textOf(message.toolCallId) ?? textOf(message.tool_call_id);
  const reasoning = textOf(message.reasoning_content) ?? textOf(message.reasoning) ?? parts.thoughts;
  const at = timeOf(line.at) ?? timeOf(line.timestamp) ?? timeOf(message.timestamp);
  const model = textOf(line.model) ?? modelOf(message);
  const usage = usageOf(line.usage) ?? usageOf(message.usage);
  return {
    message: {
      role,
      content: line.parts === true ? parts.content : flat(parts.content),
      ...(calls.length > 0 && { toolCalls: calls }),
      ...(callId !== undefined && { toolCallId: callId }),
      ...(reasoning !== undefined && { reasoning }),
      state: line.state === "partial" || line.state === "failed" ? line.state : "complete",
      ...(model !== undefined && { model }),
      ...(usage && { usage }),
      ...(at !== undefined && { at }),
    },
  };
}

/** Text alone is kept as text. */
function flat(content: readonly ContentPart[]): string | readonly ContentPart[] {
  const texts = content.filter((part) => part.type === "text").map((part) => part.text);
  return texts.length === content.length ? texts.join("\n") : content;
}

function partsOf(content: unknown) {
  const parts: ContentPart[] = [];
  const calls: ToolCall[] = [];
  const thoughts: string[] = [];
  if (content === undefined || content === null) return { content: parts, calls, thoughts: undefined };
  if (typeof content === "string") parts.push({ type: "text", text: content });
  else if (!Array.isArray(content)) return undefined;
  else {
    for (const part of content as unknown[]) {
      if (typeof part === "string") parts.push({ type: "text", text: part });
      if (!isObject(part)) continue;
      const image = imageOf(part);
      if (image !== undefined) parts.push({ type: "image", url: image });
      else if (part.type === "toolCall" || part.type === "tool_use") calls.push(...toolCallsOf([part]));
      else if (part.type === "thinking") thoughts.push(textOf(part.thinking) ?? "");
      else if (typeof part.text === "string") parts.push({ type: "text", text: part.text });
    }
  }
  return { content: parts, calls, thoughts: thoughts.join("\n") || undefined };
}

function imageOf(part: Fields): string | undefined {
  if (part.type !== "image" && part.type !== "image_url") return undefined;
  if (isObject(part.image_url)) return textOf(part.image_url.url);
  const url = textOf(part.url) ?? textOf(part.image_url);
  if (url !== undefined) return url;
  const type = textOf(part.mimeType) ?? textOf(part.media_type) ?? "image/png";
  return typeof part.data === "string" ? `data:${type};base64,${part.data}` : undefined;
}

/** `{id, function: {name, arguments: text}}`, `{id, name, arguments: object}`, `{id, name, input}`. */
function toolCallsOf(value: unknown): ToolCall[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).flatMap((call, index) => {
    const inner = isObject(call.function) ? call.function : call;
    const name = textOf(inner.name);
    const given = inner.arguments ?? inner.input ?? {};
    const text = typeof given === "string" ? given : JSON.stringify(given);
    return name === undefined ? [] : [{ id: textOf(call.id) ?? `call_${index + 1}`, name, arguments: text }];
  });
}

function modelOf(message: Fields): string | undefined {
  const model = textOf(message.model);
  const provider = textOf(message.provider);
  return model !== undefined && provider !== undefined && !model.includes("/") ? `${provider}/${model}` : model;
}

/** Our own names, and OpenClaw's `{input, output, cacheRead, cacheWrite}` where `input` leaves the cached ones out. */
function usageOf(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = value;
  if (isCount(inputTokens) && isCount(outputTokens)) {
    return {
      inputTokens,
      outputTokens,
      ...(isCount(cachedTokens) && { cachedTokens }),
      ...(isCount(cacheWriteTokens) && { cacheWriteTokens }),
      ...(isCount(reasoningTokens) && { reasoningTokens }),
    };
  }
  const { input, output, cacheRead = 0, cacheWrite = 0 } = value;
  if (!isCount(input) || !isCount(output) || !isCount(cacheRead) || !isCount(cacheWrite)) return undefined;
  return {
    inputTokens: input + cacheRead + cacheWrite,
    outputTokens: output,
    ...(cacheRead > 0 && { cachedTokens: cacheRead }),
    ...(cacheWrite > 0 && { cacheWriteTokens: cacheWrite }),
  };
}

/** Milliseconds since 1970 of a date or a number; numbers of ten digits are seconds. */
function timeOf(value: unknown): number | undefined {
  const number = typeof value === "string" ? Date.parse(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number) || number <= 0 || number > 8.64e15) return undefined;
  return Math.trunc(number < 1e11 ? number * 1_000 : number);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
