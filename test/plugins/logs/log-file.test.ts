import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogFile, type LogFileOptions } from "../../../plugins/logs/log-file.ts";
import { rotatedName, sweep } from "../../../plugins/logs/retention.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";

function open(options: Partial<LogFileOptions> = {}) {
  const dir = join(tempDir("log-file"), "logs");
  const told: string[] = [];
  const events = {
    failed: (error: unknown) => void told.push(`failed: ${(error as Error).message}`),
    recovered: (lost: number) => void told.push(`recovered: ${lost}`),
    rotated: () => void told.push("rotated"),
    written: async () => undefined,
  };
  const file = new LogFile({ dir, filename: "chela.log", maxBytes: () => 1_048_576, events, ...options });
  onTestFinished(() => file.close());
  const text = () => (existsSync(file.path) ? readFileSync(file.path, "utf8") : "");
  return { dir, file, told, text };
}

describe("the log file", () => {
  test("is created 0600 in a folder 0700 and holds whole lines in order", async () => {
    const { dir, file, text } = open();
    for (let i = 0; i < 1000; i += 1) file.write(`line ${i}`);
    await until(() => text().endsWith("line 999\n"));
    expect(text().split("\n").slice(0, 3)).toEqual(["line 0", "line 1", "line 2"]);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
  });

  test("that others may read is narrowed", async () => {
    const { dir, file, text } = open();
    mkdirSync(dir, { recursive: true });
    writeFileSync(file.path, "old\n");
    chmodSync(file.path, 0o644);
    file.write("new");
    await until(() => text() === "old\nnew\n");
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
  });

  test("that ends in half a line, since a process died, gets an end of line first", async () => {
    const { dir, file, text } = open();
    mkdirSync(dir, { recursive: true });
    writeFileSync(file.path, '{"msg":"cut o');
    file.write("whole");
    await until(() => text() === '{"msg":"cut o\nwhole\n');
  });

  test("rotates by size under a name with date and time, and loses nothing", async () => {
    const { dir, file, told, text } = open({ maxBytes: () => 2000 });
    for (let i = 0; i < 300; i += 1) {
      file.write(`line ${i}`.padEnd(99));
      if (i % 10 === 0) await file.settled();
    }
    await until(() => text() !== "" || told.length > 10);
    await file.close();
    const names = readdirSync(dir).sort();
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect(name).toMatch(/^chela\.log(\.\d{8}-\d{6}(-\d+)?)?$/);
    const lines = names.flatMap((name) => readFileSync(join(dir, name), "utf8").split("\n").filter(Boolean));
    expect(new Set(lines.map((line) => line.trim())).size).toBe(300);
    expect(told).toContain("rotated");
  });

  test("is opened anew when somebody moves or removes it", async () => {
    const { file, text } = open();
    file.write("a");
    await until(() => text() === "a\n");
    await file.check();
    renameSync(file.path, `${file.path}.moved`);
    await file.check();
    file.write("b");
    await until(() => text() === "b\n");
    await file.check();
    rmSync(file.path);
    await file.check();
    file.write("c");
    await until(() => text() === "c\n");
  });

  test("that is copied and truncated under its writer goes on at its beginning", async () => {
    const { file, text } = open();
    file.write("a".repeat(1_000));
    await until(() => text().length === 1_001);
    copyFileSync(file.path, `${file.path}.1`);
    truncateSync(file.path);
    file.write("b");
    await until(() => text() !== "");
    expect(text()).toBe("b\n");
  });

  test("in a place that cannot be written is told once, waits, and is caught up later", async () => {
    const { dir, file, told, text } = open();
    writeFileSync(dir, "a file where the folder should be");
    file.write("a");
    await until(() => told.length > 0);
    file.write("b");
    await file.check();
    await file.settled();
    await file.check();
    await file.settled();
    expect(told).toHaveLength(1);
    expect(file.trouble).not.toBe("");
    rmSync(dir);
    await file.check();
    await until(() => told.at(-1) === "recovered: 0");
    expect(text()).toBe("a\nb\n");
    expect(file.trouble).toBe("");
  });

  test("on a full disk keeps 4 MB, counts the rest, and writes again when there is room", async () => {
    const disk = { full: true, text: "" };
    const openStream = async () =>
      new Writable({
        write(chunk, _encoding, done) {
          if (disk.full) return done(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
          disk.text += chunk;
          done();
        },
      });
    const { file, told } = open({ openStream });
    for (let i = 0; i < 6000; i += 1) file.write(`${i}`.padEnd(999));
    await until(() => told.length > 0);
    expect(told).toEqual(["failed: no space left on device"]);
    expect(file.lost).toBe(6000 - 4194);
    disk.full = false;
    await file.check();
    await until(() => told.length === 2);
    expect(told[1]).toBe("recovered: 1806");
    expect(disk.text.split("\n").filter(Boolean)).toHaveLength(4194);
    file.write("after");
    await until(() => disk.text.endsWith("after\n"));
  });

  test("writes what is queued before it closes, and nothing after", async () => {
    const { file, text } = open();
    file.write("last");
    await file.close();
    file.write("too late");
    await file.close();
    expect(text()).toBe("last\n");
  });
});

describe("retention", () => {
  test("names rotated files after the time, in UTC", () => {
    const at = new Date("2025-11-21T09:30:05.999Z");
    expect(rotatedName("chela.log", at, 1)).toBe("chela.log.20251121-093005");
    expect(rotatedName("chela.log", at, 2)).toBe("chela.log.20251121-093005-2");
  });

  test("deletes what is too old or too much, oldest first, and only rotated files", async () => {
    const dir = tempDir("retention");
    const put = (name: string, daysOld: number) => {
      writeFileSync(join(dir, name), "x".repeat(100));
      const at = Date.now() / 1000 - daysOld * 86_400;
      utimesSync(join(dir, name), at, at);
    };
    put("chela.log", 0);
    for (const [index, name] of ["20251121-100000", "20251120-100000", "20251119-100000", "20251110-100000"].entries())
      put(`chela.log.${name}`, index);
    for (const name of ["chela.log.txt", "chela.log.20251101-1000", "other.log.20251101-100000", "notes"])
      put(name, 99);
    expect(await sweep(dir, "chela.log", { maxAgeMs: 2.5 * 86_400_000, maxTotalBytes: 10_000 })).toEqual([
      "chela.log.20251110-100000",
    ]);
    expect(await sweep(dir, "chela.log", { maxAgeMs: 86_400_000_000, maxTotalBytes: 300 })).toEqual([
      "chela.log.20251119-100000",
    ]);
    expect(readdirSync(dir).sort()).toEqual(
      [
        "chela.log",
        "chela.log.20251101-1000",
        "chela.log.20251120-100000",
        "chela.log.20251121-100000",
        "chela.log.txt",
        "notes",
        "other.log.20251101-100000",
      ].sort(),
    );
    expect(await sweep(join(dir, "none"), "chela.log", { maxAgeMs: 1, maxTotalBytes: 1 })).toEqual([]);
  });
});
