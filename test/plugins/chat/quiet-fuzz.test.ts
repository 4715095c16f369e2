/** Sessions that come, go, change their keys and meet a database that fails now and then: memory always says what the store says. */
import { GatewayError, type NewMessage, type Store } from "@chela/sdk";
import { expect, it } from "vitest";
import { SessionTable } from "../../../plugins/chat/sessions/session-table.ts";
import { migrations } from "../../../plugins/chat/sessions/tables.ts";
import { openStore } from "../store/kit.ts";

/** The same numbers each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % sides;
  };
}

function moody(store: Store, roll: (sides: number) => number): { store: Store; calm(): void } {
  let isCalm = false;
  const full = () => new GatewayError("STORE_FULL", 507, "no space");
  const before = () => {
    if (!isCalm && roll(12) === 0) throw full();
  };
  const made: Pick<Store, "get" | "all" | "run" | "transaction"> = {
    get: (sql, ...values) => store.get(sql, ...values),
    all: async (sql, ...values) => {
      const rows = await store.all(sql, ...values);
      // Some answers arrive late.
      for (let turns = roll(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      return rows as never;
    },
    run: async (sql, ...values) => {
      before();
      return store.run(sql, ...values);
    },
    transaction: (work) =>
      store.transaction(async (query) => {
        const answer = await work(query);
        before();
        return answer;
      }),
  };
  return {
    store: made as Store,
    calm: () => {
      isCalm = true;
    },
  };
}

const keys = ["a", "b", "c"] as const;

function message(roll: (sides: number) => number, count: number): NewMessage {
  if (roll(3) > 0) return { role: "user", content: `said ${count}` };
  const call = { id: `${count}`, name: "look", arguments: "{}" };
  return roll(2) === 0
    ? { role: "assistant", content: "", toolCalls: [call] }
    : { role: "user", content: [{ type: "text", text: `part ${count} \ud800` }] };
}

it.each([1, 2, 3, 4, 5, 6, 7])("whatever happens at a time (%i)", async (seed) => {
  const { store: real } = await openStore();
  await real.migrate("chat", migrations);
  const roll = dice(seed);
  const { store, calm } = moody(real, roll);
  let now = 1_000_000;
  const table = new SessionTable(store, { now: () => (now += roll(20_000) - 2_000) });
  table.remember(new AbortController().signal);
  const key = () => keys[roll(keys.length)] as string;
  const counts = { done: 0, failed: 0 };
  const step = async (count: number) => {
    const what = roll(12);
    try {
      if (what < 5) await table.append(key(), [message(roll, count)]);
      else if (what < 6) await table.append(key(), [message(roll, count), message(roll, count)], async () => {});
      else if (what < 9) await table.context(key(), 1 + roll(8), roll(4));
      else if (what < 10) await table.remove(key());
      else if (what < 11) await table.rename(key(), key());
      else await table.list();
      counts.done += 1;
    } catch (error) {
      if (!GatewayError.is(error)) throw error;
      counts.failed += 1;
    }
  };
  for (let round = 0; round < 60; round++) {
    await Promise.all(Array.from({ length: 6 }, (_, at) => step(round * 6 + at)));
    for (const each of keys) {
      const fresh = new SessionTable(real);
      expect(await table.context(each, 6)).toEqual(await fresh.context(each, 6));
    }
  }
  calm();
  await table.logs.sweep();
  for (const { key: each, messages, updatedAt } of await table.list()) {
    const stored = await table.history(each, { limit: 2_000 });
    expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, at) => at + 1));
    expect(messages).toBe(stored.length);
    // A row may be behind by what is not told at once, and ahead by a message that could not be stored.
    expect((stored.at(-1)?.at ?? updatedAt) - updatedAt).toBeLessThanOrEqual(10_000);
  }
  expect(counts.done).toBeGreaterThan(100);
  expect(counts.failed).toBeGreaterThan(5);
});
