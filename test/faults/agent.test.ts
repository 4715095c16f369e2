/** Whatever an upstream, the disk or the workspace does: who asked gets an answer or a clear error in time, and the next turn works. */
import { chmodSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { DatabaseSync } from "@photostructure/sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../kit/until.ts";
import { models } from "../simulators/openai/behaviour.ts";
import { startUpstream } from "../simulators/openai/upstream.ts";

const folder = join(import.meta.dirname, "../../plugins");
const plugins: Plugin[] = await Promise.all(
  readdirSync(folder).map(
    async (id) => ((await import(`../../plugins/${id}/index.ts`)) as { default: Plugin }).default,
  ),
);
const names = Object.keys(models);

async function started(config: Readonly<Record<string, unknown>> = {}): Promise<TestHost> {
  const host = await startHost({ plugins, config, env: { CHELA_DISCOVERY: "off" } });
  onTestFinished(() => host.stop());
  return host;
}

const say = (host: TestHost, session: string, message: string) =>
  host.request("/api/chat", { body: { session, message }, headers: { "content-type": "application/json" } });

async function expectReply(host: TestHost, session: string, text: string): Promise<void> {
  const reply = await say(host, session, `/echo ${text}`);
  expect(reply.status, reply.text).toBe(200);
  expect(reply.json()).toMatchObject({ reply: text });
}

describe("an upstream that does anything at all", () => {
  it.each(["/api/chat", "/v1/chat/completions", "/v1/responses"])(
    "costs %s one answer, and no lane",
    async (path) => {
      const upstream = await startUpstream();
      onTestFinished(() => upstream.close());
      const agents = Object.fromEntries(names.map((name) => [name, { model: `sim/${name}` }]));
      const host = await started({
        models: {
          providers: { sim: { api_base: upstream.base, auth: "none", models: names, timeout_sec: 2 } },
          request_timeout_sec: 4,
        },
        agents: {
          defaults: { model: { primary: "offline/offline" }, turn_timeout_sec: 6, max_tool_iterations: 3 },
          entries: agents,
          router: { enabled: true, allow_direct_agent_chat: true, strategy: "manual", sticky_thread_owner: false },
        },
      });
      await Promise.all(
        names.map(async (name) => {
          const from = performance.now();
          const reply = await ask(host, path, name);
          expect(performance.now() - from, name).toBeLessThan(25_000);
          if (reply.status !== 200) expect(reply.text.length, name).toBeGreaterThan(10);
          expect(reply.text, name).not.toContain("internal error");
          expect(reply.text, name).not.toMatch(/\n\s+at /);
          await expectReply(host, `fault-${name}`, `after ${name}`);
        }),
      );
      await until(async () => (await load(host)).running === 0, 10_000, "all lanes to be free");
      expect(await load(host)).toMatchObject({ ok: true, running: 0, waiting: 0 });
    },
    60_000,
  );
});

function ask(host: TestHost, path: string, name: string) {
  const headers = { "content-type": "application/json", "x-openclaw-session-key": `fault-${name}` };
  if (path === "/api/chat") return say(host, `fault-${name}`, `@${name} hello`);
  const model = `chela/${name}`;
  const body = path.endsWith("responses")
    ? { model, input: "hello", stream: true }
    : { model, messages: [{ role: "user", content: "hello" }], stream: true };
  return host.request(path, { body, headers });
}

async function load(host: TestHost): Promise<Readonly<Record<string, unknown>>> {
  const { checks } = await host.gateway.health();
  return checks.find(({ plugin, name }) => plugin === "chat" && name === "agent") ?? {};
}

function databaseOf(host: TestHost): string {
  const found = readdirSync(host.stateDir, { recursive: true }).map(String);
  return join(host.stateDir, found.find((name) => name.endsWith("chela.db")) ?? "no database");
}

describe("a store that", () => {
  it("another process holds locked is a clear error within the limit, and works again once it lets go", async () => {
    const host = await started({ store: { busy_ms: 300 } });
    await expectReply(host, "main", "before");
    const other = new DatabaseSync(databaseOf(host));
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    const refused = await Promise.all(Array.from({ length: 8 }, (_, i) => say(host, `s${i % 2}`, "/echo hello")));
    for (const { status, text } of refused) {
      expect(status, text).toBeGreaterThanOrEqual(500);
      expect(text).toMatch(/database/);
    }
    other.exec("ROLLBACK");
    for (const session of ["main", "s0", "s1"]) await expectReply(host, session, "after");
    expect(await load(host)).toMatchObject({ running: 0, waiting: 0 });
  });
});

describe("a workspace that", () => {
  const steps = (text: string) => `/steps\nwrite_file {"path":"notes/a.txt","content":"${text}"}\nsay wrote: {{last}}`;

  it("is deleted while it is used comes back with the next write, and no turn fails", async () => {
    const host = await started();
    expect((await say(host, "main", steps("one"))).json()).toMatchObject({ reply: expect.stringContaining("wrote") });
    rmSync(join(host.stateDir, "workspace"), { recursive: true });
    await expectReply(host, "main", "still here");
    expect((await host.request("/api/memory")).status).toBe(200);
    expect((await host.request("/api/memory/search?query=one")).status).toBe(200);
    const again = await say(host, "main", steps("two"));
    expect(again.status, again.text).toBe(200);
    const read = await host.request("/api/workspace_file?path=notes/a.txt");
    expect(read.json()).toMatchObject({ content: "two" });
    const ran = await host.request("/tools/invoke", {
      body: { tool: "exec", args: { command: "pwd" } },
      headers: { "content-type": "application/json" },
    });
    expect(ran.status, ran.text).toBeLessThan(500);
  });

  it("became a file is told to the model and to clients, and the turn goes on", async () => {
    const host = await started();
    await expectReply(host, "main", "before");
    const path = join(host.stateDir, "workspace");
    rmSync(path, { recursive: true, force: true });
    writeFileSync(path, "not a folder");
    const told = await say(host, "main", steps("one"));
    expect(told.status, told.text).toBe(200);
    const refused = await host.request("/api/memory", {
      body: { path: "a.md", content: "x" },
      headers: { "content-type": "application/json" },
    });
    expect(refused.status, refused.text).toBeGreaterThanOrEqual(400);
    expect(refused.text).not.toContain("internal error");
    renameSync(path, `${path}.was`);
    await expectReply(host, "main", "after");
    expect((await say(host, "main", steps("two"))).text).toContain("wrote");
  });

  it.runIf(process.getuid?.() !== 0)("may not be written to is told to the model, and the turn goes on", async () => {
    const host = await started();
    const path = join(host.stateDir, "workspace");
    await say(host, "main", steps("one"));
    chmodSync(path, 0o500);
    onTestFinished(() => chmodSync(path, 0o700));
    expect((await say(host, "main", steps("two"))).status).toBe(200);
    await expectReply(host, "main", "after");
  });
});
