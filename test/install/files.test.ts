import { spawn } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { withFileLock } from "../../kernel/disk/file-lock.ts";
import { isInside, readIfThere, resolveInside, safeName, writeFileAtomic } from "../../kernel/disk/files.ts";
import { tempDir, writeTree } from "../kit/temp.ts";
import { pauseFor, until } from "../kit/until.ts";

describe("resolveInside", () => {
  it("ends when its folder goes away meanwhile", async () => {
    const base = tempDir();
    const outcomes: PromiseSettledResult<string>[] = [];
    for (let round = 0; round < 40; round += 1) {
      const root = join(base, `r${round}`);
      mkdirSync(root);
      const all = Array.from({ length: 20 }, (_, index) => resolveInside(root, `a/b/c/${index}`));
      await resolveInside(root, "x");
      rmSync(root, { recursive: true });
      outcomes.push(...(await Promise.allSettled(all)));
    }
    const codes = outcomes.map((one) => (one.status === "rejected" ? one.reason.code : "found"));
    expect(codes.filter((code) => code !== "ENOENT" && code !== "found")).toEqual([]);
  });

  it("gives the real path of what is there and of what is not there yet", async () => {
    const root = tempDir();
    writeTree(root, { "a/b.txt": "x" });
    symlinkSync(join(root, "a"), join(root, "alias"));
    expect(await resolveInside(root, "a/b.txt")).toBe(join(root, "a/b.txt"));
    expect(await resolveInside(root, "./a//new/c.txt")).toBe(join(root, "a/new/c.txt"));
    expect(await resolveInside(root, "alias/new.txt")).toBe(join(root, "a/new.txt"));
    expect(await resolveInside(root, ".")).toBe(root);
    expect(await resolveInside(root, "..a/...b")).toBe(join(root, "..a/...b"));
  });

  it.each([
    "",
    "..",
    "../x",
    "a/../../x",
    "a/..",
    "/etc/passwd",
    "C:/x",
    "c:x",
    "\\\\host\\share",
    "a\\..\\x",
    "a\0b",
    "x".repeat(5000),
  ])("refuses %j", async (path) => {
    await expect(resolveInside(tempDir(), path)).rejects.toMatchObject({ code: "PATH_REFUSED", status: 400 });
  });

  it("refuses links that lead outside, wherever in the path, and links to nowhere", async () => {
    const [root, outside] = [tempDir(), tempDir()];
    writeTree(outside, { "secret.txt": "x" });
    symlinkSync(outside, join(root, "out"));
    symlinkSync(join(outside, "secret.txt"), join(root, "file"));
    symlinkSync(join(outside, "not-there"), join(root, "dangling"));
    symlinkSync(join(root, "loop"), join(root, "loop"));
    symlinkSync(`${root}-sibling`, join(root, "sibling"));
    mkdirSync(`${root}-sibling`);
    for (const path of [
      "out",
      "out/secret.txt",
      "out/new/deep.txt",
      "file",
      "dangling",
      "dangling/x",
      "loop",
      "sibling/x",
    ]) {
      await expect(resolveInside(root, path), path).rejects.toMatchObject({ code: "PATH_REFUSED" });
    }
  });

  it("works on a root that is itself reached by a link", async () => {
    const root = tempDir();
    mkdirSync(join(root, "real"));
    symlinkSync(join(root, "real"), join(root, "link"));
    expect(await resolveInside(join(root, "link"), "x")).toBe(join(root, "real/x"));
  });
});

describe("names", () => {
  it.each(["a", "a.txt", ".hidden", "фото.png", "..."])("%s is one", (name) => expect(safeName(name)).toBe(name));
  it.each(["", ".", "..", "a/b", "a\\b", "/a", "c:a", "a:stream", "a\0"])("%j is none", (name) => {
    expect(() => safeName(name)).toThrow(expect.objectContaining({ code: "PATH_REFUSED" }));
  });
  it("inside means inside", () => {
    expect(isInside("/a/b", "/a/b")).toBe(true);
    expect(isInside("/a/b", "/a/b/..c")).toBe(true);
    expect(isInside("/a/b", "/a/bc")).toBe(false);
    expect(isInside("/a/b", "/a")).toBe(false);
  });
});

describe("writeFileAtomic", () => {
  it("replaces content and mode, and leaves nothing beside", async () => {
    const root = tempDir();
    const file = join(root, "f.json");
    writeFileSync(file, "old", { mode: 0o644 });
    await writeFileAtomic(file, "new");
    expect(readFileSync(file, "utf8")).toBe("new");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await writeFileAtomic(file, new Uint8Array([0x41]), { mode: 0o644 });
    expect(readFileSync(file, "utf8")).toBe("A");
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(readdirSync(root)).toEqual(["f.json"]);
  });

  it("does not write through a link or into a second name of the file", async () => {
    const [root, outside] = [tempDir(), tempDir()];
    const target = join(outside, "target");
    writeFileSync(target, "mine");
    symlinkSync(target, join(root, "soft"));
    linkSync(target, join(root, "hard"));
    await writeFileAtomic(join(root, "soft"), "x");
    await writeFileAtomic(join(root, "hard"), "x");
    expect(readFileSync(target, "utf8")).toBe("mine");
  });

  it("leaves nothing when it cannot replace", async () => {
    const root = tempDir();
    mkdirSync(join(root, "folder"));
    await expect(writeFileAtomic(join(root, "folder"), "x")).rejects.toMatchObject({ code: expect.any(String) });
    await expect(writeFileAtomic(join(root, "no/such/file"), "x")).rejects.toMatchObject({ code: "ENOENT" });
    expect(readdirSync(root)).toEqual(["folder"]);
  });

  it("is never seen half", async () => {
    const file = join(tempDir(), "f");
    const [a, b] = ["a".repeat(200_000), "b".repeat(100_000)];
    await writeFileAtomic(file, a);
    let writing = true;
    const writer = (async () => {
      for (let n = 0; n < 40; n += 1) await writeFileAtomic(file, n % 2 ? a : b);
      writing = false;
    })();
    while (writing) {
      expect([a, b]).toContain(await readIfThere(file, 1e6));
      await pauseFor(0);
    }
    await writer;
  });
});

describe("readIfThere", () => {
  it("reads, misses and refuses what is too large", async () => {
    const root = tempDir();
    writeFileSync(join(root, "f"), "12345");
    expect(await readIfThere(join(root, "f"), 5)).toBe("12345");
    expect(await readIfThere(join(root, "g"), 5)).toBeUndefined();
    expect(await readIfThere(join(root, "f/g"), 5)).toBeUndefined();
    await expect(readIfThere(join(root, "f"), 4)).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  });
});

describe("withFileLock", () => {
  it("lets one in at a time, also when they throw", async () => {
    const lock = join(tempDir(), "deep/.lock");
    let inside = 0;
    let done = 0;
    const work = async (n: number) => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      done += 1;
      if (n % 3 === 0) throw new Error("on purpose");
      return n;
    };
    const results = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => withFileLock(lock, () => work(n))));
    expect(done).toBe(12);
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(4);
    expect(readdirSync(join(lock, ".."))).toEqual([]);
  });

  it("takes over from a process that was killed, and waits for one that lives", async () => {
    const root = tempDir();
    const lock = join(root, ".lock");
    await build({
      entryPoints: [new URL("../../kernel/disk/file-lock.ts", import.meta.url).pathname],
      outfile: join(root, "lock.mjs"),
      bundle: true,
      format: "esm",
      platform: "node",
    });
    const code = `import { withFileLock } from ${JSON.stringify(join(root, "lock.mjs"))}; await withFileLock(${JSON.stringify(lock)}, () => new Promise(() => setInterval(() => {}, 1000)));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "inherit" });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    await until(() => existsSync(lock), 10_000, "the other process's lock");
    await expect(withFileLock(lock, async () => 1, 100)).rejects.toMatchObject({
      code: "BUSY",
      status: 409,
      details: { pid: child.pid },
    });
    child.kill("SIGKILL");
    await gone;
    expect(await Promise.all([withFileLock(lock, async () => 1), withFileLock(lock, async () => 2)])).toEqual([1, 2]);
    expect(existsSync(lock)).toBe(false);
  });

  it("takes over from one that was killed while it took over", async () => {
    const lock = join(tempDir(), ".lock");
    const old = new Date(Date.now() - 60_000);
    writeFileSync(lock, '{"pid":999999999,"nonce":"dead"}');
    writeFileSync(`${lock}.takeover`, "");
    await expect(withFileLock(lock, async () => 1, 50)).rejects.toMatchObject({ code: "BUSY" });
    utimesSync(`${lock}.takeover`, old, old);
    expect(await withFileLock(lock, async () => 1)).toBe(1);
    expect(readdirSync(join(lock, ".."))).toEqual([]);
  });

  it("takes over a file that names nobody once it is old", async () => {
    const lock = join(tempDir(), ".lock");
    writeFileSync(lock, "");
    await expect(withFileLock(lock, async () => 1, 50)).rejects.toMatchObject({ code: "BUSY" });
    const old = new Date(Date.now() - 60_000);
    utimesSync(lock, old, old);
    expect(await withFileLock(lock, async () => 1)).toBe(1);
  });
});
