/** Handlers and taps that answer what nobody can send or use: told as their fault, and nobody is left waiting. */
import { definePlugin, GatewayError, type Plugin, Reply, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";

const then = "then";
const thenable = { [then]: () => fail() };
const circular: Record<string, unknown> = {};
circular.self = circular;

function wild(setup: (ctx: Parameters<Plugin["setup"]>[0]) => void): Plugin {
  return definePlugin({ id: "wild", version: "1.0.0", host: "^1.0.0", setup: setup as never });
}

const calm = definePlugin({
  id: "calm",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "GET", path: "/calm", access: "read", handler: () => ({ ok: true }) });
    ctx.route({ method: "POST", path: "/calm", access: "admin", handler: () => ({ changed: true }) });
  },
});

const patient = { plugins: { quarantine: { faults: 1000 } } };

function faults(host: TestHost): number {
  return host.plugins.info("wild").faults;
}

describe("a handler that gives what cannot be sent", () => {
  const refuse = (status: number, details?: Record<string, unknown>, headers?: Record<string, string>) => () => {
    throw new GatewayError("WILD", status, "wild", details, headers && { headers });
  };
  const table: Record<string, () => unknown> = {
    "an error with status 0": refuse(0),
    "an error with status NaN": refuse(Number.NaN),
    "an error with status 200": refuse(200),
    "an error with a circular detail": refuse(400, { circular }),
    "an error with a BigInt": refuse(400, { size: 1n }),
    "an error with a header that splits": refuse(429, undefined, { "retry-after": "1\r\nx: y" }),
    "a reply with status 101": () => new Reply("x", { status: 101 }),
    "a reply with status 999": () => new Reply("x", { status: 999 }),
    "a reply whose body is an object": () => new Reply({ a: 1 } as never),
    "a reply without a body": () => new Reply(undefined as never),
    "a stream with status 204": () => new Reply(endless(), { status: 204 }),
    "a BigInt": () => ({ size: 1n }),
    "a circle": () => circular,
    "a function": () => () => 1,
    "a symbol": () => Symbol("x"),
    "a thenable that throws": () => thenable,
    "an object without a prototype, thrown": () => {
      throw Object.create(null);
    },
    "nothing, thrown": () => Promise.reject(undefined),
    "an error whose stack throws": () => {
      throw Object.defineProperty(new Error("x"), "stack", { get: fail });
    },
  };
  const names = Object.keys(table);

  it.each(names)("%s is a 500 of its own", async (name) => {
    const plugin = wild((ctx) =>
      ctx.route({ method: "GET", path: "/wild", access: "read", handler: table[name] as () => unknown }),
    );
    await using host = await startHost({ plugins: [calm, plugin], config: patient });
    const reply = await host.request("/wild");
    expect(reply.status).toBe(500);
    expect(reply.text).toMatch(/^internal error; the log has the reason/);
    expect(faults(host)).toBe(1);
    expect((await host.request("/calm")).status).toBe(200);
  });

  it("a 204 or 304 with a text is sent without it", async () => {
    const plugin = wild((ctx) => {
      for (const status of [204, 304])
        ctx.route({
          method: "GET",
          path: `/${status}`,
          access: "read",
          handler: () => Reply.text("too much", { status }),
        });
    });
    await using host = await startHost({ plugins: [plugin] });
    for (const status of [204, 304]) {
      const reply = await host.request(`/${status}`);
      expect(reply).toMatchObject({ status, text: "" });
      expect(reply.headers["content-length"]).toBeUndefined();
    }
  });

  it("a schema that cannot be compiled is named in the answer", async () => {
    const plugin = wild((ctx) =>
      ctx.route({
        method: "POST",
        path: "/wild",
        access: "read",
        body: { type: "nonsense" } as never,
        handler: () => 1,
      }),
    );
    await using host = await startHost({ plugins: [plugin] });
    const reply = await host.request("/wild", { body: {} });
    expect(reply).toMatchObject({ status: 500, text: expect.stringContaining("body: its schema cannot be used") });
  });
});

describe("a tap that answers what is no answer", () => {
  const tapped = (setup: (ctx: Parameters<Plugin["setup"]>[0]) => void) =>
    startHost({ plugins: [calm, wild(setup)], config: patient });

  it.each([false, null, 0, ""])("%j is none: the request goes on", async (answer) => {
    await using host = await tapped((ctx) => {
      for (const hook of ["http:request", "http:reply", "http:error", "auth:identify", "auth:authorize"] as const)
        ctx.on(hook, () => answer as never, "pre");
    });
    expect((await host.request("/calm")).json()).toEqual({ ok: true });
    expect((await host.request("/nothing")).status).toBe(404);
    expect(faults(host)).toBe(0);
  });

  it("nothing it says lets a reader through a door for admins", async () => {
    const reader = { id: "key:reader", name: "reader", kind: "key", scopes: ["read"] } as const;
    for (const answer of [false, null, true, {}]) {
      await using host = await tapped((ctx) => {
        ctx.on("auth:identify", ({ candidates }) => (candidates[0]?.value === "reader" ? reader : undefined));
        ctx.on("auth:authorize", () => answer as never, "pre");
      });
      expect((await host.request("/calm", { method: "POST", token: "reader" })).status).toBe(403);
    }
  });

  it.each([
    ["http:request", true],
    ["http:request", new Reply("x", { status: 7 })],
    ["http:reply", { status: 9999, headers: {} }],
    ["http:reply", { status: 200, headers: { "x-a": "1\n2" } }],
    ["auth:identify", { id: 1 }],
  ] as const)("%s is kept from saying %j, and it is a fault", async (hook, answer) => {
    await using host = await tapped((ctx) => ctx.on(hook, () => answer as never));
    const reply = await host.request("/calm", hook === "auth:identify" ? { token: "wrong" } : {});
    expect(reply.status).toBe(hook === "auth:identify" ? 401 : 200);
    expect(faults(host)).toBe(1);
  });

  it("an http:error tap that fails leaves the plain refusal", async () => {
    for (const answer of [{ size: 1n }, new Reply("x", { status: 7 }), new Reply(5 as never)]) {
      await using host = await tapped((ctx) => ctx.on("http:error", () => answer as never));
      expect((await host.request("/nothing")).text).toBe("404 page not found\n");
    }
  });

  it("thenables are waited for, and their faults are faults", async () => {
    await using host = await tapped((ctx) => {
      ctx.on("http:request", () => thenable as never);
    });
    expect((await host.request("/calm")).status).toBe(200);
    expect(faults(host)).toBe(1);
  });

  it("an asynchronous tap of model:chunk that fails is a fault of its own", async () => {
    const plugin = wild((ctx) => {
      ctx.on("model:chunk", (async () => fail()) as never);
      ctx.route({
        method: "GET",
        path: "/chunk",
        access: "read",
        handler: () => ctx.call("model:chunk", "a", {} as never),
      });
    });
    await using host = await startHost({ plugins: [plugin], config: patient });
    expect((await host.request("/chunk")).status).toBe(204);
    expect(faults(host)).toBe(1);
  });
});

describe("an observer", () => {
  it.each(["host:ready", "config:changed", "turn:done"] as const)(
    "of %s refuses nothing, whatever it throws",
    async (hook) => {
      const plugin = wild((ctx) => {
        ctx.on(hook, () => {
          throw new GatewayError("WILD", 500, "I object");
        });
        ctx.route({ method: "GET", path: "/turn", access: "read", handler: () => ctx.call("turn:done", {} as never) });
      });
      await using host = await startHost({ plugins: [calm, plugin], config: patient });
      expect(await host.plugins.disable("calm", "test")).toMatchObject({ failed: [] });
      expect((await host.request("/turn")).status).toBe(204);
      expect(faults(host)).toBe(1);
    },
  );

  it("that hangs holds up neither the start nor a change", async () => {
    const plugin = wild((ctx) => {
      ctx.on("host:ready", () => new Promise(() => undefined));
      ctx.on("config:changed", () => new Promise(() => undefined));
    });
    await using host = await startHost({ plugins: [calm, plugin], config: { plugins: { drainMs: 50 } } });
    expect(await host.plugins.disable("calm", "test")).toMatchObject({ failed: [] });
    expect(await host.plugins.enable("calm", "test")).toMatchObject({ failed: [] });
  });
});

describe("what everybody reads", () => {
  it("is not spoiled by a health check, an event or a schema that is no JSON", async () => {
    let refused = "";
    const plugin = wild((ctx) => {
      ctx.health("big", () => ({ ok: true, size: 1n }));
      ctx.health("liar", () => ({ ok: true, plugin: "kernel", name: "core" }));
      ctx.health("silent", () => undefined as never);
      try {
        ctx.emit("wild", { circular });
      } catch (error) {
        refused = (error as GatewayError).code;
      }
    });
    await using host = await startHost({ plugins: [plugin] });
    expect(refused).toBe("PLUGIN_MISUSE");
    const { checks } = JSON.parse(JSON.stringify(await host.gateway.health())) as { checks: object[] };
    expect(checks).toEqual([
      { plugin: "wild", name: "big", ok: false, error: expect.stringContaining("BigInt") as string },
      { plugin: "wild", name: "liar", ok: true },
      { plugin: "wild", name: "silent", ok: false, error: expect.stringContaining("told nothing") as string },
    ]);
    const schema = Type.Object({ a: Type.Any({ default: 1n }) });
    const bad = wild((ctx) => ctx.method({ name: "wild.do", access: "read", params: schema, handler: () => 1 }));
    await using other = await startHost({ plugins: [bad] });
    expect(other.plugins.list()[0]?.reason).toMatch(/method wild\.do a schema.*BigInt/);
    expect(JSON.stringify(other.gateway.openapi())).toContain("openapi");
  });
});

function fail(): never {
  throw new Error("wild");
}

async function* endless(): AsyncGenerator<string> {
  for (;;) yield "x";
}
