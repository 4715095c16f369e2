import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unpackTarball } from "../../kernel/plugins/archive.ts";
import { installPlugin } from "../../kernel/plugins/install.ts";
import { tempDir, writeTree } from "../kit/temp.ts";
import { buildSdk, type Entry, installOptions, pluginFiles, pluginFolder, tar } from "./kit.ts";

function tgz(entries: readonly Entry[]): string {
  const file = join(tempDir("hostile"), "plugin.tgz");
  writeFileSync(file, gzipSync(tar(entries)));
  return file;
}

const good: Entry[] = Object.entries(pluginFiles()).map(([name, text]) => ({ path: `package/${name}`, text }));

let sdk: Awaited<ReturnType<typeof buildSdk>>;
beforeAll(async () => {
  sdk = await buildSdk();
});
afterAll(() => sdk.remove());

describe("a hostile archive is refused, and nothing is left of it", () => {
  const cases: [string, Entry[], string][] = [
    ["a path through ..", [{ path: "package/../../../evil.txt", text: "x" }], "`..`"],
    ["a path that starts with ..", [{ path: "../evil.txt", text: "x" }], "`..`"],
    ["an absolute path", [{ path: "/tmp/chela-evil.txt", text: "x" }], "absolute"],
    ["a drive letter", [{ path: "C:/evil.txt", text: "x" }], "absolute"],
    ["backslashes", [{ path: "package\\..\\..\\evil.txt", text: "x" }], "backslash"],
    ["a folder through ..", [{ path: "package/../../evil", type: "Directory" }], "`..`"],
    ["a symlink", [{ path: "package/link", type: "SymbolicLink", linkpath: "/etc/passwd" }], "is a link"],
    [
      "a symlinked folder that is written through",
      [
        { path: "package/out", type: "SymbolicLink", linkpath: "/tmp" },
        { path: "package/out/evil.txt", text: "x" },
      ],
      "is a link",
    ],
    ["a hard link", [{ path: "package/hard", type: "Link", linkpath: "package/index.js" }], "is a link"],
    ["a device", [{ path: "package/null", type: "CharacterDevice" }], "CharacterDevice"],
    ["a pipe", [{ path: "package/pipe", type: "FIFO" }], "FIFO"],
    ["the same file twice", [{ path: "package/index.js", text: "evil()" }], "twice"],
    ["the same file in another case", [{ path: "package/INDEX.js", text: "evil()" }], "twice"],
    ["a path that is too deep", [{ path: `package/${"d/".repeat(40)}x`, text: "x" }], "folders deep"],
    ["a file beside the wrapper", [{ path: "other/x", text: "x" }], "no package.json at its top"],
    [
      "10,000 files",
      Array.from({ length: 10_000 }, (_, n) => ({ path: `package/${n}`, text: "" })),
      "more than 5000 files",
    ],
    ["a header that claims a huge file", [{ path: "package/huge", text: "x", size: 60 * 1024 * 1024 }], "in one file"],
  ];
  it.each(cases)("%s", async (_, entries, why) => {
    const options = installOptions(sdk.path);
    await expect(installPlugin(tgz([...good, ...entries]), options)).rejects.toMatchObject({
      code: "PLUGIN_ARCHIVE",
      status: 422,
      message: expect.stringContaining(why),
    });
    expect(readdirSync(join(options.stateDir, "plugins"))).toEqual([]);
    expect(existsSync("/tmp/chela-evil.txt")).toBe(false);
    expect(existsSync("/tmp/evil.txt")).toBe(false);
  });

  const bodies: [string, () => Buffer, string][] = [
    [
      "a bomb inside one file",
      () => gzipSync(tar([...good, { path: "package/zeros", text: "\0".repeat(30 * 1024 * 1024) }])),
      "times its size",
    ],
    ["gzip inside gzip", () => gzipSync(gzipSync(tar(good))), "more than once"],
    ["what is no gzip", () => tar(good), "not a sound .tgz"],
    ["nothing", () => Buffer.alloc(0), "not a sound .tgz"],
    ["an empty archive", () => gzipSync(Buffer.alloc(1024)), "damaged"],
    ["a cut archive", () => gzipSync(tar(good)).subarray(0, 200), "not a sound .tgz"],
    ["noise", () => gzipSync(Buffer.from("x".repeat(5000))), "damaged"],
    ["a body that is cut", () => gzipSync(tar(good).subarray(0, 700)), "damaged"],
  ];
  it.each(bodies)("%s", async (_, make, why) => {
    const file = join(tempDir("hostile"), "plugin.tgz");
    writeFileSync(file, make());
    const options = installOptions(sdk.path);
    await expect(installPlugin(file, options)).rejects.toMatchObject({
      code: "PLUGIN_ARCHIVE",
      message: expect.stringContaining(why),
    });
    expect(readdirSync(join(options.stateDir, "plugins"))).toEqual([]);
  });

  it("does not read what follows the end of the archive", async () => {
    const file = join(tempDir("hostile"), "plugin.tgz");
    writeFileSync(file, gzipSync(Buffer.concat([tar(good), Buffer.alloc(64 * 1024 * 1024)])));
    await expect(installPlugin(file, installOptions(sdk.path))).resolves.toMatchObject({ id: "weather" });
  });

  it("stops at the byte limits it is given", async () => {
    const file = tgz([...good, { path: "package/a", text: "a".repeat(3000) }]);
    const to = (limits: object) => installPlugin(file, installOptions(sdk.path, { limits }));
    await expect(to({ bytes: 3000 })).rejects.toMatchObject({
      message: expect.stringContaining("more than 3000 bytes"),
    });
    await expect(to({ fileBytes: 2999 })).rejects.toMatchObject({ message: expect.stringContaining("at most 2999") });
    await expect(to({ packedBytes: 100 })).rejects.toMatchObject({ message: expect.stringContaining("at most 100") });
    await expect(to({ files: 2 })).rejects.toMatchObject({ message: expect.stringContaining("more than 2 files") });
    await expect(to({})).resolves.toMatchObject({ id: "weather" });
  });
});

describe("an archive of a working copy", () => {
  it("loses its links in node_modules, its npm settings and what macOS adds", async () => {
    const folder = join(tempDir("out"), "plugin");
    const file = tgz([
      ...good,
      { path: "package/node_modules/@chela/sdk", type: "SymbolicLink", linkpath: "/nowhere" },
      { path: "package/node_modules/.bin/x", type: "SymbolicLink", linkpath: "../x" },
      { path: "package/.npmrc", text: "git=/tmp/evil" },
      { path: "package/._index.js", text: "mac" },
      { path: "._package", text: "mac" },
    ]);
    await unpackTarball(file, folder, {
      files: 10,
      bytes: 1e6,
      fileBytes: 1e6,
      depth: 8,
      packedBytes: 1e6,
      ratio: 100,
    });
    expect(readdirSync(folder).sort()).toEqual(["index.js", "package.json"]);
  });

  it("loses its special mode bits", async () => {
    const folder = join(tempDir("out"), "plugin");
    await unpackTarball(tgz([{ path: "p/package.json", text: "{}", mode: 0o6777 }]), folder, {
      files: 10,
      bytes: 1e6,
      fileBytes: 1e6,
      depth: 8,
      packedBytes: 1e6,
      ratio: 100,
    });
    expect(statSync(join(folder, "package.json")).mode & 0o7777).toBe(0o644);
    expect(readFileSync(join(folder, "package.json"), "utf8")).toBe("{}");
  });
});

describe("a folder", () => {
  it.each(["link.js", "sub/link.js", "index.js"])("with the link %s is refused", async (name) => {
    const folder = tempDir("links");
    const files = pluginFiles();
    if (name === "index.js") delete files["index.js"];
    writeTree(folder, { ...files, "sub/x": "" });
    symlinkSync("/etc/passwd", join(folder, name));
    const options = installOptions(sdk.path);
    await expect(installPlugin(folder, options)).rejects.toMatchObject({
      code: "PLUGIN_ARCHIVE",
      message: expect.stringContaining("link"),
    });
    expect(readdirSync(join(options.stateDir, "plugins"))).toEqual([]);
  });

  it("keeps to the same limits", async () => {
    const folder = pluginFolder({ files: { "big.txt": "x".repeat(3000) } });
    await expect(installPlugin(folder, installOptions(sdk.path, { limits: { bytes: 3000 } }))).rejects.toMatchObject({
      code: "PLUGIN_ARCHIVE",
    });
  });
});
