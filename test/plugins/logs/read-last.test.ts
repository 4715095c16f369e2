import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryOf, levelFrom, reaches } from "../../../plugins/logs/entry.ts";
import { type LastOptions, readLast as readPage } from "../../../plugins/logs/read-last.ts";
import { tempDir } from "../../kit/temp.ts";

function fileWith(text: string): string {
  const path = join(tempDir("read-last"), "chela.log");
  writeFileSync(path, text);
  return path;
}

const readLast = async (path: string, options: LastOptions) => (await readPage(path, options)).entries;
const messages = (entries: readonly Readonly<Record<string, unknown>>[]) => entries.map(({ msg }) => msg);

describe("an entry", () => {
  test("is the line's own object, or plain text in its shape", () => {
    expect(entryOf('{"level":"warn","code":7}')).toEqual({ level: "warn", code: 7 });
    expect(entryOf("plain text\r")).toMatchObject({
      level: "INFO",
      msg: "plain text",
      time: expect.stringMatching(/Z$/),
    });
    for (const odd of ["{not json}", "[1]", '"text"', "null", "7"])
      expect(entryOf(odd)).toMatchObject({ level: "INFO", msg: odd });
    expect(entryOf(" \t")).toBeUndefined();
  });

  test("is filtered by its level in any case; without one it counts as info", () => {
    expect(reaches({ level: "WARN" }, "warn")).toBe(true);
    expect(reaches({ level: "info" }, "warn")).toBe(false);
    expect(reaches({}, "info")).toBe(true);
    expect(reaches({ level: "constructor" }, "warn")).toBe(false);
    expect(levelFrom(" Error ")).toBe("error");
    expect(levelFrom("")).toBeUndefined();
    expect(() => levelFrom("constructor")).toThrow("unknown level: constructor");
  });
});

describe("readLast", () => {
  test("gives the newest lines, oldest first, with and without an end of line", async () => {
    for (const end of ["", "\n"]) {
      const path = fileWith(`one\ntwo\nthree${end}`);
      expect(messages(await readLast(path, { limit: 2 }))).toEqual(["two", "three"]);
      expect(messages(await readLast(path, { limit: 10 }))).toEqual(["one", "two", "three"]);
    }
    expect(await readLast(fileWith(""), { limit: 3 })).toEqual([]);
  });

  test("blank lines count but are not shown", async () => {
    expect(messages(await readLast(fileWith("one\n\n\ntwo\n"), { limit: 3 }))).toEqual(["two"]);
    expect(messages(await readLast(fileWith("one\n\n\ntwo\n"), { limit: 4 }))).toEqual(["one", "two"]);
  });

  test("a level looks past lines below it", async () => {
    const path = fileWith(`{"level":"ERROR","msg":"bad"}\n${'{"level":"INFO","msg":"ok"}\n'.repeat(5000)}`);
    expect(messages(await readLast(path, { limit: 5, level: "warn" }))).toEqual(["bad"]);
  });

  test("keeps characters whole across blocks", async () => {
    const text = "龍".repeat(40_000);
    const path = fileWith(`first\n${text}\nlast\n`);
    expect(messages(await readLast(path, { limit: 3 }))).toEqual(
      ["first", text, "last"].map((line) => line.slice(0, 65_536)),
    );
  });

  test("reads a bounded end of a large file, and no half line of it", async () => {
    const path = fileWith("");
    for (let i = 0; i < 40; i += 1) appendFileSync(path, `${`${i}`.padEnd(50_000, "x")}\n`);
    const last = await readLast(path, { limit: 200, maxBytes: 200_000 });
    expect(last.length).toBeGreaterThan(2);
    expect(last.length).toBeLessThan(7);
    for (const { msg } of last) expect(String(msg)).toMatch(/^\d+x+$/);
  });

  test("goes back page by page, into the rotated files, while new lines come and the file is rotated", async () => {
    const path = fileWith("five\nsix\n");
    const older = `${path}.20261121-093000`;
    writeFileSync(older, "three\nfour\n");
    writeFileSync(`${path}.20261121-080000`, "");
    writeFileSync(`${path}.20261121-070000`, "one\ntwo");
    const found: unknown[][] = [];
    let before: string | null | undefined;
    for (let pages = 0; before !== null; pages += 1) {
      const page = await readPage(path, { limit: 1, ...(before && { before }) });
      found.push(messages(page.entries));
      before = page.before;
      appendFileSync(path, `later ${pages}\n`);
      if (pages === 0) {
        renameSync(path, `${path}.20261121-100000`);
        writeFileSync(path, "newest\n");
      }
    }
    expect(found).toEqual([["six"], ["five"], ["four"], ["three"], ["two"], ["one"]]);
    await expect(readPage(path, { limit: 1, before: "../7" })).rejects.toMatchObject({ status: 400 });
    expect(await readPage(path, { limit: 1, before: "1.7" })).toEqual({ entries: [], before: null });
  });

  test("finds a text in any value, and goes on where it had read enough for one page", async () => {
    const noise = '{"level":"INFO","msg":"ok"}\n'.repeat(5_000);
    const path = fileWith(`{"msg":"x","error":{"code":"E_NEEDLE \\"龍\\""}}\n${noise}{"msg":"Needle"}\n`);
    const pages: unknown[][] = [];
    let before: string | null | undefined;
    while (before !== null) {
      const page = await readPage(path, { limit: 9, query: " needle", maxBytes: 100_000, ...(before && { before }) });
      pages.push(messages(page.entries));
      before = page.before;
    }
    expect(pages).toEqual([["Needle"], ["x"]]);
    expect(messages(await readLast(path, { limit: 9, query: '"龍' }))).toEqual(["x"]);
    expect(messages(await readLast(path, { limit: 9, query: "needle", level: "warn" }))).toEqual([]);
  });

  test("says in ClawGo's words why there is nothing to read", async () => {
    const dir = tempDir("read-last");
    const path = join(dir, "none.log");
    await expect(readLast(path, { limit: 1 })).rejects.toMatchObject({
      status: 500,
      message: `open ${path}: no such file or directory`,
    });
    mkdirSync(path);
    await expect(readLast(path, { limit: 1 })).rejects.toThrow();
  });
});
