/** The plugin in a real host: config, hot changes, methods, health and the search for models. */
import { definePlugin, need, providers, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import plugin from "../../../plugins/providers/index.ts";
import { httpServer } from "../../kit/http-server.ts";
import { until } from "../../kit/until.ts";
import { ask, bytes, hear, never, upstream } from "./kit.ts";

async function host(config: Record<string, unknown> = {}): Promise<TestHost> {
  const started = await startHost({ plugins: [plugin], config });
  onTestFinished(() => started.stop());
  return started;
}

const admin = { id: "internal", name: "test", kind: "internal", scopes: ["admin"] } as const;

function call(started: TestHost, method: string, params: unknown = {}): Promise<never> {
  return started.gateway.call(method, params, { identity: admin, id: "1", signal: never }) as Promise<never>;
}

test("without a config the offline model answers", async () => {
  const started = await host();
  const service = started.service(providers);
  expect(service.primary()).toBe("offline/offline");
  expect((await hear(service.stream(ask("offline/offline"), never))).text).toMatch(/offline model/);
});

test("providers.models lists what there is, and no key", async () => {
  const started = await host({
    models: { providers: { sim: { api_base: "http://127.0.0.1:9/v1", api_key: "sk-hidden", models: ["a", "b"] } } },
  });
  const listed = await call(started, "providers.models");
  expect(listed).toEqual({
    models: [
      { id: "sim/a", provider: "sim", model: "a", source: "config" },
      { id: "sim/b", provider: "sim", model: "b", source: "config" },
      { id: "offline/offline", provider: "offline", model: "offline", source: "builtin" },
    ],
    primary: "sim/a",
    fallbacks: [],
    cooling: [],
  });
  expect(JSON.stringify(started.config.view())).not.toContain("sk-hidden");
});

test("the model that the agents' section names is the default, and the first provider stays a fallback of it", async () => {
  const server = await upstream();
  const [first, second] = ["echo", "auth"].map((model) => ({ api_base: server.base, models: [model] }));
  const started = await host({ models: { providers: { first, second } } });
  const service = started.service(providers);
  expect([service.primary(), service.fallbacks()]).toEqual(["first/echo", ["second/auth"]]);
  await started.config.write([{ path: "agents.defaults.model.primary", value: "second/auth" }], { who: "test" });
  expect([service.primary(), service.fallbacks()]).toEqual(["second/auth", ["first/echo"]]);
  const listed = await call(started, "providers.list");
  expect(listed).toMatchObject({
    primary: "second/auth",
    providers: [
      { name: "first", primary: false },
      { name: "second", primary: true },
    ],
  });
  const asked = { ...ask(service.primary()), fallbacks: service.fallbacks() };
  expect((await hear(service.stream(asked, never))).text).toBe("echo: hello there");
});

test("providers.test asks for one token and reports the time, or the reason", async () => {
  const server = await upstream();
  const started = await host({ models: { providers: { sim: { api_base: server.base, models: ["echo", "auth"] } } } });
  expect(await call(started, "providers.test", { model: "sim/echo" })).toMatchObject({
    model: "sim/echo",
    firstTokenMs: expect.any(Number),
    text: "echo: Reply with: ok",
  });
  expect((await server.last()).body).toMatchObject({ max_tokens: 16 });
  await expect(call(started, "providers.test", { model: "sim/auth" })).rejects.toMatchObject({ code: "UPSTREAM_AUTH" });
  await expect(call(started, "providers.test", { model: "sim/none" })).rejects.toMatchObject({ code: "MODEL_UNKNOWN" });
});

test("a config change is hot: the running stream ends well, the plugin does not restart", async () => {
  const [old, fresh] = [await upstream(), await upstream()];
  const started = await host({ models: { providers: { sim: { api_base: old.base, models: ["trickle"] } } } });
  const service = started.service(providers);
  const request = {
    model: "sim/trickle",
    path: "/chat/completions",
    body: { messages: [], stream: true },
    signal: never,
  };
  const running = await service.forward(request);
  const result = await started.config.write([{ path: "models.providers.sim.api_base", value: fresh.base }], {
    who: "test",
  });
  expect(result).toMatchObject({ applied: ["models.providers.sim.api_base"], restarted: [], failed: [] });
  expect(started.service(providers)).toBe(service);
  await bytes((await service.forward(request)).body);
  expect(fresh.requests).toHaveLength(1);
  expect(await bytes(running.body)).toContain("[DONE]");
  expect(old.requests[0]).toMatchObject({ aborted: false });
});

test("a write with a bad provider is refused with the path; a bad one in the file is left out", async () => {
  const server = await upstream();
  const started = await host({
    models: { providers: { bad: { models: ["x"] }, sim: { api_base: server.base, models: ["echo"] } } },
  });
  expect(started.service(providers).primary()).toBe("sim/echo");
  expect(started.logs().some((line) => JSON.stringify(line).includes("models.providers.bad.api_base must be"))).toBe(
    true,
  );
  const write = started.config.write([{ path: "models.providers.worse", value: { api_base: "ftp://x" } }], {
    who: "test",
  });
  await expect(write).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("health tells what is configured and what cools", async () => {
  const server = await upstream();
  const started = await host({ models: { providers: { sim: { api_base: server.base, models: ["rate"] } } } });
  await expect(hear(started.service(providers).stream(ask("sim/rate"), never))).rejects.toThrow();
  const { checks } = await started.gateway.health();
  expect(checks.find((check) => check.name === "upstreams")).toMatchObject({
    ok: true,
    configured: 1,
    cooling: [{ provider: "sim", model: "sim/rate", reason: "rate_limit", seconds: 7, failures: 1 }],
  });
});

test("what is found is used, logged and listed, and never written to the config", async () => {
  vi.stubEnv("CHELA_DISCOVERY", "on");
  onTestFinished(() => void vi.unstubAllEnvs());
  const server = await upstream({ list: ["echo"] });
  const discovery = { env: false, ports: [server.port] };
  const started = await host({ models: { discovery } });
  const service = started.service(providers);
  await until(() => service.primary() === `local-${server.port}/echo`, 5000, "the local server to be found");
  expect((await hear(service.stream(ask(service.primary()), never))).text).toBe("echo: hello there");
  expect(service.models()[0]).toMatchObject({ source: "discovered" });
  expect(started.config.file()).toEqual({ models: { discovery } });
  expect(started.logs().some((line) => JSON.stringify(line).includes("found and using"))).toBe(true);

  await started.config.write([{ path: "models.discovery.enabled", value: false }], { who: "test" });
  expect(service.primary()).toBe("offline/offline");
});

test("a key in the environment serves while the search for local servers still runs", async () => {
  vi.stubEnv("CHELA_DISCOVERY", "on");
  vi.stubEnv("OPENAI_API_KEY", "sk-env-0123456789");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { port } = await httpServer(() => undefined);
  const discovery = { env: true, ports: [port], timeout_ms: 10_000 };
  const started = await host({ models: { discovery } });
  expect(started.service(providers).primary()).toBe("openai/gpt-5.4");
});

test("what was found stays until the next search has ended", async () => {
  vi.stubEnv("CHELA_DISCOVERY", "on");
  onTestFinished(() => void vi.unstubAllEnvs());
  let searches = 0;
  const { port } = await httpServer((_request, reply) => {
    searches += 1;
    if (searches === 1) reply.end('{"object":"list","data":[{"id":"m"}]}');
  });
  const discovery = { env: false, ports: [port], timeout_ms: 10_000 };
  const started = await host({ models: { discovery } });
  const service = started.service(providers);
  await until(() => service.primary() === `local-${port}/m`);
  await started.config.write([{ path: "models.request_timeout_sec", value: 60 }], { who: "test" });
  await until(() => searches === 2);
  expect(service.primary()).toBe(`local-${port}/m`);
});

test("a clock that jumps an hour ahead costs no candidate its turn", async () => {
  const server = await upstream();
  server.script("first", { status: 500, delayMs: 100 });
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const started = await host({ models: { providers: { sim: { api_base: server.base } } } });
  const asked = hear(started.service(providers).stream(ask("sim/first", { fallbacks: ["sim/echo"] }), never));
  await server.last();
  vi.setSystemTime(Date.now() + 3_600_000);
  expect((await asked).reply.model).toBe("sim/echo");
});

test("a search for a silent port holds up neither readiness nor the stop", async () => {
  vi.stubEnv("CHELA_DISCOVERY", "on");
  onTestFinished(() => void vi.unstubAllEnvs());
  const silent = await upstream();
  silent.script("echo", { fault: "hang-headers" });
  const started = await host({ models: { discovery: { env: false, ports: [silent.port], timeout_ms: 10_000 } } });
  expect(started.gateway.status().ready).toBe(true);
  await started.stop();
});

test("a consumer gets the service through its needs", async () => {
  const consumer = definePlugin({
    id: "consumer",
    version: "1.0.0",
    host: "^1.0.0",
    config: Type.Object({}),
    needs: { providers: need(providers, "^1.0.0") },
    setup(ctx) {
      ctx.route({
        method: "GET",
        path: "/api/primary",
        access: "read",
        handler: () => ({ primary: ctx.use.providers.primary() }),
      });
    },
  });
  const started = await startHost({ plugins: [consumer, plugin], config: {} });
  onTestFinished(() => started.stop());
  expect((await started.request("/api/primary")).json()).toEqual({ primary: "offline/offline" });
});
