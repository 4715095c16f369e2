/** A wall clock that is set forward or back by days: what counts time goes on, nothing is locked for as long as the jump. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { until } from "../kit/until.ts";
import { startUpstream } from "../simulators/openai/upstream.ts";

const folder = join(import.meta.dirname, "../../plugins");
const plugins: Plugin[] = await Promise.all(
  readdirSync(folder).map(
    async (id) => ((await import(`../../plugins/${id}/index.ts`)) as { default: Plugin }).default,
  ),
);
const day = 86_400_000;
const jumps = [
  ["forward by ten days", 10 * day],
  ["back by ten days", -10 * day],
] as const;
const json = { "content-type": "application/json" };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  return () => void vi.useRealTimers();
});

const jump = (ms: number) => void vi.setSystemTime(Date.now() + ms);

async function started(config: Readonly<Record<string, unknown>> = {}): Promise<TestHost> {
  const host = await startHost({ plugins, config, env: { CHELA_DISCOVERY: "off" } });
  onTestFinished(() => host.stop());
  return host;
}

it.each(jumps)("%s: sessions keep their order, turns and searches go on", async (_name, ms) => {
  const host = await started();
  const say = async (message: string) =>
    expect((await host.request("/api/chat", { body: { message }, headers: json })).status).toBe(200);
  await say("/echo before the jump");
  jump(ms);
  await say("/echo after the jump");
  const { messages } = (await host.request("/api/chat/history?session=main")).json() as {
    messages: { content: string; seq: number }[];
  };
  expect(messages.map(({ content }) => content).filter((text) => !text.startsWith("/"))).toEqual([
    "before the jump",
    "after the jump",
  ]);
  expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  await until(async () => (await host.request("/api/sessions/search?query=jump")).text.includes("after the"), 10_000);
});

it.each([
  ["forward by an hour", day / 24, true],
  ["back by ten days", -10 * day, true],
  ["forward by two days", 2 * day, false],
] as const)("%s: an idempotency key holds for its 24 hours and not longer", async (_name, ms, kept) => {
  const host = await started();
  const ask = async () => {
    const body = { message: "/json once", idempotencyKey: "order-7" };
    return (await host.request("/api/chat", { body, headers: json })).json() as { turn: string };
  };
  const { turn } = await ask();
  jump(ms);
  expect((await ask()).turn === turn).toBe(kept);
  expect((await ask()).turn === turn).toBe(kept);
});

it.each(jumps)("%s: who rests after an error is asked again when the rest is over", async (_name, ms) => {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  upstream.script("echo", { times: 1, status: 429, headers: { "retry-after": "1" }, afterwards: {} });
  const provider = { api_base: upstream.base, auth: "none", models: ["echo", "slow"] };
  const host = await started({ models: { providers: { sim: provider }, fallbacks: ["sim/slow"] } });
  const ask = async () => {
    const body = { message: "hello" };
    return ((await host.request("/api/chat", { body, headers: json })).json() as { model: string }).model;
  };
  expect(await ask()).toBe("sim/slow");
  jump(ms);
  await until(async () => (await ask()) === "sim/echo", 10_000, "the first model to be asked again");
});

it.each(jumps)("%s: a budget holds no key longer than its day", async (_name, ms) => {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const host = await started({
    models: { providers: { sim: { api_base: upstream.base, auth: "none", models: ["echo"] } } },
  });
  const call = async (method: string, params: object) => {
    const reply = await host.request("/api/call", { body: { method, params }, headers: json });
    expect(reply.status, reply.text).toBe(200);
    return (reply.json() as { result: { key: string } }).result;
  };
  const { key } = await call("keys.add", { name: "app", scopes: ["write"] });
  await call("keys.limit", { name: "app", limits: { tokens: 1, period: "day" } });
  const ask = async () => {
    const body = { model: "sim/echo", messages: [{ role: "user", content: "/echo hello" }] };
    jump(500);
    return (await host.request("/v1/chat/completions", { body, headers: json, token: key })).status;
  };
  expect(await ask()).toBe(200);
  await until(async () => (await ask()) === 429, 10_000, "the budget to be used up");
  jump(ms);
  expect(await ask()).toBe(200);
});
