/** A database of the first version, with calls in it, under today's program. */
import { definePlugin, need, store as storeService } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, test } from "vitest";
import store from "../../../plugins/store/index.ts";
import { callValues, insertCalls, migrations } from "../../../plugins/usage/tables.ts";
import { tempDir } from "../../kit/temp.ts";
import { callRow, identity, record, usageHost } from "./kit.ts";

const row = (session: string) => callRow({ at: Date.now() - 1000, purpose: "turn", session, input: 7 });

async function written(stateDir: string, sessions: readonly string[]) {
  const first = definePlugin({
    id: "first",
    version: "1.0.0",
    host: "^1.0.0",
    needs: { store: need(storeService, "^1.0.0") },
    setup: async (ctx) => {
      await ctx.use.store.migrate("usage", migrations.slice(0, 1));
      await ctx.use.store.run(insertCalls(sessions.length), ...callValues(sessions.map(row)));
    },
  });
  await using host = await startHost({ plugins: [store, first], stateDir });
  expect(host.plugins.info("first").state).toBe("running");
}

test("keeps every call, and finds those of a session by their index", async () => {
  const stateDir = tempDir("usage-upgrade");
  await written(stateDir, ["main", "", "", "other", "main"]);
  const { host, book, ended } = await usageHost({ stateDir });
  await ended(record({ identity, session: "main" }));
  const [main] = await book.totals({ by: "session", session: "main" });
  expect(main).toMatchObject({ name: "main", calls: 3 });
  expect(await book.totals({ by: "session" })).toHaveLength(3);
  const plan = await host
    .service(storeService)
    .all<{ detail: string }>(
      "EXPLAIN QUERY PLAN SELECT model FROM usage_calls WHERE at >= 0 AND at < 1 AND session = ? AND session <> ''",
      "main",
    );
  expect(plan.map(({ detail }) => detail).join()).toContain("usage_calls_of_sessions");
  const indexes = await host
    .service(storeService)
    .all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'usage_calls'");
  expect(indexes.map(({ name }) => name).sort()).toEqual(["usage_calls_by_time", "usage_calls_of_sessions"]);
});
