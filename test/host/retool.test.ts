/** New tools for a running plugin (`ctx.retool`), and `ctx.stopping`, which comes before the drain. */
import { type Context, Reply, type Tool, type TSchema, Type, tools } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { calm, plugin, type Setup } from "./kit.ts";

type Ctx = Context<unknown>;

const turn = {
  id: "t",
  session: null,
  agent: "main",
  identity: { id: "token", name: "", kind: "token", scopes: ["admin"] },
  signal: new AbortController().signal,
} as const;

function tool(name: string, run: () => unknown = () => name): Tool<TSchema> {
  const input = Type.Object({ word: Type.Optional(Type.String()) });
  return { name, about: name, input, risk: "read", access: "read", run };
}

/** A plugin that hands out its context. */
function shifter(id: string, first: readonly Tool<TSchema>[]) {
  const held: { ctx?: Ctx; setups: number } = { setups: 0 };
  const made = plugin(id, ((ctx: Ctx) => {
    held.ctx = ctx;
    held.setups += 1;
    for (const each of first) ctx.tool(each);
  }) as Setup);
  return { held, made };
}

const names = (host: TestHost) =>
  host
    .service(tools)
    .list()
    .map(({ name }) => name);

const call = (host: TestHost, name: string, input = "{}") =>
  host.service(tools).run({ id: "1", name, arguments: input }, turn);

it("replaces the tools of a running plugin in one generation, and touches nothing else", async () => {
  const { held, made } = shifter("shifter", [tool("one"), tool("two")]);
  await using host = await startHost({ plugins: [made, calm] });
  const before = host.census();
  const first = host.gateway.status().generation;
  await held.ctx?.retool([tool("two"), tool("three")]);
  expect(names(host)).toEqual(["three", "two"]);
  expect(host.gateway.status().generation).toBe(first + 1);
  expect(held.setups).toBe(1);
  expect(host.census()).toEqual(before);
  expect(await call(host, "three")).toMatchObject({ ok: true, output: "three" });
  expect(await call(host, "three", '{"word":7}')).toMatchObject({ ok: false });
  expect(await call(host, "one")).toMatchObject({ ok: false });
  expect(host.plugins.info("shifter").contributions.tools.map(({ name }) => name)).toEqual(["two", "three"]);
  await held.ctx?.retool([]);
  expect(names(host)).toEqual([]);
  await host.plugins.reload("shifter");
  expect(names(host)).toEqual(["one", "two"]);
});

it("lets a call finish on the tool it began with", async () => {
  let finish: (text: string) => void = () => undefined;
  const slow = tool("one", () => new Promise((resolve) => (finish = resolve as never)));
  const { held, made } = shifter("shifter", [slow]);
  await using host = await startHost({ plugins: [made] });
  const running = call(host, "one");
  await until(() => finish.length === 1);
  await held.ctx?.retool([tool("one", () => "new")]);
  expect(await call(host, "one")).toMatchObject({ output: "new" });
  finish("old");
  expect(await running).toMatchObject({ ok: true, output: "old" });
});

it("leaves everything as it was when a name is another plugin's, or a tool is none", async () => {
  const { held, made } = shifter("shifter", [tool("one")]);
  const { made: other } = shifter("other", [tool("taken")]);
  await using host = await startHost({ plugins: [made, other] });
  await expect(held.ctx?.retool([tool("new"), tool("taken")])).rejects.toMatchObject({ code: "TOOL_CONFLICT" });
  await expect(held.ctx?.retool([tool("new"), tool("new")])).rejects.toMatchObject({ code: "TOOL_CONFLICT" });
  await expect(held.ctx?.retool([tool("bad name")])).rejects.toMatchObject({ code: "PLUGIN_MISUSE" });
  expect(names(host)).toEqual(["one", "taken"]);
  expect(await call(host, "one")).toMatchObject({ ok: true });
});

it("is refused in setup and after the end, and takes its turn in the queue of changes", async () => {
  const early = plugin("early", ((ctx: Ctx) => ctx.retool([])) as Setup);
  const { held, made } = shifter("shifter", [tool("one")]);
  await using host = await startHost({ plugins: [made, early] });
  expect(host.plugins.info("early").reason).toContain("calls retool in setup");
  const ctx = held.ctx as Ctx;
  const many = Promise.all(Array.from({ length: 20 }, (_, index) => ctx.retool([tool(`n${index}`)])));
  const off = host.plugins.disable("shifter", "test");
  await Promise.all([many, off]);
  await expect(ctx.retool([])).rejects.toMatchObject({ code: "SCOPE_CLOSED" });
  expect(names(host)).toEqual([]);
});

it("tells a plugin that it is to stop before its work is waited for", async () => {
  let begun = false;
  const stream = plugin("stream", ((ctx: Ctx) => {
    const endless = async function* () {
      begun = true;
      yield "begun\n";
      await new Promise<void>((resolve) => ctx.stopping.addEventListener("abort", () => resolve(), { once: true }));
      yield `stopped: ${ctx.signal.aborted}\n`;
    };
    ctx.route({ method: "GET", path: "/stream", access: "read", handler: () => new Reply(endless()) });
  }) as Setup);
  await using host = await startHost({ plugins: [stream] });
  const reply = host.request("/stream");
  await until(() => begun);
  await host.plugins.disable("stream", "test");
  expect((await reply).text).toBe("begun\nstopped: false\n");
});

it("compares the names of a turn's list with those of tools as the agent does: without case, groups expanded", async () => {
  const { made } = shifter("shifter", [tool("Shout"), tool("read_file")]);
  await using host = await startHost({ plugins: [made] });
  const run = async (name: string, list: readonly string[]) => {
    const asked = { ...turn, tools: list };
    return (await host.service(tools).run({ id: "1", name, arguments: "{}" }, asked)).ok;
  };
  for (const list of [["shout"], ["SHOUT"], ["*"]]) expect(await run("Shout", list), String(list)).toBe(true);
  for (const list of [[], ["read_file"], ["@files_read"], ["group:none"]]) expect(await run("Shout", list)).toBe(false);
  expect(await run("read_file", ["@files_read"])).toBe(true);
  expect(await run("shout", ["shout"])).toBe(false);
});
