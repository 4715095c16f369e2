/**
 * A conversation as generateContent wants it: users and models by turns, results of calls in the turn after them. What the
 * same model had said goes back part by part, with the signatures of its thoughts.
 */
import { type ContentPart, contentText, type Message } from "@chela/sdk";
import { argumentsOf, dataUrl, partsOf } from "../messages.ts";

export type Part = Record<string, unknown>;

interface Turn {
  readonly role: "user" | "model";
  readonly parts: Part[];
}

/** Parts of a reply, kept whole for the model that gave it. */
export interface GeminiParts {
  readonly by: string;
  readonly parts: readonly Part[];
  /** Ids of the calls that have none of the model's own: its results go back without one. */
  readonly unnamed: readonly string[];
}

/** What this API accepts in the place of a signature, for calls whose own is lost or was another model's. */
const noSignature = "skip_thought_signature_validator";
const goOn = "Continue.";

/** `by`: `provider/model` that is asked; `generation`: from the third on, calls must be signed. */
export function contents(messages: readonly Message[], by: string, generation: number): readonly Turn[] {
  const turns: Turn[] = [];
  const calls = new Map<string, { readonly name: string; readonly id: string | undefined }>();
  for (const message of messages) {
    const native = nativeOf(message, by);
    for (const { id, name } of message.toolCalls ?? [])
      calls.set(id, { name, id: native && !native.unnamed.includes(id) ? id : undefined });
    const parts = native?.parts.map((part) => ({ ...part })) ?? partsOfMessage(message, generation, calls);
    if (parts.length === 0) continue;
    const role = message.role === "assistant" ? "model" : "user";
    const last = turns.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else turns.push({ role, parts });
  }
  if (turns[0]?.role !== "user") turns.unshift({ role: "user", parts: [{ text: goOn }] });
  if (turns.at(-1)?.role !== "user") turns.push({ role: "user", parts: [{ text: goOn }] });
  return turns;
}

type Calls = ReadonlyMap<string, { readonly name: string; readonly id: string | undefined }>;

function partsOfMessage(message: Message, generation: number, calls: Calls): Part[] {
  if (message.role === "tool") return resultParts(message, generation, calls);
  const parts = contentParts(message.content);
  for (const [index, { name, arguments: args }] of (message.toolCalls ?? []).entries()) {
    const signed = index === 0 && generation >= 3 ? { thoughtSignature: noSignature } : {};
    parts.push({ functionCall: { name, args: argumentsOf(args) }, ...signed });
  }
  return parts;
}

/** From the third generation on a result may hold images; before, they stand beside it. */
function resultParts({ content, toolCallId = "" }: Message, generation: number, calls: Calls): Part[] {
  const { name = "unknown", id } = calls.get(toolCallId) ?? {};
  const images = partsOf(content).flatMap((part) => (part.type === "image" ? [mediaPart(part)] : []));
  const inside = images.filter((part) => "inlineData" in part);
  const result = { name, ...(id === undefined ? {} : { id }), response: { output: contentText(content) } };
  if (generation >= 3 && inside.length > 0) return [{ functionResponse: { ...result, parts: inside } }];
  return [{ functionResponse: result }, ...images];
}

/** Only for the model they are from, and only while they make the same calls as the message does. */
function nativeOf({ native, toolCalls = [] }: Message, by: string): GeminiParts | undefined {
  if (native?.wire !== "gemini") return undefined;
  const kept = native.parts as GeminiParts;
  if (kept.by !== by) return undefined;
  const names = kept.parts.flatMap((part) => ("functionCall" in part ? [(part.functionCall as Part).name] : []));
  const same = names.length === toolCalls.length && toolCalls.every(({ name }, index) => names[index] === name);
  return same ? kept : undefined;
}

function contentParts(content: Message["content"]): Part[] {
  return partsOf(content).flatMap((part) => {
    if (part.type === "image") return [mediaPart(part)];
    return part.text === "" ? [] : [{ text: part.text }];
  });
}

const typesByEnding: Readonly<Record<string, string>> = {
  png: "image/png",
  webp: "image/webp",
  gif: "image/gif",
  heic: "image/heic",
  pdf: "application/pdf",
};

function mediaPart({ url }: Extract<ContentPart, { type: "image" }>): Part {
  const media = dataUrl(url);
  if (media) return { inlineData: { mimeType: media.type, data: media.data } };
  const [, ending = ""] = /\.(\w+)(?:[?#]|$)/.exec(url) ?? [];
  return { fileData: { fileUri: url, mimeType: typesByEnding[ending.toLowerCase()] ?? "image/jpeg" } };
}
