/** Servers that are odd without meaning harm: late, twice, between noise; other drafts, long names, very many tools, another mind. */
import { tools } from "@chela/sdk";
import { expect, it } from "vitest";
import plugin from "../../../plugins/mcp/index.ts";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, says, toolCall } from "../chat/kit.ts";
import { hostileServer, mcpHost, slow, stdio, toolThere } from "./kit.ts";

const server = (mode: string) => stdio(hostileServer, [mode]);
const options = { timeout: slow * 2 };

it("does not take a late answer for that of the next call", options, async () => {
  const { call, tool, row } = await mcpHost({ late: server("late") }, { more: { request_timeout_sec: 0.5 } });
  await tool("mcp__late__work");
  expect(await call("mcp__late__work")).toMatchObject({ ok: false, output: "it did not answer within 0.5 s" });
  const outcomes = await Promise.all([call("mcp__late__work"), call("mcp__late__work")]);
  expect(outcomes.map(({ output }) => output)).toEqual(["answer 2", "answer 3"]);
  expect(await row("late")).toMatchObject({ state: "up", restarts: 0 });
});

it.each(["twice", "noisy", "longline"])("takes the answer and nothing besides (%s)", options, async (mode) => {
  const { call, tool, row } = await mcpHost({ odd: server(mode) });
  await tool("mcp__odd__work");
  for (let time = 0; time < 3; time += 1) expect(await call("mcp__odd__work")).toEqual({ ok: true, output: "done" });
  expect(await row("odd")).toMatchObject({ state: "up", restarts: 0 });
});

it("understands schemas of both drafts, and leaves to the server what it does not check", options, async () => {
  const { call, tool } = await mcpHost({ s: server("drafts") });
  await tool("mcp__s__draft");
  const done = { ok: true, output: "done" };
  expect(await call("mcp__s__draft", { city: "Rome", pair: [1, "x"], age: 3, left: "Bari" })).toEqual(done);
  expect(await call("mcp__s__draft", { city: "R" })).toMatchObject({
    ok: false,
    output: expect.stringContaining("city"),
  });
  expect(await call("mcp__s__draft", { city: "Rome", left: 7 })).toMatchObject({ ok: false });
  expect(await call("mcp__s__draft", {})).toMatchObject({ ok: false });
  const tree = { leaf: "a", below: { leaf: "b", below: { below: {} } } };
  expect(await call("mcp__s__latest", { tree, pair: [1, "x"], kind: "a", flag: null })).toEqual(done);
  expect(await call("mcp__s__latest", { kind: "b" })).toMatchObject({ ok: false });
  expect(await call("mcp__s__latest", { tree: { leaf: 7 } })).toMatchObject({ ok: false });
});

it("calls tools whose names are too long for a model by shorter ones, each by its own", options, async () => {
  const { names, tool, call, host } = await mcpHost({ s: server("drafts") });
  await tool("mcp__s__draft");
  const long = names().filter((name) => name.startsWith("mcp__s__very"));
  expect(long.map(({ length }) => length)).toEqual([64, 64]);
  expect(new Set(long).size).toBe(2);
  for (const name of long) expect(await call(name)).toEqual({ ok: true, output: "done" });
  const remotes = host
    .service(tools)
    .list()
    .filter(({ name }) => long.includes(name));
  expect(remotes.map(({ remote }) => remote?.tool.slice(-3)).sort()).toEqual(["one", "two"]);
});

it("takes a thousand tools of all servers together, in the order of their names", options, async () => {
  const servers = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, server("many")]));
  const { names, call, row } = await mcpHost(servers);
  for (const name of Object.keys(servers)) await row(name, ({ state }) => state === "up");
  await until(() => names().length === 1001, slow, "all tools");
  expect((await row("d")).tools).toHaveLength(1000 - 3 * 256);
  expect((await row("e")).tools).toHaveLength(0);
  expect(await call("mcp__c__tool_255")).toEqual({ ok: true, output: "done" });
  const rest = { action: "call_tool", server: "e", tool: "tool-1" };
  expect(await call("mcp", rest)).toMatchObject({
    ok: false,
    output: expect.stringContaining("1000 tools of all servers are taken"),
  });
});

it("goes on with a turn in which a server changes its tools", options, async () => {
  const servers = { coat: server("turncoat") };
  const { host, run, model } = await chatHost({
    plugins: [plugin],
    config: { tools: { mcp: { enabled: true, servers } } },
  });
  await toolThere(host, "mcp__coat__work");
  const steps = [
    () => callsTools([toolCall("1", "mcp__coat__work")]),
    () => callsTools([toolCall("2", "mcp__coat__work")]),
    () => callsTools([toolCall("3", "mcp__coat__other")]),
    () => says("well"),
  ];
  let step = 0;
  model.answer = async function* () {
    step += 1;
    if (step === 2) await toolThere(host, "mcp__coat__other");
    yield* (steps[step - 1] as (typeof steps)[number])();
  };
  expect(await run({ text: "go" }).done).toMatchObject({ text: "well" });
  const results = model.requests.at(-1)?.messages.filter(({ role }) => role === "tool");
  expect(results?.map(({ content }) => content)).toEqual([
    "from now on it is called other",
    expect.stringContaining("mcp__coat__work"),
    "from now on it is called other",
  ]);
  const offered = (at: number) => model.requests[at]?.tools?.map(({ name }) => name) ?? [];
  expect(offered(0)).toContain("mcp__coat__work");
  expect(offered(2)).toContain("mcp__coat__other");
  expect(offered(2)).not.toContain("mcp__coat__work");
});
