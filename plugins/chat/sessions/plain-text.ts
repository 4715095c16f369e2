/** The text of a message without its pictures. */
import type { ContentPart } from "@chela/sdk";

export function plainText(content: string | readonly ContentPart[]): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => (part?.type === "text" ? String(part.text) : ""))
    .join("\n")
    .trim();
}
