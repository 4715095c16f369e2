/** Optional needs are looked up at each use: whoever has one stays as it is while the service comes, goes and is replaced. */
import { type Context, defineService, events, need, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { type More, plugin, row, type Setup } from "./kit.ts";

interface Lamp {
  readonly made: number;
  light(): string;
  slow(): Promise<string>;
}
const lamp = defineService<Lamp>("lamp", "1.0.0");
const lampTwo = defineService<Lamp>("lamp", "2.0.0");
const bulb = defineService<{ watts(): number }>("bulb", "1.0.0");
const maybe = { lamp: need(lamp, "^1.0.0", { optional: true }) };

type Ctx = Context<never, typeof maybe>;

/** Provides a lamp whose number grows with each instance; `slow` ends when the test says so. */
function lampPlugin(more: More = {}) {
  const slow: ((text: string) => void)[] = [];
  const state = { made: 0, slow };
  const made = plugin(
    "lamps",
    ((ctx) => {
      state.made += 1;
      const number = state.made;
      ctx.provide(lamp, {
        made: number,
        light: () => `lamp ${number}`,
        slow: () => new Promise<string>((resolve) => slow.push((text) => resolve(`${text} by ${number}`))),
      });
    }) as Setup,
    { provides: [lamp], ...more },
  );
  return { made, state };
}

function reader(more: More = {}) {
  const state = { setups: 0, atSetup: [] as (string | undefined)[], kept: [] as (Lamp | undefined)[] };
  const made = plugin(
    "reader",
    ((ctx: Ctx) => {
      state.setups += 1;
      state.atSetup.push(ctx.use.lamp?.light());
      state.kept.push(ctx.use.lamp);
      ctx.route({
        method: "GET",
        path: "/light",
        access: "read",
        handler: () => ({ light: ctx.use.lamp?.light() ?? null, made: ctx.use.lamp?.made ?? null }),
      });
      ctx.route({
        method: "GET",
        path: "/slow",
        access: "read",
        handler: async () => ({ said: await ctx.use.lamp?.slow() }),
      });
      ctx.stream({
        path: "/live",
        access: "read",
        open: (socket) => void socket.send({ light: ctx.use.lamp?.light() ?? null }),
      });
    }) as never,
    { needs: maybe, ...more },
  );
  return { made, state };
}

const light = async (host: TestHost) => (await host.request("/light")).json() as unknown;

describe("an optional need", () => {
  it("follows the provider as it comes, is replaced and goes, and nobody is set up anew", async () => {
    const [lamps, dark] = [lampPlugin({ enabledByDefault: false }), reader()];
    await using host = await startHost({ plugins: [dark.made, lamps.made] });
    const socket = await host.connect("/live");
    expect(await socket.next()).toEqual({ light: null });
    expect(await light(host)).toEqual({ light: null, made: null });
    expect(await host.plugins.enable("lamps", "test")).toMatchObject({ restarted: [] });
    expect(await light(host)).toEqual({ light: "lamp 1", made: 1 });
    expect(host.plugins.info("reader").needs).toEqual([expect.objectContaining({ provider: "lamps" })]);
    expect(await host.plugins.reload("lamps")).toMatchObject({ restarted: ["lamps"] });
    expect(await light(host)).toEqual({ light: "lamp 2", made: 2 });
    await host.plugins.disable("lamps", "test");
    expect(await light(host)).toEqual({ light: null, made: null });
    expect(host.plugins.info("reader").needs).toEqual([expect.objectContaining({ provider: null })]);
    expect(dark.state).toMatchObject({ setups: 1, atSetup: [undefined] });
    expect(host.gateway.status().sockets).toBe(1);
    socket.close();
  });

  it("is there in setup already where its provider starts with the gateway", async () => {
    const [lamps, dark] = [lampPlugin(), reader()];
    await using host = await startHost({ plugins: [dark.made, lamps.made] });
    expect(dark.state.atSetup).toEqual(["lamp 1"]);
    expect(await light(host)).toEqual({ light: "lamp 1", made: 1 });
  });

  it("is never missing, nor an old one after the change, while its provider is replaced again and again", async () => {
    const [lamps, dark] = [lampPlugin(), reader()];
    await using host = await startHost({ plugins: [dark.made, lamps.made] });
    const seen: (number | null)[] = [];
    let going = true;
    const reading = (async () => {
      while (going) seen.push(((await light(host)) as { made: number | null }).made);
    })();
    for (let i = 0; i < 20; i += 1) {
      const before = seen.length;
      await host.plugins.reload("lamps");
      await until(() => seen.length > before + 1);
    }
    going = false;
    await reading;
    expect(seen).not.toContain(null);
    expect(seen).toEqual([...seen].sort((a, b) => Number(a) - Number(b)));
    expect(await light(host)).toEqual({ light: "lamp 21", made: 21 });
  });

  it("finishes what is under way before its provider stops; the one that was kept says what to do instead", async () => {
    const [lamps, dark] = [lampPlugin(), reader()];
    await using host = await startHost({ plugins: [dark.made, lamps.made] });
    const asked = host.request("/slow");
    await until(() => lamps.state.slow.length === 1);
    let gone = false;
    const going = host.plugins.disable("lamps", "test").then(() => {
      gone = true;
    });
    await until(async () => ((await light(host)) as { made: unknown }).made === null);
    expect(gone).toBe(false);
    lamps.state.slow[0]?.("done");
    expect((await asked).json()).toEqual({ said: "done by 1" });
    await going;
    const kept = dark.state.kept[0] as Lamp;
    expect(() => kept.light()).toThrow(expect.objectContaining({ code: "PLUGIN_STOPPED" }));
    expect(kept.made).toBeUndefined();
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });

  it("is not met by a version out of its range", async () => {
    const two = plugin("lamps", ((ctx) => ctx.provide(lampTwo, { made: 2 } as Lamp)) as Setup, { provides: [lampTwo] });
    const dark = reader();
    await using host = await startHost({ plugins: [dark.made, two] });
    expect(row(host, "lamps").state).toBe("running");
    expect(await light(host)).toEqual({ light: null, made: null });
  });

  it("stays missing while its provider fails, and is met once that is released", async () => {
    let broken = true;
    const lamps = plugin(
      "lamps",
      ((ctx) => {
        if (broken) throw new Error("no wire");
        ctx.provide(lamp, { made: 1, light: () => "lamp 1", slow: async () => "" });
      }) as Setup,
      { provides: [lamp] },
    );
    const dark = reader();
    await using host = await startHost({ plugins: [dark.made, lamps] });
    expect(row(host, "lamps").state).toBe("quarantined");
    expect(await light(host)).toEqual({ light: null, made: null });
    broken = false;
    await host.plugins.release("lamps");
    expect(await light(host)).toEqual({ light: "lamp 1", made: 1 });
    expect(dark.state.setups).toBe(1);
  });

  it("leads to who provides it, whichever of a circle starts first", async () => {
    const first = plugin(
      "lamps",
      ((ctx: Context<never, { bulb: ReturnType<typeof optionalBulb> }>) => {
        ctx.provide(lamp, { made: 0, light: () => `${ctx.use.bulb?.watts() ?? "no"} watts`, slow: async () => "" });
      }) as never,
      { provides: [lamp], needs: { bulb: optionalBulb() } },
    );
    const second = plugin(
      "bulbs",
      ((ctx: Ctx) => {
        ctx.provide(bulb, { watts: () => 40 });
        ctx.route({ method: "GET", path: "/light", access: "read", handler: () => ctx.use.lamp?.light() ?? "dark" });
      }) as never,
      { provides: [bulb], needs: maybe },
    );
    await using host = await startHost({ plugins: [first, second] });
    expect([row(host, "lamps").state, row(host, "bulbs").state]).toEqual(["running", "running"]);
    expect(await light(host)).toBe("40 watts");
    await host.plugins.reload("bulbs");
    expect(await light(host)).toBe("40 watts");
  });

  it("leaves whoever is replaced together with its provider what it began with, to the end of its drain", async () => {
    const lamps = lampPlugin();
    let go: () => void = () => undefined;
    let reached = false;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const setups: number[] = [];
    const slow = plugin(
      "reader",
      ((ctx: Ctx) => {
        setups.push(ctx.use.lamp?.made ?? 0);
        ctx.route({
          method: "GET",
          path: "/held",
          access: "read",
          handler: async () => {
            const before = ctx.use.lamp?.light();
            reached = true;
            await held;
            return { before, after: ctx.use.lamp?.light() };
          },
        });
      }) as never,
      { needs: maybe },
    );
    await using host = await startHost({ plugins: [slow, lamps.made] });
    const asked = host.request("/held");
    await until(() => reached);
    const { generation } = host.gateway.status();
    const restarted = host.gateway.restart({ full: true, why: "test" });
    await until(() => host.gateway.status().generation > generation);
    go();
    expect((await asked).json()).toEqual({ before: "lamp 1", after: "lamp 1" });
    await restarted;
    expect(setups).toEqual([1, 2]);
  });

  it("owns nothing: the census after coming and going is the one before", async () => {
    const [lamps, dark] = [lampPlugin({ enabledByDefault: false }), reader()];
    await using host = await startHost({ plugins: [dark.made, lamps.made] });
    const before = host.census();
    for (let i = 0; i < 5; i += 1) {
      await host.plugins.enable("lamps", "test");
      expect(await light(host)).toMatchObject({ made: i + 1 });
      await host.plugins.disable("lamps", "test");
    }
    expect(host.census()).toEqual(before);
  });
});

describe("a tool that needs a service", () => {
  const Nothing = Type.Object({});
  const tooled = plugin(
    "tooled",
    ((ctx: Ctx) => {
      const tool = { about: "x", input: Nothing, risk: "read", access: "read" } as const;
      ctx.tool({ ...tool, name: "glow", needs: ["lamp"], run: () => ctx.use.lamp?.light() });
      ctx.tool({ ...tool, name: "plain", run: () => "plain" });
    }) as never,
    { needs: maybe },
  );
  const offered = (host: TestHost) => host.plugins.info("tooled").contributions.tools.map(({ name }) => name);

  it("comes and goes with it, in the same change, and that is told", async () => {
    const lamps = lampPlugin({ enabledByDefault: false });
    await using host = await startHost({ plugins: [tooled, lamps.made] });
    const told: unknown[] = [];
    host.service(events).subscribe(({ type, payload }) => void (type === "tools_changed" && told.push(payload)));
    expect(offered(host)).toEqual(["plain"]);
    await host.plugins.enable("lamps", "test");
    expect(offered(host)).toEqual(["glow", "plain"]);
    await host.plugins.reload("lamps");
    expect(offered(host)).toEqual(["glow", "plain"]);
    await host.plugins.disable("lamps", "test");
    expect(offered(host)).toEqual(["plain"]);
    expect(told).toMatchObject([
      { plugin: "tooled", tools: 2 },
      { plugin: "tooled", tools: 1 },
    ]);
  });

  it("names a need of its plugin, or setup fails with the words", async () => {
    const odd = plugin("odd", ((ctx) => {
      const tool = { about: "x", input: Nothing, risk: "read", access: "read", run: () => "" } as const;
      ctx.tool({ ...tool, name: "odd", needs: ["lamp"] });
    }) as Setup);
    await using host = await startHost({ plugins: [odd] });
    expect(row(host, "odd").reason).toContain('gives the tool odd the need "lamp", which its `needs` do not name');
  });
});

it("work that a plugin counts is waited for before it stops", async () => {
  let done: () => void = () => undefined;
  const ends: string[] = [];
  const worker = plugin("worker", ((ctx) => {
    const running = new Promise<void>((resolve) => {
      done = resolve;
    }).then(() => void ends.push("work"));
    ctx.route({ method: "GET", path: "/begin", access: "read", handler: () => void ctx.work(running) });
    ctx.route({
      method: "GET",
      path: "/fail",
      access: "read",
      handler: () => void ctx.work(Promise.reject(new Error("nobody waits for it"))),
    });
    ctx.signal.addEventListener("abort", () => ends.push("abort"));
  }) as Setup);
  await using host = await startHost({ plugins: [worker] });
  await host.request("/fail");
  await host.request("/begin");
  const stopped = host.plugins.disable("worker", "test");
  await until(async () => (await host.request("/begin")).status === 404);
  done();
  await stopped;
  expect(ends).toEqual(["work", "abort"]);
});

function optionalBulb() {
  return need(bulb, "^1.0.0", { optional: true });
}
