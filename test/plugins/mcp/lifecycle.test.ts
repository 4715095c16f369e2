/** Processes of servers: one each, started again when killed, gone with everything they started when nobody wants them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { events, mcp } from "@chela/sdk";
import { expect, it } from "vitest";
import { startGateway } from "../../kit/gateway.ts";
import { tempDir, writeTree } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { hostileServer, isAlive, type McpHost, mcpHost, rowOf, slow, stdio } from "./kit.ts";

const options = { timeout: slow * 2 };

function starts(file: string): number[] {
  return readFileSync(file, "utf8").trim().split("\n").map(Number);
}

/** A server that ignores SIGTERM, with a grandchild that does so too. */
async function stubborn(): Promise<McpHost & { pids: number[]; file: string }> {
  const stateDir = tempDir("mcp");
  const file = join(stateDir, "starts");
  const made = await mcpHost({ stubborn: stdio(hostileServer, ["stubborn", file]) }, { stateDir });
  await made.tool("mcp__stubborn__work");
  // Whoever comes after knows its tools.
  const kept = join(stateDir, "data/mcp/tools");
  const isKept = () => existsSync(kept) && readdirSync(kept).some((name) => /^[0-9a-f]+\.json$/.test(name));
  await until(isKept, slow, "its tools on disk");
  const grandchild = Number((await made.call("mcp__stubborn__work")).output);
  const { pid } = await made.row("stubborn");
  const pids = [pid as number, grandchild];
  expect(pids.every(isAlive)).toBe(true);
  return { ...made, pids, file };
}

const gone = (pids: readonly number[]) => until(() => !pids.some(isAlive), slow, "the end of the processes");

it("starts a killed server again, once, and ends what it had started", options, async () => {
  const { host, call, pids, row, file } = await stubborn();
  process.kill(pids[0] as number, "SIGKILL");
  const again = await row("stubborn", ({ state, restarts }) => state === "up" && restarts === 1);
  expect(again.pid).not.toBe(pids[0]);
  await gone(pids);
  expect((await call("mcp__stubborn__work")).ok).toBe(true);
  expect(starts(file)).toEqual([pids[0], again.pid]);
  const types = host
    .service(events)
    .since(0)
    .events.map(({ type }) => type);
  expect(types.filter((type) => type.startsWith("mcp_server"))).toEqual([
    "mcp_server_up",
    "mcp_server_down",
    "mcp_server_up",
  ]);
});

it("ends the process group when the plugin is switched off", options, async () => {
  const { host, pids, names } = await stubborn();
  await host.plugins.disable("mcp", "test");
  expect(names()).toEqual([]);
  await gone(pids);
});

it("ends it when tools.mcp is switched off, and starts it again when on", options, async () => {
  const { host, pids, names, row } = await stubborn();
  await host.config.write([{ path: "tools.mcp.enabled", value: false }], { who: "test" });
  await gone(pids);
  await until(() => names().length === 0);
  await host.config.write([{ path: "tools.mcp.enabled", value: true }], { who: "test" });
  await until(() => names().includes("mcp__stubborn__work"));
  expect(await row("stubborn")).toMatchObject({ pid: null });
});

it("ends it when the plugin is reloaded, and starts another with the next call", options, async () => {
  const { host, pids, call, row, file } = await stubborn();
  await host.plugins.reload("mcp");
  await gone(pids);
  expect(await row("stubborn")).toMatchObject({ state: "idle", pid: null, tools: ["mcp__stubborn__work"] });
  expect((await call("mcp__stubborn__work")).ok).toBe(true);
  expect(starts(file)).toEqual([pids[0], (await row("stubborn")).pid]);
});

it.each([
  ["edited", (made: McpHost) => made.configure({ silent: stdio(hostileServer, ["plain"]) })],
  ["taken out", (made: McpHost) => made.configure({})],
  ["restarted", (made: McpHost) => made.host.service(mcp).restart("silent")],
  ["switched off", (made: McpHost) => made.configure({}, { enabled: false })],
])("ends the calls of a server that is %s, at once and with a word", options, async (_what, change) => {
  const file = join(tempDir("mcp"), "said");
  const made = await mcpHost({ silent: stdio(hostileServer, ["silent", file]) });
  await made.tool("mcp__silent__work");
  const asked = made.call("mcp__silent__work");
  await until(() => readFileSync(file, "utf8").includes("called"), slow);
  const from = performance.now();
  await change(made);
  expect(await asked).toMatchObject({ ok: false, output: expect.stringMatching(/closed|stopped|restarted/i) });
  expect(performance.now() - from).toBeLessThan(15_000);
});

it("ends it when the gateway stops", options, async () => {
  const { host, pids } = await stubborn();
  await host.stop();
  await gone(pids);
});

it("touches only the server that a config edit names", options, async () => {
  const file = join(tempDir("mcp"), "starts");
  const other = join(tempDir("mcp"), "starts");
  const keep = stdio(hostileServer, ["env", file]);
  const { configure, row, names, tool, host } = await mcpHost({ keep, edit: stdio(hostileServer, ["env", other]) });
  await tool("mcp__edit__work");
  await tool("mcp__keep__work");
  const { pid } = await row("keep");
  const before = (await row("edit")).pid as number;
  await configure({
    keep,
    edit: stdio(hostileServer, ["env", other], { description: "edited" }),
    more: stdio(hostileServer, ["env"]),
  });
  await tool("mcp__more__work");
  const edited = await row("edit", (each) => each.state === "up" && each.pid !== before);
  expect(edited.description).toBe("edited");
  await gone([before]);
  await configure({ keep });
  await until(() => names().join() === "mcp,mcp__keep__work");
  await gone([edited.pid as number]);
  expect(starts(file)).toEqual([pid]);
  expect(rowOf(host, "keep")).toMatchObject({ state: "up", pid });
  expect(starts(other)).toHaveLength(2);
});

it("leaves no process behind after many quick edits", options, async () => {
  const file = join(tempDir("mcp"), "starts");
  const { configure, row } = await mcpHost({});
  for (let edit = 0; edit < 8; edit += 1)
    await configure({ one: stdio(hostileServer, ["stubborn", file], { description: String(edit) }) });
  const { pid } = await row("one", ({ state, description }) => state === "up" && description === "7");
  const all = starts(file);
  await until(() => all.filter(isAlive).length === 1, slow, "one process");
  expect(all.filter(isAlive)).toEqual([pid]);
});

it.each(["SIGTERM", "SIGKILL"] as const)(
  "ends with the gateway's process (%s)",
  { timeout: slow * 3 },
  async (signal) => {
    const stateDir = tempDir("gateway");
    const file = join(stateDir, "starts");
    const mode = signal === "SIGTERM" ? "stubborn" : "family";
    const servers = { family: stdio(hostileServer, [mode, file]) };
    writeTree(stateDir, { "config.json": JSON.stringify({ tools: { mcp: { enabled: true, servers } } }) });
    const gateway = await startGateway({ stateDir });
    const rpc = async (method: string, params: object = {}) => {
      const headers = { "content-type": "application/json" };
      const reply = await gateway.fetch("/api/call", {
        method: "POST",
        headers,
        body: JSON.stringify({ method, params }),
      });
      return ((await reply.json()) as { result: { servers: { state: string; pid: number }[] } }).result;
    };
    const pid = await until(async () => {
      const [row] = (await rpc("mcp.list")).servers;
      return row?.state === "up" ? row.pid : undefined;
    }, slow);
    expect(isAlive(pid)).toBe(true);
    gateway.signal(signal);
    await gateway.ended;
    await gone([pid]);
  },
);

it("ends many servers at once", options, async () => {
  const file = join(tempDir("mcp"), "starts");
  const servers = Object.fromEntries(
    Array.from({ length: 6 }, (_, index) => [`s${index}`, stdio(hostileServer, ["stubborn", file])]),
  );
  const { host, row } = await mcpHost(servers);
  for (const name of Object.keys(servers)) await row(name, ({ state }) => state === "up");
  const pids = starts(file);
  expect(pids.filter(isAlive)).toHaveLength(6);
  await host.plugins.disable("mcp", "test");
  expect(pids.filter(isAlive)).toEqual([]);
  expect(host.logs().filter(({ msg }) => String(msg).includes("fault"))).toEqual([]);
});
