/** The end of a session: it is gone with one commit, which leaves its messages in a log that nobody has. */
import type { Query, Store } from "@chela/sdk";
import { loosen } from "./loose-logs.ts";
import { placeOf } from "./session-rows.ts";

/** The log that is to be emptied; undefined when there is no such session. */
export function detachSession(
  store: Store,
  key: string,
  also: (query: Query) => Promise<void>,
): Promise<string | undefined> {
  return store.transaction(async (query) => {
    const place = await placeOf(query, key);
    if (!place) return undefined;
    await query.run("DELETE FROM chat_sessions WHERE key = ?", key);
    await query.run("DELETE FROM chat_requests WHERE session = ?", key);
    await loosen(query, place.log);
    await also(query);
    return place.log;
  });
}
