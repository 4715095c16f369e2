/** Tokens, estimated: a quarter of the characters, and one for each character of Chinese, Japanese and Korean. Cheap rather than right. */
import type { Message } from "@chela/sdk";

/** What a picture counts for, however it is written. */
export const imageChars = 2_000;

const wide = /[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]|[\ud840-\ud8bf]/;

export function textTokens(text: string): number {
  // A text without any is done with at once; to collect them all would cost ten times as much as to count them.
  const dense = wide.test(text) ? wideIn(text) : 0;
  return dense + Math.ceil((text.length - dense) / 4);
}

function wideIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (isWide(text.charCodeAt(at))) count++;
  return count;
}

/** The same as `wide`. */
function isWide(code: number): boolean {
  if (code < 0x1100) return false;
  return (
    code <= 0x11ff ||
    (code >= 0x2e80 && code <= 0x9fff) ||
    (code >= 0xac00 && code <= 0xd7ff) ||
    (code >= 0xd840 && code <= 0xd8bf) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xff00 && code <= 0xffef) ||
    (code >= 0xa960 && code <= 0xa97f)
  );
}

/** Characters, which are never fewer than the tokens. */
export function charsOf({ content, toolCalls }: Message): number {
  let chars = 0;
  if (typeof content === "string") chars = content.length;
  else for (const part of content) chars += part.type === "text" ? part.text.length : imageChars;
  if (toolCalls) for (const { name, arguments: text } of toolCalls) chars += name.length + text.length;
  return chars;
}

const perMessage = 4;

export function messageTokens(messages: readonly Message[]): number {
  let tokens = 0;
  for (const message of messages) tokens += tokensOf(message);
  return tokens;
}

export function tokensOf({ content, toolCalls }: Message): number {
  let tokens = perMessage;
  if (typeof content === "string") tokens += textTokens(content);
  else for (const part of content) tokens += part.type === "text" ? textTokens(part.text) : imageChars / 4;
  if (toolCalls) for (const { name, arguments: text } of toolCalls) tokens += textTokens(name) + textTokens(text);
  return tokens;
}
