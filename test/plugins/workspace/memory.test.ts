/** The memory: notes are kept whole, found again in every language, apart by agent, with and without an index. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, defineService, type Store, store as storeService } from "@chela/sdk";
import { describe, expect, it, vi } from "vitest";
import { until } from "../../kit/until.ts";
import { filesBelow, rig } from "./kit.ts";

function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}.md`;
}

describe("remember", () => {
  it("adds to the note of today under the time, and to a file on lines of its own", async () => {
    const { root, service } = await rig();
    const path = await service.remember("Ada likes tea.\r\nAnd cake.");
    expect(path).toBe(`memory/${today()}`);
    await service.remember("Bo came by.");
    const note = readFileSync(join(root, path), "utf8");
    expect(note).toMatch(
      /^# \d{4}-\d\d-\d\d\n\n## \d\d:\d\d\n\nAda likes tea\.\nAnd cake\.\n\n## \d\d:\d\d\n\nBo came by\.\n$/,
    );
    writeFileSync(join(root, "memory/people.md"), "- Ada");
    expect(await service.remember("- Bo", "people.md")).toBe("memory/people.md");
    expect(await service.remember("- Cy", "memory/people.md")).toBe("memory/people.md");
    expect(await service.readMemory("people.md")).toBe("- Ada\n- Bo\n- Cy\n");
  });

  it("fifty at once, into one note: all are there", async () => {
    const { service } = await rig();
    await Promise.all(Array.from({ length: 50 }, (_, i) => service.remember(`thought ${i}.`, "all.md")));
    const lines = ((await service.readMemory("all.md")) ?? "").split("\n").filter(Boolean);
    expect(lines.sort()).toEqual(Array.from({ length: 50 }, (_, i) => `thought ${i}.`).sort());
  });

  it("goes on from the MEMORY.md in the root where there is none in the folder", async () => {
    const { put, root, service } = await rig();
    put("MEMORY.md", "# Old\n");
    await service.remember("new fact", "MEMORY.md");
    expect(readFileSync(join(root, "memory/MEMORY.md"), "utf8")).toBe("# Old\nnew fact\n");
    expect(readFileSync(join(root, "MEMORY.md"), "utf8")).toBe("# Old\n");
    expect(await service.readMemory("MEMORY.md")).toBe("# Old\nnew fact\n");
  });

  it("nothing, too much, and paths that lead out are refused and leave nothing", async () => {
    const { host, root, service } = await rig();
    await expect(service.remember(" \n ")).rejects.toMatchObject({ status: 400 });
    await expect(service.remember("x".repeat(100_001))).rejects.toMatchObject({ status: 413 });
    for (const path of ["../x.md", "/etc/x.md", "..x", "a\\b.md"]) {
      await expect(service.remember("x", path)).rejects.toMatchObject({ code: "PATH_REFUSED" });
    }
    mkdirSync(join(root, "memory"), { recursive: true });
    symlinkSync(host.stateDir, join(root, "memory/out"));
    await expect(service.remember("x", "out/x.md")).rejects.toMatchObject({ code: "PATH_REFUSED" });
    expect(filesBelow(root)).toEqual([]);
  });
});

describe.each([
  ["with the index", true],
  ["without a store", false],
] as const)("searching %s", (_how, withStore) => {
  it("finds passages by all words, best first, with their place", async () => {
    const { put, service } = await rig({ withStore });
    put("memory/a.md", "# Servers\n\nThe deploy key lies on host alpha.\n\nThe printer is broken.\n");
    put("memory/deep/b.md", "deploy on Fridays: never\n\nsomething else\n");
    put("MEMORY.md", "Long term: the deploy key is rotated in May.\n");
    put("memory/raw.json", '{"deploy key": 1}');
    const hits = await service.searchMemory("deploy KEY", 10);
    expect(hits.map(({ path, line }) => [path, line]).sort()).toEqual([
      ["MEMORY.md", 1],
      ["memory/a.md", 3],
    ]);
    expect(hits[0]?.text).toContain("deploy key");
    expect((hits[0]?.score ?? 0) >= (hits[1]?.score ?? 0)).toBe(true);
    expect(await service.searchMemory("deploy", 1)).toHaveLength(1);
    expect(await service.searchMemory("nowhere-to-be-found-word", 10)).toEqual([]);
    expect(await service.searchMemory('" OR ( *', 10)).toEqual([]);
    expect(await service.searchMemory("", 10)).toEqual([]);
  });

  it("over HTTP, too", async () => {
    const { get, put } = await rig({ withStore });
    put("memory/a.md", "deploy key\n");
    put("agents/red/memory/a.md", "deploy key of red\n");
    const found = (await get("/api/memory/search?query=deploy%20key")).json() as { results: unknown[] };
    expect(found).toMatchObject({ ok: true, query: "deploy key" });
    expect(found.results).toMatchObject([{ path: "memory/a.md", line: 1, text: "deploy key" }]);
    const red = (await get("/api/memory/search?query=deploy&agent=red&limit=5")).json();
    expect(red).toMatchObject({ results: [{ path: "agents/red/memory/a.md" }] });
    expect((await get("/api/memory/search")).status).toBe(400);
    expect((await get("/api/memory/search?query=x&limit=0")).status).toBe(400);
  });

  it("finds what has most of the words where nothing has all", async () => {
    const { put, service } = await rig({ withStore });
    put("memory/a.md", "the cat sleeps\n\nthe dog and the cat play\n\nrain\n");
    const hits = await service.searchMemory("dog cat elephant", 10);
    expect(hits.map(({ line }) => line)).toEqual([3, 1]);
  });

  it("Chinese, Japanese and Korean, single characters included, and full-width letters", async () => {
    const { put, service } = await rig({ withStore });
    put("memory/cjk.md", "部署密钥放在阿尔法主机上。\n\n明日は東京で会議。\n\n서울에서 만나요\n\nＡＢＣ全角\n");
    for (const [words, line] of [
      ["密钥", 1],
      ["阿尔法主机", 1],
      ["京", 3],
      ["会議", 3],
      ["서울", 5],
      ["abc", 7],
    ] as const) {
      expect(
        (await service.searchMemory(words, 5)).map((hit) => hit.line),
        words,
      ).toEqual([line]);
    }
  });

  it("T9 memories of agents are apart: written, read and found by their own name only", async () => {
    const { root, service } = await rig({ withStore });
    await service.remember("shared word: mainsecret", "n.md");
    await service.remember("shared word: redsecret", "n.md", "red");
    await service.remember("shared word: bluesecret", "n.md", "blue");
    expect(filesBelow(root)).toEqual(["agents/blue/memory/n.md", "agents/red/memory/n.md", "memory/n.md"]);
    const found = async (agent?: string) =>
      (await service.searchMemory("shared word", 10, agent)).map(({ path }) => path);
    expect(await found()).toEqual(["memory/n.md"]);
    expect(await found("main")).toEqual(["memory/n.md"]);
    expect(await found("red")).toEqual(["agents/red/memory/n.md"]);
    expect(await found("blue")).toEqual(["agents/blue/memory/n.md"]);
    expect(await service.searchMemory("bluesecret", 10, "red")).toEqual([]);
    expect(await service.readMemory("n.md", "red")).toContain("redsecret");
    expect(await service.readMemory("n.md", "green")).toBeUndefined();
    for (const path of ["memory/n.md", "agents/red/memory/n.md"]) {
      expect(await service.readMemory(path, "red"), path).toContain("redsecret");
    }
    expect(await service.readMemory("agents/blue/memory/n.md", "red")).toBeUndefined();
  });

  it("follows what is written here at once, and edits by hand soon", async () => {
    const { put, root, service } = await rig({ withStore });
    await service.remember("the first word is apple", "n.md");
    expect(await service.searchMemory("apple", 5)).toHaveLength(1);
    await service.write("memory/n.md", "now it is banana\n");
    expect(await service.searchMemory("apple", 5)).toEqual([]);
    expect(await service.searchMemory("banana", 5)).toHaveLength(1);
    put("memory/n.md", "by hand: cherry\n");
    await until(async () => (await service.searchMemory("cherry", 5)).length === 1, 15_000);
    expect(await service.searchMemory("banana", 5)).toEqual([]);
    rmSync(join(root, "memory/n.md"));
    await until(async () => (await service.searchMemory("cherry", 5)).length === 0, 15_000);
  });

  it("a file that is no text, is huge, or is a link out is passed over", async () => {
    const { host, put, root, service } = await rig({ withStore });
    put("memory/ok.md", "needle one\n");
    put("memory/binary.md", Buffer.from([0x6e, 0x65, 0x65, 0x64, 0x6c, 0x65, 0x00, 0xff]));
    put("memory/huge.md", `needle ${"x".repeat(3_000_000)}`);
    writeFileSync(join(host.stateDir, "outside.md"), "needle outside\n");
    symlinkSync(join(host.stateDir, "outside.md"), join(root, "memory/link.md"));
    symlinkSync(root, join(root, "memory/loop"));
    expect((await service.searchMemory("needle", 10)).map(({ path }) => path)).toEqual(["memory/ok.md"]);
  });

  it("a line of a megabyte is found by its end and shown in part", async () => {
    const { put, service } = await rig({ withStore });
    put("memory/long.md", `${"x ".repeat(400_000)} lastword\n`);
    const [hit] = await service.searchMemory("lastword", 5);
    expect(hit?.line).toBe(1);
    expect(hit?.text.length).toBeLessThan(5_000);
  });
});

describe("the index", () => {
  it("is kept over a restart and brought up to date with what changed meanwhile", async () => {
    const first = await rig({ withStore: true });
    const { host, put, root } = first;
    put("memory/a.md", "alpha note\n");
    put("memory/b.md", "beta note\n");
    expect(await first.service.searchMemory("note", 5)).toHaveLength(2);
    await host.plugins.disable("workspace", "test");
    put("memory/a.md", "alpha changed\n");
    utimesSync(join(root, "memory/a.md"), new Date(), new Date(Date.now() + 5_000));
    rmSync(join(root, "memory/b.md"));
    await host.plugins.enable("workspace", "test");
    const again = host.service(defineService<typeof first.service>("workspace", "1.0.0"));
    expect((await again.searchMemory("changed", 5)).map(({ path }) => path)).toEqual(["memory/a.md"]);
    expect(await again.searchMemory("note", 5)).toEqual([]);
  });

  it("when it fails, the notes are read instead and the log says so", async () => {
    const broken = definePlugin({
      id: "broken-store",
      version: "1.0.0",
      host: "^1.0.0",
      provides: [storeService],
      setup: (ctx) =>
        ctx.provide(storeService, { migrate: () => Promise.reject(new Error("disk on fire")) } as unknown as Store),
    });
    const { host, put, service } = await rig({ plugins: [broken] });
    put("memory/a.md", "still here\n");
    expect(await service.searchMemory("still", 5)).toHaveLength(1);
    expect(host.logs().some(({ level, msg }) => level === "WARN" && String(msg).includes("read instead"))).toBe(true);
  });
});

describe("the recent memory for prompts", () => {
  it("is MEMORY.md, today and yesterday, of the agent that is asked for", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(2026, 2, 1, 0, 30) });
    try {
      const { put, service } = await rig();
      put("memory/2026-03-01.md", "first of March");
      put("memory/2026-02-28.md", "last of February");
      put("memory/2026-02-27.md", "too old");
      put("MEMORY.md", "lasting");
      put("agents/red/memory/2026-03-01.md", "red today");
      put("agents/red/MEMORY.md", "red lasting");
      expect((await service.recall()).map(({ path, content }) => [path, content])).toEqual([
        ["MEMORY.md", "lasting"],
        ["memory/2026-03-01.md", "first of March"],
        ["memory/2026-02-28.md", "last of February"],
      ]);
      expect((await service.recall("red")).map(({ content }) => content)).toEqual(["red lasting", "red today"]);
      expect(await service.recall("green")).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("of a note that is too long the end is told, and what is cut is marked", async () => {
    const { put, service } = await rig({ settings: { prompt: { doc_chars: 500, total_chars: 1_000 } } });
    put(`memory/${today()}`, `${"early\n".repeat(300)}the last line\n`);
    const [note] = await service.recall();
    expect(note?.content.startsWith("[cut] ")).toBe(true);
    expect(note?.content.endsWith("the last line")).toBe(true);
    expect(note?.content.length).toBeLessThan(700);
  });
});
