/** Files of every size that is allowed never hold the event loop, whatever they consist of and whatever is looked for in them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldBy } from "../../kit/held.ts";
import { type Bench, bench } from "./kit.ts";

/** What the machine's other work may add to a round that takes 20 ms of ours. */
const mostMs = 250;
const largest = 10_000_000;

let b: Bench;
beforeAll(async () => {
  b = await bench();
  await b.ok("write_file", { path: "warm.txt", content: "a\nb" });
  await b.ok("edit_file", { path: "warm.txt", old_text: "a", new_text: "b" });
  await b.ok("read_file", { path: "warm.txt" });
});
afterAll(() => b[Symbol.asyncDispose]());

const put = (path: string, piece: string) =>
  writeFileSync(join(b.root, path), piece.repeat(Math.floor(largest / Buffer.byteLength(piece))));
const held = (tool: string, input: object) => heldBy(b.run(tool, input));

describe("a file of 10 MB", () => {
  it.each(["\n", "a\n", "a", "你好\n", "\r\n", "some text of a usual line\n"])("of %j is read", async (piece) => {
    put("big.txt", piece);
    expect(await held("read_file", { path: "big.txt" })).toBeLessThan(mostMs);
    expect(await held("read_file", { path: "big.txt", offset: 300_000 })).toBeLessThan(mostMs);
    expect(await held("write_file", { path: "big.txt", content: "x", append: true })).toBeLessThan(mostMs);
  });

  it.each([
    ["what is not there, in empty lines", "\n", "xyz"],
    ["what is not there, in usual lines", "some text of a usual line\n", "some text of another line"],
    ["what is nearly there, in long lines", `${"x ".repeat(1_000)}\n`, `${"x ".repeat(200)}y`],
    ["what is nearly there everywhere", "a", `${"a".repeat(2_500)}b${"a".repeat(2_500)}`],
    ["many lines that differ in white space", "a \n", "a\n".repeat(4_000)],
    ["what is there too often", "\n", "\n"],
  ])("is looked through for %s", async (_what, piece, old_text) => {
    put("big.txt", piece);
    const edits = Array.from({ length: 3 }, () => ({ old_text, new_text: "b" }));
    expect(await held("edit_file", { path: "big.txt", edits })).toBeLessThan(mostMs);
    expect(readFileSync(join(b.root, "big.txt"), "utf8").startsWith(piece)).toBe(true);
  });

  it("is changed everywhere", async () => {
    put("big.txt", "ab\n");
    const edits = [
      { old_text: "b\n", new_text: "c", replace_all: true },
      { old_text: "a", new_text: "", replace_all: true },
    ];
    expect(await held("edit_file", { path: "big.txt", edits })).toBeLessThan(mostMs);
    expect(readFileSync(join(b.root, "big.txt"), "utf8")).toBe("c".repeat(Math.floor(largest / 3)));
  });
});

it("what a turn wanted to write is not written any more once the turn was stopped", async () => {
  put("busy.txt", "some text\n");
  const before = readFileSync(join(b.root, "busy.txt"), "utf8");
  const first = b.run("edit_file", { path: "busy.txt", old_text: "nowhere", new_text: "x" });
  const stop = new AbortController();
  const turn = { signal: stop.signal };
  const late = [
    b.run("edit_file", { path: "busy.txt", old_text: "some", new_text: "late", replace_all: true }, turn),
    b.run("write_file", { path: "busy.txt", content: "late" }, turn),
  ];
  setImmediate(() => stop.abort());
  expect((await Promise.all(late)).map(({ ok }) => ok)).toEqual([false, false]);
  await first;
  // Behind whatever still waits for the file.
  await b.fails("edit_file", { path: "busy.txt", old_text: "nowhere", new_text: "x" });
  expect(readFileSync(join(b.root, "busy.txt"), "utf8") === before).toBe(true);
});
