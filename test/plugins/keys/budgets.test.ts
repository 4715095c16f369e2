/** Budgets where they are hard: at the edges of a period, at the last token, over a key's end, and over kill -9. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, type UsageBook, usageBook } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import { Budgets } from "../../../plugins/keys/budget.ts";
import keys from "../../../plugins/keys/index.ts";
import { unlimited } from "../../../plugins/keys/limits.ts";
import usage from "../../../plugins/usage/index.ts";
import { startGateway } from "../../kit/gateway.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { startUpstream } from "../../simulators/openai/upstream.ts";
import { hello, setup } from "../openai/kit.ts";
import { registerAsk } from "./ask.ts";

const day = 86_400_000;
const midnight = Date.UTC(2028, 1, 29);

/** A book with one call of 100 tokens at a moment. */
function bookWith(at: number): UsageBook {
  const used = (since: number) => (at >= since ? { tokens: 100, cost: 1, calls: 1 } : { tokens: 0, cost: 0, calls: 0 });
  return { totals: async () => [], spent: (_, since) => used(since), ready: () => undefined, cost: () => null };
}

describe("at the edges of a period", () => {
  const key = (limits: object) => ({ id: "k_aaaaaaaaaa", name: "ci", limits: { ...unlimited, ...limits } });
  const call = { caller: { purpose: "test" }, model: "sim/echo" };
  const refusal = (limits: object, calledAt: number, now: number) =>
    new Budgets(() => now).begin(key(limits), { ...call, book: bookWith(calledAt) });

  const month = { period: "month" };
  it.each([
    ["the last millisecond of a day", { period: "day" }, [midnight, midnight + day - 1], "2028-03-01 1"],
    ["the first of a day", { period: "day" }, [midnight, midnight], "2028-03-01 86400"],
    ["a leap day", month, [Date.UTC(2028, 1, 1), midnight + day - 1], "2028-03-01 1"],
    ["a year's end", month, [Date.UTC(2027, 11, 1), Date.UTC(2028, 0, 1) - 1], "2028-01-01 1"],
  ] as const)("%s still belongs to it", (_, limits, [calledAt, now], told) => {
    const [date, seconds] = told.split(" ");
    const resetAt = `${date}T00:00:00.000Z`;
    for (const limit of [{ tokens: 100 }, { usd: 1 }]) {
      const error = refusal({ ...limits, ...limit }, calledAt, now);
      expect(error).toMatchObject({ code: "BUDGET_SPENT", status: 429, details: { resetAt } });
      expect(error?.headers).toEqual({
        "retry-after": seconds,
        ...("tokens" in limit && {
          "x-ratelimit-limit-tokens": "100",
          "x-ratelimit-remaining-tokens": "0",
          "x-ratelimit-reset-tokens": `${seconds}s`,
        }),
      });
      expect(error?.message).toContain(`It begins anew at ${resetAt}`);
    }
  });

  it("what was used a millisecond before midnight is forgotten at midnight", () => {
    expect(refusal({ tokens: 100, period: "day" }, midnight - 1, midnight - 1)).toBeDefined();
    expect(refusal({ tokens: 100, period: "day" }, midnight - 1, midnight)).toBeUndefined();
    expect(refusal({ tokens: 100, period: "month" }, midnight - 1, midnight)).toBeDefined();
  });

  it("one token less than the budget is something left", () => {
    expect(refusal({ tokens: 101, period: "day" }, midnight, midnight)).toBeUndefined();
    expect(refusal({ tokens: 100, period: "day" }, midnight, midnight)).toBeDefined();
  });

  it("a clock that is set back counts what it has noted since; one set forward begins a new period and loses nothing", () => {
    const now = midnight + day / 2;
    const limits = { tokens: 100, period: "day" };
    expect(refusal(limits, now, now - 3_600_000)).toBeDefined();
    expect(refusal(limits, now, now + day)).toBeUndefined();
    expect(refusal(limits, now, now)).toBeDefined();
  });
});

const plugins = [apiConfig, keys, usage];

async function addKey(call: (body: object) => Promise<unknown>, limits: object): Promise<string> {
  const reply = await call({ method: "keys.add", params: { name: "ci", scopes: ["write"], limits } });
  return (reply as { result: { key: string } }).result.key;
}

async function withKey(limits: object, config: object = {}) {
  const one = await setup({ plugins, config: config as Record<string, unknown> });
  const call = async (body: object) => (await one.host.request("/api/call", { body })).json();
  const key = await addKey(call, limits);
  const client = new OpenAI({ baseURL: `${one.host.url}/v1`, apiKey: key, maxRetries: 0 });
  return { ...one, client, call };
}

describe.each(["sim/echo", "chela"])("the last tokens, asking %s", (model) => {
  const config = { agents: { defaults: { model: { primary: "sim/echo" } } } };

  test("a call that begins with something left ends well, the next is refused, whole and streamed", async () => {
    const { client, upstream } = await withKey({ tokens: 13, period: "day" }, config);
    for (let call = 0; call < 2; call += 1)
      expect((await client.chat.completions.create({ model, messages: hello })).choices[0]?.finish_reason).toBe("stop");
    for (const stream of [false, true]) {
      await expect(client.chat.completions.create({ model, messages: hello, stream })).rejects.toMatchObject({
        status: 429,
        message: expect.stringMatching(/Budget of key "ci" is used up: 13 tokens a day\. It begins anew at \d{4}-/),
      });
    }
    expect(upstream.requests).toHaveLength(2);
  });

  test("a budget that is raised or taken away counts from the next request on", async () => {
    const { client, call } = await withKey({ tokens: 1, period: "day" }, config);
    const ask = () => client.chat.completions.create({ model, messages: hello });
    await ask();
    await expect(ask()).rejects.toMatchObject({ status: 429 });
    await call({ method: "keys.limit", params: { name: "ci", limits: { tokens: 1_000 } } });
    await ask();
    await call({ method: "keys.limit", params: { name: "ci", limits: { tokens: 1 } } });
    await expect(ask()).rejects.toMatchObject({ status: 429 });
    await call({ method: "keys.limit", params: { name: "ci", limits: { tokens: null } } });
    await ask();
  });
});

test("a turn of a key that is revoked meanwhile asks no model again", async () => {
  const gate = { open: () => undefined as void };
  const opened = new Promise<void>((resolve) => {
    gate.open = resolve;
  });
  const waiting = definePlugin({
    id: "waiting",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => {
      ctx.tool({
        name: "wait",
        about: "Waits",
        input: { type: "object", properties: {} } as never,
        risk: "read",
        access: "read",
        run: async () => {
          await opened;
          return "waited";
        },
      });
    },
  });
  const { host, upstream } = await setup({
    plugins: [...plugins, waiting],
    config: { agents: { defaults: { model: { primary: "sim/looper" } } } },
  });
  upstream.script("looper", { toolCalls: [{ name: "wait", arguments: "{}" }] });
  const call = async (body: object) => (await host.request("/api/call", { body })).json();
  const key = await addKey(call, {});
  const client = new OpenAI({ baseURL: `${host.url}/v1`, apiKey: key, maxRetries: 0 });
  const asked = client.chat.completions.create({ model: "chela", messages: hello });
  const failed = expect(asked).rejects.toMatchObject({ status: 401 });
  await until(() => upstream.requests.length === 1);
  await call({ method: "keys.revoke", params: { name: "ci" } });
  gate.open();
  await failed;
  expect(upstream.requests).toHaveLength(1);
});

test("before what earlier runs used is known nothing is asked; when it cannot be read the budget counts as used up", async () => {
  let settle: () => void = () => undefined;
  const read = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const damaged = Promise.reject(new Error("damaged"));
  damaged.catch(() => undefined);
  const states: (Promise<void> | undefined)[] = [read, damaged, undefined];
  const book = definePlugin({
    id: "book",
    version: "1.0.0",
    host: "^1.0.0",
    provides: [usageBook],
    setup: (ctx) => {
      const spent = () => ({ tokens: 5, cost: 0, calls: 1 });
      ctx.provide(usageBook, { totals: async () => [], spent, ready: () => states[0], cost: () => null });
      registerAsk(ctx);
    },
  });
  const host = await startHost({ plugins: [apiConfig, keys, book], config: {} });
  onTestFinished(() => host.stop());
  const call = async (body: object) => (await host.request("/api/call", { body })).json();
  const token = await addKey(call, { tokens: 10, period: "day" });
  const ask = () => host.request("/ask", { token, body: {} });
  const first = ask();
  settle();
  expect((await first).status).toBe(200);
  states.splice(0, 1);
  const second = await ask();
  expect([second.status, second.text]).toEqual([503, expect.stringContaining("cannot be measured")]);
  states.splice(0, 1);
  expect((await ask()).status).toBe(200);
});

test("a budget that is used up stays so over kill -9, from the first request on", { timeout: 60_000 }, async () => {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const stateDir = tempDir("budget");
  const sim = { api_base: upstream.base, auth: "none", models: ["echo"] };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify({ models: { providers: { sim } } }));
  const first = await startGateway({ stateDir });
  const post = (path: string, body: object, token?: string) =>
    first.fetch(path, { method: "POST", body: JSON.stringify(body), ...(token && { token }) });
  const key = await addKey(async (body) => (await post("/api/call", body)).json(), { tokens: 12, period: "month" });
  const ask = { model: "sim/echo", messages: hello };
  expect((await post("/v1/chat/completions", ask, key)).status).toBe(200);
  const totals = async () => (await (await post("/api/call", { method: "usage.totals", params: {} })).json()) as never;
  await until(async () => ((await totals()) as { result: { total: { calls: number } } }).result.total.calls === 1);
  first.signal("SIGKILL");
  await first.ended;
  const again = await startGateway({ stateDir });
  const replies = await Promise.all(
    Array.from({ length: 5 }, () =>
      again.fetch("/v1/chat/completions", { method: "POST", body: JSON.stringify(ask), token: key }),
    ),
  );
  expect(replies.map(({ status }) => status)).toEqual([429, 429, 429, 429, 429]);
  expect(upstream.requests).toHaveLength(1);
});
