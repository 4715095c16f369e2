/** Makes a conversation fit when it does not and nothing can be summed up any more: long results are shortened, then the oldest rounds go. Pure. */
import type { Message } from "@chela/sdk";
import { coherent } from "../conversation.ts";
import { messageTokens, tokensOf } from "./tokens.ts";
import { middleOut } from "./transcript.ts";

/** Of the tokens there are, what a single message may take. */
const largestShare = 0.4;
const shortResult = 600;

/** At most `tokens`, as far as it can be done: the last message always stays. */
export function fitted(messages: readonly Message[], tokens: number): readonly Message[] {
  let fits = messages.map((message) => shortened(message, Math.floor(tokens * largestShare)));
  if (messageTokens(fits) <= tokens) return fits;
  fits = withShortResults(fits, tokens);
  return newestWithin(fits, tokens);
}

/** A message that alone takes more than `tokens` keeps its beginning and its end. */
export function shortened(message: Message, tokens: number): Message {
  if (typeof message.content !== "string") return message;
  const taken = tokensOf(message);
  if (taken <= tokens) return message;
  const chars = Math.max(200, Math.floor(message.content.length * (tokens / taken)));
  return { ...message, content: middleOut(message.content, chars) };
}

/** The oldest results first, as many as it takes. */
function withShortResults(messages: readonly Message[], tokens: number): Message[] {
  let left = messageTokens(messages) - tokens;
  return messages.map((message, index) => {
    const long = message.role === "tool" && typeof message.content === "string" && message.content.length > shortResult;
    if (left <= 0 || !long || index >= messages.length - 2) return message;
    const short = { ...message, content: middleOut(message.content as string, shortResult) };
    left -= tokensOf(message) - tokensOf(short);
    return short;
  });
}

function newestWithin(messages: readonly Message[], tokens: number): readonly Message[] {
  let left = tokens;
  let from = messages.length;
  while (from > 0) {
    left -= tokensOf(messages[from - 1] as Message);
    if (left < 0 && from < messages.length) break;
    from -= 1;
  }
  if (from === 0) return messages;
  const kept = coherent(messages.slice(from));
  return kept.length > 0 ? kept : messages.slice(-1);
}
