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

/** Ids as this vendor takes them: of its signs, and each of one call alone. Others number their calls anew in every reply. */
class UseIds {
  readonly #used = new Set<string>();
  /** Of the calls whose results come next, in their order. */
  readonly #open: string[] = [];

  called(id: string): string {
    const plain = id.replace(/[^a-zA-Z0-9_-]/g, "_") || "call";
    let own = plain;
    for (let count = 2; this.#used.has(own); count += 1) own = `${plain}_${count}`;
    this.#used.add(own);
    this.#open.push(own);
    return own;
  }

  answered(): string {
    return this.#open.shift() ?? "";
  }
}

/** Of well-formed messages. `by`: `provider/model` that is asked. */
export function conversation(messages: readonly Message[], by: string): Conversation {
  const turns: Turn[] = [];
  const ids = new UseIds();
  const called = new Set<string>();
  for (const message of messages) {
    for (const { name } of message.toolCalls ?? []) called.add(name);
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = blocksOf(message, by, ids);
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

function blocksOf(message: Message, by: string, ids: UseIds): Block[] {
  if (message.role === "tool")
    return [{ type: "tool_result", tool_use_id: ids.answered(), content: contentBlocks(message.content) }];
  if (message.role !== "assistant") return contentBlocks(message.content);
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: args }) => {
    return { type: "tool_use", id: ids.called(id), name, input: argumentsOf(args) };
  });
  return nativeBlocks(message, by, calls) ?? [...contentBlocks(message.content), ...calls];
}

/** Only for the model they are from, and only while they make the same calls as the message does. */
function nativeBlocks({ native, toolCalls = [] }: Message, by: string, calls: readonly Block[]): Block[] | undefined {
  if (native?.wire !== "anthropic") return undefined;
  const parts = native.parts as AnthropicParts;
  if (parts.by !== by) return undefined;
  const ids = parts.blocks.flatMap(({ type, id }) => (type === "tool_use" ? [id] : []));
  const said = new Map<unknown, Block>(toolCalls.map(({ id }, at) => [id, calls[at] as Block]));
  if (ids.length !== toolCalls.length || toolCalls.some(({ id }) => !ids.includes(id))) return undefined;
  return parts.blocks.map((block) => {
    const { id, name } = said.get(block.id) ?? {};
    return block.type === "tool_use" ? { ...block, id, name } : { ...block };
  });
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
