/** Calls on their way into the database: how many share a commit. */
import type { Query, Store } from "@chela/sdk";
import { expect, test } from "vitest";
import { Writer } from "../../../plugins/usage/writer.ts";
import { callRow } from "./kit.ts";

const row = callRow();

/** A store that counts rows per commit; `during` runs while one is under way. */
function counting(during: () => void): { store: Store; commits: number[] } {
  const commits: number[] = [];
  const transaction = async (work: (query: Query) => Promise<unknown>) => {
    let rows = 0;
    const run = async (sql: string) => {
      if (sql.startsWith("INSERT INTO usage_calls")) rows += sql.split("), (").length;
      return { changes: 1, lastId: 1 };
    };
    await work({ run } as unknown as Query);
    commits.push(rows);
    during();
  };
  return { store: { transaction } as unknown as Store, commits };
}

test("calls that keep coming while others are written wait for a full batch of their own", async () => {
  let left = 40;
  const { store, commits } = counting(() => {
    for (let more = 0; more < 50 && left > 0; more++) writer.add(row);
    left -= 1;
  });
  const writer = new Writer(store, async () => undefined);
  for (let count = 0; count < 500; count++) writer.add(row);
  await writer.flush();
  for (; left > 0; left--) for (let more = 0; more < 50; more++) writer.add(row);
  await writer.flush();
  expect(commits.reduce((sum, rows) => sum + rows, 0)).toBe(500 + 40 * 50);
  expect(commits.length).toBeLessThanOrEqual(7);
});

test("a flush waits for what was added while an earlier one was writing", async () => {
  let late: Promise<void> | undefined;
  const { store, commits } = counting(() => {
    if (late) return;
    writer.add(row);
    late = writer.flush();
  });
  const writer = new Writer(store, async () => undefined);
  writer.add(row);
  await writer.flush();
  await late;
  expect(commits).toEqual([1, 1]);
  expect(writer.waiting).toBe(0);
});

test("while what was before cannot be read, each call that comes asks no database", async () => {
  const { store, commits } = counting(() => undefined);
  let asked = 0;
  let works = false;
  const writer = new Writer(store, async () => {
    asked += 1;
    if (!works) throw new Error("cannot be read");
  });
  for (let count = 0; count < 700; count++) {
    writer.add(row);
    await Promise.resolve().then(() => undefined);
  }
  await expect(writer.flush()).rejects.toThrow("cannot be read");
  expect(asked).toBeLessThanOrEqual(2);
  expect(String(writer.trouble)).toContain("cannot be read");
  works = true;
  await writer.flush();
  expect(commits.reduce((sum, rows) => sum + rows, 0)).toBe(700);
  expect(writer.trouble).toBeUndefined();
});
