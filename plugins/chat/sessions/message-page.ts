/** Stretches of a session in bounded memory: as many messages as fit into so many characters, at least one. */
import type { Store, StoredMessage } from "@chela/sdk";
import type { WindowQuery } from "./history-window.ts";
import { logOfKey } from "./session-rows.ts";
import {
  type ContextRow,
  type MessageRow,
  type SequencedMessage,
  selectContext,
  selectMessages,
  toMessage,
  toStored,
} from "./tables.ts";

export interface Room {
  readonly messages: number;
  readonly chars: number;
}

/** Of one window. */
const windowChars = 16_000_000;
/** Of what a model may be shown, as it is written: where it is that much, most of it is pictures. */
const contextChars = 64_000_000;

const sizesSql = `SELECT seq, length(content) + COALESCE(length(tool_calls), 0) + COALESCE(length(reasoning), 0) AS size
  FROM chat_messages WHERE session = ${logOfKey} AND seq > ? AND seq < ? ORDER BY seq`;
const within = `WHERE session = ${logOfKey} AND seq >= ? AND seq <= ? ORDER BY seq`;

/** What follows `after`, for readers who want all of it. Empty at the end. */
export function messagePage(
  store: Store,
  key: string,
  { after, room }: { after: number; room: Room },
): Promise<readonly StoredMessage[]> {
  const window: WindowQuery = { above: after, below: Number.MAX_SAFE_INTEGER, limit: room.messages, keep: "first" };
  return messageWindow(store, key, window, room.chars);
}

/** In order; what does not fit is left out at the end that `keep` does not name. */
export async function messageWindow(
  store: Store,
  key: string,
  window: WindowQuery,
  chars = windowChars,
): Promise<readonly StoredMessage[]> {
  const [first, last] = await stretch(store, key, window, chars);
  const sql = `${selectMessages} ${within}`;
  return last === 0 ? [] : (await store.all<MessageRow>(sql, key, first, last)).map(toStored);
}

/** The newest messages after `above`, as a model is shown them. */
export async function contextWindow(
  store: Store,
  key: string,
  { above, limit }: Pick<WindowQuery, "above" | "limit">,
): Promise<SequencedMessage[]> {
  const window: WindowQuery = { above, below: Number.MAX_SAFE_INTEGER, limit, keep: "last" };
  const [first, last] = await stretch(store, key, window, contextChars);
  if (last === 0) return [];
  const rows = await store.all<ContextRow>(`${selectContext} ${within}`, key, first, last);
  return rows.map((row) => Object.assign(toMessage(row), { seq: Number(row.seq) }));
}

/** The first and the last number of what fits; zeros where nothing is there. */
async function stretch(
  store: Store,
  key: string,
  { above, below, limit, keep }: WindowQuery,
  chars: number,
): Promise<readonly [first: number, last: number]> {
  const sql = `${sizesSql} ${keep === "first" ? "ASC" : "DESC"} LIMIT ?`;
  const sizes = await store.all<{ seq: number; size: number }>(sql, key, above, below, limit);
  const one = Number(sizes[0]?.seq ?? 0);
  const other = Number(sizes[fitting(sizes, chars) - 1]?.seq ?? 0);
  return [Math.min(one, other), Math.max(one, other)];
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
