/** What a reply that passed by unread had cost, from its last bytes: OpenAI's API tells it behind everything else. */
import type { Usage } from "@chela/sdk";
import { chatUsage } from "./chat/reply.ts";

/** Without its first quote: JSON is full of quotes, and a search stops at each. */
const name = 'usage"';
const opening = /\s*:\s*(?=\{)/y;

/** Null when it says nothing; the last that can be read counts. `tail` may begin in the middle of anything. */
export function usageIn(tail: string): Usage | null {
  let found: Usage | null = null;
  for (let at = tail.indexOf(name); at >= 0; at = tail.indexOf(name, at + 1)) {
    opening.lastIndex = at + name.length;
    if (tail[at - 1] !== '"' || !opening.test(tail)) continue;
    const from = opening.lastIndex;
    const end = closing(tail, from);
    if (end >= 0) found = parsed(tail.slice(from, end)) ?? found;
  }
  return found;
}

/** Behind the brace that closes the one at `from`. A usage record holds numbers: no text in it has a brace. */
function closing(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x7b) depth++;
    else if (char === 0x7d && --depth === 0) return at + 1;
  }
  return -1;
}

function parsed(text: string): Usage | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return chatUsage(record);
  } catch {
    return undefined;
  }
}
