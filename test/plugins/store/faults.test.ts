import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadDriver } from "../../../plugins/store/driver.ts";
import { tempDir } from "../../kit/temp.ts";
import { pauseFor } from "../../kit/until.ts";
import { bundled, openStore, rejection } from "./kit.ts";

const lines = [{ version: 1, statements: ["CREATE TABLE line (n INTEGER PRIMARY KEY, text TEXT)"] }];

async function filledFile(rows: number): Promise<string> {
  const { store, file } = await openStore();
  await store.migrate("lines", lines);
  await Promise.all(
    Array.from({ length: rows }, (_, n) => store.run("INSERT INTO line VALUES (?, ?)", n, "x".repeat(500))),
  );
  await store.close();
  // A copy: a connection of this process may still hold the log of the original in memory.
  const copy = join(tempDir("store"), "chela.db");
  copyFileSync(file, copy);
  return copy;
}

describe("a damaged database", () => {
  it.each([
    ["a foreign file", (file: string) => writeFileSync(file, "this is not a database, it is a letter")],
    ["an emptied file", (file: string) => truncateSync(file, 0)],
    ["a file cut in the middle", (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    ["a file of zeros", (file: string) => writeFileSync(file, Buffer.alloc(8192))],
    [
      "a damaged schema page",
      (file: string) => {
        const bytes = readFileSync(file);
        bytes.fill(0xaa, 100, 4096);
        writeFileSync(file, bytes);
      },
    ],
  ])("is refused at the start, and left as it is: %s", async (_, damage) => {
    const file = await filledFile(100);
    damage(file);
    const before = readFileSync(file);
    const error = await rejection(openStore({ file }));
    expect(error).toMatchObject({ code: "STORE_DAMAGED", status: 500 });
    expect(error.message).toContain(file);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("is found by the full check when the damage is deep inside", async () => {
    const file = await filledFile(2_000);
    const bytes = readFileSync(file);
    bytes.fill(0xff, bytes.length - 6 * 4096, bytes.length - 4096);
    writeFileSync(file, bytes);
    const { store } = await openStore({ file });
    expect((await store.integrity()).length).toBeGreaterThan(0);
    expect(await rejection(store.all("SELECT * FROM line"))).toMatchObject({ code: "STORE_DAMAGED" });
  });
});

describe("the file", () => {
  it("and its companions are readable by the owner alone", async () => {
    const { store, file } = await openStore();
    await store.migrate("lines", lines);
    const names = readdirSync(join(file, "..")).filter((name) => name.startsWith("chela.db"));
    expect(names).toContain("chela.db-wal");
    for (const name of names) expect(statSync(join(file, "..", name)).mode & 0o777).toBe(0o600);
  });

  it("is created anew over what an interrupted creation left", async () => {
    const file = join(tempDir("store"), "chela.db");
    writeFileSync(`${file}.new`, "half");
    const { store } = await openStore({ file });
    expect(await store.integrity()).toEqual([]);
  });

  it("is not created beside the log of another one, which would be read into it", async () => {
    const file = join(tempDir("store"), "chela.db");
    writeFileSync(`${file}-wal`, "what was written last");
    const error = await rejection(openStore({ file }));
    expect(error).toMatchObject({ code: "STORE_DAMAGED", message: expect.stringContaining(`${file}-wal`) });
    expect(readdirSync(join(file, ".."))).toEqual(["chela.db-wal"]);
  });

  it("that is a folder, or below a file, is refused with its path", async () => {
    const folder = tempDir("store");
    mkdirSync(join(folder, "chela.db"));
    writeFileSync(join(folder, "plain"), "");
    for (const file of [join(folder, "chela.db"), join(folder, "plain", "chela.db")]) {
      const error = await rejection(openStore({ file }));
      expect(error).toMatchObject({ status: 500, message: expect.stringContaining(file) });
    }
  });
});

it("a check that runs is one for all who ask, and ends with the store", async () => {
  const { store } = await openStore();
  expect(store.integrity()).toBe(store.integrity());
  const asked = rejection(store.integrity());
  await store.close();
  expect(await asked).toMatchObject({ code: "STORE_CLOSED", status: 503 });
});

it("space that nothing uses goes back to the disk, but for a reserve", async () => {
  const { store, file } = await openStore();
  await store.migrate("lines", lines);
  await store.transaction(async (query) => {
    for (let n = 0; n < 30_000; n++) await query.run("INSERT INTO line VALUES (?, ?)", n, "x".repeat(500));
  });
  await store.run("DELETE FROM line WHERE n > 9");
  const free = async () => (await store.get<{ n: number }>("SELECT freelist_count AS n FROM pragma_freelist_count"))?.n;
  const before = (await free()) as number;
  expect(before).toBeGreaterThan(3_000);
  await store.shrink();
  expect(await free()).toBe(before - 250);
  for (let round = 0; round < 10; round++) await store.shrink();
  expect(await free()).toBe(2_500);
  await store.close();
  expect(statSync(file).size).toBeLessThan(2_600 * 4_096);
});

describe("a locked database", () => {
  it("is refused after the wait, while the process goes on", async () => {
    const { store, file } = await openStore({ busyMs: 150 });
    await store.migrate("lines", lines);
    const other = (await loadDriver()).open(file);
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    onTestFinished(() => clearInterval(ticking));
    const write = (n: number) => rejection(store.run("INSERT INTO line VALUES (?, 'a')", n));
    const errors = await Promise.all([write(1), write(2), rejection(store.transaction(async () => {}))]);
    for (const error of errors) expect(error).toMatchObject({ code: "STORE_LOCKED", status: 503 });
    expect(ticks).toBeGreaterThan(5);
    other.exec("COMMIT");
    await store.run("INSERT INTO line VALUES (3, 'c')");
    expect(await store.all("SELECT n FROM line")).toEqual([{ n: 3 }]);
  });

  it("keeps nobody waiting longer than that, however many wait in line", async () => {
    const { store, file } = await openStore({ busyMs: 400 });
    await store.migrate("lines", lines);
    const other = (await loadDriver()).open(file);
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    const from = performance.now();
    const many = Array.from({ length: 30 }, () => rejection(store.transaction(async () => {})));
    const write = rejection(store.run("INSERT INTO line VALUES (1, 'a')"));
    for (const error of await Promise.all([...many, write])) expect(error).toMatchObject({ code: "STORE_LOCKED" });
    expect(performance.now() - from).toBeLessThan(30 * 400 * 0.5);
  });

  it("is used as soon as it is let go", async () => {
    const { store, file } = await openStore({ busyMs: 5_000 });
    await store.migrate("lines", lines);
    const other = (await loadDriver()).open(file);
    other.exec("BEGIN IMMEDIATE");
    const write = store.run("INSERT INTO line VALUES (1, 'a')");
    await pauseFor(60);
    other.close();
    expect(await write).toMatchObject({ changes: 1 });
  });

  it("refuses a start with the same sentence", async () => {
    const file = join(tempDir("store"), "chela.db");
    const other = (await loadDriver()).open(file);
    other.exec("CREATE TABLE line (n INTEGER)");
    onTestFinished(() => other.close());
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    expect(await rejection(openStore({ file, busyMs: 60 }))).toMatchObject({
      code: "STORE_LOCKED",
      message: expect.stringContaining(file),
    });
  });
});

describe("kill -9", () => {
  it("loses nothing that was acknowledged and leaves no half transaction", { timeout: 60_000 }, async () => {
    const folder = tempDir("store");
    const file = join(folder, "chela.db");
    const program = await bundled(new URL("./appender.ts", import.meta.url), folder);
    const acknowledged = new Set<number>();
    for (let round = 1; round <= 5; round++) await killAfter(program, file, { lines: round * 120, acknowledged });
    const { store } = await openStore({ file });
    expect(await store.integrity()).toEqual([]);
    const kept = await store.all<{ n: number; halves: number }>("SELECT n, count(*) AS halves FROM line GROUP BY n");
    expect(kept.filter(({ halves }) => halves !== 2)).toEqual([]);
    const there = new Set(kept.map(({ n }) => n));
    expect(acknowledged.size).toBeGreaterThanOrEqual(5 * 120);
    expect([...acknowledged].filter((n) => !there.has(n))).toEqual([]);
  });
});

async function killAfter(
  program: string,
  file: string,
  options: { lines: number; acknowledged: Set<number> },
): Promise<void> {
  const child = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    options.acknowledged.add(Number(line));
    if (++seen === options.lines) child.kill("SIGKILL");
  }
  await ended;
}
