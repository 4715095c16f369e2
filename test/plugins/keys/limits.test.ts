/** What a key may use: requests in a minute, tokens or dollars in a period. */
import { definePlugin, type Plugin, usageBook } from "@chela/sdk";
import { startHost, type TestHost, type TestReply } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { parseKeyring } from "../../../plugins/keys/keyring.ts";
import { periodOf } from "../../../plugins/keys/limits.ts";
import { Rates } from "../../../plugins/keys/rates.ts";
import { registerAsk } from "./ask.ts";

const used = { tokens: 0, cost: 0, calls: 0 };

/** A route, a stream, and a model that can be asked. */
const doors = definePlugin({
  id: "doors",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "GET", path: "/door", access: "read", handler: () => ({ ok: true }) });
    ctx.stream({ path: "/door/live", access: "read", open: () => undefined });
    ctx.stream({
      path: "/door/ask",
      access: "read",
      asks: true,
      open: async (socket) => {
        for await (const frame of socket.incoming()) socket.send({ heard: (frame as { frame: string }).frame });
      },
    });
    registerAsk(ctx);
  },
});

function book(
  spent: { tokens: number; cost: number; calls: number },
  asked: { identity: string; since: number }[] = [],
) {
  return definePlugin({
    id: "book",
    version: "1.0.0",
    host: "^1.0.0",
    provides: [usageBook],
    setup: (ctx) =>
      ctx.provide(usageBook, {
        totals: async () => [],
        ready: () => undefined,
        cost: () => null,
        spent: (identity, since) => {
          asked.push({ identity, since });
          return spent;
        },
      }),
  });
}

async function open(...plugins: Plugin[]): Promise<TestHost> {
  const host = await startHost({ plugins: [apiConfig, keys, doors, ...plugins], config: {} });
  onTestFinished(() => host.stop());
  return host;
}

const said = (reply: TestReply): string => (reply.json() as { error: string }).error;

async function rpc(host: TestHost, method: string, params: object) {
  const reply = await host.request("/api/call", { body: { method, params } });
  return reply.json() as { ok: boolean; result: Record<string, never>; error: { code: string; message: string } };
}

async function make(host: TestHost, limits: object): Promise<string> {
  const { result } = await rpc(host, "keys.add", { name: "ci", scopes: ["write"], limits });
  return result.key as unknown as string;
}

describe("requests per minute", () => {
  it("more than allowed are 429, with the limit and the time in text and headers; others are not touched", async () => {
    const host = await open();
    const token = await make(host, { rpm: 3 });
    const replies = await Promise.all(Array.from({ length: 10 }, () => host.request("/door", { token })));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, ...Array(7).fill(429)]);
    const refused = replies.find(({ status }) => status === 429);
    expect(said(refused as TestReply)).toMatch(
      /Rate limit of key "ci" reached: 3 requests per minute\. Try again in \d+ s\./,
    );
    expect(refused?.headers).toMatchObject({
      "retry-after": expect.stringMatching(/^([1-9]|[1-5]\d|60)$/),
      "x-ratelimit-limit-requests": "3",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": expect.stringMatching(/^\d+s$/),
    });
    expect((await host.request("/door")).status).toBe(200);
  });

  it("counts the opening of a stream, and a limit that is changed or taken away acts at once", async () => {
    const host = await open();
    const token = await make(host, { rpm: 1 });
    const socket = await host.connect("/door/live", { token });
    onTestFinished(() => socket.close());
    expect((await host.request("/door", { token })).status).toBe(429);
    expect((await rpc(host, "keys.limit", { name: "ci", limits: { rpm: 3 } })).result.limits).toMatchObject({ rpm: 3 });
    expect((await host.request("/door", { token })).status).toBe(200);
    await rpc(host, "keys.limit", { name: "ci", limits: { rpm: null } });
    for (let index = 0; index < 5; index++) expect((await host.request("/door", { token })).status).toBe(200);
  });

  it("counts what is asked over a stream, but for the first question; what only answers is not counted", async () => {
    const host = await open();
    const token = await make(host, { rpm: 3 });
    const asking = await host.connect("/door/ask", { token });
    for (const frame of ["first", "second", "third", "fourth"]) asking.send({ frame });
    const said = [await asking.next(), await asking.next(), await asking.next(), await asking.next()];
    const refused = expect.stringMatching(/^Rate limit of key "ci" reached: 3 requests per minute/);
    expect(said.filter((frame) => "heard" in (frame as object))).toEqual([
      { heard: "first" },
      { heard: "second" },
      { heard: "third" },
    ]);
    expect(said).toContainEqual({ ok: false, error: refused, code: "RATE_LIMITED" });
    await rpc(host, "keys.limit", { name: "ci", limits: { rpm: 4 } });
    const answering = await host.connect("/door/live", { token });
    for (let index = 0; index < 9; index++) answering.send({ frame: index });
    asking.send({ frame: "fifth" });
    expect(await asking.next()).toMatchObject({ code: "RATE_LIMITED" });
    await rpc(host, "keys.limit", { name: "ci", limits: { rpm: 5 } });
    asking.send({ frame: "sixth" });
    expect(await asking.next()).toEqual({ heard: "sixth" });
    for (const socket of [asking, answering]) socket.close();
  });

  it("come back one by one, a minute after each was taken", () => {
    const clock = { now: 0 };
    const rates = new Rates(() => clock.now);
    const key = { id: "k_1", name: "ci" };
    expect(rates.take(key, 2)).toBeUndefined();
    clock.now = 59_000;
    expect(rates.take(key, 2)).toBeUndefined();
    expect(rates.take(key, 2)).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    expect(rates.facts("k_1", 2)).toEqual({ limit: 2, remaining: 0, resetMs: 60_000 });
    clock.now = 60_000;
    expect(rates.facts("k_1", 2)).toEqual({ limit: 2, remaining: 1, resetMs: 59_000 });
    expect(rates.take(key, 2)).toBeUndefined();
    expect(rates.take(key, 2)).toMatchObject({ headers: { "retry-after": "59", "x-ratelimit-reset-requests": "60s" } });
    clock.now = 119_000;
    expect(rates.facts("k_1", 2)).toMatchObject({ remaining: 1, resetMs: 1000 });
    clock.now = 10_000_000;
    expect(rates.facts("k_1", 2)).toEqual({ limit: 2, remaining: 2, resetMs: 0 });
  });

  it("are never more than the limit in any minute, however they come", () => {
    const clock = { now: 0 };
    const rates = new Rates(() => clock.now);
    const key = { id: "k_1", name: "ci" };
    const taken: number[] = [];
    let random = 7;
    for (let index = 0; index < 20_000; index += 1) {
      random = (random * 48_271) % 2_147_483_647;
      clock.now += random % 7 === 0 ? random % 9_000 : random % 40;
      if (rates.take(key, 20) === undefined) taken.push(clock.now);
    }
    const most = Math.max(...taken.map((at, index) => taken.slice(index).findIndex((later) => later - at >= 59_500)));
    expect(taken.length).toBeGreaterThan(1_000);
    expect(most).toBe(20);
  });

  it("a limit that is lowered below what was used says when there is room again", () => {
    const clock = { now: 0 };
    const rates = new Rates(() => clock.now);
    const key = { id: "k_1", name: "ci" };
    for (let second = 0; second < 10; second += 1) {
      clock.now = second * 1000;
      expect(rates.take(key, 10)).toBeUndefined();
    }
    const refusal = rates.take(key, 3);
    expect(refusal).toMatchObject({ headers: { "retry-after": "58", "x-ratelimit-remaining-requests": "0" } });
    clock.now += 57_000;
    expect(rates.take(key, 3)).toBeDefined();
    clock.now += 1_000;
    expect(rates.take(key, 3)).toBeUndefined();
  });

  it("remembers a bounded number of keys", () => {
    const clock = { now: 0 };
    const rates = new Rates(() => clock.now);
    for (let index = 0; index < 50_000; index++) {
      clock.now += 100;
      rates.take({ id: `k_${index}`, name: "x" }, 1);
    }
    expect(rates.size).toBeLessThan(11_000);
  });
});

describe("budgets", () => {
  it.each([
    ["tokens", { tokens: 1000, period: "day" }, { ...used, tokens: 1000 }, "1000 tokens a day"],
    ["dollars", { usd: 0.5 }, { ...used, cost: 0.5 }, "$0.5 a month"],
  ] as const)(
    "of %s refuse the next call of a model with what is used up and when it begins anew",
    async (_, limits, spent, text) => {
      const asked: { identity: string; since: number }[] = [];
      const host = await open(book(spent, asked));
      const token = await make(host, limits);
      const before = Date.now();
      const reply = await host.request("/ask", { token, body: {} });
      expect(reply.status).toBe(429);
      expect(said(reply)).toContain(`Budget of key "ci" is used up: ${text}. It begins anew at `);
      const until = Date.parse(/anew at (\S+Z)/.exec(said(reply))?.[1] ?? "");
      expect(until).toBeGreaterThan(before);
      expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
      expect(asked[0]).toEqual({ identity: expect.stringMatching(/^key:k_/), since: expect.any(Number) });
      expect(asked[0]?.since).toBeLessThanOrEqual(before);
      expect((await host.request("/ask", { body: {} })).status).toBe(200);
    },
  );

  it("with something left let it pass, and the list tells what is used", async () => {
    const host = await open(book({ tokens: 999, cost: 0.49, calls: 7 }));
    const token = await make(host, { tokens: 1000, usd: 0.5 });
    expect((await host.request("/ask", { token, body: {} })).status).toBe(200);
    const { result } = await rpc(host, "keys.list", {});
    expect(result).toMatchObject([
      { name: "ci", limits: { rpm: null, tokens: 1000, usd: 0.5, period: "month" }, spent: { tokens: 999, calls: 7 } },
    ]);
  });

  it("that nobody can measure are used up: they fail closed", async () => {
    const host = await open();
    const token = await make(host, { tokens: 1000 });
    const reply = await host.request("/ask", { token, body: {} });
    expect(reply.status).toBe(503);
    expect(reply.text).toContain("enable the plugin usage");
    expect((await rpc(host, "keys.list", {})).result).toMatchObject([{ spent: null }]);
  });

  it("last from midnight to midnight, or through the month, of UTC", () => {
    const at = Date.UTC(2026, 11, 31, 23, 59, 59, 999);
    expect(periodOf("day", at)).toEqual({ from: Date.UTC(2026, 11, 31), until: Date.UTC(2027, 0, 1) });
    expect(periodOf("month", at)).toEqual({ from: Date.UTC(2026, 11, 1), until: Date.UTC(2027, 0, 1) });
  });
});

describe("limits in the key file", () => {
  it.each([{ rpm: 0 }, { rpm: 1.5 }, { tokens: -1 }, { usd: 0 }, { period: "week" }])(
    "%j are refused",
    async (limits) => {
      const host = await open();
      const { ok, error } = await rpc(host, "keys.add", { name: "ci", scopes: ["read"], limits });
      expect(ok).toBe(false);
      expect(error.message).toMatch(/limits|rpm|usd/);
      const named = await rpc(host, "keys.limit", { name: "nobody", limits: { rpm: 1 } });
      expect(named.error).toMatchObject({ code: "KEY_UNKNOWN" });
    },
  );

  it("are absent in files of before, and damage is damage", () => {
    const record = {
      id: "k_aaaaaaaaaa",
      name: "old",
      prefix: "chela_k_",
      hash: "0".repeat(64),
      scopes: ["read"],
      createdBy: "token",
      createdAt: 1,
    };
    const file = (row: object) => JSON.stringify({ version: 1, keys: [row] });
    expect(parseKeyring(file(record)).keys[0]?.limits).toEqual({ rpm: null, tokens: null, usd: null, period: "month" });
    for (const limits of [{ rpm: "many", period: "day" }, { period: "year" }, 7, "x"])
      expect(() => parseKeyring(file({ ...record, limits }))).toThrow(/keys\[0\]\.limits is not right/);
  });
});
