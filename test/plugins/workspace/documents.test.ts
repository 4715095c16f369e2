/** Documents of the workspace: made once, told in order, within caps, from memory, and wherever the workspace is moved. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Files, files, workspace } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import plugin from "../../../plugins/workspace/index.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { filesBelow, form, rig } from "./kit.ts";

const first = [
  "AGENTS.md",
  "BOOTSTRAP.md",
  "HEARTBEAT.md",
  "IDENTITY.md",
  "SOUL.md",
  "TOOLS.md",
  "USER.md",
  "memory/MEMORY.md",
];

const paths = (documents: readonly { readonly path: string }[]) => documents.map(({ path }) => path);

describe("a new workspace", () => {
  it("gets its documents in the background, once; what was deleted or changed stays so", async () => {
    const stateDir = tempDir("state");
    const start = async () => {
      const host = await startHost({ plugins: [plugin], stateDir });
      onTestFinished(() => host.stop());
      return host;
    };
    const host = await start();
    const root = host.service(workspace).root();
    await until(() => existsSync(join(root, "memory/MEMORY.md")));
    await until(() => existsSync(join(stateDir, "data/workspace/workspaces.json")));
    expect(filesBelow(root)).toEqual(first);
    for (const path of first) expect(readFileSync(join(root, path), "utf8").length).toBeLessThan(1_500);
    await host.stop();
    rmSync(join(root, "BOOTSTRAP.md"));
    writeFileSync(join(root, "SOUL.md"), "mine");
    const again = await start();
    await again.service(workspace).write("done.md", "x");
    await again.request("/api/workspace_docs");
    await again.stop();
    expect(filesBelow(root)).toEqual([...first.filter((path) => path !== "BOOTSTRAP.md"), "done.md"].sort());
    expect(readFileSync(join(root, "SOUL.md"), "utf8")).toBe("mine");
  });

  it("that has documents already is left alone", async () => {
    const stateDir = tempDir("state");
    mkdirSync(join(stateDir, "workspace"));
    writeFileSync(join(stateDir, "workspace/USER.md"), "Ada");
    const host = await startHost({ plugins: [plugin], stateDir });
    onTestFinished(() => host.stop());
    await until(() => existsSync(join(stateDir, "data/workspace/workspaces.json")));
    expect(readdirSync(join(stateDir, "workspace"))).toEqual(["USER.md"]);
  });
});

describe("what prompts begin with", () => {
  it("the documents in order; the introduction only while nobody is known", async () => {
    const { put, service } = await rig();
    expect(await service.documents()).toEqual([]);
    for (const name of ["TOOLS", "IDENTITY", "USER", "SOUL", "BOOT", "AGENTS", "BOOTSTRAP", "HEARTBEAT", "MEMORY"]) {
      await service.write(`${name}.md`, `\uFEFF${name}\n`);
    }
    const order = ["AGENTS.md", "BOOT.md", "SOUL.md", "USER.md", "IDENTITY.md", "TOOLS.md"];
    expect(paths(await service.documents())).toEqual(order);
    expect((await service.documents())[0]).toEqual({ path: "AGENTS.md", content: "AGENTS" });
    await service.write("USER.md", "\n");
    const stranger = order.filter((path) => path !== "USER.md");
    expect(paths(await service.documents())).toEqual([...stranger, "BOOTSTRAP.md"]);
    put("agents/red/AGENTS.md", "RED");
    expect((await service.documents("red"))[0]).toEqual({ path: "agents/red/AGENTS.md", content: "RED" });
    expect(paths(await service.documents("red"))).toEqual(["agents/red/AGENTS.md", ...stranger.slice(1)]);
  });

  it("the first documents as they were made count as nobody being known", async () => {
    const { root, service } = await rig({ bootstrap: true });
    await until(() => existsSync(join(root, "memory/MEMORY.md")));
    await until(async () => paths(await service.documents()).at(-1) === "BOOTSTRAP.md");
    await service.write("USER.md", "- Name: Ada\n");
    expect(paths(await service.documents())).toContain("BOOTSTRAP.md");
    await service.write("IDENTITY.md", "- Name: Krabbe\n");
    expect(paths(await service.documents())).not.toContain("BOOTSTRAP.md");
  });

  it("is cut where it is too long, with a mark, one by one and in all", async () => {
    const { host, service } = await rig({ settings: { prompt: { doc_chars: 1_000, total_chars: 1_500 } } });
    for (const name of ["AGENTS", "SOUL", "USER", "TOOLS"])
      await service.write(`${name}.md`, `${name} ${"🦀".repeat(600)}`);
    const documents = await service.documents();
    expect(paths(documents)).toEqual(["AGENTS.md", "SOUL.md", "USER.md", "TOOLS.md"]);
    for (const { content } of documents) {
      expect(content).toContain("[cut] ");
      expect(content).not.toMatch(/\p{Surrogate}/u);
    }
    expect(documents.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThan(2_000);
    await host.config.write([{ path: "workspace.prompt", value: { doc_chars: 5_000, total_chars: 50_000 } }], {
      who: "test",
    });
    for (const { content } of await service.documents()) expect(content).not.toContain("[cut]");
  });

  it("a document that is huge, a folder, or a link out does not stop the others", async () => {
    const { host, put, root, service } = await rig();
    put("AGENTS.md", "x".repeat(5_000_000));
    put("SOUL.md", "soul");
    mkdirSync(join(root, "USER.md"));
    writeFileSync(join(host.stateDir, "secret"), "secret");
    symlinkSync(join(host.stateDir, "secret"), join(root, "TOOLS.md"));
    const documents = await service.documents();
    expect(paths(documents)).toEqual(["AGENTS.md", "SOUL.md"]);
    expect(documents[0]?.content).toContain("[cut]");
  });

  it("is answered from memory, follows edits by hand, and what is written here at once", async () => {
    const { host, put, service } = await rig();
    put("AGENTS.md", "one");
    expect((await service.documents())[0]?.content).toBe("one");
    const reads = countReads(host.service(files));
    for (let i = 0; i < 1_000; i += 1) await service.documents();
    expect(reads()).toBe(0);
    put("AGENTS.md", "by hand");
    await until(async () => (await service.documents())[0]?.content === "by hand");
    await host.request("/api/workspace_file", { body: { path: "AGENTS.md", content: "over http" } });
    expect((await service.documents())[0]?.content).toBe("over http");
  });
});

describe("where the workspace is", () => {
  it("workspace.dir, else agents.defaults.workspace, else the state dir; moved while running", async () => {
    const [a, b] = [tempDir("a"), tempDir("b")];
    const { host, root, service } = await rig({ config: { agents: { defaults: { workspace: a } } } });
    expect(root).toBe(a);
    const set = (path: string, value: unknown) => host.config.write([{ path, value }], { who: "test" });
    await service.write("AGENTS.md", "in a");
    expect((await service.documents())[0]?.content).toBe("in a");
    writeFileSync(join(b, "AGENTS.md"), "in b");
    const { applied, restarted } = await set("workspace.dir", b);
    expect([applied, restarted]).toEqual([["workspace.dir"], []]);
    expect(service.root()).toBe(b);
    expect((await service.documents())[0]?.content).toBe("in b");
    writeFileSync(join(b, "AGENTS.md"), "changed in b");
    await until(async () => (await service.documents())[0]?.content === "changed in b");
    await set("workspace.dir", "");
    expect(service.root()).toBe(a);
    await set("agents.defaults.workspace", "inner/place");
    expect(service.root()).toBe(join(host.stateDir, "inner/place"));
    await set("workspace.dir", "~/chela-test-place");
    expect(service.root()).toBe(join(homedir(), "chela-test-place"));
    expect((await host.request("/api/workspace_docs")).json()).toMatchObject({ files: [] });
  });

  it("a workspace that is no folder: prompts go on without it, the routes say what is wrong, uploads work", async () => {
    const file = join(tempDir("place"), "file");
    writeFileSync(file, "not a folder");
    const { host, service } = await rig({ settings: { dir: file } });
    expect(await service.documents()).toEqual([]);
    expect(await service.recall()).toEqual([]);
    const why = expect.stringContaining(
      "the workspace is a file: move the file away, or set workspace.dir to a folder",
    );
    await expect(service.searchMemory("x", 5)).rejects.toMatchObject({ code: "WORKSPACE_REFUSED", message: why });
    for (const path of ["/api/workspace_docs", "/api/workspace_file", "/api/memory"]) {
      const body = path.endsWith("docs") ? {} : { body: { path: "a.md", content: "x" } };
      const reply = await host.request(path, body);
      expect([reply.status, reply.text]).toEqual([503, why]);
    }
    expect((await host.request("/api/upload", form("x"))).status).toBe(200);
    const checks = (await host.gateway.health()).checks.filter(({ plugin: id }) => id === "workspace");
    expect(checks).toMatchObject([{ name: "folder", ok: false, reason: "is no folder" }]);
    await host.config.write([{ path: "workspace.dir", value: "not/yet/there" }], { who: "test" });
    expect((await host.gateway.health()).checks.find(({ plugin: id }) => id === "workspace")).toMatchObject({
      ok: true,
    });
    expect(readFileSync(file, "utf8")).toBe("not a folder");
  });

  it("a workspace behind a link is its real folder", async () => {
    const real = tempDir("real");
    const link = join(tempDir("links"), "ws");
    symlinkSync(real, link);
    const { root, service } = await rig({ settings: { dir: link } });
    expect(root).toBe(real);
    await service.write("a.md", "x");
    expect(readFileSync(join(real, "a.md"), "utf8")).toBe("x");
  });
});

function countReads(service: Files): () => number {
  let reads = 0;
  const read = service.read.bind(service);
  (service as { read: Files["read"] }).read = (...args) => {
    reads += 1;
    return read(...args);
  };
  onTestFinished(() => {
    (service as { read: Files["read"] }).read = read;
  });
  return () => reads;
}
