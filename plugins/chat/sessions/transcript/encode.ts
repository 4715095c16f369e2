/** Messages to a transcript: a line of JSONL that ClawGo and OpenClaw read and `decode.ts` takes back whole, or Markdown. */
import type { ContentPart, StoredMessage } from "@chela/sdk";
import { plainText } from "../plain-text.ts";

export function encodeLine(stored: StoredMessage): string {
  const { role, content, toolCalls, toolCallId, reasoning, seq, at, state, model, usage } = stored;
  const parts = typeof content === "string" ? textPart(content) : content.map(partOf);
  // Text in parts would come back as text alone.
  const inParts = typeof content !== "string" && content.every((part) => part.type === "text");
  const line = {
    type: "message",
    timestamp: new Date(at).toISOString(),
    message: {
      role: role === "tool" ? "toolResult" : role,
      content: parts,
      ...(reasoning !== undefined && { reasoning_content: reasoning }),
      ...(toolCallId !== undefined && { toolCallId }),
      ...(toolCalls && {
        toolCalls: toolCalls.map(({ id, name, arguments: text }) => ({
          id,
          type: "function",
          function: { name, arguments: text },
        })),
      }),
    },
    seq,
    at,
    state,
    ...(model !== undefined && { model }),
    ...(usage && { usage }),
    ...(inParts && { parts: true }),
  };
  return `${JSON.stringify(line)}\n`;
}

/** A heading for each message, tool calls and results in fenced blocks. */
export function encodeMarkdown(stored: StoredMessage): string {
  const { role, content, toolCalls = [], toolCallId, state, seq, at, model } = stored;
  const when = new Date(at).toISOString().replace("T", " ").slice(0, 19);
  const facts = [`#${seq}`, `${when} UTC`, model, state === "complete" ? undefined : state].filter(Boolean).join(" · ");
  const text = plainText(content);
  const images =
    typeof content === "string" ? [] : content.flatMap((part) => (part.type === "image" ? [part.url] : []));
  const blocks = [
    `## ${titles[role]}`,
    `<sub>${facts}</sub>`,
    role === "tool" ? fenced(text, toolCallId === undefined ? "" : `result of ${toolCallId}`) : text,
    ...images.map((url) =>
      url.startsWith("data:") ? "*[image]*" : `![image](<${url.replaceAll(/[<>\s]/g, encodeURIComponent)}>)`,
    ),
    ...toolCalls.map(({ id, name, arguments: input }) => fenced(input, `${name} (${id})`)),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n\n`;
}

const titles = { user: "User", assistant: "Assistant", tool: "Tool", system: "System" } as const;

/** The fence is longer than any in the text. */
function fenced(text: string, about: string): string {
  let longest = 2;
  for (const [ticks] of text.matchAll(/`+/g)) longest = Math.max(longest, ticks.length);
  const fence = "`".repeat(longest + 1);
  const head = about === "" ? "" : `\`${about.replaceAll(/[`\s]+/g, " ")}\`\n\n`;
  return `${head}${fence}\n${text}\n${fence}`;
}

function textPart(text: string): object[] {
  return text === "" ? [] : [{ type: "text", text }];
}

function partOf(part: ContentPart): object {
  if (part.type === "text") return part;
  const data = /^data:([^;,]+);base64,(.*)$/s.exec(part.url);
  return data ? { type: "image", mimeType: data[1], data: data[2] } : { type: "image", url: part.url };
}
