/**
 * A conversation as the Messages API wants it: users and assistants by turns, results of calls at the beginning of the
 * message after them, no empty text. What the same model had said goes back as it said it, with the signatures of its thoughts.
 */
import type { ContentPart, Message } from "@chela/sdk";
import { argumentsOf, dataUrl, partsOf } from "../messages.ts";

export type Block = Record<string, unknown>;

interface Turn {
  readonly role: "user" | "assistant";
  readonly content: Block[];
}

export interface Conversation {
  readonly messages: readonly Turn[];
  /** Names of the tools that were called. */
  readonly called: ReadonlySet<string>;
}

/** Content of a reply, kept whole for the model that gave it. */
export interface AnthropicParts {
  readonly by: string;
  readonly blocks: readonly Block[];
}

export const cacheControl = { cache_control: { type: "ephemeral" } } as const;

const imageTypes: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
const goOn = "Continue.";

/** `by`: `provider/model` that is asked. */
export function conversation(messages: readonly Message[], by: string): Conversation {
  const turns: Turn[] = [];
  const called = new Set<string>();
  for (const message of messages) {
    for (const { name } of message.toolCalls ?? []) called.add(name);
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = blocksOf(message, by);
    if (content.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content });
  }
  // It begins and ends with the user: a last word of the assistant would be one to go on with, which newer models refuse.
  if (turns[0]?.role !== "user") turns.unshift({ role: "user", content: [{ type: "text", text: goOn }] });
  if (turns.at(-1)?.role !== "user") turns.push({ role: "user", content: [{ type: "text", text: goOn }] });
  return { messages: turns, called };
}

function blocksOf(message: Message, by: string): Block[] {
  if (message.role === "tool") {
    const content = contentBlocks(message.content);
    return [{ type: "tool_result", tool_use_id: toolId(message.toolCallId ?? ""), content }];
  }
  if (message.role !== "assistant") return contentBlocks(message.content);
  const own = nativeBlocks(message, by);
  if (own) return own;
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: args }) => {
    return { type: "tool_use", id: toolId(id), name, input: argumentsOf(args) };
  });
  return [...contentBlocks(message.content), ...calls];
}

/** Only for the model they are from, and only while they make the same calls as the message does. */
function nativeBlocks({ native, toolCalls = [] }: Message, by: string): Block[] | undefined {
  if (native?.wire !== "anthropic") return undefined;
  const parts = native.parts as AnthropicParts;
  if (parts.by !== by) return undefined;
  const ids = parts.blocks.flatMap(({ type, id }) => (type === "tool_use" ? [id] : []));
  const same = ids.length === toolCalls.length && toolCalls.every((call) => ids.includes(call.id));
  return same ? parts.blocks.map((block) => ({ ...block })) : undefined;
}

/** Other vendors make ids with signs that this one does not take. */
function toolId(id: string): string {
  return id.replace(/[^a-zA-Z0-9_-]/g, "_");
}

function contentBlocks(content: Message["content"]): Block[] {
  return partsOf(content).flatMap((part) => {
    if (part.type === "image") return [mediaBlock(part)];
    return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }];
  });
}

function mediaBlock({ url }: Extract<ContentPart, { type: "image" }>): Block {
  if (/^https?:/i.test(url)) return { type: "image", source: { type: "url", url } };
  const media = dataUrl(url);
  const source = media && { type: "base64", media_type: media.type, data: media.data };
  if (media && imageTypes.has(media.type)) return { type: "image", source };
  if (media?.type === "application/pdf") return { type: "document", source };
  return { type: "text", text: `[an attachment of type ${media?.type ?? "unknown"}, which this model cannot see]` };
}
