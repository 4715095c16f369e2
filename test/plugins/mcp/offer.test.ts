/** The texts of the workspace and the skills at `/mcp`, as the official clients of both generations read them. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { definePlugin, skills, workspace } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect, it, onTestFinished } from "vitest";
import keys from "../../../plugins/keys/index.ts";
import workspacePlugin from "../../../plugins/workspace/index.ts";
import { until } from "../../kit/until.ts";
import { accept, mcpHost, newKey, rpc, slow } from "./kit.ts";

const options = { timeout: slow };
const base = "chela://workspace/";

function skillsPlugin() {
  const state = { list: [] as { name: string; description: string; path: string }[], changed: () => {} };
  const plugin = definePlugin({
    id: "fake-skills",
    version: "1.0.0",
    host: "^1.0.0",
    provides: [skills],
    setup: (ctx) => {
      ctx.provide(skills, { list: async () => state.list });
      state.changed = () => ctx.emit("skills_changed");
    },
  });
  return { state, plugin };
}

async function served() {
  const { state, plugin } = skillsPlugin();
  state.list = [
    { name: "weather", description: "Tells the weather.", path: "skills/weather/SKILL.md" },
    { name: "elsewhere", description: "Lies elsewhere.", path: "/etc/passwd" },
    { name: "outside", description: "Leaves.", path: "../config.json" },
  ];
  const { host } = await mcpHost(
    {},
    { port: 0, beside: [workspacePlugin, plugin, keys], settings: { workspace: { bootstrap: false } } },
  );
  const root = host.service(workspace).root();
  const put = (path: string, text: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put("SOUL.md", "kind");
  put("secret.md", "not a document");
  put("memory/MEMORY.md", "stays");
  put("memory/people/ada & bo.md", "tea");
  put("memory/picture.png", "png");
  put("skills/weather/SKILL.md", "# Weather\n\nLook out of the window.");
  await until(() => host.plugins.list().every(({ state: now }) => now === "running"), slow);
  return { host, put, root, state };
}

/** What both generations have in common. */
interface Reader {
  getServerCapabilities(): { resources?: object; prompts?: object; completions?: object } | undefined;
  complete(params: object): Promise<{ completion: { values: string[]; total?: number; hasMore?: boolean } }>;
  listResources(params?: { cursor: string }): Promise<{ resources: { uri: string }[]; nextCursor?: string }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>;
  readResource(params: { uri: string }): Promise<{ contents: object[] }>;
  subscribeResource(params: { uri: string }): Promise<unknown>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<{ messages: object[] }>;
  close(): Promise<void>;
}

const clients = { current: Client, newest: Client, previous: OldClient } as const;
type Generation = keyof typeof clients;
const generations = Object.keys(clients) as Generation[];

async function connected(host: TestHost, generation: Generation, token = host.token) {
  const url = new URL(`${host.url}/mcp`);
  const init = { requestInit: { headers: { authorization: `Bearer ${token}` } } };
  const about = { name: "test", version: "1.0.0" };
  const told: string[] = [];
  if (generation === "previous") {
    const client = new OldClient(about);
    client.fallbackNotificationHandler = async ({ method, params }) => void told.push(`${method} ${params?.uri ?? ""}`);
    await client.connect(new OldTransport(url, init) as never);
    onTestFinished(() => client.close());
    return { client: client as unknown as Reader, told };
  }
  const client = new Client(about, generation === "newest" ? { versionNegotiation: { mode: "auto" } } : {});
  client.fallbackNotificationHandler = async ({ method, params }) => void told.push(`${method} ${params?.uri ?? ""}`);
  await client.connect(new StreamableHTTPClientTransport(url, init));
  onTestFinished(() => client.close());
  return { client: client as unknown as Reader, told, modern: client };
}

it.each(generations)(
  "gives the %s client the documents and the memory, and nothing else",
  options,
  async (generation) => {
    const { host, root, put } = await served();
    symlinkSync("/etc/hostname", join(root, "memory/link.md"));
    const { client } = await connected(host, generation);
    expect(client.getServerCapabilities()).toMatchObject({ resources: { listChanged: true, subscribe: true } });
    const { resources, nextCursor } = await client.listResources();
    expect(nextCursor).toBeUndefined();
    expect(resources).toMatchObject([
      { uri: `${base}SOUL.md`, name: "SOUL.md", mimeType: "text/markdown", size: 4 },
      { uri: `${base}memory/MEMORY.md`, annotations: { lastModified: expect.stringMatching(/^20.*Z$/) } },
      { uri: `${base}memory/people/ada%20%26%20bo.md`, name: "memory/people/ada & bo.md" },
    ]);
    const read = async (uri: string) => (await client.readResource({ uri })).contents;
    for (const [index, text] of ["kind", "stays", "tea"].entries()) {
      const uri = resources[index]?.uri as string;
      expect(await read(uri)).toEqual([{ uri, mimeType: "text/markdown", text }]);
    }
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      { uriTemplate: `${base}memory/{+path}`, name: "memory" },
    ]);
    expect(await read(`${base}memory/people/ada & bo.md`)).toMatchObject([{ text: "tea" }]);
    for (const path of [
      ...[
        "secret.md",
        "USER.md",
        "memory/none.md",
        "memory/picture.png",
        "memory/link.md",
        "memory",
        "",
        "memory/a.md?x=1",
      ],
      ...[
        "memory/../secret.md",
        "memory/%2e%2e/secret.md",
        "memory/..%2fsecret.md",
        "%2Fetc%2Fpasswd.md",
        "memory/%ff.md",
      ],
      ...["memory/a%00.md", "skills/weather/SKILL.md", "../config.json", `memory/${"x".repeat(5000)}.md`],
    ])
      await expect(read(base + path), path).rejects.toMatchObject({ code: -32_602 });
    for (const uri of ["file:///etc/passwd", "chela://other/SOUL.md", "nothing", ""])
      await expect(read(uri), uri).rejects.toMatchObject({ code: -32_602 });
    put("USER.md", Buffer.alloc(4_194_305, "x"));
    const refused = read(`${base}USER.md`);
    await expect(refused).rejects.toMatchObject({ code: -32_603, message: expect.stringContaining("4194304") });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining(root) });
  },
);

it.each(generations)("gives the %s client the skills as prompts", options, async (generation) => {
  const { host, state } = await served();
  const { client } = await connected(host, generation);
  expect(client.getServerCapabilities()).toMatchObject({ prompts: { listChanged: true } });
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual(["outside", "weather"]);
  expect(prompts[1]).toMatchObject({
    description: "Tells the weather.",
    arguments: [{ name: "request", required: false }],
  });
  const told = (text: string) => [{ role: "user", content: { type: "text", text } }];
  const text = "# Weather\n\nLook out of the window.";
  expect(await client.getPrompt({ name: "weather" })).toMatchObject({
    description: "Tells the weather.",
    messages: told(text),
  });
  const asked = await client.getPrompt({ name: "weather", arguments: { request: "In Rome?" } });
  expect(asked.messages).toEqual(told(`${text}\n\nIn Rome?`));
  await expect(client.getPrompt({ name: "elsewhere" })).rejects.toMatchObject({ code: -32_602 });
  await expect(client.getPrompt({ name: "nothing" })).rejects.toMatchObject({ code: -32_602 });
  await expect(client.getPrompt({ name: "outside" })).rejects.toThrow(/invalid path/);
  state.list = [];
  await expect(client.getPrompt({ name: "weather" })).rejects.toMatchObject({ code: -32_602 });
});

it.each(generations)("completes the path of a note for the %s client", options, async (generation) => {
  const { host, put } = await served();
  const { client } = await connected(host, generation);
  expect(client.getServerCapabilities()).toMatchObject({ completions: {} });
  const template = { type: "ref/resource", uri: `${base}memory/{+path}` };
  const ask = async (value: string, name = "path", ref: object = template) =>
    (await client.complete({ ref, argument: { name, value } })).completion;
  expect(await ask("")).toEqual({ values: ["MEMORY.md", "people/ada & bo.md"], total: 2, hasMore: false });
  expect((await ask("people/")).values).toEqual(["people/ada & bo.md"]);
  expect((await ask("ada")).values).toEqual(["people/ada & bo.md"]);
  expect((await ask("memo")).values).toEqual(["MEMORY.md"]);
  expect((await ask("../SOUL")).values).toEqual([]);
  for (let index = 0; index < 150; index += 1) put(`memory/n${String(index).padStart(3, "0")}.md`, "x");
  const many = await ask("n");
  expect(many).toMatchObject({ total: 150, hasMore: true });
  expect(many.values).toHaveLength(100);
  expect((await ask("any", "request", { type: "ref/prompt", name: "weather" })).values).toEqual([]);
  for (const wrong of [
    ask("", "other"),
    ask("", "path", { type: "ref/resource", uri: "file:///{path}" }),
    ask("", "other", { type: "ref/prompt", name: "weather" }),
    ask("", "request", { type: "ref/prompt", name: "nothing" }),
  ])
    await expect(wrong).rejects.toMatchObject({ code: -32_602 });
});

it.each(generations)("gives the %s client long lists in pages", { timeout: slow * 2 }, async (generation) => {
  const { host, put, root } = await served();
  for (let index = 0; index < 1100; index += 1) put(`memory/n${String(index).padStart(4, "0")}.md`, "x");
  const { client } = await connected(host, generation);
  if (generation === "previous") {
    const first = await client.listResources();
    expect(first.resources).toHaveLength(1000);
    const last = first.resources.at(-1)?.uri as string;
    rmSync(join(root, decodeURIComponent(last.slice(base.length))));
    const second = await client.listResources({ cursor: first.nextCursor as string });
    expect(second.nextCursor).toBeUndefined();
    const uris = [first, second].flatMap(({ resources }) => resources.map(({ uri }) => uri));
    expect(uris).toHaveLength(1103);
    expect(new Set(uris).size).toBe(1103);
  } else expect((await client.listResources()).resources).toHaveLength(1103);
  for (const cursor of ["no cursor", "%%%", "=", "AA=="])
    await expect(client.listResources({ cursor }), cursor).rejects.toMatchObject({ code: -32_602 });
});

it.each(["current", "previous"] as const)("tells the %s client what changes", options, async (generation) => {
  const { host, put, state } = await served();
  const { client, told } = await connected(host, generation);
  const service = host.service(workspace);
  await client.subscribeResource({ uri: `${base}SOUL.md` });
  await expect(client.subscribeResource({ uri: "file:///x" })).rejects.toMatchObject({ code: -32_602 });
  // The stream for such messages is opened after the handshake.
  await until(async () => {
    await service.write("SOUL.md", `kinder ${Math.random()}`);
    return told.includes(`notifications/resources/updated ${base}SOUL.md`);
  }, slow);
  expect(told.filter((line) => line.includes("list_changed"))).toEqual([]);
  put("memory/new.md", "by hand");
  await until(() => told.includes("notifications/resources/list_changed "), slow);
  expect(told).not.toContain(`notifications/resources/updated ${base}memory/new.md`);
  state.changed();
  await until(() => told.includes("notifications/prompts/list_changed "), slow);
});

it("tells the newest client what it listens to", options, async () => {
  const { host, state } = await served();
  const { modern, told } = await connected(host, "newest");
  const service = host.service(workspace);
  const listening = await modern?.listen({
    resourcesListChanged: true,
    promptsListChanged: true,
    resourceSubscriptions: [`${base}SOUL.md`],
  });
  onTestFinished(() => listening?.close());
  await service.write("SOUL.md", "kinder");
  await until(() => told.includes(`notifications/resources/updated ${base}SOUL.md`), slow);
  await service.remember("something", "new.md");
  await until(() => told.includes("notifications/resources/list_changed "), slow);
  state.changed();
  await until(() => told.includes("notifications/prompts/list_changed "), slow);
});

it.each(generations)("announces to the %s client nothing that is not there", options, async (generation) => {
  const { host } = await mcpHost({}, { port: 0 });
  const { client } = await connected(host, generation);
  expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true } });
  for (const asked of [client.listResources(), client.listPrompts()])
    await asked.then(
      (list) => expect(Object.values(list).flat()).toEqual([]),
      (error) => expect(error).toMatchObject({ message: expect.any(String) }),
    );
  const body = rpc("resources/list");
  expect((await host.request("/mcp", { method: "POST", headers: accept, body })).text).toContain("-32601");
});

it("asks for the same right as the routes that read the same", options, async () => {
  const { host } = await served();
  const { client } = await connected(host, "current", await newKey(host, "reader"));
  expect((await client.listResources()).resources).toHaveLength(3);
  expect(await client.getPrompt({ name: "weather" })).toMatchObject({ messages: [{}] });
  const body = rpc("resources/read", { uri: `${base}SOUL.md` });
  const asked = await host.request("/mcp", { method: "POST", headers: accept, body, token: null });
  expect(asked).toMatchObject({ status: 401 });
  expect(asked.text).not.toContain("kind");
});
