/** Who waits for a signal stops waiting when the work is over: on the signals that live long nothing gathers. */
import { getEventListeners } from "node:events";
import { type Context, children, need, Type, tools } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { plugin } from "./kit.ts";

type Ctx = Context<unknown, typeof needs>;
const needs = { tools: need(tools, "^1.0.0"), children: need(children, "^1.0.0") };

const identity = { id: "token", name: "", kind: "token", scopes: ["admin"] } as const;
const waiters = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

async function world() {
  const held: { ctx?: Ctx } = {};
  const busy = plugin(
    "busy",
    ((ctx: Ctx) => {
      held.ctx = ctx;
      const tool = { about: "x", input: Type.Object({}), risk: "read", access: "read" } as const;
      ctx.tool({
        ...tool,
        name: "fine",
        run: (_input, { signal }) => void signal.addEventListener("abort", () => undefined),
      });
      ctx.tool({ ...tool, name: "failing", run: () => Promise.reject(new TypeError("no")) });
      ctx.tool({ ...tool, name: "late", timeoutMs: 1, run: () => new Promise(() => undefined) });
      ctx.tool({
        ...tool,
        name: "many",
        run: (_input, turn) =>
          Promise.all(
            Array.from({ length: 50 }, () => ctx.use.tools.run({ id: "2", name: "fine", arguments: "" }, turn)),
          ),
      });
      ctx.route({
        method: "GET",
        path: "/busy",
        access: "read",
        handler: ({ signal }) => void signal.addEventListener("abort", () => undefined),
      });
      ctx.method({ name: "busy.call", access: "read", handler: () => 1 });
    }) as never,
    { needs, config: Type.Object({}) },
  );
  const host = await startHost({
    plugins: [busy],
    config: { plugins: { quarantine: { faults: 1000, windowSec: 60 } } },
  });
  onTestFinished(() => host.stop());
  return { host, ctx: held.ctx as Ctx };
}

function call(host: TestHost, name: string, signal: AbortSignal) {
  const turn = { id: "t", session: null, agent: "main", identity, signal };
  return host.service(tools).run({ id: "1", name, arguments: "{}" }, turn);
}

it("the signals of a plugin and of a turn are as before after any number of calls, requests and children", async () => {
  const warnings: string[] = [];
  const warned = ({ message }: Error) => void warnings.push(message);
  process.on("warning", warned);
  onTestFinished(() => void process.off("warning", warned));
  const { host, ctx } = await world();
  const turn = new AbortController().signal;
  const before = [waiters(ctx.signal), waiters(ctx.stopping)];
  for (let i = 0; i < 200; i += 1) {
    await call(host, "fine", turn);
    await call(host, "failing", turn);
    await call(host, "late", turn);
    await host.request("/busy");
    await host.gateway.call("busy.call", {}, { id: "c", identity, signal: turn });
  }
  expect(await call(host, "many", turn)).toMatchObject({ ok: true });
  const limits = { timeoutMs: 10_000, maxBytes: 1000, signal: turn };
  for (let i = 0; i < 5; i += 1)
    await ctx.use.children.run({ command: process.execPath, args: ["-v"], cwd: "/" }, limits);
  expect([waiters(ctx.signal), waiters(ctx.stopping)]).toEqual(before);
  expect(waiters(turn)).toBe(0);
  expect(warnings.filter((text) => text.includes("listeners"))).toEqual([]);
});
