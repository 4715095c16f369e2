import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Tail } from "../../../plugins/logs/tail.ts";
import { tempDir } from "../../kit/temp.ts";
import { pauseFor, until } from "../../kit/until.ts";

function follow(initial = "old\n") {
  const path = join(tempDir("tail"), "chela.log");
  writeFileSync(path, initial);
  const tail = new Tail(path);
  onTestFinished(() => tail.end());
  const seen: unknown[] = [];
  const leave = tail.join(({ msg }) => seen.push(msg));
  return { path, tail, seen, leave };
}

const openFiles = (path: string) =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false;
    }
  }).length;

describe("the tail", () => {
  test("tells what is appended after joining, by anyone, and nothing older", async () => {
    const { path, seen } = follow();
    appendFileSync(path, "new\n");
    await until(() => seen.length > 0, 3000);
    expect(seen).toEqual(["new"]);
  });

  test("never tells half a line, also in the middle of a character", async () => {
    const { path, tail, seen } = follow();
    const bytes = Buffer.from("龍 whole\n");
    const file = openSync(path, "a");
    for (const byte of bytes.subarray(0, -1)) {
      writeSync(file, Buffer.from([byte]));
      await tail.look();
    }
    await pauseFor(300);
    expect(seen).toEqual([]);
    writeSync(file, "\n");
    closeSync(file);
    await until(() => seen.length > 0);
    expect(seen).toEqual(["龍 whole"]);
  });

  test("goes on in the new file after a rotation, and loses no line of the old one", async () => {
    const { path, seen } = follow();
    appendFileSync(path, "a\n");
    renameSync(path, `${path}.20251121-093000`);
    appendFileSync(`${path}.20251121-093000`, "b\n");
    writeFileSync(path, "c\n");
    await until(() => seen.length === 3);
    appendFileSync(path, "d\n");
    await until(() => seen.length === 4);
    expect(seen).toEqual(["a", "b", "c", "d"]);
  });

  test("starts over when the file is truncated", async () => {
    const { path, seen } = follow("old old old old\n");
    appendFileSync(path, "a\n");
    await until(() => seen.length === 1);
    truncateSync(path, 0);
    await pauseFor(300);
    appendFileSync(path, "b\n");
    await until(() => seen.length === 2);
    expect(seen).toEqual(["a", "b"]);
  });

  test("starts over when the file was truncated and has outgrown what it was by the time of a look", async () => {
    const { path, seen } = follow("old\n");
    appendFileSync(path, "a\n");
    await until(() => seen.length === 1);
    writeFileSync(path, "a line that is longer than all there was\nand another\n");
    await until(() => seen.length === 3);
    writeFileSync(path, "A LINE THAT IS LONGER THAN ALL THERE WAS\nAND ANOTHER\n");
    await until(() => seen.length === 5);
    const [first, second] = ["a line that is longer than all there was", "and another"];
    expect(seen).toEqual(["a", first, second, first.toUpperCase(), second.toUpperCase()]);
  });

  test("tells a line whole that was half written when the first listener came", async () => {
    const { path, seen } = follow("old\nhalf a line");
    appendFileSync(path, " and the rest\n");
    await until(() => seen.length > 0);
    expect(seen).toEqual(["half a line and the rest"]);
    const long = follow("x".repeat(200_000));
    appendFileSync(long.path, "the end of a very long line\nafter\n");
    await until(() => long.seen.length > 0);
    expect(long.seen).toEqual(["after"]);
  });

  test("waits for a file that was removed to come back", async () => {
    const { path, seen } = follow();
    unlinkSync(path);
    await pauseFor(300);
    writeFileSync(path, "back\n");
    await until(() => seen.length > 0);
    expect(seen).toEqual(["back"]);
  });

  test("skips a line without end and goes on after it", async () => {
    const { path, seen } = follow();
    appendFileSync(path, "x".repeat(3_000_000));
    appendFileSync(path, "tail of it\nafter\n");
    await until(() => seen.length > 0);
    expect(seen).toEqual(["after"]);
  });

  test.runIf(existsSync("/proc/self/fd"))(
    "holds one descriptor for all listeners and none after the last has left",
    async () => {
      const { path, tail, leave } = follow();
      const leaveToo = tail.join(() => undefined);
      expect(openFiles(path)).toBe(1);
      leave();
      expect(openFiles(path)).toBe(1);
      leaveToo();
      await until(() => openFiles(path) === 0);
      const again: unknown[] = [];
      const leaveAgain = tail.join(({ msg }) => again.push(msg));
      appendFileSync(path, "again\n");
      await until(() => again.length > 0);
      leaveAgain();
      await until(() => openFiles(path) === 0);
    },
  );

  test("says so to who comes while the file is missing, whether others listen or not", () => {
    const { path, tail } = follow();
    unlinkSync(path);
    expect(() => tail.join(() => undefined)).toThrow(`open ${path}: no such file or directory`);
  });

  test("says why when there is no file", () => {
    const path = join(tempDir("tail"), "none.log");
    expect(() => new Tail(path).join(() => undefined)).toThrow(`open ${path}: no such file or directory`);
  });
});
