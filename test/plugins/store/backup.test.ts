import { readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { backupName, backupTo } from "../../../plugins/store/backup.ts";
import { tempDir } from "../../kit/temp.ts";
import { pauseFor, until } from "../../kit/until.ts";
import { openStore, rejection } from "./kit.ts";

describe("a backup", () => {
  it("taken while others write is one consistent, private file", async () => {
    const { store, file } = await openStore();
    await store.migrate("pairs", [{ version: 1, statements: ["CREATE TABLE pair (n INTEGER, half TEXT, text TEXT)"] }]);
    let running = true;
    let pairs = 0;
    const insert = "INSERT INTO pair VALUES (?, ?, ?)";
    const add = async () => {
      const n = ++pairs;
      await store.transaction(async (query) => {
        await query.run(insert, n, "a", "x".repeat(2_000));
        await query.run(insert, n, "b", "x".repeat(2_000));
      });
    };
    for (let n = 0; n < 300; n++) await add();
    const writer = (async () => {
      while (running) await add();
    })();
    const target = join(dirname(file), "copies", "one.db");
    await store.backup(target);
    running = false;
    await writer;
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(target))).toEqual(["one.db"]);
    const copy = await openStore({ file: target });
    expect(await copy.store.integrity()).toEqual([]);
    const rows = await copy.store.all<{ halves: number }>("SELECT n, count(*) AS halves FROM pair GROUP BY n");
    expect(rows.length).toBeGreaterThanOrEqual(300);
    expect(rows.filter(({ halves }) => halves !== 2)).toEqual([]);
  });

  it("begun inside somebody's transaction succeeds and holds no half of it", async () => {
    const { store, file } = await openStore();
    await store.migrate("t", [{ version: 1, statements: ["CREATE TABLE t (x TEXT)"] }]);
    await store.run("INSERT INTO t VALUES ('whole')");
    const target = join(dirname(file), "copies", "one.db");
    let finish = () => {};
    let begun = false;
    const open = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const writing = store.transaction(async (query) => {
      await query.run("INSERT INTO t VALUES ('first')");
      begun = true;
      await open;
      await query.run("INSERT INTO t VALUES ('second')");
    });
    await until(() => begun);
    const backup = store.backup(target);
    // A Node that cannot copy beside a writer waits for the transaction.
    await Promise.race([backup, pauseFor(500)]);
    finish();
    await Promise.all([backup, writing]);
    const copy = await openStore({ file: target });
    const rows = (await copy.store.all<{ x: string }>("SELECT x FROM t")).map(({ x }) => x);
    expect([1, 3]).toContain(rows.length);
    expect(rows[0]).toBe("whole");
  });

  it("that fails leaves neither a half file nor a changed old one", async () => {
    const folder = tempDir("backup");
    const target = join(folder, "one.db");
    writeFileSync(target, "old");
    const failing = backupTo(target, async (temporary) => {
      writeFileSync(temporary, "half");
      throw new Error("no more");
    });
    await expect(failing).rejects.toThrow("no more");
    expect(readdirSync(folder)).toEqual(["one.db"]);
    expect(statSync(target).size).toBe(3);
  });

  it("into a folder that cannot be made is refused with the path", async () => {
    const { store, file } = await openStore();
    expect(await rejection(store.backup(join(file, "below", "x.db")))).toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});

describe("its name", () => {
  it("is made of the time when none is given", () => {
    expect(backupName(undefined, new Date("2026-11-21T09:08:07.123Z"))).toBe("chela-20261121-090807.db");
  });

  it.each(["a.db", "before-upgrade", "A_1.2"])("may be %s", (name) => expect(backupName(name, new Date())).toBe(name));

  it.each(["", "../a", "a/b", "/etc/x", "a\\b", ".hidden", "a..b", "a\u0000", "a\n", "x".repeat(101)])(
    "may not be %j",
    (name) => {
      expect(() => backupName(name, new Date())).toThrow(/plain name/);
    },
  );
});
