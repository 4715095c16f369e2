/** The order of the list of sessions is right however many are in use, and costs most messages nothing. */
import { expect, it } from "vitest";
import { SessionTable } from "../../../plugins/chat/sessions/session-table.ts";
import { migrations } from "../../../plugins/chat/sessions/tables.ts";
import { openStore } from "../store/kit.ts";

it("with more sessions in use than are noted, few messages cost a second statement, and the last one comes first", async () => {
  const { store } = await openStore();
  await store.migrate("chat", migrations);
  let now = 1_000_000;
  const table = new SessionTable(store, { now: () => now++ });
  const keys = Array.from({ length: 4_500 }, (_, index) => `s${index}`);
  for (const key of keys) await table.append(key, [{ role: "user", content: "a" }]);
  const written = async () => Number((await store.get<{ n: number }>("SELECT total_changes() AS n"))?.n);
  const before = await written();
  for (const key of keys.slice(500)) await table.append(key, [{ role: "user", content: "b" }]);
  expect((await written()) - before).toBeLessThan(4_000 * 1.2);
  const again = await written();
  for (const key of keys.slice(-200)) await table.append(key, [{ role: "assistant", content: "c" }]);
  expect((await written()) - again).toBeLessThan(200 * 1.5);
  await table.append("s7", [{ role: "user", content: "d" }]);
  const list = await table.list({ limit: 3 });
  expect(list.map(({ key }) => key)).toEqual(["s7", "s4499", "s4498"]);
});
