import { createHook } from "node:async_hooks";
import { EventEmitter } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { watchPaths } from "../../kernel/watch.ts";
import { tempDir } from "../kit/temp.ts";
import { pauseFor, until } from "../kit/until.ts";

function start(paths: readonly string[], onChange?: (changed: readonly string[]) => void | Promise<void>) {
  const batches: (readonly string[])[] = [];
  const errors: unknown[] = [];
  const watching = watchPaths(paths, { debounceMs: 20, onError: (error) => errors.push(error) }, (changed) => {
    batches.push(changed);
    return onChange?.(changed);
  });
  onTestFinished(() => watching.close());
  return { ...watching, batches, errors, seen: () => batches.flat() };
}

/** How many requests to the file system were made meanwhile. */
async function askedOfDisk(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === "FSREQPROMISE" || type === "FSREQCALLBACK") count += 1;
    },
  }).enable();
  await work().finally(() => hook.disable());
  return count;
}

describe("watchPaths", () => {
  it("tells of a file that is edited in place", async () => {
    const file = join(tempDir(), "config.json");
    writeFileSync(file, "one");
    const watching = start([file]);
    await watching.ready;
    appendFileSync(file, "two");
    await until(() => watching.seen().includes(file));
  });

  it("begins after what it is told to wait for, even when that failed; closed before, it never does", async () => {
    const file = join(tempDir(), "config.json");
    let fail = (_error: Error) => {};
    const after = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const seen: string[] = [];
    const early = watchPaths([file], { debounceMs: 20, after }, (changed) => void seen.push("early", ...changed));
    const watching = watchPaths([file], { debounceMs: 20, after }, (changed) => void seen.push(...changed));
    onTestFinished(() => watching.close());
    await early.close();
    fail(new Error("the start failed"));
    await watching.ready;
    writeFileSync(file, "one");
    await until(() => seen.includes(file));
    expect(new Set(seen)).toEqual(new Set([file]));
  });

  it("tells of a file that an editor replaces by renaming, more than once", async () => {
    const folder = tempDir();
    const file = join(folder, "config.json");
    writeFileSync(file, "one");
    const watching = start([file]);
    await watching.ready;
    for (let round = 1; round <= 3; round += 1) {
      writeFileSync(join(folder, "config.json.draft"), `round ${round}`);
      renameSync(join(folder, "config.json.draft"), file);
      await until(() => watching.batches.length >= round, 5000, `batch ${round}`);
    }
    expect(new Set(watching.seen())).toEqual(new Set([file]));
  });

  it("tells of a file that an editor moves away and writes anew", async () => {
    const folder = tempDir();
    const file = join(folder, "config.json");
    writeFileSync(file, "one");
    let read = "";
    const watching = start([file], () => {
      read = existsSync(file) ? readFileSync(file, "utf8") : "";
    });
    await watching.ready;
    for (let round = 1; round <= 4; round += 1) {
      renameSync(file, `${file}~`);
      await pauseFor(round * 40);
      writeFileSync(file, `round ${round}`);
      await until(() => read === `round ${round}`, 5000, `round ${round}`);
    }
  });

  it("always tells of the last of several quick replacements", async () => {
    const folder = tempDir();
    const file = join(folder, "config.json");
    writeFileSync(file, "0");
    let read = "";
    const watching = start([file], () => {
      read = readFileSync(file, "utf8");
    });
    await watching.ready;
    for (let round = 1; round <= 40; round += 1) {
      for (let burst = 0; burst <= round % 4; burst += 1) {
        writeFileSync(join(folder, "draft"), `${round}.${burst}`);
        renameSync(join(folder, "draft"), file);
        await pauseFor(burst * 7);
      }
      await until(() => read === `${round}.${round % 4}`, 5000, `round ${round}`);
    }
  });

  it("tells of what happens behind a link, and of the link when it is pointed elsewhere", async () => {
    const folder = tempDir();
    const [one, two] = [join(folder, "one.json"), join(folder, "two.json")];
    const file = join(folder, "watched", "config.json");
    mkdirSync(join(folder, "watched"));
    for (const real of [one, two]) writeFileSync(real, "1");
    symlinkSync(one, file);
    let read = "";
    const watching = start([file], () => {
      read = existsSync(file) ? readFileSync(file, "utf8") : "";
    });
    await watching.ready;
    writeFileSync(one, "in place");
    await until(() => read === "in place", 5000, "the edit in place");
    writeFileSync(`${one}.draft`, "replaced");
    renameSync(`${one}.draft`, one);
    await until(() => read === "replaced", 5000, "the replacement");
    writeFileSync(two, "elsewhere");
    symlinkSync(two, `${file}.next`);
    renameSync(`${file}.next`, file);
    await until(() => read === "elsewhere", 5000, "the other target");
  });

  it("does not ask the disk about every file of a watched folder when one has changed", async () => {
    const folder = tempDir();
    const files = Array.from({ length: 2_000 }, (_, index) => join(folder, `note-${index}.md`));
    for (const file of files) writeFileSync(file, "one");
    const watching = start([folder]);
    await watching.ready;
    const asked = await askedOfDisk(async () => {
      for (const file of files.slice(0, 4)) {
        writeFileSync(`${folder}.draft`, "two");
        renameSync(`${folder}.draft`, file);
        await until(() => watching.seen().includes(file));
      }
      writeFileSync(join(folder, "new.md"), "three");
      await until(() => watching.seen().includes(join(folder, "new.md")));
      rmSync(files[9] as string);
      await until(() => watching.seen().includes(files[9] as string));
    });
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(files.length / 2);
  });

  it("stays silent about neighbours of a watched file", async () => {
    const folder = tempDir();
    const file = join(folder, "config.json");
    writeFileSync(file, "one");
    const watching = start([file]);
    await watching.ready;
    writeFileSync(join(folder, "config.json5"), "x");
    writeFileSync(join(folder, "other"), "x");
    writeFileSync(file, "two");
    await until(() => watching.batches.length > 0);
    expect(new Set(watching.seen())).toEqual(new Set([file]));
  });

  it("delivers what happens together as one sorted batch of absolute paths", async () => {
    const folder = tempDir();
    mkdirSync(join(folder, "skills/deep"), { recursive: true });
    const watching = start([join(folder, "skills")]);
    await watching.ready;
    const names = ["b.md", "a.md", "deep/c.md"].map((name) => join(folder, "skills", name));
    for (const name of names) writeFileSync(name, "x");
    await until(() => names.every((name) => watching.seen().includes(name)));
    for (const batch of watching.batches) expect(batch).toEqual([...batch].sort());
    expect(watching.batches.length).toBeLessThan(3);
  });

  it("waits for a folder that does not exist yet, and survives its removal and return", async () => {
    const folder = tempDir();
    const file = join(folder, "later/on/config.json");
    const watching = start([file]);
    await watching.ready;
    mkdirSync(join(folder, "later/on"), { recursive: true });
    writeFileSync(file, "one");
    await until(() => watching.seen().includes(file), 5000, "the first appearance");
    const before = watching.batches.length;
    rmSync(join(folder, "later"), { recursive: true });
    await until(() => watching.batches.length > before, 5000, "the removal");
    const gone = watching.batches.length;
    mkdirSync(join(folder, "later/on"), { recursive: true });
    writeFileSync(file, "two");
    await until(() => watching.batches.length > gone, 5000, "the return");
    expect(watching.errors).toEqual([]);
  });

  it("never runs two batches at once and outlives a handler that throws", async () => {
    const folder = tempDir();
    let running = 0;
    let most = 0;
    const watching = start([folder], async () => {
      running += 1;
      most = Math.max(most, running);
      await pauseFor(60);
      running -= 1;
      throw new Error("handler");
    });
    await watching.ready;
    for (let round = 0; round < 3; round += 1) {
      writeFileSync(join(folder, `f${round}`), "x");
      await until(() => watching.seen().includes(join(folder, `f${round}`)));
    }
    await until(() => watching.errors.length >= 2);
    expect(most).toBe(1);
  });

  it("delivers under a steady stream of events", async () => {
    const folder = tempDir();
    const watching = start([folder]);
    await watching.ready;
    let count = 0;
    const stop = setInterval(() => writeFileSync(join(folder, `f${count++ % 5}`), String(count)), 5);
    onTestFinished(() => clearInterval(stop));
    await until(() => watching.batches.length >= 2);
  });

  it("is silent after close, which may be called twice and before it is ready", async () => {
    const folder = tempDir();
    const watching = start([folder]);
    await watching.ready;
    writeFileSync(join(folder, "a"), "x");
    await Promise.all([watching.close(), watching.close()]);
    const before = watching.batches.length;
    writeFileSync(join(folder, "b"), "x");
    await pauseFor(80);
    expect(watching.batches.length).toBe(before);
    const early = watchPaths([folder], { debounceMs: 20 }, () => undefined);
    await early.close();
    await early.ready;
  });
});

it("sees changes in a folder that comes into being between chokidar's look and its watch", async () => {
  const root = tempDir();
  const target = join(root, "notes", "today.md");
  const { emit } = EventEmitter.prototype;
  const look = vi.spyOn(EventEmitter.prototype, "emit").mockImplementation(function (this: EventEmitter, ...args) {
    // Chokidar has looked.
    if (args[0] === "end") mkdirSync(join(root, "notes"), { recursive: true });
    return emit.apply(this, args);
  });
  onTestFinished(() => look.mockRestore());
  const { ready, seen } = start([target]);
  await ready;
  writeFileSync(target, "written by hand");
  await until(() => seen().includes(target));
});
