/** What the model reads of an answer: texts joined by blank lines, structured content appended, bytes told by whoever keeps them. */
import { cutText, isObject } from "@chela/sdk";
import { plainLine, plainText } from "./plain.ts";

const maxChars = 200_000;
const maxParts = 1000;

/** Bytes in an answer, as the server says: nothing of it was checked. */
export interface Blob {
  readonly kind: "image" | "audio" | "resource";
  /** The last part of a resource's address; empty for others. */
  readonly name: string;
  /** On one line; may be empty. */
  readonly type: string;
  readonly base64: string;
}

/** What stands for bytes in the text. */
export type TellBlob = (blob: Blob) => Promise<string>;

/** Of `tools/call`. */
export async function resultText(
  result: unknown,
  tell: TellBlob,
): Promise<{ readonly text: string; readonly isError: boolean }> {
  const fields = isObject(result) ? result : {};
  const parts = await textsOf(list(fields.content), tell);
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
export async function resourceText(result: unknown, tell: TellBlob): Promise<string> {
  const contents = list(isObject(result) ? result.contents : undefined);
  const parts = contents.map((resource) => ({ type: "resource", resource }));
  return cut((await textsOf(parts, tell)).join("\n\n"));
}

/** Of `prompts/get`. */
export async function promptText(result: unknown, tell: TellBlob): Promise<string> {
  const fields = isObject(result) ? result : {};
  const told = [plainLine(fields.description, 500)];
  for (const { role, content } of list(fields.messages).filter(isObject))
    told.push(`${plainLine(role, 20)}: ${(await textsOf(list([content].flat()), tell)).join("\n\n")}`);
  return cut(told.filter(Boolean).join("\n\n"));
}

/** One after the other, so that bytes are kept in their order and within their limits. */
async function textsOf(parts: readonly unknown[], tell: TellBlob): Promise<string[]> {
  const texts: string[] = [];
  for (const part of parts) texts.push(await contentText(part, tell));
  return texts;
}

async function contentText(part: unknown, tell: TellBlob): Promise<string> {
  if (!isObject(part)) return "";
  const { type } = part;
  if (type === "text") return typeof part.text === "string" ? plainText(part.text.slice(0, maxChars * 2)) : "";
  if (type === "image" || type === "audio") return await tell(blobOf(type, part.mimeType, part.data));
  if (type === "resource_link") return `[resource: ${plainLine(part.uri, 500)} ${plainLine(part.name, 200)}]`;
  if (type !== "resource" || !isObject(part.resource))
    return `[${plainLine(type, 40) || "content"} of a kind that cannot be shown]`;
  const { uri, mimeType, text, blob } = part.resource;
  const address = plainLine(uri, 500);
  if (typeof text === "string") return `[resource: ${address}]\n${plainText(text.slice(0, maxChars * 2))}`;
  return `[resource: ${address}]\n${await tell(blobOf("resource", mimeType, blob, address))}`;
}

function blobOf(kind: Blob["kind"], mimeType: unknown, base64: unknown, address = ""): Blob {
  const name = address.split(/[?#]/, 1)[0]?.split("/").at(-1) ?? "";
  return { kind, name, type: plainLine(mimeType, 100), base64: typeof base64 === "string" ? base64 : "" };
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
