import { describe, expect, it } from "vitest";
import { pauseFor } from "../../kit/until.ts";
import { openStore, rejection } from "./kit.ts";

const table = [{ version: 1, statements: ["CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"] }];

async function withTable(options: Parameters<typeof openStore>[0] = {}) {
  const open = await openStore(options);
  await open.store.migrate("test", table);
  const ids = () =>
    open.store.all<{ id: number }>("SELECT id FROM t ORDER BY id").then((rows) => rows.map(({ id }) => id));
  return { ...open, ids };
}

describe("single statements", () => {
  it("tell how many rows changed and the row id of an insert", async () => {
    const { store } = await withTable();
    expect(await store.run("INSERT INTO t (name) VALUES (?), (?)", "a", "b")).toEqual({ changes: 2, lastId: 2 });
    expect(await store.get("SELECT name FROM t WHERE id = ?", 2)).toEqual({ name: "b" });
    expect(await store.get("SELECT name FROM t WHERE id = ?", 9)).toBeUndefined();
    expect(await store.all("SELECT id FROM t WHERE id > ?", 9)).toEqual([]);
  });

  it("keep every value as it was", async () => {
    const { store } = await openStore();
    const values = ["汉字 🦀", -1.5, 2 ** 40, null, "", "'; DROP TABLE t; --"];
    for (const value of values) expect(await store.get("SELECT ? AS value", value)).toEqual({ value });
    const bytes = await store.get<{ value: Uint8Array }>("SELECT ? AS value", new Uint8Array([0, 255]));
    expect([...(bytes?.value ?? [])]).toEqual([0, 255]);
  });

  it("that fail do not fail the others of their group", async () => {
    const { store, ids } = await withTable();
    const add = (id: number, name: string) => store.run("INSERT INTO t VALUES (?, ?)", id, name);
    const done = await Promise.allSettled([
      add(1, "a"),
      add(2, "a"),
      store.run("INSERT INTO nowhere VALUES (1)"),
      add(3, "c"),
    ]);
    expect(done.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(done[1]).toMatchObject({ reason: { code: "STORE_CONSTRAINT", status: 409 } });
    expect(done[2]).toMatchObject({ reason: { code: "STORE_STATEMENT", status: 500 } });
    expect(await ids()).toEqual([1, 3]);
  });

  it("still commit one by one when the disk fills up under their group", async () => {
    const { store, database, ids } = await withTable();
    const { page_count: pages } = database.connection.prepare("PRAGMA page_count").get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const add = (id: number, size: number) => store.run("INSERT INTO t VALUES (?, ?)", id, `${id}`.padEnd(size, "x"));
    const done = await Promise.allSettled([add(1, 10), add(2, 100_000), add(3, 10)]);
    expect(done.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(done[1]).toMatchObject({ reason: { code: "STORE_FULL", status: 507 } });
    expect(await ids()).toEqual([1, 3]);
  });

  it.each(["BEGIN", " commit", "PRAGMA synchronous = OFF", "ATTACH 'x' AS y", "vacuum", "SAVEPOINT a"])(
    "refuse %s",
    async (sql) => {
      const { store } = await openStore();
      expect(await rejection(store.run(sql))).toMatchObject({ code: "STORE_STATEMENT" });
      expect(await rejection(store.all(sql))).toMatchObject({ code: "STORE_STATEMENT" });
    },
  );

  it("go on being prepared when there are more of them than the cache holds", async () => {
    const { store } = await openStore();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 600; n++) expect(await store.get(`SELECT ${n} AS n`)).toEqual({ n });
    }
  });
});

describe("transactions", () => {
  it("commit everything or nothing", async () => {
    const { store, ids } = await withTable();
    const result = await store.transaction(async (query) => {
      await query.run("INSERT INTO t VALUES (1, 'a')");
      return (await query.all("SELECT id FROM t")).length;
    });
    expect(result).toBe(1);
    const failure = new TypeError("mine");
    const failed = store.transaction(async (query) => {
      await query.run("INSERT INTO t VALUES (2, 'b')");
      throw failure;
    });
    await expect(failed).rejects.toBe(failure);
    expect(await ids()).toEqual([1]);
  });

  it("survive a statement that fails and is caught", async () => {
    const { store, ids } = await withTable();
    await store.transaction(async (query) => {
      await query.run("INSERT INTO t VALUES (1, 'a')");
      expect(await rejection(query.run("INSERT INTO t VALUES (2, 'a')"))).toMatchObject({ code: "STORE_CONSTRAINT" });
      await query.run("INSERT INTO t VALUES (3, 'c')");
    });
    expect(await ids()).toEqual([1, 3]);
  });

  it("that met a full disk are rolled back whole, even when the callback goes on", async () => {
    const { store, database, ids } = await withTable();
    const { page_count: pages } = database.connection.prepare("PRAGMA page_count").get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const done = store.transaction(async (query) => {
      await query.run("INSERT INTO t VALUES (1, 'a')");
      await query.run("INSERT INTO t VALUES (2, ?)", "x".repeat(100_000)).catch(() => {});
      await query.run("INSERT INTO t VALUES (3, 'c')").catch(() => {});
    });
    expect(await rejection(done)).toMatchObject({ code: "STORE_FULL", status: 507 });
    expect(await ids()).toEqual([]);
    await store.run("INSERT INTO t VALUES (4, 'd')");
  });

  it("run one after the other; reads and writes of others wait and see them whole", async () => {
    const { store } = await withTable();
    const order: string[] = [];
    const slow = store.transaction(async (query) => {
      await query.run("INSERT INTO t VALUES (1, 'a')");
      await pauseFor(20);
      await query.run("INSERT INTO t VALUES (2, 'b')");
      order.push("slow");
    });
    await pauseFor(5);
    const count = () => store.get<{ n: number }>("SELECT count(*) AS n FROM t");
    const read = count().then((row) => order.push(`read ${row?.n}`));
    const write = store.run("INSERT INTO t VALUES (3, 'c')").then(() => order.push("write"));
    const second = store.transaction(async () => void order.push("second"));
    await Promise.all([slow, read, write, second]);
    expect(order).toEqual(["slow", "read 2", "write", "second"]);
  });

  it("refuse another one inside", async () => {
    const { store } = await withTable();
    const nested = store.transaction(() => store.transaction(async () => 1));
    expect(await rejection(nested)).toMatchObject({ code: "STORE_NESTED" });
  });

  it("that wait for something else are rolled back and do not hold up the rest for ever", async () => {
    const { store, ids } = await withTable({ transactionMs: 30 });
    const stuck = store.transaction(async (query) => {
      await query.run("INSERT INTO t VALUES (1, 'a')");
      await store.run("INSERT INTO t VALUES (2, 'b')");
      await query.run("INSERT INTO t VALUES (3, 'c')");
    });
    expect(await rejection(stuck)).toMatchObject({ code: "STORE_STUCK" });
    await store.run("INSERT INTO t VALUES (4, 'd')");
    expect(await ids()).toEqual([2, 4]);
  });

  it("lend a query that is dead afterwards", async () => {
    const { store, ids } = await withTable();
    const kept = await store.transaction(async (query) => ({ query }));
    expect(await rejection(kept.query.run("INSERT INTO t VALUES (1, 'a')"))).toMatchObject({ code: "STORE_ENDED" });
    expect(await ids()).toEqual([]);
  });
});

describe("closing", () => {
  it("finishes what was accepted and refuses the rest", async () => {
    const { store, file } = await withTable();
    const accepted = [
      store.run("INSERT INTO t VALUES (1, 'a')"),
      store.transaction((query) => query.run("INSERT INTO t VALUES (2, 'b')")),
    ];
    const closing = store.close();
    expect(await rejection(store.run("INSERT INTO t VALUES (3, 'c')"))).toMatchObject({
      code: "STORE_CLOSED",
      status: 503,
    });
    expect(await rejection(store.get("SELECT 1"))).toMatchObject({ code: "STORE_CLOSED" });
    expect(await rejection(store.integrity())).toMatchObject({ code: "STORE_CLOSED" });
    await Promise.all([...accepted, closing]);
    await store.close();
    const again = await openStore({ file });
    expect(await again.store.all("SELECT id FROM t ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }]);
  });
});
