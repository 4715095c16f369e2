/** A workspace that is no folder: everything that needs it says so and what to do, and it is right again when the disk is. */
import { mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import tools from "../../../plugins/tools/index.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { form, rig } from "./kit.ts";

const why = /(the workspace|a folder above the workspace) is a file: move the file away, or set workspace\.dir/;
const wanted: readonly (readonly [tool: string, args: Record<string, unknown>])[] = [
  ["read_file", { path: "a.txt" }],
  ["write_file", { path: "a.txt", content: "x" }],
  ["edit_file", { path: "a.txt", old_text: "a", new_text: "b" }],
  ["list_dir", {}],
  ["exec", { command: "echo hi" }],
  ["memory_get", { path: "a.md" }],
  ["memory_search", { query: "words" }],
  ["memory_write", { content: "remember" }],
];

describe.each([
  ["a file", "file"],
  ["below a file", "file/deeper/still"],
])("workspace.dir is %s", (_, below) => {
  async function blocked() {
    const file = join(tempDir(), "file");
    writeFileSync(file, "in the way");
    const settings = { dir: join(file, "..", below) };
    const one = await rig({
      settings,
      bootstrap: true,
      withStore: true,
      plugins: [tools, apiConfig],
      config: { tools: {} },
    });
    return { ...one, file };
  }

  it("every tool says what is wrong and what to do", async () => {
    const { post, host } = await blocked();
    for (const [tool, args] of wanted) {
      const reply = await post("/api/call", { method: "tools.invoke", params: { tool, args } });
      expect([tool, reply.json()]).toEqual([tool, { ok: true, result: expect.objectContaining({ ok: false }) }]);
      expect(reply.text, tool).toMatch(why);
    }
    const told = await post("/api/call", { method: "tools.invoke", params: { tool: "system_info", args: {} } });
    expect(told.json()).toMatchObject({ ok: true, result: { ok: true } });
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });

  it("so does every route, and it works as soon as the file has gone", async () => {
    const { get, post, remove, file, service } = await blocked();
    const replies = () =>
      Promise.all([
        get("/api/workspace_file?path=a.md"),
        get("/api/memory"),
        get("/api/memory?path=a.md"),
        get("/api/memory/search?query=x"),
        post("/api/workspace_file", { path: "a.md", content: "x" }),
        post("/api/memory", { path: "a.md", content: "x" }),
        remove("/api/memory?path=a.md"),
      ]);
    for (const { status, text } of await replies()) expect([status, text]).toEqual([503, expect.stringMatching(why)]);
    const health = await post("/api/call", { method: "gateway.health", params: {} });
    expect(health.text).toMatch(/is no folder|ENOTDIR/);
    expect(await service.documents()).toEqual([]);
    unlinkSync(file);
    expect((await post("/api/memory", { path: "a.md", content: "x" })).status).toBe(200);
    expect((await get("/api/memory?path=a.md")).status).toBe(200);
  });

  it("the first documents are not taken for made, and uploads do not need the folder", async () => {
    const { file, host, get, root } = await blocked();
    await until(() => host.logs().some(({ msg }) => /could not be prepared/.test(String(msg))));
    expect((await host.request("/api/upload", form("x"))).status).toBe(200);
    unlinkSync(file);
    await host.plugins.reload("workspace");
    await until(async () => (await get("/api/workspace_file?path=AGENTS.md")).text.includes('"found":true'));
    expect(root).toContain("file");
  });
});

it("a workspace that goes away and comes back all the time keeps nobody waiting", async () => {
  const { host, root, get, post } = await rig({ bootstrap: true });
  const away = `${root}-away`;
  mkdirSync(root, { recursive: true });
  for (let round = 0; round < 30; round += 1) {
    const asked = [get("/api/workspace_file?path=a/b/c/d.md"), post("/api/memory", { path: "a.md", content: "x" })];
    renameSync(root, away);
    await get("/api/workspace_file?path=x/y");
    rmSync(root, { recursive: true, force: true });
    renameSync(away, root);
    await Promise.all(asked);
  }
  await host.stop();
  expect(host.logs().filter(({ msg }) => /did not|still|release/i.test(String(msg)))).toEqual([]);
}, 60_000);
