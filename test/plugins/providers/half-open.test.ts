/** Windows as many callers meet them: one probes, the others pass on; nothing moves an open one; the caller's own doing opens none. */
import { expect, test } from "vitest";
import { Cooldowns } from "../../../plugins/providers/failover/cooldowns.ts";
import { until } from "../../kit/until.ts";
import { ask, fails, hear, makeUpstreams, never, type Providers, upstream } from "./kit.ts";

async function world(more: Providers[string] = {}) {
  const server = await upstream();
  let now = 1_000_000;
  const upstreams = makeUpstreams({ sim: { api_base: server.base, api_key: "sk", ...more } }, { now: () => now });
  const pass = (ms: number) => {
    now += ms;
  };
  const models = () => server.requests.map(({ body }) => body.model);
  const say = async (model: string, ...fallbacks: string[]) =>
    (await hear(upstreams.stream(ask(model, { fallbacks }), never))).reply.model;
  return { server, upstreams, pass, models, say, now: () => now };
}

test("after a window exactly one of 50 parallel calls probes, the others pass on at once", async () => {
  const { server, pass, models, say, upstreams } = await world();
  server.script("limited", { times: 1, status: 429, headers: { "retry-after": "7" }, afterwards: { delayMs: 200 } });
  expect(await say("sim/limited", "sim/echo")).toBe("sim/echo");
  pass(7_000);
  const answered = await Promise.all(Array.from({ length: 50 }, () => say("sim/limited", "sim/echo")));
  expect(answered.filter((model) => model === "sim/limited")).toHaveLength(1);
  expect(models().filter((model) => model === "limited")).toHaveLength(2);
  expect(upstreams.status().cooling).toEqual([]);
  expect(await say("sim/limited", "sim/echo")).toBe("sim/limited");
});

test("a probe that fails opens a longer window; the next one comes after it", async () => {
  const { server, pass, models, say, upstreams } = await world();
  server.script("limited", { status: 429 });
  for (const seconds of [60, 120, 240]) {
    await say("sim/limited", "sim/echo");
    expect(upstreams.status().cooling).toMatchObject([{ model: "sim/limited", seconds }]);
    await say("sim/limited", "sim/echo");
    pass(seconds * 1000);
  }
  expect(models().filter((model) => model === "limited")).toHaveLength(3);
});

test("a probe whose request was wrong says nothing: the next caller probes", async () => {
  const { server, pass, say, upstreams } = await world();
  server.script("limited", { times: 1, status: 429, afterwards: { times: 1, status: 400, afterwards: {} } });
  await say("sim/limited", "sim/echo");
  pass(60_000);
  expect((await fails(upstreams.stream(ask("sim/limited", { fallbacks: ["sim/echo"] }), never))).error.status).toBe(
    400,
  );
  expect(await say("sim/limited", "sim/echo")).toBe("sim/limited");
});

test("a probe that is left makes room for the next", async () => {
  const { server, pass, say, upstreams, models } = await world();
  server.script("limited", { times: 1, status: 429, afterwards: { times: 1, fault: "hang-headers", afterwards: {} } });
  await say("sim/limited", "sim/echo");
  pass(60_000);
  const leaving = new AbortController();
  const left = fails(upstreams.stream(ask("sim/limited", { fallbacks: ["sim/echo"] }), leaving.signal));
  await until(() => models().length === 3, 5000, "the probe at the upstream");
  leaving.abort();
  expect((await left).error.code).toBe("ABORTED");
  expect(await say("sim/limited", "sim/echo")).toBe("sim/limited");
});

test("a thousand retries of a lone model do not move its window", async () => {
  const { server, upstreams, pass } = await world();
  server.script("limited", { status: 429, headers: { "retry-after": "3600" } });
  for (let index = 0; index < 1000; index += 1) {
    await fails(upstreams.stream(ask("sim/limited"), never));
    pass(1000);
  }
  expect(upstreams.status().cooling).toMatchObject([{ seconds: 2600, failures: 1 }]);
}, 60_000);

test("Retry-After as a date opens a window to that moment", async () => {
  const { server, say, upstreams } = await world();
  server.script("limited", { status: 429, headers: { "retry-after": new Date(Date.now() + 90_000).toUTCString() } });
  await say("sim/limited", "sim/echo");
  const seconds = upstreams.status().cooling[0]?.seconds;
  expect(seconds).toBeGreaterThan(75);
  expect(seconds).toBeLessThanOrEqual(90);
});

test("Retry-After never delays the next candidate", async () => {
  const { server, say } = await world();
  server.script("limited", { status: 429, headers: { "retry-after": "86400" } });
  const began = performance.now();
  expect(await say("sim/limited", "sim/echo")).toBe("sim/echo");
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("one model that rests keeps no other model of the provider from being asked", async () => {
  const { server, say } = await world();
  server.script("limited", { status: 429 });
  server.script("other", { status: 403 });
  await say("sim/limited", "sim/other", "sim/echo");
  expect(await say("sim/echo")).toBe("sim/echo");
});

test("whoever leaves costs nobody health and opens no window", async () => {
  const { server, upstreams } = await world();
  for (const model of ["hang", "hang-stream"]) {
    const leaving = new AbortController();
    const left = fails(upstreams.stream(ask(`sim/${model}`, { fallbacks: ["sim/echo"] }), leaving.signal));
    await until(() => server.requests.some(({ body }) => body.model === model), 5000, model);
    leaving.abort();
    expect((await left).error.code).toBe("ABORTED");
  }
  expect(upstreams.status().cooling).toEqual([]);
  expect(upstreams.runtime.summary("sim").providers).toMatchObject([{ status: "healthy" }]);
});

test("a reply that breaks off is no failover, but it is remembered", async () => {
  const { upstreams, models, say } = await world();
  const { error, heard } = await fails(upstreams.stream(ask("sim/cut", { fallbacks: ["sim/echo"] }), never));
  expect(heard.length).toBeGreaterThan(1);
  expect(error.details?.attempts).toMatchObject([{ model: "sim/cut", code: "UPSTREAM_CUT" }]);
  expect(models()).toEqual(["cut"]);
  expect(upstreams.status().cooling).toMatchObject([{ model: "sim/cut", reason: "unavailable" }]);
  expect(await say("sim/cut", "sim/echo")).toBe("sim/echo");
});

test("clearing lets everybody be asked again, and only of that provider", async () => {
  const server = await upstream();
  const base = { api_base: server.base, api_key: "sk" };
  const upstreams = makeUpstreams({ one: base, two: base });
  await fails(upstreams.stream(ask("one/rate"), never));
  await fails(upstreams.stream(ask("two/auth"), never));
  expect(upstreams.status().cooling).toHaveLength(2);
  upstreams.runtime.clearAll("two");
  expect(upstreams.status().cooling).toMatchObject([{ provider: "one" }]);
});

test("admit lets one in until it is settled, or its lease is over", () => {
  let now = 0;
  const cooldowns = new Cooldowns(() => now);
  cooldowns.restore("m", 10, "rate_limit", 1);
  expect(cooldowns.admit("m", 100)).toBe(false);
  now = 10;
  expect([cooldowns.admit("m", 100), cooldowns.admit("m", 100)]).toEqual([true, false]);
  now = 110;
  expect([cooldowns.admit("m", 100), cooldowns.admit("m", 100)]).toEqual([true, false]);
  cooldowns.release("m");
  expect(cooldowns.admit("m", 100)).toBe(true);
  cooldowns.succeed("m");
  expect([cooldowns.admit("m", 100), cooldowns.admit("m", 100)]).toEqual([true, true]);
});
