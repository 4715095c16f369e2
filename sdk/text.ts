/** Texts for people and models. Pure. */
import type { Message } from "./messages.ts";

/** At most `maxChars` UTF-16 units from the beginning, never half a character; `mark` follows where something was cut. */
export function cutText(text: string, maxChars: number, mark = ""): string {
  return text.length <= maxChars ? text : text.slice(0, maxChars).replace(/[\ud800-\udbff]$/, "") + mark;
}

/** The texts of a message, a line each. `image` stands for a picture; empty leaves pictures out. */
export function contentText(content: Message["content"], image = "[image]"): string {
  if (typeof content === "string") return content;
  const texts = content.map((part) => (part.type === "text" ? part.text : image || undefined));
  return texts.filter((text) => text !== undefined).join("\n");
}

const longest = 2000;

/** What an error says, whatever was thrown: at most 2,000 characters, never empty, never an error itself. */
export function messageOf(error: unknown): string {
  try {
    const errors = error instanceof AggregateError ? error.errors.slice(0, 10) : [error];
    return errors.map(said).join("; ").slice(0, longest) || "an error without a message";
  } catch {
    return "an error that cannot be read";
  }
}

function said(error: unknown): string {
  const hasMessage = typeof error === "object" && error !== null && "message" in error;
  return String(hasMessage ? error.message : error);
}
