/** ClawGo's memory, workspace and upload routes (§1.7, §1.10, §11: A13, A14): statuses, texts and fields as its clients know them. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, form, rig } from "../plugins/workspace/kit.ts";

const plain = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };

describe("/api/memory", () => {
  it("A13 lists and reads files of the memory folder only", async () => {
    const { get, put } = await rig();
    put("MEMORY.md", "root\n");
    put("README.md", "root too\n");
    put("memory/b.md", "b\n");
    put("memory/2026-05-10.md", "day\n");
    put("memory/trigger-stats.json", "{}");
    put("memory/deep/inner.md", "inner\n");
    const list = await get("/api/memory");
    expect(list.status).toBe(200);
    expect(list.headers["content-type"]).toBe("application/json");
    expect(list.json()).toMatchObject({ ok: true, files: ["2026-05-10.md", "b.md", "trigger-stats.json"] });
    expect(list.text.endsWith("\n")).toBe(true);
    expect((await get("/api/memory?path=b.md")).json()).toMatchObject({ ok: true, path: "b.md", content: "b\n" });
    expect((await get("/api/memory?path=README.md")).status).toBe(500);
    expect((await get("/api/memory?path=deep/inner.md")).json()).toMatchObject({ content: "inner\n" });
  });

  it("lists nothing where there is no folder yet", async () => {
    const { get } = await rig();
    expect((await get("/api/memory")).json()).toMatchObject({ ok: true, files: [] });
  });

  it("MEMORY.md is the one of the memory folder, else the one in the root", async () => {
    const { get, put } = await rig();
    put("MEMORY.md", "root\n");
    expect((await get("/api/memory?path=MEMORY.md")).json()).toMatchObject({ path: "MEMORY.md", content: "root\n" });
    put("memory/MEMORY.md", "folder\n");
    expect((await get("/api/memory?path=MEMORY.md")).json()).toMatchObject({ path: "MEMORY.md", content: "folder\n" });
  });

  it("a file that is not there is a 500 with a text", async () => {
    const { get, remove } = await rig();
    for (const reply of [await get("/api/memory?path=no.md"), await remove("/api/memory?path=no.md")]) {
      expect([reply.status, reply.text]).toEqual([500, "file does not exist\n"]);
      expect(reply.headers).toMatchObject(plain);
    }
  });

  it("writes, overwrites and deletes", async () => {
    const { get, post, remove, root } = await rig();
    const first = await post("/api/memory", { path: " ./notes.md ", content: "Remember this." });
    expect(first.json()).toMatchObject({ ok: true, path: "notes.md" });
    expect(readFileSync(join(root, "memory/notes.md"), "utf8")).toBe("Remember this.");
    expect((await post("/api/memory", { path: "notes.md", content: "" })).status).toBe(200);
    expect((await get("/api/memory?path=notes.md")).json()).toMatchObject({ content: "" });
    const gone = await remove("/api/memory?path=notes.md");
    expect(gone.json()).toEqual({ ok: true, deleted: true, path: "notes.md" });
    expect(filesBelow(root)).toEqual([]);
  });

  it("does not make the folders of a path, and says so with a 400", async () => {
    const { post, root } = await rig();
    const reply = await post("/api/memory", { path: "no/such/notes.md", content: "x" });
    expect([reply.status, reply.text]).toEqual([400, "no/such/notes.md: no such file or directory\n"]);
    expect(filesBelow(root)).toEqual([]);
    mkdirSync(join(root, "memory/is/there"), { recursive: true });
    expect((await post("/api/memory", { path: "is/there/notes.md", content: "x" })).status).toBe(200);
  });

  it.each(["", ".", "..", "../x.md", "a/../../x.md", "/etc/passwd", "..foo", "a\\b.md", "a\0b.md"])(
    "refuses the path %j",
    async (path) => {
      const { get, post, remove } = await rig();
      const query = `/api/memory?path=${encodeURIComponent(path)}`;
      const replies = [await post("/api/memory", { path, content: "x" }), await remove(query)];
      if (path !== "") replies.push(await get(query));
      for (const reply of replies) expect([reply.status, reply.text]).toEqual([400, "invalid path\n"]);
    },
  );

  it("reads bodies as Go does: letter case does not matter, null is empty, a wrong type is invalid json", async () => {
    const { get, host, post } = await rig();
    expect((await post("/api/memory", { PATH: "a.md", Content: "A", more: 1 })).status).toBe(200);
    expect((await post("/api/memory", { path: "b.md", content: null })).status).toBe(200);
    expect((await get("/api/memory?path=b.md")).json()).toMatchObject({ content: "" });
    for (const body of ["{", '{"path":1,"content":"x"}', "[]", "7", ""]) {
      const reply = await host.request("/api/memory", { method: "POST", body });
      expect([body, reply.status, reply.text]).toEqual([body, 400, "invalid json\n"]);
    }
  });

  it("other methods are 405, strangers are 401", async () => {
    const { host } = await rig();
    for (const path of ["/api/memory", "/api/workspace_file", "/api/workspace_docs", "/api/upload"]) {
      const put = await host.request(path, { method: "PUT", body: "{}" });
      expect([path, put.status, put.text]).toEqual([path, 405, "method not allowed\n"]);
      expect((await host.request(path, { token: null })).status).toBe(401);
    }
  });
});

describe("memories of agents", () => {
  it.each([true, false])("T9 namespaces isolate writing and searching (with the store: %s)", async (withStore) => {
    const { service } = await rig({ withStore });
    await service.remember("the plan is alpha", "plan.md");
    await service.remember("the plan is beta", "plan.md", "research");
    await service.remember("the plan is gamma", "plan.md", "Research");
    const plans = async (agent?: string) => (await service.searchMemory("plan", 10, agent)).map(({ text }) => text);
    expect(await plans()).toEqual(["the plan is alpha"]);
    expect(await plans("research")).toEqual(["the plan is beta"]);
    expect(await plans("Research")).toEqual(["the plan is gamma"]);
    expect(await plans("../research")).toEqual([]);
    expect(await service.readMemory("plan.md", "research")).toBe("the plan is beta\n");
  });
});

describe("/api/workspace_file", () => {
  it("tells what is not there by found", async () => {
    const { get, put } = await rig();
    const missing = await get("/api/workspace_file?path=notes/today.md");
    expect(missing.status).toBe(200);
    expect(missing.json()).toEqual({ ok: true, path: "notes/today.md", found: false, content: "" });
    put("notes/today.md", "héllo\n");
    const there = await get("/api/workspace_file?path=notes//./today.md");
    expect(there.json()).toMatchObject({ ok: true, path: "notes/today.md", found: true, content: "héllo\n" });
  });

  it("writes and makes the folders", async () => {
    const { post, root } = await rig();
    const reply = await post("/api/workspace_file", { path: "a/b/c.md", content: "deep" });
    expect(reply.json()).toMatchObject({ ok: true, path: "a/b/c.md", saved: true });
    expect(readFileSync(join(root, "a/b/c.md"), "utf8")).toBe("deep");
  });

  it("a folder, a name that is too long, a file in the place of a folder: 400 with a text", async () => {
    const { get, post, put } = await rig();
    put("folder/file.md", "x");
    for (const path of ["folder", "x".repeat(300), "folder/file.md/below.md"]) {
      const written = await post("/api/workspace_file", { path, content: "x" });
      expect([path.slice(0, 30), written.status]).toEqual([path.slice(0, 30), 400]);
      expect(written.headers).toMatchObject(plain);
    }
    expect((await get("/api/workspace_file?path=folder")).status).toBe(400);
  });

  it("never follows a link out of the workspace", async () => {
    const { get, host, post, root } = await rig();
    mkdirSync(root, { recursive: true });
    writeFileSync(join(host.stateDir, "secret.txt"), "secret");
    symlinkSync(join(host.stateDir, "secret.txt"), join(root, "link.txt"));
    symlinkSync(host.stateDir, join(root, "out"));
    for (const path of ["link.txt", "out/secret.txt", "out/new.txt"]) {
      const read = await get(`/api/workspace_file?path=${path}`);
      expect([path, read.status, read.text]).toEqual([path, 400, "invalid path\n"]);
      const written = await post("/api/workspace_file", { path, content: "mine" });
      expect([path, written.status, written.text]).toEqual([path, 400, "invalid path\n"]);
    }
    expect(readFileSync(join(host.stateDir, "secret.txt"), "utf8")).toBe("secret");
  });
});

describe("/api/workspace_docs", () => {
  it("A14 lists the documents that exist, in a fixed order, and reads them by path", async () => {
    const { get, put } = await rig();
    for (const name of ["USER.md", "AGENTS.md", "SOUL.md", "MEMORY.md", "OTHER.md", "BOOT.md"]) put(name, `${name}\n`);
    const list = await get("/api/workspace_docs");
    expect(list.json()).toMatchObject({ ok: true, files: ["AGENTS.md", "BOOT.md", "MEMORY.md", "SOUL.md", "USER.md"] });
    const one = await get("/api/workspace_docs?path=AGENTS.md");
    expect(one.json()).toMatchObject({ ok: true, path: "AGENTS.md", content: "AGENTS.md\n" });
    for (const path of ["OTHER.md", "agents.md", "../AGENTS.md", "memory/MEMORY.md"]) {
      const reply = await get(`/api/workspace_docs?path=${encodeURIComponent(path)}`);
      expect([path, reply.status, reply.text]).toEqual([path, 400, "invalid path\n"]);
    }
    const missing = await get("/api/workspace_docs?path=TOOLS.md");
    expect([missing.status, missing.text]).toEqual([500, "file does not exist\n"]);
  });
});

describe("/api/upload", () => {
  it("takes a multipart file and answers with its path and name", async () => {
    const { host } = await rig();
    const reply = await host.request("/api/upload", form("some notes\n", { name: "notes.txt" }));
    expect(reply.status, reply.text).toBe(200);
    const { ok, path, name } = reply.json() as { ok: boolean; path: string; name: string };
    expect([ok, name, isAbsolute(path)]).toEqual([true, "notes.txt", true]);
    expect(readFileSync(path, "utf8")).toBe("some notes\n");
    expect(path).toMatch(/\/uploads\/[0-9a-f]{32}\/notes\.txt$/);
  });

  it("without a file of that name it is `file required`", async () => {
    const { host } = await rig();
    const replies = [
      await host.request("/api/upload", form("x", { field: "other" })),
      await host.request("/api/upload", { method: "POST" }),
      await host.request("/api/upload", { body: { file: "x" } }),
    ];
    for (const reply of replies) expect([reply.status, reply.text]).toEqual([400, "file required\n"]);
    expect(filesBelow(join(host.stateDir, "data")).filter((path) => path.includes("uploads"))).toEqual([]);
  });
});
