/** Plugins that fail, wait for themselves or stand in each other's way: the change ends in time, and only they are touched. */
import { type Config, config, defineService, need, plugins, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { calm, type More, plugin, row, type Setup } from "./kit.ts";

const faulty: Setup = (ctx) => ctx.route({ method: "GET", path: "/fault", access: "read", handler: () => fail() });
const numbers = Type.Object({ a: Type.Integer({ default: 1 }), b: Type.Integer({ default: 1 }) });
const set = (id: string, key: string, value: unknown) => [{ path: `plugins.entries.${id}.config.${key}`, value }];
const who = { who: "test" };
const quick = { plugins: { setupTimeoutMs: 300, drainMs: 100 } };

describe("a plugin that waits for its own change", () => {
  interface Ctx {
    use: { config: Config; plugins: { disable(id: string, who: string): Promise<unknown> } };
    config: { a: number; b: number };
    start(work: () => Promise<unknown>): void;
    every(ms: number, work: () => Promise<unknown>): void;
    onConfig(apply: () => Promise<unknown>): void;
    on(hook: string, tap: () => Promise<unknown>): void;
    route(route: object): void;
  }
  const needs = { config: need(config, "^1.0.0"), plugins: need(plugins, "^1.0.0") };
  const own = (setup: (ctx: Ctx) => void | Promise<void>, hot: string[] = []) =>
    plugin("own", setup as never, { needs, config: numbers, hot });
  const hint = /ask without awaiting the answer/;

  it("in setup or start is put away with the reason, and the change it asked for happens", async () => {
    for (const where of ["setup", "start"] as const) {
      const setup = async (ctx: Ctx) => {
        const work = () => ctx.use.plugins.disable("calm", "own");
        if (where === "start") ctx.start(work);
        else await work();
      };
      await using host = await startHost({ plugins: [calm, own(setup)], config: quick });
      expect(row(host, "own")).toMatchObject({ state: "quarantined", reason: expect.stringMatching(hint) });
      await until(() => row(host, "calm").state === "disabled");
    }
  });

  it("in onConfig refuses the change with the reason", async () => {
    await using host = await startHost({
      plugins: [own((ctx) => ctx.onConfig(() => ctx.use.config.write(set("own", "b", 2), who)), ["*"])],
      config: quick,
    });
    await expect(host.config.write(set("own", "a", 3), who)).rejects.toThrow(hint);
  });

  it("in config:changed waits for nobody: observers come after the change", async () => {
    const done: unknown[] = [];
    await using host = await startHost({
      plugins: [
        calm,
        own((ctx) =>
          ctx.on("config:changed", async () => {
            done.push(await ctx.use.config.write(set("own", "b", 2), who));
          }),
        ),
      ],
    });
    await host.plugins.disable("calm", "test");
    await until(() => done.length > 0);
    expect(done[0]).toMatchObject({ restarted: ["own"], failed: [] });
  });

  it("in a route, a hook or `every` is restarted at once: its waiting is no work that others wait for", async () => {
    const changes: unknown[] = [];
    const write = async (ctx: Ctx) => {
      if (ctx.config.b < 4) changes.push(await ctx.use.config.write(set("own", "b", ctx.config.b + 1), who));
    };
    const setup = (ctx: Ctx) => {
      ctx.route({ method: "GET", path: "/own", access: "read", handler: () => write(ctx) });
      if (ctx.config.b === 2) ctx.on("http:request", () => write(ctx));
      if (ctx.config.b === 3) ctx.every(5, () => write(ctx));
    };
    // A drain or a release that waited for it would take the whole half minute, and this test with it.
    await using host = await startHost({ plugins: [calm, own(setup)], config: { plugins: { drainMs: 60_000 } } });
    await host.request("/own");
    await host.request("/calm");
    await until(() => changes.length === 3, 20_000);
    expect(changes).toEqual(Array(3).fill(expect.objectContaining({ restarted: ["own"], failed: [] })));
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });
});

describe("what a newcomer does to those that run", () => {
  const one = defineService<object>("one", "1.0.0");
  const two = defineService<object>("two", "1.0.0");
  const off = { enabledByDefault: false };

  it("a cycle with an optional need stops nobody, and the need is met", async () => {
    const first = plugin(
      "first",
      ((ctx: { provide(s: unknown, i: object): void; route(r: object): void; use: { two?: object } }) => {
        ctx.provide(one, {});
        ctx.route({ method: "GET", path: "/first", access: "read", handler: () => ({ has: Boolean(ctx.use.two) }) });
      }) as never,
      { provides: [one], needs: { two: need(two, "^1.0.0", { optional: true }) } },
    );
    const second = plugin("second", ((ctx) => ctx.provide(two, {})) as Setup, {
      provides: [two],
      needs: { one: need(one, "^1.0.0") },
      ...off,
    });
    await using host = await startHost({ plugins: [first, second] });
    await host.plugins.enable("second", "test");
    expect([row(host, "first").state, row(host, "second").state]).toEqual(["running", "running"]);
    expect((await host.request("/first")).json()).toEqual({ has: true });
  });

  it("a second provider of a service stays out, the one that runs stays in", async () => {
    const provider = (id: string, more: More) =>
      plugin(
        id,
        ((ctx) => {
          ctx.provide(one, {});
          ctx.route({ method: "GET", path: `/${id}`, access: "read", handler: () => 1 });
        }) as Setup,
        { provides: [one], ...more },
      );
    await using host = await startHost({ plugins: [provider("a", off), provider("z", {})] });
    await host.plugins.enable("a", "test");
    expect(row(host, "a")).toMatchObject({ state: "failed", reason: expect.stringContaining('"z" and "a"') });
    expect((await host.request("/z")).status).toBe(200);
  });

  it("an optional need that nobody can meet restarts nobody at the next change", async () => {
    let setups = 0;
    const hopeful = plugin(
      "hopeful",
      () => {
        setups += 1;
      },
      {
        needs: { two: need(two, "^1.0.0", { optional: true }) },
      },
    );
    const stranded = plugin("stranded", ((ctx) => ctx.provide(two, {})) as Setup, {
      provides: [two],
      needs: { one: need(one, "^1.0.0") },
    });
    await using host = await startHost({ plugins: [calm, hopeful, stranded] });
    await host.plugins.disable("calm", "test");
    expect(setups).toBe(1);
  });
});

describe("quarantine", () => {
  const thing = defineService<{ v: number }>("thing", "1.0.0");
  const limit = (faults: number) => ({ plugins: { quarantine: { faults, windowSec: 60 } } });
  const provoke = async (host: TestHost, times: number) => {
    for (let i = 0; i < times; i += 1) await host.request("/fault");
  };

  it("happens though somebody cannot do with the one that takes over: that one goes too, named", async () => {
    const provider = (id: string, v: number) =>
      plugin(
        id,
        ((ctx) => {
          ctx.provide(thing, { v });
          if (v === 1) void faulty(ctx);
        }) as Setup,
        { provides: [thing] },
      );
    const consumer = plugin(
      "consumer",
      ((ctx: { use: { thing: { v: number } } }) => {
        if (ctx.use.thing.v !== 1) throw new Error("cannot do with that");
      }) as never,
      { needs: { thing: need(thing, "^1.0.0") } },
    );
    const plugins = [calm, provider("provider", 1), provider("spare", 2), consumer];
    await using host = await startHost({ plugins, config: limit(3) });
    await provoke(host, 3);
    await until(() => row(host, "consumer").state === "quarantined");
    expect([row(host, "provider").state, row(host, "spare").state]).toEqual(["quarantined", "running"]);
    expect(row(host, "consumer").reason).toContain("cannot do with that");
    expect((await host.request("/calm")).status).toBe(200);
  });

  it("comes again after a new config let the plugin out, and at a limit that was lowered meanwhile", async () => {
    const wild = plugin("wild", faulty as never, { config: numbers });
    await using host = await startHost({ plugins: [wild], config: limit(4) });
    await provoke(host, 4);
    await until(() => row(host, "wild").state === "quarantined");
    await host.config.write(set("wild", "a", 2), who);
    expect(row(host, "wild").state).toBe("running");
    await provoke(host, 3);
    await host.config.write([{ path: "plugins.quarantine.faults", value: 2 }], who);
    await provoke(host, 1);
    await until(() => row(host, "wild").state === "quarantined");
  });

  it("of one that a refused change broke is taken back with the change", async () => {
    const provider = plugin(
      "provider",
      ((ctx: { config: { a: number }; provide(s: unknown, i: object): void }) => {
        ctx.provide(thing, { v: ctx.config.a });
      }) as never,
      { provides: [thing], config: numbers },
    );
    const consumer = plugin(
      "consumer",
      ((ctx: { use: { thing: { v: number } }; start(work: () => void): void }) => {
        ctx.start(() => void (ctx.use.thing.v === 2 && fail()));
      }) as never,
      { needs: { thing: need(thing, "^1.0.0") } },
    );
    await using host = await startHost({ plugins: [provider, consumer] });
    await expect(host.config.write(set("provider", "a", 2), who)).rejects.toThrow(/consumer: wild/);
    expect([row(host, "provider").state, row(host, "consumer").state]).toEqual(["running", "running"]);
    expect(host.service(thing)).toEqual({ v: 1 });
  });
});

describe("work that never ends", () => {
  const stuck = (id: string) =>
    plugin(id, ((ctx) => {
      ctx.route({ method: "GET", path: `/${id}`, access: "read", handler: () => new Promise(() => undefined) });
      ctx.method({ name: `${id}.do`, access: "read", handler: () => new Promise(() => undefined) });
    }) as Setup);
  const call = {
    id: "1",
    identity: { id: "token", name: "token", kind: "token", scopes: ["admin"] },
    signal: new AbortController().signal,
  } as const;

  it("is answered with 503 once its plugin was stopped, though it ignores its signal", async () => {
    await using host = await startHost({ plugins: [calm, stuck("stuck")], config: quick });
    const request = host.request("/stuck");
    const method = host.gateway.call("stuck.do", {}, call).catch((error: { code: string }) => error.code);
    await host.request("/calm");
    await host.plugins.disable("stuck", "test");
    expect(await request).toMatchObject({ status: 503, text: 'plugin "stuck" was stopped\n' });
    expect(await method).toBe("PLUGIN_STOPPED");
  });

  it("of many plugins shares one grace when the gateway stops", async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `stuck-${n}`);
    const host = await startHost({ plugins: ids.map(stuck), config: { gateway: { shutdownGraceMs: 1000 } } });
    for (const id of ids) void host.request(`/${id}`).catch(() => undefined);
    await until(async () => (await host.request("/nothing")).status === 404);
    const from = performance.now();
    await host.stop();
    // A grace for each would be 20 s.
    expect(performance.now() - from).toBeLessThan(10_000);
  });
});

describe("a change asked for while the gateway stops", () => {
  it("is refused, and starts nothing", async () => {
    let setups = 0;
    const counted = plugin("counted", () => {
      setups += 1;
    });
    const host = await startHost({
      plugins: [calm, counted],
      config: { plugins: { entries: { counted: { enabled: false } } } },
    });
    const stopped = host.stop();
    await expect(host.plugins.enable("counted", "test")).rejects.toMatchObject({ code: "STOPPING", status: 503 });
    await stopped;
    expect(setups).toBe(0);
  });
});

describe("start called later", () => {
  it("begins at once, and its fault is the plugin's", async () => {
    const late: Setup = (ctx) =>
      ctx.route({
        method: "GET",
        path: "/late",
        access: "read",
        handler: () => {
          ctx.start(async () => fail());
          return { ok: true };
        },
      });
    await using host = await startHost({ plugins: [plugin("late", late as never)] });
    expect((await host.request("/late")).status).toBe(200);
    expect(host.plugins.info("late").faults).toBe(1);
  });
});

function fail(): never {
  throw new Error("wild");
}
