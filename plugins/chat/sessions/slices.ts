/** A log in slices: as much of it as one statement works on in a few milliseconds, so that others get their turn in between. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Store } from "@chela/sdk";
import { fitting } from "./message-page.ts";

const messagesAtOnce = 1_000;
const bytesAtOnce = 500_000;

const sizesSql = `SELECT seq, octet_length(content) + COALESCE(octet_length(tool_calls), 0) + COALESCE(octet_length(reasoning), 0) AS size
  FROM chat_messages WHERE session = ? AND seq > ? AND seq < ? ORDER BY seq LIMIT ${messagesAtOnce}`;

/** Messages of a log; both bounds are exclusive. */
export interface Stretch {
  readonly log: string;
  readonly above: number;
  readonly below: number;
}

/** The number of the last message in its first slice; undefined when it is empty. */
export async function sliceEnd(store: Store, { log, above, below }: Stretch): Promise<number | undefined> {
  const sizes = await store.all<{ seq: number; size: number }>(sizesSql, log, above, below);
  const last = sizes[fitting(sizes, bytesAtOnce) - 1];
  return last && Number(last.seq);
}

/** One slice after the other; `last` is included. */
export async function eachSlice(
  store: Store,
  { log, above, below }: Stretch,
  work: (above: number, last: number) => Promise<unknown>,
): Promise<void> {
  for (let from = above; ; await nextTurn()) {
    const last = await sliceEnd(store, { log, above: from, below });
    if (last === undefined) return;
    await work(from, last);
    from = last;
  }
}
