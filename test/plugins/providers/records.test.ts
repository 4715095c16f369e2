/** `model:before` and `model:done` on every way to a model: who is refused, and what is told of how a call ended. */
import { definePlugin, GatewayError, type ModelCaller, type ModelCallRecord, providers } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test } from "vitest";
import { Cooldowns } from "../../../plugins/providers/failover/cooldowns.ts";
import plugin from "../../../plugins/providers/index.ts";
import type { CallHooks } from "../../../plugins/providers/records.ts";
import { Ledger } from "../../../plugins/providers/runtime/ledger.ts";
import { until } from "../../kit/until.ts";
import { ask, bytes, fails, hear, makeUpstreams, never, recording, upstream } from "./kit.ts";

const caller: ModelCaller = { purpose: "turn", session: "main", turn: "t1", agent: "main" };
const messages = [{ role: "user", content: "hello" }];

async function world() {
  const server = await upstream();
  const { hooks, records } = recording();
  const upstreams = makeUpstreams(
    { sim: { api_base: server.base, api_key: "sk-key-123456", timeout_sec: 5 } },
    { hooks },
  );
  const forward = (model: string, path = "/chat/completions", more: Record<string, unknown> = {}, signal = never) =>
    upstreams.forward({ model: `sim/${model}`, path, body: { messages, ...more }, signal });
  return { server, upstreams, records, forward };
}

test("a turn: who asked, which model and credential, what it cost, how long it took", async () => {
  const { upstreams, records } = await world();
  await hear(upstreams.stream(ask("sim/rate", { fallbacks: ["sim/echo"] }), never, caller));
  expect(records).toMatchObject([
    {
      ...caller,
      ...{ asked: "sim/rate", model: "sim/echo", provider: "sim", credential: "sk-k***3456", failed: 1 },
      usage: { inputTokens: 9, outputTokens: 3, cachedTokens: 4 },
    },
  ]);
  const [{ ms, firstTokenMs, error, at }] = records as [ModelCallRecord];
  expect(firstTokenMs).toBeLessThanOrEqual(ms);
  expect(error).toBeUndefined();
  expect(Math.abs(Date.now() - at)).toBeLessThan(60_000);
});

test("failed, cut and left calls are told too, once each", async () => {
  const { server, upstreams, records } = await world();
  await fails(upstreams.stream(ask("sim/bad"), never, caller));
  await fails(upstreams.stream(ask("sim/rate", { fallbacks: ["sim/fault"] }), never, caller));
  await fails(upstreams.stream(ask("sim/cut"), never, caller));
  for await (const event of upstreams.stream(ask("sim/trickle"), never, caller)) if (event.type === "text") break;
  const leaving = new AbortController();
  const left = fails(upstreams.stream(ask("sim/hang"), leaving.signal, caller));
  await until(() => server.requests.some(({ body }) => body.model === "hang"), 5000, "the request");
  leaving.abort();
  await left;
  expect(records.map(({ asked, error, usage, failed }) => [asked, error, usage, failed])).toEqual([
    ["sim/bad", "UPSTREAM_REQUEST", null, 1],
    ["sim/rate", "UPSTREAM_RATE", null, 2],
    ["sim/cut", "UPSTREAM_CUT", null, 0],
    ["sim/trickle", "ABORTED", null, 0],
    ["sim/hang", "ABORTED", null, 0],
  ]);
});

test("straight through: usage of whole and streamed replies and of embeddings; null where it is not told", async () => {
  const { records, forward } = await world();
  await bytes((await forward("echo")).body);
  await bytes(
    (await forward("echo", "/chat/completions", { stream: true, stream_options: { include_usage: true } })).body,
  );
  await bytes((await forward("echo", "/chat/completions", { stream: true })).body);
  await bytes((await forward("embed", "/embeddings", { input: "x" })).body);
  expect(records.map(({ purpose, usage }) => [purpose, usage?.inputTokens ?? null])).toEqual([
    ["straight", 9],
    ["straight", 9],
    ["straight", null],
    ["embeddings", 2],
  ]);
  // Also of one whose reply came whole with its head, before it was known who answers.
  for (const { credential, failed, firstTokenMs } of records)
    expect([credential, failed, typeof firstTokenMs]).toEqual(["sk-k***3456", 0, "number"]);
});

test("straight through: the offline model's tokens count, whole and streamed, and what is left counts as left", async () => {
  const { records, upstreams } = await world();
  const forward = (more: Record<string, unknown> = {}) =>
    upstreams.forward({
      model: "offline/offline",
      path: "/chat/completions",
      body: { messages, ...more },
      signal: never,
    });
  const { usage } = JSON.parse(await bytes((await forward()).body));
  await bytes((await forward({ stream: true })).body);
  for await (const _ of (await forward({ stream: true })).body) break;
  const told = { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens };
  expect(told.outputTokens).toBeGreaterThan(0);
  expect(records.map((record) => [record.usage, record.error])).toEqual([
    [told, undefined],
    [told, undefined],
    [null, "ABORTED"],
  ]);
});

test("straight through: refused, broken and left", async () => {
  const { records, forward } = await world();
  expect((await forward("rate")).status).toBe(429);
  await expect(forward("fault")).rejects.toMatchObject({ code: "UPSTREAM_FAULT" });
  await expect(bytes((await forward("cut", "/chat/completions", { stream: true })).body)).rejects.toThrow();
  const { body } = await forward("trickle", "/chat/completions", { stream: true });
  for await (const _ of body) break;
  expect(records.map(({ asked, error }) => [asked, error])).toEqual([
    ["sim/rate", "UPSTREAM_RATE"],
    ["sim/fault", "UPSTREAM_FAULT"],
    ["sim/cut", "UPSTREAM_CUT"],
    ["sim/trickle", "ABORTED"],
  ]);
});

test("the hooks of other plugins: a budget refuses before anybody is asked, and records arrive", async () => {
  const server = await upstream();
  const seen: ModelCallRecord[] = [];
  let spent = false;
  const budget = definePlugin({
    ...{ id: "budget", version: "1.0.0", host: "^1.0.0", about: "Test" },
    setup(ctx) {
      ctx.on("model:before", (_caller, model) =>
        spent ? new GatewayError("BUDGET", 429, `${model}: the budget is spent`) : undefined,
      );
      ctx.on("model:done", (record) => void seen.push(record));
    },
  });
  const config = { models: { providers: { sim: { api_base: server.base, models: ["echo"] } } } };
  const host = await startHost({ plugins: [plugin, budget], config });
  onTestFinished(() => host.stop());
  const service = host.service(providers);
  await hear(service.stream(ask("sim/echo"), never, caller));
  await until(() => seen.length === 1, 5000, "the record");
  spent = true;
  const { error } = await fails(service.stream(ask("sim/echo"), never, caller));
  expect(error).toMatchObject({ code: "BUDGET", status: 429 });
  await expect(
    service.forward({ model: "sim/echo", path: "/chat/completions", body: { messages }, signal: never }),
  ).rejects.toMatchObject({ code: "BUDGET" });
  expect(server.requests).toHaveLength(1);
  expect(seen).toHaveLength(1);
});

test("with nobody listening nothing is made", async () => {
  const server = await upstream();
  const hooks: CallHooks = {
    listens: () => false,
    before: () => Promise.reject(new Error("asked")),
    done: () => {
      throw new Error("told");
    },
  };
  const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { hooks });
  expect((await hear(upstreams.stream(ask("sim/echo"), never))).text).toBe("echo: hello there");
});

test("noting a success costs microseconds", () => {
  const cooldowns = new Cooldowns(() => 0);
  const credential = { id: "key:1", kind: "api_key" as const, target: "sk***", token: async () => ({ token: "sk" }) };
  const ledger = new Ledger({
    cooldowns,
    roster: () => [credential],
    models: () => 1,
    wall: Date.now,
    onDirty: () => undefined,
  });
  const candidate = {
    id: "sim/m",
    provider: "sim",
    model: "m",
    credential,
    keys: ["a", "b"] as const,
    timeoutMs: 1000,
  };
  const rounds = 100_000;
  const began = performance.now();
  for (let index = 0; index < rounds; index += 1) ledger.succeeded(candidate);
  expect(((performance.now() - began) * 1000) / rounds).toBeLessThan(50);
});
