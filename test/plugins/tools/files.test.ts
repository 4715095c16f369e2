/** read_file, write_file, edit_file, list_dir: what they do, and what they do not do for a hostile path or file. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTempDir, tempDir, writeTree } from "../../kit/temp.ts";
import { pauseFor } from "../../kit/until.ts";
import { type Bench, bench } from "./kit.ts";

let it1: Bench;
const outside = makeTempDir("outside");
beforeAll(async () => {
  it1 = await bench();
  writeTree(outside.path, { "secret.txt": "CANARY-outside" });
});
afterAll(async () => {
  await it1[Symbol.asyncDispose]();
  outside.remove();
});

const put = (path: string, content: string | Uint8Array) => {
  mkdirSync(join(it1.root, path, ".."), { recursive: true });
  writeFileSync(join(it1.root, path), content);
};
const bytes = (path: string) => readFileSync(join(it1.root, path));

describe("read_file", () => {
  it("shows a window of lines and says how to go on", async () => {
    put("a.txt", Array.from({ length: 10 }, (_, i) => `line ${i + 1}`).join("\n"));
    expect(await it1.ok("read_file", { path: "a.txt" })).toBe(bytes("a.txt").toString());
    const part = await it1.ok("read_file", { path: "a.txt", offset: 3, limit: 2 });
    expect(part).toBe("line 3\nline 4\n[lines 3 to 4 of 10; go on with offset 5]");
    expect(await it1.fails("read_file", { path: "a.txt", offset: 11 })).toContain("has 10 lines");
    put("empty.txt", "");
    expect(await it1.ok("read_file", { path: "empty.txt" })).toBe("empty.txt is empty.");
  });

  it("takes an absolute path below the workspace, and none beside it", async () => {
    put("b.txt", "inside");
    expect(await it1.ok("read_file", { path: join(it1.root, "b.txt") })).toBe("inside");
    for (const path of [
      join(outside.path, "secret.txt"),
      "../secret.txt",
      "a/../../x",
      "/etc/passwd",
      `${it1.root}x`,
      "a\0b",
      "..\\x",
    ]) {
      expect(await it1.fails("read_file", { path }), path).not.toContain("CANARY");
    }
  });

  it("follows no link that leads out, whether file, folder, or a link to a link", async () => {
    symlinkSync(join(outside.path, "secret.txt"), join(it1.root, "link.txt"));
    symlinkSync(outside.path, join(it1.root, "linkdir"));
    symlinkSync("linkdir", join(it1.root, "linklink"));
    for (const path of ["link.txt", "linkdir/secret.txt", "linklink/secret.txt"]) {
      expect(await it1.fails("read_file", { path }), path).not.toContain("CANARY");
      expect(await it1.fails("write_file", { path, content: "x" }), path).toContain("outside");
    }
    expect(await it1.fails("write_file", { path: "linkdir/new.txt", content: "x" })).toContain("outside");
    expect(await it1.fails("list_dir", { path: "linkdir" })).not.toContain("secret.txt");
    expect(readFileSync(join(outside.path, "secret.txt"), "utf8")).toBe("CANARY-outside");
  });

  it("refuses what is no regular file, without waiting for it", async () => {
    execFileSync("mkfifo", [join(it1.root, "pipe")]);
    mkdirSync(join(it1.root, "folder"));
    for (const path of ["pipe", "folder"]) {
      expect(await it1.fails("read_file", { path }), path).toMatch(/no regular file|folder/);
      expect(await it1.fails("edit_file", { path, old_text: "a", new_text: "b" }), path).toMatch(/no regular|folder/);
      expect(await it1.fails("write_file", { path, content: "x" }), path).toMatch(/no regular file|folder/);
    }
    expect(await it1.fails("read_file", { path: "nothing.txt" })).toContain("list_dir");
  });

  it("describes images and refuses other bytes", async () => {
    const png = Buffer.alloc(33);
    Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").copy(png);
    png.writeUInt32BE(640, 16);
    png.writeUInt32BE(480, 20);
    put("p.png", png);
    expect(await it1.ok("read_file", { path: "p.png" })).toContain("image/png, 640 x 480 pixels, 33 bytes");
    put("bin", Buffer.from([1, 2, 0, 3]));
    expect(await it1.fails("read_file", { path: "bin" })).toContain("is no text");
    put("latin1.txt", Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x20, 0x21]));
    expect(await it1.fails("read_file", { path: "latin1.txt" })).toContain("is no text");
    put("utf16.txt", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("héllo", "utf16le")]));
    expect(await it1.ok("read_file", { path: "utf16.txt" })).toBe("héllo");
  });

  it("is not worn down by huge files and lines", async () => {
    put("huge.bin", "");
    truncateSync(join(it1.root, "huge.bin"), 20_000_000_000);
    expect(await it1.fails("read_file", { path: "huge.bin" })).toContain("20000000000 bytes");
    put("long.txt", `${"x".repeat(3_000_000)}\nend`);
    const shown = await it1.ok("read_file", { path: "long.txt" });
    expect(shown).toContain("… [3000000 characters]\nend");
    expect(shown.length).toBeLessThan(3_000);
    put("many.txt", "y".repeat(99).concat("\n").repeat(50_000));
    const many = await it1.ok("read_file", { path: "many.txt", limit: 20_000 });
    expect(many.length).toBeLessThan(101_000);
    expect(many).toMatch(/go on with offset 1001\]$/);
  });
});

describe("what is wrong outside", () => {
  it("is no fault of the plugin: however often it happens, it goes on running", async () => {
    put("closed/x.txt", "x");
    put("file", "");
    for (let i = 0; i < 15; i += 1) {
      expect(await it1.fails("read_file", { path: "n".repeat(300) })).toContain("too long");
      expect(await it1.fails("write_file", { path: `${"n".repeat(300)}/x`, content: "" })).toContain("too long");
      expect(await it1.fails("read_file", { path: "file/below" })).toBeTruthy();
      expect(await it1.fails("write_file", { path: "file/below", content: "x" })).toBeTruthy();
      expect(await it1.fails("list_dir", { path: "file/below" })).toBeTruthy();
    }
    expect(it1.host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
    expect(it1.host.plugins.list().find(({ id }) => id === "tools")?.state).toBe("running");
  });
});

describe("write_file", () => {
  it("makes folders, replaces, appends, and keeps to its limit", async () => {
    expect(await it1.ok("write_file", { path: "x/y/z.txt", content: "one\n" })).toBe("Wrote 4 bytes to x/y/z.txt.");
    expect(await it1.ok("write_file", { path: "x/y/z.txt", content: "two\n", append: true })).toContain("has 8 now");
    expect(bytes("x/y/z.txt").toString()).toBe("one\ntwo\n");
    await it1.host.config.write([{ path: "tools.filesystem.max_write_bytes", value: 1_000 }], { who: "test" });
    expect(await it1.fails("write_file", { path: "big.txt", content: "x".repeat(1_001) })).toContain("at most 1000");
    expect(await it1.fails("write_file", { path: "x/y/z.txt", content: "x".repeat(995), append: true })).toContain(
      "1003",
    );
    await it1.host.config.write([{ path: "tools.filesystem.max_write_bytes", value: 10_000_000 }], { who: "test" });
  });

  it("loses nothing when many append to one file at once", async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => it1.ok("write_file", { path: "log.txt", content: `${i}\n`, append: true })),
    );
    expect(
      bytes("log.txt")
        .toString()
        .trim()
        .split("\n")
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });

  it("a folder that is swapped for a link meanwhile lets nothing out", async () => {
    const victim = tempDir("victim");
    mkdirSync(join(it1.root, "swap"));
    symlinkSync(victim, join(it1.root, "evil"));
    const at = (name: string) => join(it1.root, name);
    const writes = Array.from({ length: 100 }, (_, i) =>
      it1.run("write_file", { path: `swap/f${i}.txt`, content: "x" }),
    );
    let busy = true;
    const all = Promise.all(writes).finally(() => {
      busy = false;
    });
    while (busy) {
      renameSync(at("swap"), at("kept"));
      renameSync(at("evil"), at("swap"));
      await pauseFor(0);
      renameSync(at("swap"), at("evil"));
      renameSync(at("kept"), at("swap"));
      await pauseFor(0);
    }
    const answers = await all;
    expect(it1.host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
    expect(answers.some(({ ok }) => ok) || answers.some(({ output }) => /outside|changed/.test(output))).toBe(true);
    expect(execFileSync("ls", [victim]).toString()).toBe("");
  });
});

describe("edit_file", () => {
  it("replaces the one place that is named, and keeps line ends and a byte order mark", async () => {
    put("e.txt", "\ufeffone\r\ntwo\r\nthree\r\n");
    expect(await it1.ok("edit_file", { path: "e.txt", old_text: "one\ntwo", new_text: "1\n2\n2b" })).toContain(
      "1 place",
    );
    expect(bytes("e.txt").toString()).toBe("\ufeff1\r\n2\r\n2b\r\nthree\r\n");
  });

  it("names the lines of several places, and replaces them all only when told", async () => {
    put("m.txt", "a\nb\na\n");
    expect(await it1.fails("edit_file", { path: "m.txt", old_text: "a", new_text: "c" })).toContain(
      "2 times (lines 1, 3)",
    );
    expect(await it1.ok("edit_file", { path: "m.txt", old_text: "a", new_text: "$&", replace_all: true })).toContain(
      "2 places",
    );
    expect(bytes("m.txt").toString()).toBe("$&\nb\n$&\n");
  });

  it("shows the nearest place when there is none", async () => {
    put("n.ts", "function add(a, b) {\n\treturn a + b;\n}\n");
    const spaces = await it1.fails("edit_file", {
      path: "n.ts",
      old_text: "function add(a, b) {\n  return a + b;",
      new_text: "x",
    });
    expect(spaces).toContain("lines 1 to 2 differ only in white space:\nfunction add(a, b) {\n\treturn a + b;");
    const near = await it1.fails("edit_file", { path: "n.ts", old_text: "function sub(a, b) {", new_text: "x" });
    expect(near).toContain("the nearest is at line 1:\nfunction add(a, b) {");
  });

  it("finds the nearest place in the middle, and for a text that ends with its line", async () => {
    put("w.ts", "a\n\nif (x) {\n    y();\n}\nb\n");
    const spaces = await it1.fails("edit_file", { path: "w.ts", old_text: "if (x) {\n\ty();\n}\n", new_text: "" });
    expect(spaces).toContain("lines 3 to 5 differ only in white space:\nif (x) {\n    y();\n}");
  });

  it("does several edits, all or none", async () => {
    put("s.txt", "alpha beta gamma");
    const edits = [
      { old_text: "alpha", new_text: "A" },
      { old_text: "delta", new_text: "D" },
    ];
    expect(await it1.fails("edit_file", { path: "s.txt", edits })).toContain("edit 2: old_text is not in the file");
    expect(bytes("s.txt").toString()).toBe("alpha beta gamma");
    await it1.ok("edit_file", { path: "s.txt", edits: [edits[0], { old_text: "gamma", new_text: "G" }] });
    expect(bytes("s.txt").toString()).toBe("A beta G");
    expect(await it1.fails("edit_file", { path: "s.txt" })).toContain("give either");
    expect(await it1.fails("edit_file", { path: "s.txt", old_text: "", new_text: "x" })).toContain("empty");
  });

  it("loses no edit when many come at once, and answers soon for a hostile text", async () => {
    put("c.txt", Array.from({ length: 20 }, (_, i) => `<${i}>`).join("\n"));
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        it1.ok("edit_file", { path: "c.txt", old_text: `<${i}>`, new_text: `[${i}]` }),
      ),
    );
    expect(bytes("c.txt").toString()).toBe(Array.from({ length: 20 }, (_, i) => `[${i}]`).join("\n"));
    put("h.txt", `${" ".repeat(500_000)}\n`.repeat(4) + "a\n".repeat(100_000));
    const from = performance.now();
    await it1.fails("edit_file", { path: "h.txt", old_text: "a\n".repeat(5_000).concat("b"), new_text: "" });
    expect(performance.now() - from).toBeLessThan(5_000);
  });
});

describe("list_dir", () => {
  it("lists sizes, links and folders, below too when told, within its limits", async () => {
    const root = "listing";
    writeTree(join(it1.root, root), { "a.txt": "12345", "sub/b.txt": "1", "node_modules/x/y.js": "" });
    symlinkSync(outside.path, join(it1.root, root, "out"));
    expect(await it1.ok("list_dir", { path: root })).toBe("a.txt  5 B\nnode_modules/\nout (link)\nsub/");
    expect(await it1.ok("list_dir", { path: root, recursive: true })).toBe(
      "a.txt  5 B\nnode_modules/\nout (link)\nsub/\nsub/b.txt  1 B",
    );
    writeTree(join(it1.root, "crowd"), Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`f${i}`, ""])));
    const crowd = await it1.ok("list_dir", { path: "crowd" });
    expect(crowd.split("\n")).toHaveLength(1_001);
    expect(crowd).toContain("[cut at 1000 entries");
    put("odd/a\nb", "");
    expect(await it1.ok("list_dir", { path: "odd" })).toBe('"a\\nb"  0 B');
    expect(await it1.fails("list_dir", { path: "a.txt" })).toContain("is no folder");
    expect(await it1.fails("list_dir", { path: "../.." })).toContain("outside");
    expect(await it1.ok("list_dir")).toContain("listing/");
  });
});
