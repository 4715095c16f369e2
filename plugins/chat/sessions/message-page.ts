/** A stretch of a session for readers who want all of it: as many messages as fit into so many characters, at least one. */
import type { Store, StoredMessage } from "@chela/sdk";
import { logOfKey } from "./session-rows.ts";
import { type MessageRow, selectMessages, toStored } from "./tables.ts";

export interface Room {
  readonly messages: number;
  readonly chars: number;
}

const sizesSql = `SELECT seq, length(content) + COALESCE(length(tool_calls), 0) + COALESCE(length(reasoning), 0) AS size
  FROM chat_messages WHERE session = ${logOfKey} AND seq > ? ORDER BY seq LIMIT ?`;
const rowsSql = `${selectMessages} WHERE session = ${logOfKey} AND seq > ? AND seq <= ? ORDER BY seq`;

/** Empty at the end. */
export async function messagePage(
  store: Store,
  key: string,
  { after, room }: { after: number; room: Room },
): Promise<readonly StoredMessage[]> {
  const sizes = await store.all<{ seq: number; size: number }>(sizesSql, key, after, room.messages);
  const until = sizes[fitting(sizes, room.chars) - 1];
  if (!until) return [];
  const rows = await store.all<MessageRow>(rowsSql, key, after, until.seq);
  return rows.map(toStored);
}

/** So many of these fit, at least one. */
export function fitting(sizes: readonly { readonly size: number }[], chars: number): number {
  let sum = 0;
  const count = sizes.findIndex(({ size }, index) => {
    sum += Number(size);
    return index > 0 && sum > chars;
  });
  return count < 0 ? sizes.length : count;
}
