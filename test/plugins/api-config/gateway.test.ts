import { definePlugin, GatewayError, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import logs from "../../../plugins/logs/index.ts";
import { pauseFor, until } from "../../kit/until.ts";

const secret = "canary-5d1f0c2b9a";

const sample = definePlugin({
  id: "sample",
  version: "1.2.3",
  host: "^1.0.0",
  config: Type.Object({ key: Type.String({ secret: true, default: "" }) }),
  setup(ctx) {
    ctx.method({
      name: "sample.echo",
      access: "read",
      params: Type.Object({ text: Type.String() }),
      handler: ({ text }, call) => ({ text, who: call.identity.id }),
    });
    ctx.method({ name: "sample.nothing", access: "read", handler: () => undefined });
    ctx.method({
      name: "sample.refuse",
      access: "read",
      handler: () => {
        throw new GatewayError("SAMPLE_BUSY", 429, "try later", { seconds: 3 }, { headers: { "retry-after": "3" } });
      },
    });
    ctx.method({
      name: "sample.crash",
      access: "read",
      handler: () => {
        throw new Error(secret);
      },
    });
    ctx.command({
      name: "greet",
      about: "Greets",
      access: "write",
      args: Type.Object({ name: Type.String() }),
      run: ({ name }) => `hello ${name}`,
    });
  },
});
const channel = (id: string) => definePlugin({ id, version: "1.0.0", host: "^1.0.0", setup: () => undefined });

async function open(config: Record<string, unknown> = {}) {
  const host = await startHost({
    plugins: [apiConfig, logs, sample, channel("weixin"), channel("telegram")],
    config,
    token: secret,
  });
  onTestFinished(() => host.stop());
  return host;
}

const call = async (host: TestHost, method: string, params?: unknown) => {
  const reply = await host.request("/api/call", { body: { method, params } });
  const body = reply.json() as {
    ok: boolean;
    result: never;
    error: { code: string; message: string; details?: unknown };
  };
  return { status: reply.status, headers: reply.headers, ...body };
};

describe("facts", () => {
  test("the version, with the channels that are live, sorted", async () => {
    const host = await open();
    const reply = await host.request("/api/version");
    expect(reply.json()).toEqual({
      ok: true,
      gateway_version: host.gateway.status().version,
      compiled_channels: ["telegram", "weixin"],
    });
    expect(reply.headers["content-type"]).toBe("application/json");
    await host.plugins.disable("telegram", "test");
    await until(async () => JSON.stringify((await host.request("/api/version")).json()).includes('["weixin"]'));
    expect((await host.request("/api/version", { token: null })).status).toBe(401);
  });

  test("the status holds process, pending keys, trouble and plugin states, and no secret", async () => {
    const host = await open({
      plugins: { entries: { sample: { config: { key: secret } } } },
      gateway: { reload: { mode: "off" } },
    });
    await host.config.write([{ path: "logging.level", value: "warn" }], { who: "test" });
    const reply = await host.request("/api/status");
    expect(reply.json()).toMatchObject({
      ok: true,
      pid: process.pid,
      ready: true,
      pending: ["logging.level"],
      config: { path: host.config.path, hash: host.config.hash(), trouble: null },
      plugins: expect.arrayContaining([
        expect.objectContaining({ id: "sample", version: "1.2.3", state: "running", reason: "" }),
      ]),
    });
    const { ok: _, ...facts } = reply.json() as Record<string, unknown>;
    const status = (await call(host, "gateway.status")).result as Record<string, unknown>;
    expect({ ...status, uptimeMs: 0 }).toEqual({ ...facts, uptimeMs: 0 });
    for (const path of ["/api/status", "/openapi.json", "/api/plugins", "/api/config/schema"]) {
      expect((await host.request(path)).text).not.toContain(secret);
    }
  });

  test("openapi lists every route that is live", async () => {
    const host = await open();
    const { openapi, paths } = (await host.request("/openapi.json")).json() as { openapi: string; paths: object };
    expect(openapi).toMatch(/^3\.1/);
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(["/api/config", "/api/version", "/api/call", "/api/logs/recent"]),
    );
  });
});

describe("POST /api/call", () => {
  test("gives the result, or null for nothing", async () => {
    const host = await open();
    expect(await call(host, "sample.echo", { text: "hi" })).toMatchObject({
      status: 200,
      ok: true,
      result: { text: "hi", who: "token" },
    });
    expect(await call(host, "sample.nothing")).toMatchObject({ status: 200, ok: true, result: null });
  });

  test("gives every refusal in one shape, with status and headers of the error", async () => {
    const host = await open();
    expect(await call(host, "sample.refuse")).toMatchObject({
      status: 429,
      ok: false,
      error: { code: "SAMPLE_BUSY", message: "try later", details: { seconds: 3 } },
    });
    expect((await call(host, "sample.refuse")).headers["retry-after"]).toBe("3");
    expect(await call(host, "sample.ech")).toMatchObject({
      status: 404,
      error: { code: "METHOD_UNKNOWN", message: expect.stringContaining("sample.echo") },
    });
    expect(await call(host, "sample.echo", {})).toMatchObject({
      status: 400,
      error: { code: "INVALID", message: expect.stringContaining("text must be given") },
    });
    expect(await call(host, "sample.crash")).toMatchObject({ status: 500, error: { code: "INTERNAL" } });
    expect(JSON.stringify(await call(host, "sample.crash"))).not.toContain(secret);
    const raw = async (init: object) => (await host.request("/api/call", init)).json();
    expect(await raw({ body: "{", method: "POST" })).toMatchObject({ ok: false, error: { code: "BAD_JSON" } });
    expect(await raw({ body: {} })).toMatchObject({ ok: false, error: { code: "INVALID" } });
    expect(await raw({ body: { method: "sample.echo" }, token: null })).toMatchObject({
      ok: false,
      error: { code: "UNAUTHORIZED" },
    });
  });

  test("knows every method of the host's services", async () => {
    const host = await open();
    const names = host.gateway.methods().map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        ...["status", "health", "startup", "restart", "stop"].map((name) => `gateway.${name}`),
        ...["get", "set", "unset", "check", "plan", "diff", "backups", "rollback", "reload", "schema"].map(
          (name) => `config.${name}`,
        ),
        ...["list", "info", "enable", "disable", "reload", "release", "uninstall", "install", "refresh", "doctor"].map(
          (name) => `plugins.${name}`,
        ),
        "commands.list",
        "commands.run",
      ]),
    );
  });

  test("runs commands of plugins", async () => {
    const host = await open();
    expect((await call(host, "commands.list")).result).toEqual([
      expect.objectContaining({ name: "greet", access: "write", owner: "sample" }),
    ]);
    expect(await call(host, "commands.run", { name: "greet", args: { name: "you" } })).toMatchObject({
      ok: true,
      result: "hello you",
    });
    expect(await call(host, "commands.run", { name: "greet", args: {} })).toMatchObject({ status: 400, ok: false });
  });
});

describe("config methods", () => {
  test("get reads the file, or what is in effect, redacted", async () => {
    const host = await open({ plugins: { entries: { sample: { config: { key: secret } } } }, odd: { "x.y": 7 } });
    expect((await call(host, "config.get", { path: "plugins.entries.sample.config.key" })).result).toEqual({
      found: true,
      value: "__CHELA_REDACTED__",
    });
    expect((await call(host, "config.get", { path: 'odd["x.y"]' })).result).toEqual({ found: true, value: 7 });
    expect((await call(host, "config.get", { path: "gateway.port" })).result).toEqual({ found: false });
    expect((await call(host, "config.get", { path: "gateway.port", source: "merged" })).result).toEqual({
      found: true,
      value: 18790,
    });
    expect((await call(host, "config.get")).result).toMatchObject({ found: true, value: { odd: { "x.y": 7 } } });
    expect(await call(host, "config.get", { path: "__proto__.x" })).toMatchObject({ status: 400, ok: false });
  });

  test("set, unset, check, plan, diff, backups and rollback", async () => {
    const host = await open();
    const base = host.config.hash();
    expect(await call(host, "config.set", { path: "logging.level", value: "warn", baseHash: base })).toMatchObject({
      ok: true,
      result: { applied: ["logging.level"], hash: expect.any(String) },
    });
    expect(await call(host, "config.set", { path: "logging.level", value: "warn", baseHash: base })).toMatchObject({
      status: 409,
      error: { code: "CONFIG_CONFLICT", details: { hash: host.config.hash() } },
    });
    expect(await call(host, "config.set", { path: "logging.level", value: 7 })).toMatchObject({
      status: 400,
      error: { details: { errors: [expect.stringMatching(/^logging\.level must /)] } },
    });
    expect(await call(host, "config.set", { path: "logging.level" })).toMatchObject({ status: 400, ok: false });
    expect((await call(host, "config.plan", { path: "logging.filename", value: "x.log" })).result).toEqual([
      { path: "logging.filename", class: "restart-plugin", owner: "logs" },
    ]);
    expect(((await call(host, "config.backups")).result as unknown[]).length).toBe(1);
    expect((await call(host, "config.diff")).result).toMatchObject({ diff: expect.stringContaining("warn") });
    expect(await call(host, "config.unset", { path: "logging.level" })).toMatchObject({ ok: true });
    expect((await call(host, "config.get", { path: "logging.level" })).result).toEqual({ found: false });
    expect(await call(host, "config.rollback")).toMatchObject({ ok: true });
    expect((await call(host, "config.get", { path: "logging.level" })).result).toEqual({ found: true, value: "warn" });
    expect((await call(host, "config.check")).result).toMatchObject({ ok: true, trouble: null, problems: [] });
    expect((await call(host, "config.schema")).result).toMatchObject({ properties: {} });
  });
});

describe("plugins", () => {
  test("are listed, described with their access, and switched", async () => {
    const host = await open();
    expect((await call(host, "plugins.list")).result).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: "sample", state: "running" })]),
    );
    expect((await call(host, "plugins.info", { id: "sample" })).result).toMatchObject({
      contributions: { methods: expect.arrayContaining([{ name: "sample.echo", access: "read" }]) },
    });
    expect(await call(host, "plugins.info", { id: "sampl" })).toMatchObject({
      status: 404,
      error: { message: expect.stringContaining("sample") },
    });
    expect(await call(host, "plugins.disable", { id: "sample" })).toMatchObject({ ok: true });
    expect(await call(host, "sample.nothing")).toMatchObject({ status: 404 });
    const post = (body: object) => host.request("/api/plugins", { body });
    expect((await post({ action: "enable", id: "sample" })).json()).toMatchObject({
      ok: true,
      hash: expect.any(String),
    });
    expect((await post({ action: "reload", id: "sample" })).json()).toMatchObject({ ok: true, restarted: ["sample"] });
    expect((await host.request("/api/plugins")).json()).toMatchObject({
      ok: true,
      plugins: expect.arrayContaining([expect.objectContaining({ id: "sample", state: "running" })]),
    });
    expect((await post({ action: "enable" })).status).toBe(400);
    expect((await post({ action: "install" })).status).toBe(400);
    expect((await post({ action: "explode", id: "sample" })).status).toBe(400);
    expect(
      (await host.request("/api/plugins", { body: { action: "disable", id: "sample" }, token: "wrong" })).status,
    ).toBe(401);
  });

  test("the doctor names what is wrong and what to do", async () => {
    const bad = definePlugin({
      id: "bad",
      version: "1.0.0",
      host: "^1.0.0",
      setup: () => {
        throw new Error("no luck");
      },
    });
    const host = await startHost({
      plugins: [apiConfig, bad],
      config: { plugins: { entries: { ghost: { enabled: true } } } },
    });
    onTestFinished(() => host.stop());
    const found = (await call(host, "plugins.doctor")).result as {
      plugin: string;
      level: string;
      message: string;
      fix: string;
    }[];
    expect(found).toEqual([
      {
        level: "error",
        plugin: "bad",
        message: expect.stringContaining("no luck"),
        fix: expect.stringContaining("plugins release bad"),
      },
      {
        level: "warning",
        plugin: "ghost",
        message: expect.stringContaining("not installed"),
        fix: expect.stringContaining("unset"),
      },
    ]);
  });

  test("a change of api-config itself does not wait for the request that asked for it", async () => {
    const host = await open();
    expect(await call(host, "plugins.reload", { id: "api-config" })).toMatchObject({
      ok: true,
      result: { restarted: ["api-config"] },
    });
    expect(await call(host, "gateway.restart", {})).toMatchObject({ ok: true, result: { restarted: true } });
    const body = { gateway: { reload: { mode: "restart" } }, logging: { level: "debug" } };
    expect((await host.request("/api/config", { body })).json()).toMatchObject({ ok: true, failed: [] });
    const restarted = (
      (await host.request("/api/config", { body: { logging: { level: "warn" } } })).json() as { restarted: string[] }
    ).restarted;
    expect(restarted).toContain("api-config");
    expect(await call(host, "plugins.disable", { id: "api-config" })).toMatchObject({ ok: true });
    expect((await host.request("/api/version")).status).toBe(404);
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  }, 4000);

  test("a restart is answered when it is over, however long others take to start", async () => {
    let starts = 0;
    const slow = definePlugin({
      id: "slow",
      version: "1.0.0",
      host: "^1.0.0",
      // Longer than work goes on that was told to stop.
      setup: (ctx) => ctx.start(() => (starts++ === 0 ? undefined : pauseFor(1300))),
    });
    const host = await startHost({ plugins: [apiConfig, slow] });
    onTestFinished(() => host.stop());
    expect(await call(host, "gateway.restart", {})).toMatchObject({ ok: true, result: { restarted: true } });
    expect(host.plugins.info("slow").state).toBe("running");
  });
});
