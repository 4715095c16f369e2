/** S-42, S-62 … S-69: nothing outside of the workspace, and nothing of the gateway itself where the workspace holds it. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeTempDir } from "../kit/temp.ts";
import { attacked, bearer, keyWith, send } from "./kit.ts";

const secret = "canary-of-the-config-4711";

async function start(dir: string, state: string): Promise<TestHost> {
  mkdirSync(join(state, "auth"), { recursive: true });
  writeFileSync(join(state, "auth", "claude.json"), JSON.stringify({ access_token: secret }), { mode: 0o600 });
  return attacked({
    stateDir: state,
    config: {
      workspace: { dir },
      models: { providers: { one: { api_base: "http://127.0.0.1:9/v1", api_key: secret, models: ["m"] } } },
      tools: { approvals: { exec: "deny" } },
    },
  });
}

function folder() {
  const dir = makeTempDir("workspace-attack");
  onTestFinished(() => dir.remove());
  return dir.path;
}

interface Probe {
  get(path: string): Promise<string>;
  tool(name: string, args: unknown): Promise<string>;
  write(path: string, content: string): Promise<number>;
}

async function probe(host: TestHost): Promise<Probe> {
  const [reader, writer] = [await keyWith(host, ["read"]), await keyWith(host, ["read", "write"])];
  const json = { ...bearer(writer), "content-type": "application/json" };
  return {
    get: async (path) => (await send(host, path, { headers: bearer(reader) })).text,
    tool: async (tool, args) =>
      (await send(host, "/v1/tools/invoke", { headers: json, body: JSON.stringify({ tool, args }) })).text,
    write: async (path, content) =>
      (await send(host, "/api/workspace_file", { headers: json, body: JSON.stringify({ path, content }) })).status,
  };
}

describe.each([
  [".", "", "the state dir itself"],
  ["..", "state/", "a folder that holds it"],
])("S-42: a workspace %s", (dir, below) => {
  it("shows and changes nothing that the gateway lives on", async () => {
    const base = folder();
    const state = join(base, "state");
    const host = await start(dir, state);
    const { get, tool, write } = await probe(host);
    for (const name of [
      "config.json",
      "auth/claude.json",
      "token",
      "gateway.json",
      "data/keys/keys.json",
      "chela.db",
      "plugins/x/index.js",
    ]) {
      const path = below + name;
      const before = name === "config.json" ? readFileSync(join(state, name), "utf8") : "";
      for (const text of [
        await get(`/api/workspace_file?path=${encodeURIComponent(path)}`),
        await get(`/api/workspace_file?encoding=base64&path=${encodeURIComponent(path)}`),
        await tool("read_file", { path }),
        await tool("read_file", { path: join(state, name) }),
      ]) {
        expect(text, path).not.toContain(secret);
        expect(text, path).not.toContain(Buffer.from(secret).toString("base64").slice(0, 12));
        expect(text, path).not.toMatch(/"found":true|"ok":true,"result"/);
      }
      expect(await write(path, "{}"), path).toBe(400);
      expect(await tool("write_file", { path, content: "{}" }), path).toContain("belongs to the gateway");
      expect(await tool("edit_file", { path, old_text: "4711", new_text: "1" }), path).toContain(
        "belongs to the gateway",
      );
      if (before) expect(readFileSync(join(state, name), "utf8")).toBe(before);
    }
  });
});

it("S-62, S-66: neither a path nor a link leads out, by whatever entrance", async () => {
  const base = folder();
  const state = join(base, "state");
  const root = join(state, "workspace");
  mkdirSync(join(root, "memory"), { recursive: true });
  writeFileSync(join(base, "outside.md"), secret);
  symlinkSync(join(base, "outside.md"), join(root, "link.md"));
  symlinkSync(join(base, "outside.md"), join(root, "memory", "link.md"));
  symlinkSync(join(base, "outside.md"), join(root, "SOUL.md"));
  symlinkSync(base, join(root, "folder"));
  symlinkSync(join(base, "new.md"), join(root, "dangling.md"));
  const host = await start("", state);
  const { get, tool, write } = await probe(host);
  const paths = [
    "link.md",
    "folder/outside.md",
    "folder/state/config.json",
    "../config.json",
    "a/../../config.json",
    "./../config.json",
    "..%2fconfig.json",
    join(base, "outside.md"),
    "memory/../../config.json",
    "SOUL.md",
    "dangling.md",
    "folder/new.md",
    "memory/link.md",
  ];
  for (const path of paths) {
    const text = encodeURIComponent(path);
    for (const answer of [
      await get(`/api/workspace_file?path=${text}`),
      await get(`/api/workspace_docs?path=${text}`),
      await get(`/api/memory?path=${text}`),
      await get(`/api/memory?path=${text}&agent=${encodeURIComponent("../..")}`),
      await tool("read_file", { path }),
      await tool("memory_get", { path }),
      await tool("list_dir", { path }),
    ])
      expect(answer, path).not.toContain(secret);
    if (path === "..%2fconfig.json") continue;
    expect(await write(path, "owned"), path).toBe(400);
    await tool("write_file", { path, content: "owned" });
    await tool("memory_write", { path, content: "owned" });
  }
  expect(readFileSync(join(base, "outside.md"), "utf8")).toBe(secret);
  expect(readFileSync(join(state, "config.json"), "utf8")).toContain(secret);
  expect(() => readFileSync(join(base, "new.md"))).toThrow("ENOENT");
});

it("S-64, S-65, S-69: an upload is what was sent as one, and a file that a message names lies inside", async () => {
  const base = folder();
  const state = join(base, "state");
  const host = await start("", state);
  const headers = bearer(host.token);
  const shapes = [
    [
      "application/json",
      JSON.stringify({ files: [{ field: "file", path: join(state, "config.json"), name: "x", size: 1 }] }),
    ],
    ["application/json", JSON.stringify({ file: { filepath: "/etc/passwd" } })],
    ["application/x-www-form-urlencoded", "file=/etc/passwd"],
    [
      "multipart/form-data; boundary=x",
      '--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n/etc/passwd\r\n--x--\r\n',
    ],
  ] as const;
  for (const [type, body] of shapes) {
    const { status, text } = await send(host, "/api/upload", { headers: { ...headers, "content-type": type }, body });
    expect([400, 415], text).toContain(status);
  }
  const page =
    '--x\r\ncontent-disposition: form-data; name="file"; filename="../../../a\\"\r\nb.html"\r\ncontent-type: text/html\r\n\r\n<script>alert(1)</script>\r\n--x--\r\n';
  const sent = await send(host, "/api/upload", {
    headers: { ...headers, "content-type": "multipart/form-data; boundary=x" },
    body: page.replace('\\"\r\n', ""),
  });
  const { url, path } = JSON.parse(sent.text) as { url: string; path: string };
  expect(path.startsWith(join(state, "data", "workspace", "uploads"))).toBe(true);
  const got = await send(host, url, { headers });
  expect(got.headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "content-disposition": expect.stringMatching(/^attachment;/),
  });
  expect(got.headers["content-security-policy"]).toContain("sandbox");
  for (const id of ["..", "%2e%2e", "../config.json", `${"0".repeat(32)}/../..`])
    expect((await send(host, `/api/upload/${encodeURIComponent(id)}`, { headers })).status).toBeGreaterThanOrEqual(400);
});
