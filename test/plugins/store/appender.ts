/** A child process that appends for ever and prints each number once the store has acknowledged it. */
import { Database } from "../../../plugins/store/database.ts";
import { loadDriver } from "../../../plugins/store/driver.ts";
import { openConnection } from "../../../plugins/store/open.ts";
import { SqliteStore } from "../../../plugins/store/sqlite-store.ts";

const file = process.argv[2] ?? "";
const driver = await loadDriver();
const connection = await openConnection(driver, file, { durability: "normal", busyMs: 1_000 });
const store = new SqliteStore({ database: new Database(connection), driver, file, busyMs: () => 1_000 });
await store.prepare();
await store.migrate("appender", [
  { version: 1, statements: ["CREATE TABLE line (n INTEGER NOT NULL, half TEXT NOT NULL, PRIMARY KEY (n, half))"] },
]);
const last = await store.get<{ n: number | null }>("SELECT MAX(n) AS n FROM line");
let next = (last?.n ?? 0) + 1;

async function append(): Promise<void> {
  for (;;) {
    const n = next++;
    if (n % 2 === 0) await store.run("INSERT INTO line VALUES (?, 'a'), (?, 'b')", n, n);
    else {
      await store.transaction(async (query) => {
        await query.run("INSERT INTO line VALUES (?, 'a')", n);
        await query.run("INSERT INTO line VALUES (?, 'b')", n);
      });
    }
    process.stdout.write(`${n}\n`);
  }
}

await Promise.all(Array.from({ length: 4 }, append));
