/** What the model reads of an answer: texts joined by blank lines, structured content appended, everything else described. */
import { cutText, isObject } from "@chela/sdk";
import { plainLine, plainText } from "./plain.ts";

const maxChars = 200_000;
const maxParts = 1000;

type Fields = Readonly<Record<string, unknown>>;

/** Of `tools/call`. */
export function resultText(result: unknown): { readonly text: string; readonly isError: boolean } {
  const fields = isObject(result) ? result : {};
  const parts = list(fields.content).map(contentText);
  const { structuredContent } = fields;
  if (structuredContent !== undefined) {
    const json = JSON.stringify(structuredContent);
    // Servers say it as text too, for clients that read nothing else.
    if (!parts.some((part) => sameJson(part, json))) parts.push(json);
  }
  const text = cut(parts.filter(Boolean).join("\n\n"));
  return {
    text: text || (fields.isError === true ? "the tool failed and said nothing" : ""),
    isError: fields.isError === true,
  };
}

/** Of `resources/read`. */
export function resourceText(result: unknown): string {
  const contents = list(isObject(result) ? result.contents : undefined);
  return cut(contents.map((each) => contentText({ type: "resource", resource: each })).join("\n\n"));
}

/** Of `prompts/get`. */
export function promptText(result: unknown): string {
  const fields = isObject(result) ? result : {};
  const messages = list(fields.messages).filter(isObject);
  const told = messages.map(
    ({ role, content }) => `${plainLine(role, 20)}: ${list([content].flat()).map(contentText).join("\n\n")}`,
  );
  return cut([plainLine(fields.description, 500), ...told].filter(Boolean).join("\n\n"));
}

function contentText(part: unknown): string {
  if (!isObject(part)) return "";
  if (part.type === "text") return typeof part.text === "string" ? plainText(part.text.slice(0, maxChars * 2)) : "";
  if (part.type === "image" || part.type === "audio") return `[${part.type}: ${kindAndSize(part.mimeType, part.data)}]`;
  if (part.type === "resource_link") return `[resource: ${plainLine(part.uri, 500)} ${plainLine(part.name, 200)}]`;
  if (part.type === "resource" && isObject(part.resource)) return embedded(part.resource);
  return `[${plainLine(part.type, 40) || "content"} of a kind that cannot be shown]`;
}

function embedded({ uri, mimeType, text, blob }: Fields): string {
  if (typeof text === "string") return `[resource: ${plainLine(uri, 500)}]\n${plainText(text.slice(0, maxChars * 2))}`;
  return `[resource: ${plainLine(uri, 500)}, ${kindAndSize(mimeType, blob)}]`;
}

function kindAndSize(mimeType: unknown, base64: unknown): string {
  const bytes = typeof base64 === "string" ? Math.floor((base64.length * 3) / 4) : 0;
  return `${plainLine(mimeType, 100) || "unknown type"}, ${bytes} bytes`;
}

function sameJson(text: string, json: string): boolean {
  if (text.length > 4 * json.length + 1000) return false;
  try {
    return JSON.stringify(JSON.parse(text)) === json;
  } catch {
    return false;
  }
}

function cut(text: string): string {
  return cutText(text, maxChars, `\n[cut: ${text.length} characters]`);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, maxParts) : [];
}
