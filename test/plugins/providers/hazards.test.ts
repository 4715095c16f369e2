/** What went wrong with the failover of gateways like this one, line by line: each as a test that it does not happen here. */
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import chat from "../../../plugins/chat/index.ts";
import openai from "../../../plugins/openai/index.ts";
import plugin from "../../../plugins/providers/index.ts";
import store from "../../../plugins/store/index.ts";
import { ask, attempts, fails, hear, makeUpstreams, never, upstream } from "./kit.ts";

const limited = { status: 429, message: "Rate limit reached for requests", headers: { "retry-after": "1800" } };

test("a 429 reaches the fallbacks in a turn of the web chat, and its text is never the reply", async () => {
  const server = await upstream();
  server.script("first", limited);
  const model = { primary: "sim/first", fallbacks: ["sim/second"] };
  const host = await startHost({
    plugins: [store, plugin, chat, apiConfig],
    config: {
      models: {
        providers: { sim: { api_base: server.base, models: ["first", "second"] } },
        discovery: { enabled: false },
      },
      agents: { defaults: { model } },
    },
  });
  onTestFinished(() => host.stop());
  for (const expected of [["first", "second"], ["second"]]) {
    const before = server.requests.length;
    const reply = await host.request("/api/chat", { body: { message: "hello", session: "main" } });
    expect(reply.json()).toMatchObject({ ok: true, reply: "echo: hello" });
    // During the rest nobody asks the first one, and nobody waits for it.
    expect(server.requests.slice(before).map(({ body }) => body.model)).toEqual(expected);
  }
});

test("a 429 reaches the next key of the straight way, whole and streamed", async () => {
  const server = await upstream();
  server.key("sk-first", limited);
  const sim = { api_base: server.base, models: ["echo"], api_keys: ["sk-first", "sk-second"] };
  const config = { models: { providers: { sim }, discovery: { enabled: false } } };
  const host = await startHost({ plugins: [store, plugin, chat, openai, apiConfig], config });
  onTestFinished(() => host.stop());
  const messages = [{ role: "user", content: "hi" }];
  for (const stream of [false, true]) {
    const reply = await host.request("/v1/chat/completions", { body: { model: "sim/echo", messages, stream } });
    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining("echo:")]);
    expect(reply.headers["x-chela-attempts"]).toBe(stream ? undefined : "sim/echo UPSTREAM_RATE");
  }
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    "Bearer sk-first",
    "Bearer sk-second",
    "Bearer sk-second",
  ]);
});

test("nobody is asked twice in one request: no retry of the same model, no wait before the next", async () => {
  const server = await upstream();
  for (const model of ["a", "b", "c"]) server.script(model, limited);
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const began = performance.now();
  const { error } = await fails(upstreams.stream(ask("sim/a", { fallbacks: ["sim/b", "sim/c", "sim/a"] }), never));
  expect(server.requests.map(({ body }) => body.model)).toEqual(["a", "b", "c"]);
  expect(attempts(error)).toHaveLength(3);
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("an error stays typed: its code, status, Retry-After and the upstream's own words arrive", async () => {
  const server = await upstream();
  server.script("a", limited);
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { error } = await fails(upstreams.stream(ask("sim/a"), never));
  expect(error).toMatchObject({
    ...{ code: "UPSTREAM_RATE", status: 429, headers: { "retry-after": "1800" } },
    details: { upstream: { message: "Rate limit reached for requests" }, retryAfter: 1800 },
  });
});

test("one key of a provider that is limited punishes neither its other models nor its other keys", async () => {
  const server = await upstream();
  server.script("a", limited);
  const upstreams = makeUpstreams({ sim: { api_base: server.base, api_keys: ["sk-one", "sk-two"] } });
  await fails(upstreams.stream(ask("sim/a"), never));
  expect(upstreams.status().cooling.map(({ model }) => model)).toEqual(["sim/a", "sim/a"]);
  await hear(upstreams.stream(ask("sim/echo"), never));
  expect((await server.last()).headers.authorization).toBe("Bearer sk-one");
});

test("fallbacks that fail rest too, and a rest that is over leaves no ghost", async () => {
  let now = 0;
  const server = await upstream();
  server.script("a", { status: 500 });
  server.script("b", { times: 1, status: 503, afterwards: {} });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { now: () => now });
  const request = ask("sim/a", { fallbacks: ["sim/b", "sim/echo"] });
  await hear(upstreams.stream(request, never));
  expect(upstreams.status().cooling.map(({ model }) => model)).toEqual(["sim/a", "sim/b"]);
  now += 1000;
  expect(upstreams.status().cooling).toEqual([]);
  expect((await hear(upstreams.stream(request, never))).reply.model).toBe("sim/b");
  now += 2000;
  expect(upstreams.status().cooling).toEqual([]);
});

test("an account without money rests, whether the upstream says so with 400, 402 or 429", async () => {
  const server = await upstream();
  server.script("a", { status: 400, message: "Budget has been exceeded", code: "budget_exceeded" });
  server.script("b", { status: 402, message: "Payment required" });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  await hear(upstreams.stream(ask("sim/a", { fallbacks: ["sim/b", "sim/echo"] }), never));
  expect(upstreams.status().cooling).toMatchObject([
    { model: "sim/a", reason: "quota" },
    { model: "sim/b", reason: "quota" },
  ]);
});

test("the end of the request's own time is no fault of one who was still talking", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } }, { request_timeout_sec: 1 });
  expect((await fails(upstreams.stream(ask("sim/endless"), never))).error.code).toBe("UPSTREAM_TIMEOUT");
  expect(upstreams.status().cooling).toEqual([]);
});

test("a rest survives a change of other settings, and ends with a change of the key", async () => {
  const server = await upstream();
  server.script("a", limited);
  const { readSettings } = await import("../../../plugins/providers/settings.ts");
  const { section } = await import("./kit.ts");
  const sim = { api_base: server.base, api_key: "sk-one" };
  const upstreams = makeUpstreams({ sim });
  await fails(upstreams.stream(ask("sim/a"), never));
  upstreams.apply(readSettings(section({ sim: { ...sim, timeout_sec: 7 }, other: { api_base: server.base } })));
  expect(upstreams.status().cooling).toHaveLength(1);
  upstreams.apply(readSettings(section({ sim: { ...sim, api_key: "sk-two" } })));
  expect(upstreams.status().cooling).toEqual([]);
});

test("a secret appears in no error, no window and no view", async () => {
  const server = await upstream({ key: "sk-other" });
  const secret = "sk-secret-0123456789";
  const upstreams = makeUpstreams({
    sim: { api_base: server.base, api_key: secret, headers: { "x-own": "own-secret-99" } },
  });
  const { error } = await fails(upstreams.stream(ask("sim/a"), never));
  const { runtimeQuery } = await import("../../../plugins/providers/runtime/view.ts");
  const shown = [error.message, error.details, upstreams.status(), upstreams.runtime.items(runtimeQuery({}))];
  expect(JSON.stringify(shown)).not.toMatch(/sk-secret-0123456789|own-secret/);
  // Whose key or account it was is the operator's to know.
  expect(JSON.stringify(error.details)).not.toContain("sk-s***6789");
});
