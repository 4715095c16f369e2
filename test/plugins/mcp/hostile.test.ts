/** Servers that misbehave: nothing hangs, memory stays bounded, the gateway and its other servers go on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mcp } from "@chela/sdk";
import { expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { hostileServer, isAlive, mcpHost, rowOf, slow, stdio } from "./kit.ts";

const server = (mode: string, ...more: string[]) => stdio(hostileServer, [mode, ...more]);
const options = { timeout: slow * 2 };

it("keeps the good tools of a server that lists bad ones, and says what is wrong with those", options, async () => {
  const { call, row, tool } = await mcpHost({ ugly: server("ugly") });
  const fine = await tool("mcp__ugly__fine");
  expect(fine.about).toBe("Does good things. (MCP server: ugly, remote tool: fine)");
  const { tools, refused } = await row("ugly", ({ state }) => state === "up");
  expect(tools).toEqual(["mcp__ugly__fine", "mcp__ugly__cycle", "mcp__ugly__loop", "mcp__ugly__slow"]);
  expect(refused).toEqual([
    { tool: "redname", reason: "its name is not plain text of 1 to 256 characters" },
    { tool: "fine", reason: "the server lists it twice; the first one counts" },
    { tool: "banana", reason: "its input schema names a type that is none" },
    { tool: "elsewhere", reason: "its input schema refers to another document" },
    { tool: "text", reason: "its input schema is no object" },
    { tool: "deep", reason: "its input schema is nested deeper than 24 levels" },
    { tool: "bomb", reason: expect.stringMatching(/nested deeper|larger than/) },
    { tool: "(no name)", reason: expect.stringContaining("its name is not plain text") },
    { tool: "(no name)", reason: expect.stringContaining("its name is not plain text") },
  ]);
  for (const name of ["cycle", "loop"])
    expect(await call(`mcp__ugly__${name}`, { next: { next: {} } })).toEqual({ ok: true, output: "done" });
  const from = performance.now();
  expect(await call("mcp__ugly__slow", { a: `${"a".repeat(40)}!` })).toMatchObject({ ok: true });
  expect(performance.now() - from).toBeLessThan(5000);
  expect((await tool("mcp__ugly__slow")).input).toMatchObject({
    properties: { a: { description: "Must match ^(a+)+$" } },
  });
});

it("takes 256 of ten thousand tools", options, async () => {
  const { row } = await mcpHost({ many: server("many") });
  const { tools, refused } = await row("many", ({ state }) => state === "up");
  expect(tools).toHaveLength(256);
  expect(refused[0]?.reason).toBe("the server lists more than 256 tools");
  expect(refused.length).toBeLessThanOrEqual(50);
});

it("refuses an answer of 50 MB and goes on with the server", options, async () => {
  const { call, tool, row } = await mcpHost({ huge: server("huge") });
  await tool("mcp__huge__work");
  const { pid } = await row("huge");
  const refused = await call("mcp__huge__work");
  expect(refused).toMatchObject({
    ok: false,
    output: expect.stringMatching(/the answer has 5\d+ bytes; at most 16777216 are taken/),
  });
  expect(await row("huge")).toMatchObject({ state: "up", pid });
});

it.each(["flood", "junk", "endless", "stderr"])(
  "gives up a server that does not stop talking (%s)",
  options,
  async (mode) => {
    const { host, call, tool } = await mcpHost({ bad: server(mode), good: server("good") });
    await until(
      () => rowOf(host, "bad")?.reason.match(/it sent more than|does not start/),
      slow,
      "the end of the flood",
    );
    await tool("mcp__good__work");
    expect(await call("mcp__good__work")).toEqual({ ok: true, output: "done" });
    expect((await host.request("/api/nothing")).status).toBe(404);
  },
);

it("does not wait for a server that never answers its handshake", options, async () => {
  const { host, call, row } = await mcpHost({ mute: server("mute"), good: server("good") });
  await row("good", ({ state }) => state === "up");
  expect(rowOf(host, "mute")).toMatchObject({ state: "starting", tools: [] });
  const stop = new AbortController();
  const asked = call("mcp", { action: "list_tools", server: "mute" }, stop.signal);
  stop.abort();
  expect(await asked).toMatchObject({ ok: false });
  const from = performance.now();
  void host
    .service(mcp)
    .restart("mute")
    .catch(() => undefined);
  await until(() => rowOf(host, "mute")?.restarts === 1, slow, "another start");
  expect(performance.now() - from).toBeLessThan(20_000);
});

it("ends a call that is never answered, and starts such a server again", options, async () => {
  const { call, host, tool, row } = await mcpHost({ silent: server("silent") }, { more: { request_timeout_sec: 0.2 } });
  await tool("mcp__silent__work");
  for (let time = 0; time < 3; time += 1)
    expect(await call("mcp__silent__work")).toMatchObject({ ok: false, output: "it did not answer within 0.2 s" });
  await until(() => host.logs().some(({ reason }) => reason === "it answers nothing any more"), slow);
  await row("silent", ({ restarts, state }) => restarts === 1 && state === "up");
});

it("leaves a server alone that answers, only not these calls", options, async () => {
  const { call, tool, row } = await mcpHost({ busy: server("unanswered") }, { more: { request_timeout_sec: 0.2 } });
  await tool("mcp__busy__work");
  const { pid } = await row("busy");
  const asked = () => Promise.all([call("mcp__busy__work"), call("mcp__busy__work"), call("mcp__busy__work")]);
  for (const { output } of [...(await asked()), ...(await asked())])
    expect(output).toBe("it did not answer within 0.2 s");
  expect(await row("busy")).toMatchObject({ state: "up", restarts: 0, pid });
});

it("has never two processes of one server, though the old one does not want to go", options, async () => {
  const file = join(tempDir("mcp"), "starts");
  const { call, tool, row } = await mcpHost({ deaf: server("deaf", file) }, { more: { request_timeout_sec: 0.2 } });
  await tool("mcp__deaf__work");
  for (let time = 0; time < 3; time += 1) await call("mcp__deaf__work");
  let most = 0;
  const alive = () =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .filter((line) => /^\d+$/.test(line) && isAlive(Number(line))).length;
  await row("deaf", ({ restarts, state }) => {
    most = Math.max(most, alive());
    return restarts === 1 && state === "up";
  });
  expect(most).toBe(1);
});

it("keeps waiting while a server tells progress", options, async () => {
  const { call, tool } = await mcpHost({ busy: server("progress") }, { more: { request_timeout_sec: 1 } });
  await tool("mcp__busy__work");
  expect(await call("mcp__busy__work")).toEqual({ ok: true, output: "done" });
});

it("tells the server when a turn is aborted", options, async () => {
  const file = join(tempDir("mcp"), "said");
  const { call, tool } = await mcpHost({ silent: server("silent", file) });
  await tool("mcp__silent__work");
  const stop = new AbortController();
  const asked = call("mcp__silent__work", {}, stop.signal);
  setImmediate(() => stop.abort());
  expect(await asked).toMatchObject({ ok: false });
  await until(() => readFileSync(file, "utf8").includes("cancelled"), slow);
});

it.each(["die-at-start", "die-at-init", "die-at-list"])(
  "says why a server does not start (%s)",
  options,
  async (mode) => {
    const { row } = await mcpHost({ bad: server(mode) });
    const { reason, tools } = await row("bad", (each) => each.state === "waiting");
    expect(reason).toMatch(/exit code [345]/);
    expect(tools).toEqual([]);
  },
);

it("tells what a program said that is no server", options, async () => {
  const { row } = await mcpHost({ bad: server("usage") });
  const { reason } = await row("bad", ({ state }) => state === "waiting");
  expect(reason).toBe("its process ended (exit code 0); it said: Usage: hostile-server MODE It is no MCP server.");
});

it("starts a server again that dies during a call", options, async () => {
  const { call, tool, row } = await mcpHost({ bad: server("die-at-call") });
  await tool("mcp__bad__work");
  const first = await row("bad");
  expect(await call("mcp__bad__work")).toMatchObject({ ok: false, output: expect.stringContaining("exit code 6") });
  const again = await row("bad", ({ state, restarts }) => state === "up" && restarts === 1);
  expect(again.pid).not.toBe(first.pid);
});

it("takes over what a server changes while it runs", options, async () => {
  const { tool } = await mcpHost({ shifty: server("shifty") });
  const old = await tool("mcp__shifty__work");
  await until(async () => (await tool("mcp__shifty__work")).about !== old.about, slow, "the new description");
});

it("remembers tools over a restart, and does not run one that is no longer what was shown", options, async () => {
  const file = join(tempDir("mcp"), "starts");
  const stateDir = tempDir("mcp-state");
  const dated = { dated: server("dated", file) };
  const first = await mcpHost(dated, { stateDir });
  expect((await first.tool("mcp__dated__work")).about).toContain("Start 1.");
  await first.host.stop();
  const second = await mcpHost(dated, { stateDir });
  expect(second.names()).toContain("mcp__dated__work");
  expect(rowOf(second.host, "dated")).toMatchObject({ state: "idle", pid: null });
  expect(await second.call("mcp__dated__work")).toMatchObject({
    ok: false,
    output: 'MCP server "dated" changed the tool work since it was listed; look at the tools again',
  });
  await until(async () => (await second.tool("mcp__dated__work")).about.includes("Start 2."), slow);
  expect(await second.call("mcp__dated__work")).toEqual({ ok: true, output: "done" });
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(2);
});

it("fails the call when the server says that its tool failed", options, async () => {
  const { call, tool } = await mcpHost({ bad: server("fail") });
  await tool("mcp__bad__work");
  expect(await call("mcp__bad__work")).toMatchObject({ ok: false, output: "it went wrong" });
});

it("answers what a server may ask, and refuses the rest", options, async () => {
  const { host, call, tool } = await mcpHost({ asks: server("asks") });
  await tool("mcp__asks__work");
  const { roots, ping, sample, elicit } = JSON.parse((await call("mcp__asks__work")).output);
  expect(roots.result.roots).toEqual([{ uri: `file://${host.stateDir}/workspace`, name: "working directory" }]);
  expect(ping).toEqual({ result: {} });
  expect(sample.error.code).toBe(-32_601);
  expect(elicit.error.code).toBe(-32_601);
});

it(
  "hands a server no variable of the gateway's but those on the list, and none that chooses code",
  options,
  async () => {
    process.env.CHELA_CANARY_SECRET = "canary-1";
    process.env.OPENAI_API_KEY = "canary-2";
    try {
      const env = { MY_KEY: "mine" };
      const { call, tool, row } = await mcpHost({
        env: stdio(hostileServer, ["env"], { env }),
        bad: stdio(hostileServer, ["env"], { env: { NODE_OPTIONS: "--inspect" } }),
      });
      await tool("mcp__env__work");
      const { output } = await call("mcp__env__work");
      expect(JSON.parse(output)).toMatchObject(env);
      expect(output).not.toMatch(/canary|CHELA_|API_KEY/);
      const { reason } = await row("bad", ({ state }) => state === "failed");
      expect(reason).toContain('the environment variable "NODE_OPTIONS" may not be set');
    } finally {
      delete process.env.CHELA_CANARY_SECRET;
      delete process.env.OPENAI_API_KEY;
    }
  },
);
