/** The `files` service: nothing leaves its folder, nothing but files is touched, and what is written is whole. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Files, files } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { tempDir } from "../kit/temp.ts";

const posix = process.platform !== "win32";

async function service(): Promise<Files> {
  const host = await startHost({ plugins: [] });
  onTestFinished(() => host.stop());
  return host.service(files);
}

function folders(): { root: string; outside: string } {
  const base = tempDir("files");
  const [root, outside] = [join(base, "root"), join(base, "outside")];
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, "secret.txt"), "secret");
  return { root, outside };
}

describe("the files service", () => {
  it("writes, reads, tells and removes a file, and makes its folders", async () => {
    const use = await service();
    const { root } = folders();
    const facts = await use.write(root, "a/b/c.txt", "héllo");
    expect(facts).toMatchObject({ path: join(root, "a/b/c.txt"), size: 6 });
    expect(String(await use.read(root, "a/b/c.txt", 100))).toBe("héllo");
    expect(await use.facts(root, "a/b/c.txt")).toEqual(facts);
    expect(await use.remove(root, "a/b/c.txt")).toBe(true);
    expect(await use.remove(root, "a/b/c.txt")).toBe(false);
    expect(await use.remove(root, "no/such/folder.txt")).toBe(false);
    expect(await use.read(root, "a/b/c.txt", 100)).toBeUndefined();
    expect(await use.facts(root, "nowhere/at/all")).toBeUndefined();
    expect(await use.read(join(root, "no-root"), "a.txt", 100)).toBeUndefined();
    expect(await use.facts(join(root, "no-root"), "a.txt")).toBeUndefined();
  });

  it.each(["", "/etc/passwd", "../outside/secret.txt", "a/../../outside/secret.txt", "a\\b", "a\0b", "x".repeat(5000)])(
    "refuses the path %j for every use",
    async (path) => {
      const use = await service();
      const { root } = folders();
      const refused = expect.objectContaining({ code: "PATH_REFUSED", status: 400 });
      await expect(use.resolve(root, path)).rejects.toEqual(refused);
      await expect(use.facts(root, path)).rejects.toEqual(refused);
      await expect(use.read(root, path, 100)).rejects.toEqual(refused);
      await expect(use.write(root, path, "x")).rejects.toEqual(refused);
      await expect(use.remove(root, path)).rejects.toEqual(refused);
    },
  );

  it.runIf(posix)("follows links that stay inside and none that lead out or nowhere", async () => {
    const use = await service();
    const { root, outside } = folders();
    writeFileSync(join(root, "real.txt"), "inside");
    symlinkSync("real.txt", join(root, "alias.txt"));
    symlinkSync(outside, join(root, "door"));
    symlinkSync(join(outside, "secret.txt"), join(root, "peek.txt"));
    symlinkSync(join(outside, "new.txt"), join(root, "nowhere.txt"));
    expect(String(await use.read(root, "alias.txt", 100))).toBe("inside");
    for (const path of ["door/secret.txt", "door/new.txt", "peek.txt", "nowhere.txt"]) {
      await expect(use.read(root, path, 100)).rejects.toMatchObject({ code: "PATH_REFUSED" });
      await expect(use.write(root, path, "x")).rejects.toMatchObject({ code: "PATH_REFUSED" });
      await expect(use.remove(root, path)).rejects.toMatchObject({ code: "PATH_REFUSED" });
    }
    expect(readFileSync(join(outside, "secret.txt"), "utf8")).toBe("secret");
    expect(existsSync(join(outside, "new.txt"))).toBe(false);
  });

  it.runIf(process.platform === "linux")(
    "a link that takes a folder's place again and again never leads out",
    async () => {
      const use = await service();
      const { root, outside } = folders();
      mkdirSync(join(root, "sub"));
      symlinkSync(outside, join(root, "link"));
      let over = false;
      /** A write may just have made a folder where `sub` is missing: it goes. */
      const become = (from: string) => {
        for (;;) {
          try {
            return renameSync(join(root, from), join(root, "sub"));
          } catch {
            rmSync(join(root, "sub"), { recursive: true, force: true });
          }
        }
      };
      const swapping = (async () => {
        while (!over) {
          renameSync(join(root, "sub"), join(root, "kept"));
          become("link");
          await new Promise((resolve) => setImmediate(resolve));
          renameSync(join(root, "sub"), join(root, "link"));
          become("kept");
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      const tries = Array.from({ length: 300 }, (_, index) => use.write(root, "sub/planted.txt", `${index}`));
      const outcomes = await Promise.allSettled(tries);
      over = true;
      await swapping;
      expect(existsSync(join(outside, "planted.txt"))).toBe(false);
      expect(outcomes.length).toBe(300);
    },
  );

  it.runIf(posix)("reads and replaces files only: no folder, no pipe, no device", async () => {
    const use = await service();
    const { root } = folders();
    mkdirSync(join(root, "folder"));
    execFileSync("mkfifo", [join(root, "pipe")]);
    for (const path of ["folder", "pipe"]) {
      await expect(use.read(root, path, 100)).rejects.toMatchObject({ code: "NOT_A_FILE" });
      await expect(use.write(root, path, "x")).rejects.toMatchObject({ code: "NOT_A_FILE" });
      await expect(use.remove(root, path)).rejects.toMatchObject({ code: "NOT_A_FILE" });
    }
  });

  it("refuses what is larger than asked for, and keeps the mode of what it replaces unless told one", async () => {
    const use = await service();
    const { root } = folders();
    await use.write(root, "large.bin", Buffer.alloc(1000));
    await expect(use.read(root, "large.bin", 999)).rejects.toMatchObject({ code: "FILE_TOO_LARGE", status: 413 });
    expect((await use.read(root, "large.bin", 1000))?.length).toBe(1000);
    if (!posix) return;
    chmodSync(join(root, "large.bin"), 0o755);
    await use.write(root, "large.bin", "#!/bin/sh\n");
    expect(statSync(join(root, "large.bin")).mode & 0o777).toBe(0o755);
    await use.write(root, "large.bin", "secret", { mode: 0o600 });
    expect(statSync(join(root, "large.bin")).mode & 0o777).toBe(0o600);
    await use.write(root, "fresh.txt", "x");
    expect(statSync(join(root, "fresh.txt")).mode & 0o777).toBe(0o600);
  });
});
