/** The list of sessions: its order, its pages, and that what is on no page costs nothing. */
import { type NewMessage, store } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { sessionPage } from "../../../plugins/chat/faces/session-actions.ts";
import { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { SessionTable } from "../../../plugins/chat/sessions/session-table.ts";
import { migrations } from "../../../plugins/chat/sessions/tables.ts";
import { until } from "../../kit/until.ts";
import { openStore } from "../store/kit.ts";
import { chatHost, HeldAnswer } from "./kit.ts";

const said = (content: string): NewMessage => ({ role: "user", content });
const start = 1_700_000_000_000;

async function clocked() {
  const { store } = await openStore();
  await store.migrate("chat", migrations);
  const clock = { now: start };
  const table = new SessionTable(store, { now: () => clock.now });
  const say = (key: string, after: number) => {
    clock.now += after;
    return table.append(key, [said("x")]);
  };
  const keys = async (query = {}) => (await table.list(query)).map(({ key }) => key);
  const rows = () => store.all<{ key: string; used_at: number }>("SELECT key, used_at FROM chat_sessions ORDER BY key");
  return { store, table, clock, say, keys, rows };
}

describe("the order", () => {
  it("is that of the last use to the millisecond, also where rows are behind", async () => {
    const { say, keys, rows, table } = await clocked();
    for (const key of ["a", "b", "c"]) await say(key, 1);
    await say("a", 1);
    // The row does not say so yet: it cost no statement of its own.
    expect((await rows())[0]?.used_at).toBe(start + 1);
    expect(await keys()).toEqual(["a", "c", "b"]);
    expect((await rows())[0]?.used_at).toBe(start + 4);
    await say("b", 60_000);
    expect((await rows())[1]?.used_at).toBe(start + 60_004);
    expect((await table.list())[0]).toMatchObject({ key: "b", messages: 2, updatedAt: start + 60_004 });
  });

  it("is by key where the time is the same, and follows renames, removals and imports of what is old", async () => {
    const { table, clock, keys, say } = await clocked();
    for (const key of ["b", "a", "c"]) await table.append(key, [said("x")]);
    expect(await keys()).toEqual(["a", "b", "c"]);
    clock.now += 5;
    await table.append("b", [said("y")]);
    await table.rename("b", "z");
    expect(await keys()).toEqual(["z", "a", "c"]);
    await say("a", 5);
    await table.remove("a");
    await table.append("a", [{ ...said("old"), at: start - 86_400_000 }]);
    expect(await keys()).toEqual(["z", "c", "a"]);
  });

  it("survives the end of the table that kept it, and a database from before", async () => {
    const { store, table, say } = await clocked();
    await say("a", 1);
    await say("b", 1);
    await say("a", 1);
    await table.flush();
    expect((await new SessionTable(store).list()).map(({ key }) => key)).toEqual(["a", "b"]);
    const old = await openStore();
    await old.store.migrate("chat", migrations.slice(0, 2));
    for (const [key, at] of [
      ["one", 5],
      ["two", 9],
    ] as const) {
      await old.store.run("INSERT INTO chat_sessions (key, kind, created_at) VALUES (?, 'other', 1)", key);
      const sql =
        "INSERT INTO chat_messages (session, seq, at, role, content, state) VALUES (?, 1, ?, 'user', '\"x\"', 'complete')";
      await old.store.run(sql, key, at);
    }
    await old.store.run("INSERT INTO chat_sessions (key, kind, created_at) VALUES ('empty', 'other', 7)");
    await old.store.migrate("chat", migrations);
    const list = await new SessionTable(old.store).list();
    expect(list.map(({ key, updatedAt }) => [key, updatedAt])).toEqual([
      ["two", 9],
      ["empty", 7],
      ["one", 5],
    ]);
  });
});

it("the order survives the stop of a gateway in the middle of a turn", async () => {
  const { host, run, model, sessions } = await chatHost({ config: { plugins: { drainMs: 20 } } });
  await run({ session: "first" }).done;
  await run({ session: "second" }).done;
  const held = new HeldAnswer();
  model.answer = held.answer;
  const turn = run({ session: "first" });
  held.say("half");
  await until(() => held.asked);
  await host.plugins.reload("chat");
  await turn.done;
  const rows = host.service(store).all<{ key: string }>("SELECT key FROM chat_sessions ORDER BY used_at DESC, key");
  expect((await rows).map(({ key }) => key)).toEqual(["first", "second"]);
  expect((await sessions.list()).map(({ key }) => key)).toEqual(["first", "second"]);
});

describe("pages", () => {
  it.each([1, 2, 7, 499, 500, 501])("of %d hold every session once, in order, filters included", async (limit) => {
    const { table, store, clock } = await clocked();
    const prefixes = ["", "web:", "cron:", "subagent:", "heartbeat:", "internal:", "hook:"];
    for (let n = 0; n < 1_100; n++) {
      clock.now += n % 3 === 0 ? 0 : 1;
      await table.append(`${prefixes[n % prefixes.length]}${n}`, [said("x")]);
    }
    const sessions = new SessionService({ store, log: { warn: () => {} }, alone: (_, work) => work() });
    const all = async (filter: { internal: boolean; kinds: readonly string[] | undefined }, size: number) => {
      const keys: unknown[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await sessionPage(sessions, { ...filter, limit: size, cursor });
        expect(page.rows.length).toBeLessThanOrEqual(size);
        keys.push(...page.rows.map(({ key }) => key));
        cursor = page.next;
        if (cursor === undefined) return keys;
      }
    };
    for (const filter of [
      { internal: true, kinds: undefined },
      { internal: false, kinds: undefined },
      { internal: false, kinds: ["main"] },
      { internal: true, kinds: ["cron", "hook"] },
    ]) {
      const size = filter.internal && !filter.kinds ? limit : limit * 3;
      const whole = (await table.list()).filter(
        ({ key, kind }) =>
          (filter.internal || !/^(cron|subagent|heartbeat|internal|hook):/.test(key)) &&
          (!filter.kinds || filter.kinds.includes(kind)),
      );
      expect(await all(filter, size)).toEqual(whole.map(({ key }) => key));
    }
  });

  it("of 20,000 sessions take no longer than those of 200", { timeout: 120_000 }, async () => {
    const timed = async (count: number) => {
      const { store } = await openStore();
      await store.migrate("chat", migrations);
      const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
      const key = "CASE i % 4 WHEN 0 THEN 'cron:' ELSE 'web:' END || i";
      await store.run(
        `INSERT INTO chat_sessions (key, kind, created_at, used_at) ${numbers}
         SELECT ${key}, CASE i % 4 WHEN 0 THEN 'cron' ELSE 'main' END, 1, (i * 7919) % 1000003 FROM n`,
      );
      await store.run(
        `INSERT INTO chat_messages (session, seq, at, role, content, state) ${numbers}
         SELECT ${key}, 1, 1, 'user', '"x"', 'complete' FROM n`,
      );
      const sessions = new SessionService({ store, log: { warn: () => {} }, alone: (_, work) => work() });
      const queries = [
        { internal: true, kinds: undefined },
        { internal: false, kinds: undefined },
        { internal: true, kinds: ["cron"] },
      ].map((filter) => ({ ...filter, limit: 20, cursor: undefined }));
      const first = await Promise.all(queries.map((query) => sessionPage(sessions, query)));
      const pages = [...queries, ...queries.map((query, index) => ({ ...query, cursor: first[index]?.next }))];
      const best = pages.map(() => Number.POSITIVE_INFINITY);
      for (let round = 0; round < 20; round++) {
        for (const [index, query] of pages.entries()) {
          const from = performance.now();
          expect((await sessionPage(sessions, query)).rows).toHaveLength(20);
          best[index] = Math.min(best[index] ?? 0, performance.now() - from);
        }
      }
      return Math.max(...best);
    };
    const few = await timed(200);
    const many = await timed(20_000);
    // The best of twenty rounds; reading all rows takes thirty times as long.
    expect(many).toBeLessThan(few * 4 + 1);
  });
});
