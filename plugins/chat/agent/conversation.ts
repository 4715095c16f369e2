/** What of a history a model may be given, and what the user says now. Pure. */
import type { ContentPart, Message, ToolCall } from "@chela/sdk";
import { charsOf } from "./context/tokens.ts";

/**
 * Cuts a stretch of history so that any model accepts it: no tool result without its call, no call without all its
 * results. What fails that is dropped or loses its calls; text is kept.
 */
export function coherent(messages: readonly Message[]): Message[] {
  const kept: Message[] = [];
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as Message;
    if (message.role === "tool") continue;
    if (!message.toolCalls?.length) {
      kept.push(plain(message));
      continue;
    }
    const results = resultsAfter(messages, index, message.toolCalls);
    if (results) kept.push(plain(message), ...results);
    else if (message.content !== "") kept.push({ role: message.role, content: message.content });
  }
  return kept;
}

/** The longest end of the conversation that takes at most `maxChars`. */
export function newest<M extends Message>(messages: readonly M[], maxChars: number): readonly M[] {
  let left = maxChars;
  const from = messages.findLastIndex((message) => {
    left -= charsOf(message);
    return left < 0;
  });
  return messages.slice(from + 1);
}

/** The user's message as it is stored and sent; undefined when there is nothing to say (the client's context says it). */
export function userMessage(text: string, media: readonly string[]): Message | undefined {
  const images = media.filter(isImage);
  const files = media.filter((item) => !isImage(item)).map((item) => `[file: ${item}]`);
  const said = [text, ...files].filter((line) => line !== "").join("\n");
  if (images.length === 0) return said.trim() === "" ? undefined : { role: "user", content: said };
  const parts: ContentPart[] = images.map((url) => ({ type: "image", url }));
  return { role: "user", content: said.trim() === "" ? parts : [{ type: "text", text: said }, ...parts] };
}

function isImage(item: string): boolean {
  return /^(data:image\/|https?:\/\/)/i.test(item);
}

/** The tool messages right after `index`, when they answer all `calls`; else undefined. */
function resultsAfter(messages: readonly Message[], index: number, calls: readonly ToolCall[]): Message[] | undefined {
  const open = new Set(calls.map(({ id }) => id));
  const results: Message[] = [];
  for (let next = index + 1; messages[next]?.role === "tool"; next++) {
    const result = messages[next] as Message;
    if (result.toolCallId !== undefined && open.delete(result.toolCallId)) results.push(plain(result));
  }
  return open.size === 0 ? results : undefined;
}

/** Without what only the store knows. */
function plain({ role, content, toolCalls, toolCallId, native }: Message): Message {
  return {
    role,
    content,
    ...(toolCalls?.length && { toolCalls }),
    ...(toolCallId !== undefined && { toolCallId }),
    ...(native && { native }),
  };
}
