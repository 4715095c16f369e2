/** What every wire asks of a conversation: each call is answered once, by the message after it, and each result has its call. */
import { type ContentPart, contentText, isObject, jsonOf, type Message } from "@chela/sdk";

const lost = "[no result: the call was interrupted]";

/**
 * Results of calls that no message made are dropped, lost ones are said to be: every upstream refuses either. A result
 * belongs to the nearest call of its id before it, since some vendors number their calls anew in every reply.
 */
export function withoutOrphans(messages: readonly Message[]): readonly Message[] {
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
    whole.push(message);
  }
  return whole.reverse();
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

/** The arguments of a call as the object they should be. */
export function argumentsOf(text: string): Readonly<Record<string, unknown>> {
  const value = jsonOf(text || "{}");
  // A model that wrote no JSON gets back what it wrote.
  return isObject(value) ? value : { input: text };
}
