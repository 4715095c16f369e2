/** Ordered fallback over models and providers: who is tried, who is not, and for how long a failed one rests. */
import { GatewayError } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { Cooldowns } from "../../../plugins/providers/failover/cooldowns.ts";
import { ask, attempts, fails, hear, makeUpstreams, never, upstream } from "./kit.ts";

test.each(["rate", "auth", "forbidden", "fault", "html", "redirect", "page", "dead", "hang", "hang-body"])(
  "%s moves on to the next model",
  async (model) => {
    const server = await upstream();
    const upstreams = makeUpstreams({ sim: { api_base: server.base, timeout_sec: model.startsWith("hang") ? 2 : 30 } });
    const { reply, events } = await hear(upstreams.stream(ask(`sim/${model}`, { fallbacks: ["sim/echo"] }), never));
    expect(reply.model).toBe("sim/echo");
    expect(events.filter((event) => event.type === "start")).toEqual([
      { type: "start", provider: "sim", model: "sim/echo" },
    ]);
  },
);

test.each(["bad", "large"])("%s is the caller's fault: no other model is asked", async (model) => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { error } = await fails(upstreams.stream(ask(`sim/${model}`, { fallbacks: ["sim/echo"] }), never));
  expect(error.code).toBe("UPSTREAM_REQUEST");
  expect(server.requests).toHaveLength(1);
});

test.each(["cut", "hang-stream", "broken", "stream-error"])(
  "%s after the first byte does not move on",
  async (model) => {
    const server = await upstream();
    const upstreams = makeUpstreams({ sim: { api_base: server.base, timeout_sec: model.startsWith("hang") ? 2 : 30 } });
    await fails(upstreams.stream(ask(`sim/${model}`, { fallbacks: ["sim/echo"] }), never));
    expect(server.requests).toHaveLength(1);
  },
);

test("all 17 candidates are walked, across providers, to the one that answers", async () => {
  const [one, two] = [await upstream(), await upstream()];
  const upstreams = makeUpstreams({ one: { api_base: one.base }, two: { api_base: two.base } });
  for (let index = 0; index < 16; index += 1) {
    const server = index % 2 === 0 ? one : two;
    server.script(`m${index}`, { status: [500, 429, 401, 403][index % 4] as number });
  }
  const ids = Array.from({ length: 16 }, (_, index) => `${index % 2 === 0 ? "one" : "two"}/m${index}`);
  const { reply } = await hear(
    upstreams.stream(ask(ids[0] as string, { fallbacks: [...ids.slice(1), "two/echo"] }), never),
  );
  expect(reply.model).toBe("two/echo");
  expect(one.requests.length + two.requests.length).toBe(17);
});

test("when all fail the first model's error is told, with every attempt", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { error } = await fails(upstreams.stream(ask("sim/rate", { fallbacks: ["sim/fault", "sim/auth"] }), never));
  expect(error).toMatchObject({ code: "UPSTREAM_RATE", status: 429, headers: { "retry-after": "7" } });
  expect(attempts(error).map((one) => [one.model, one.code])).toEqual([
    ["sim/rate", "UPSTREAM_RATE"],
    ["sim/fault", "UPSTREAM_FAULT"],
    ["sim/auth", "UPSTREAM_AUTH"],
  ]);
});

test("a model that does not exist costs nobody anything: the next model is asked, the next key is not", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base, api_keys: ["sk-one", "sk-two"] } });
  const { reply } = await hear(upstreams.stream(ask("sim/missing", { fallbacks: ["sim/echo"] }), never));
  expect(reply.model).toBe("sim/echo");
  expect(server.requests).toHaveLength(2);
  expect(upstreams.status().cooling).toEqual([]);
});

test("one that hangs has its share of the time, and the others have theirs", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { request_timeout_sec: 9 });
  const fallbacks = ["sim/hang-body", "sim/echo"];
  const { reply } = await hear(upstreams.stream(ask("sim/hang", { fallbacks }), never));
  expect(reply.model).toBe("sim/echo");
  expect(server.requests).toHaveLength(3);
});

test("the total deadline bounds the whole walk", async () => {
  const server = await upstream();
  server.script("hang-too", { fault: "hang-headers" });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { request_timeout_sec: 1 });
  const began = performance.now();
  const fallbacks = ["sim/hang-body", "sim/hang-too"];
  const { error } = await fails(upstreams.stream(ask("sim/hang", { fallbacks }), never));
  expect(error.code).toBe("UPSTREAM_TIMEOUT");
  expect(attempts(error).map((one) => one.model)).toEqual(["sim/hang", "sim/hang-body", "sim/hang-too"]);
  expect(performance.now() - began).toBeLessThan(5000);
});

test("a trickling stream ends with the total deadline", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { request_timeout_sec: 1 });
  const { error } = await fails(upstreams.stream(ask("sim/endless"), never));
  expect(error).toMatchObject({ code: "UPSTREAM_TIMEOUT", status: 504 });
});

test("an unknown model is 404 and asks nobody", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base, models: ["echo"] } });
  for (const model of ["sim/other", "nobody/echo", "echo", "sim/", "/echo", ""]) {
    const { error } = await fails(upstreams.stream(ask(model, { fallbacks: ["sim/echo"] }), never));
    expect(error).toMatchObject({ code: "MODEL_UNKNOWN", status: 404 });
  }
  expect(server.requests).toEqual([]);
});

describe("cooldown", () => {
  test("a cooling model is passed over, and asked again the moment Retry-After is over", async () => {
    let now = 1_000_000;
    const server = await upstream();
    server.script("limited", { times: 1, status: 429, headers: { "retry-after": "7" }, afterwards: {} });
    const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { now: () => now });
    const asked = async (): Promise<string> =>
      (await hear(upstreams.stream(ask("sim/limited", { fallbacks: ["sim/echo"] }), never))).reply.model;
    expect(await asked()).toBe("sim/echo");
    now += 6_999;
    expect(await asked()).toBe("sim/echo");
    expect(server.requests.map((request) => request.body.model)).toEqual(["limited", "echo", "echo"]);
    now += 1;
    expect(await asked()).toBe("sim/limited");
  });

  test("a lone model is asked even while it cools", async () => {
    const server = await upstream();
    const upstreams = makeUpstreams({ sim: { api_base: server.base } });
    expect((await fails(upstreams.stream(ask("sim/rate-once"), never))).error.status).toBe(429);
    expect((await hear(upstreams.stream(ask("sim/rate-once"), never))).text).toBe("echo: hello there");
    expect((await fails(upstreams.stream(ask("sim/fault-once"), never))).error.code).toBe("UPSTREAM_FAULT");
    expect((await hear(upstreams.stream(ask("sim/fault-once"), never))).text).toBe("echo: hello there");
  });

  test("when all cool, the one that is free soonest is asked", async () => {
    const server = await upstream();
    server.script("long", { status: 429, headers: { "retry-after": "60" } });
    server.script("brief", { times: 1, status: 429, headers: { "retry-after": "20" }, afterwards: {} });
    const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { now: () => 5_000 });
    const request = ask("sim/long", { fallbacks: ["sim/brief"] });
    await fails(upstreams.stream(request, never));
    expect((await hear(upstreams.stream(request, never))).reply.model).toBe("sim/brief");
    expect(server.requests.map((one) => one.body.model)).toEqual(["long", "brief", "brief"]);
  });

  test("a changed key or address starts afresh", async () => {
    const server = await upstream({ key: "sk-right" });
    const { readSettings } = await import("../../../plugins/providers/settings.ts");
    const { section } = await import("./kit.ts");
    const upstreams = makeUpstreams({ sim: { api_base: server.base, api_key: "sk-wrong" } });
    await fails(upstreams.stream(ask("sim/echo"), never));
    expect(upstreams.status().cooling).toHaveLength(1);
    upstreams.apply(readSettings(section({ sim: { api_base: server.base, api_key: "sk-right" } })));
    expect(upstreams.status().cooling).toEqual([]);
    expect((await hear(upstreams.stream(ask("sim/echo"), never))).text).toBe("echo: hello there");
  });

  const failure = (code: string, retryAfterMs?: number): GatewayError =>
    new GatewayError(code, 502, "x", retryAfterMs === undefined ? {} : { retryAfterMs });

  test("a thousand failures do not move an open window", () => {
    let now = 0;
    const cooldowns = new Cooldowns(() => now);
    cooldowns.fail("m", failure("UPSTREAM_RATE", 20_000));
    for (let index = 0; index < 1000; index += 1) {
      now += 10;
      cooldowns.fail("m", failure("UPSTREAM_RATE", 60_000));
    }
    expect(cooldowns.remaining("m")).toBe(10_000);
  });

  test("without Retry-After the window doubles from a second to a minute, and a success ends it", () => {
    let now = 0;
    const cooldowns = new Cooldowns(() => now);
    const windows = Array.from({ length: 9 }, () => {
      cooldowns.fail("m", failure("UPSTREAM_FAULT"));
      const ms = cooldowns.remaining("m");
      now += ms;
      return ms / 1000;
    });
    expect(windows).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    cooldowns.succeed("m");
    cooldowns.fail("m", failure("UPSTREAM_FAULT"));
    expect(cooldowns.remaining("m")).toBe(1000);
  });

  test("it remembers a bounded number of models", () => {
    const cooldowns = new Cooldowns(() => 0);
    for (let index = 0; index < 10_000; index += 1) cooldowns.fail(`m${index}`, failure("UPSTREAM_FAULT"));
    expect(cooldowns.list()).toHaveLength(4096);
    expect(cooldowns.remaining("m9999")).toBe(1000);
  });
});
