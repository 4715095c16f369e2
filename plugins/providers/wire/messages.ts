/** What every wire asks of a conversation: each call is one of a tool and answered once, by the message after it, and each result has its call. */
import { createHash } from "node:crypto";
import { type ContentPart, contentText, isObject, jsonOf, type Message, type ToolSpec } from "@chela/sdk";

const lost = "[no result: the call was interrupted]";
const toolNames = /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/;

/**
 * Results of calls that no message made are dropped, lost ones are said to be, and names that no tool can have are made such:
 * every upstream refuses either, and with it all that is said later. A result belongs to the nearest call of its id before it,
 * since some vendors number their calls anew in every reply. `tools`: what is offered keeps its name.
 */
export function wellFormed(messages: readonly Message[], tools: readonly ToolSpec[] = []): readonly Message[] {
  if (messages.every((message) => message.role !== "tool" && !message.toolCalls?.length)) return messages;
  const open = new Map<string, Message>();
  const whole: Message[] = [];
  for (const message of messages.toReversed()) {
    if (message.role === "tool") {
      open.set(message.toolCallId ?? "", message);
      continue;
    }
    for (const { id } of message.toolCalls?.toReversed() ?? []) {
      whole.push(open.get(id) ?? { role: "tool", toolCallId: id, content: lost });
      open.delete(id);
    }
    whole.push(withToolNames(message, tools));
  }
  return whole.reverse();
}

function withToolNames(message: Message, tools: readonly ToolSpec[]): Message {
  const { toolCalls } = message;
  const isFit = (name: string): boolean => toolNames.test(name) || tools.some((tool) => tool.name === name);
  if (!toolCalls || toolCalls.every(({ name }) => isFit(name))) return message;
  return {
    ...message,
    toolCalls: toolCalls.map((call) => (isFit(call.name) ? call : { ...call, name: toolName(call.name) })),
  };
}

/** As near to what the model wrote as a name can be. */
function toolName(written: string): string {
  const name = written.replace(/[^a-zA-Z0-9_-]/g, "_");
  return (/^[a-zA-Z_]/.test(name) ? name : `_${name}`).slice(0, 64);
}

/** What ids of calls must look like, and the length of one that is made in the place of another vendor's. */
export interface CallIds {
  readonly fits: RegExp;
  readonly length: number;
}

export function withCallIds(messages: readonly Message[], ids: CallIds | undefined): readonly Message[] {
  if (!ids) return messages;
  const fitted = (id: string): string => {
    return ids.fits.test(id) ? id : createHash("sha256").update(id).digest("hex").slice(0, ids.length);
  };
  return messages.map((message) => {
    const { toolCalls, toolCallId } = message;
    if (toolCallId !== undefined) return { ...message, toolCallId: fitted(toolCallId) };
    return toolCalls ? { ...message, toolCalls: toolCalls.map((call) => ({ ...call, id: fitted(call.id) })) } : message;
  });
}

/** All system messages as one text, and the rest. For wires that keep them apart. */
export function splitSystem(messages: readonly Message[]): {
  readonly system: string;
  readonly rest: readonly Message[];
} {
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => contentText(content));
  return {
    system: system.filter((text) => text.trim() !== "").join("\n\n"),
    rest: messages.filter(({ role }) => role !== "system"),
  };
}

export function partsOf(content: Message["content"]): readonly ContentPart[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

/** `data:image/png;base64,…` taken apart; undefined for every other URL. */
export function dataUrl(url: string): { readonly type: string; readonly data: string } | undefined {
  if (!url.startsWith("data:")) return undefined;
  const comma = url.indexOf(",");
  if (comma < 0) return undefined;
  const [type = "", ...parameters] = url.slice(5, comma).toLowerCase().split(";");
  const data = url.slice(comma + 1);
  return {
    type: type === "image/jpg" ? "image/jpeg" : type || "text/plain",
    data: parameters.includes("base64") ? data : Buffer.from(unescaped(data)).toString("base64"),
  };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The arguments of a call as text of an object. Many upstreams read it, and refuse the conversation where a model wrote none. */
export function argumentsText(text: string): string {
  return isObject(jsonOf(text)) ? text : JSON.stringify(argumentsOf(text));
}

/** The arguments of a call as the object they should be. */
export function argumentsOf(text: string): Readonly<Record<string, unknown>> {
  const value = jsonOf(text || "{}");
  // A model that wrote no JSON gets back what it wrote.
  return isObject(value) ? value : { input: text };
}
