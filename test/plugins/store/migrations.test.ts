import { describe, expect, it } from "vitest";
import { openStore, rejection } from "./kit.ts";

const first = { version: 1, statements: ["CREATE TABLE a (id INTEGER PRIMARY KEY)", "INSERT INTO a VALUES (1)"] };
const second = { version: 2, statements: ["ALTER TABLE a ADD COLUMN name TEXT"] };

describe("migrations", () => {
  it("are applied once, in order, per owner", async () => {
    const { store, file } = await openStore();
    await store.migrate("one", [first]);
    await store.migrate("one", [first]);
    await store.migrate("one", [first, second]);
    await store.migrate("two", [{ version: 1, statements: ["CREATE TABLE b (id INTEGER)"] }]);
    expect(await store.all("SELECT id, name FROM a")).toEqual([{ id: 1, name: null }]);
    await store.close();
    const again = await openStore({ file });
    await again.store.migrate("one", [first, second]);
    expect(await again.store.all("SELECT owner, version FROM chela_migrations ORDER BY owner, version")).toEqual([
      { owner: "one", version: 1 },
      { owner: "one", version: 2 },
      { owner: "two", version: 1 },
    ]);
  });

  it("refuse a database that is newer than the program", async () => {
    const { store } = await openStore();
    await store.migrate("one", [first, second]);
    const error = await rejection(store.migrate("one", [first]));
    expect(error).toMatchObject({ code: "STORE_NEWER", status: 500, details: { owner: "one", found: 2, known: 1 } });
    expect(error.message).toContain("run the newer program");
  });

  it("refuse a list that was edited after it had been applied", async () => {
    const { store } = await openStore();
    await store.migrate("one", [first]);
    const edited = { version: 1, statements: [...first.statements, "INSERT INTO a VALUES (2)"] };
    expect(await rejection(store.migrate("one", [edited, second]))).toMatchObject({
      code: "STORE_EDITED",
      status: 500,
    });
    expect(await store.all("SELECT id FROM a")).toEqual([{ id: 1 }]);
  });

  it("refuse numbers with gaps", async () => {
    const { store } = await openStore();
    expect(await rejection(store.migrate("one", [second]))).toMatchObject({ code: "STORE_MIGRATION" });
  });

  it("that fail leave nothing behind and can be tried again", async () => {
    const { store } = await openStore();
    const broken = { version: 2, statements: ["CREATE TABLE c (id INTEGER)", "THIS IS NOT SQL"] };
    expect(await rejection(store.migrate("one", [first, broken]))).toMatchObject({ code: "STORE_STATEMENT" });
    expect(await store.all("SELECT * FROM chela_migrations")).toEqual([]);
    expect(await rejection(store.all("SELECT * FROM a"))).toMatchObject({ code: "STORE_STATEMENT" });
    await store.migrate("one", [first, second]);
  });

  it("may be asked for by two at the same time", async () => {
    const { store, file } = await openStore();
    const other = await openStore({ file });
    await Promise.all([store, store, other.store].map((each) => each.migrate("one", [first, second])));
    expect(await store.all("SELECT id FROM a")).toEqual([{ id: 1 }]);
  });
});
