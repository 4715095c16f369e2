/** What changes and what does not: generations, hot keys, restarts, order, drain, the port. */
import { type Context, definePlugin, defineService, need, Type } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";

const trace = defineService<{ name: string }>("trace", "1.2.0");

/** Counts its setups and starts, and shows both with its config. */
function counter(id: string, log: string[] = []) {
  let setups = 0;
  return definePlugin({
    id,
    version: "1.0.0",
    host: "^1.0.0",
    config: Type.Object({ pace: Type.Integer({ default: 1, minimum: 1 }), place: Type.String({ default: "here" }) }),
    hot: ["pace"],
    setup(ctx) {
      setups += 1;
      const born = setups;
      log.push(`setup ${id}`);
      ctx.route({ method: "GET", path: `/${id}`, access: "read", handler: () => ({ born, ...ctx.config }) });
      ctx.stream({
        path: `/${id}/live`,
        access: "read",
        open: async (socket) => {
          socket.send({ born });
          for await (const frame of socket.incoming()) socket.send({ echo: frame });
        },
      });
      ctx.onConfig((now, changed) => {
        if ((now as { pace: number }).pace === 13) throw new Error("13 is unlucky");
        log.push(`hot ${id} ${changed.join()}`);
      });
      ctx.start(() => {
        log.push(`start ${id}`);
        ctx.own("outward", () => void log.push(`stop ${id}`));
      });
    },
  });
}

const set = (path: string, value: unknown) => [{ path, value }];
const who = { who: "test" };

describe("a change touches what it must and nothing else", () => {
  it("makes a new generation when plugins come, go or start anew, and none for a hot key", async () => {
    await using host = await startHost({ plugins: [counter("a")] });
    const generation = async () => (await host.gateway.status()).generation;
    const first = await generation();
    await host.config.write(set("plugins.entries.a.config.pace", 5), who);
    expect(await generation()).toBe(first);
    await host.config.write(set("plugins.entries.a.config.place", "there"), who);
    expect(await generation()).toBe(first + 1);
    await host.plugins.disable("a", "test");
    expect(await generation()).toBe(first + 2);
  });

  it("a hot key applies live: same instance, same socket", async () => {
    await using host = await startHost({ plugins: [counter("a")] });
    const socket = await host.connect("/a/live");
    await socket.next();
    const result = await host.config.write(set("plugins.entries.a.config.pace", 5), who);
    expect(result).toMatchObject({
      applied: ["plugins.entries.a.config.pace"],
      restarted: [],
      pending: [],
      failed: [],
    });
    expect((await host.request("/a")).json()).toMatchObject({ born: 1, pace: 5 });
    socket.send({ still: "here" });
    expect(await socket.next()).toEqual({ echo: { still: "here" } });
  });

  it("another key restarts only this plugin; the stream of a neighbour survives", async () => {
    const log: string[] = [];
    await using host = await startHost({ plugins: [counter("a", log), counter("b", log)] });
    const [mine, other] = [await host.connect("/a/live"), await host.connect("/b/live")];
    const result = await host.config.write(set("plugins.entries.a.config.place", "there"), who);
    expect(result).toMatchObject({ restarted: ["a"], failed: [] });
    expect((await host.request("/a")).json()).toMatchObject({ born: 2, place: "there" });
    expect((await host.request("/b")).json()).toMatchObject({ born: 1 });
    expect((await mine.closed).code).toBe(1012);
    await other.next();
    other.send(1);
    expect(await other.next()).toEqual({ echo: 1 });
    expect(log.slice(4)).toEqual(["setup a", "stop a", "start a"]);
  });

  it("a refused hot change is undone, in the file and in the plugin", async () => {
    await using host = await startHost({
      plugins: [counter("a")],
      config: { plugins: { entries: { a: { config: { pace: 2 } } } } },
    });
    await expect(host.config.write(set("plugins.entries.a.config.pace", 13), who)).rejects.toMatchObject({
      code: "CONFIG_APPLY_FAILED",
      message: expect.stringContaining("unlucky") as string,
    });
    expect((await host.request("/a")).json()).toMatchObject({ born: 1, pace: 2 });
    expect(host.config.file()).toMatchObject({ plugins: { entries: { a: { config: { pace: 2 } } } } });
  });

  it("a restart that fails leaves the old instance serving and the old file in place", async () => {
    let broken = false;
    const moody = definePlugin({
      id: "moody",
      version: "1.0.0",
      host: "^1.0.0",
      config: Type.Object({ mood: Type.String({ default: "fine" }) }),
      setup(ctx: Context<{ mood: string }>) {
        if (ctx.config.mood === "bad") {
          broken = true;
          throw new Error("not today");
        }
        ctx.route({ method: "GET", path: "/moody", access: "read", handler: () => ctx.config });
      },
    });
    await using host = await startHost({ plugins: [moody] });
    await expect(host.config.write(set("plugins.entries.moody.config.mood", "bad"), who)).rejects.toThrow(/not today/);
    expect(broken).toBe(true);
    expect((await host.request("/moody")).json()).toEqual({ mood: "fine" });
    expect(host.plugins.list()).toMatchObject([{ id: "moody", state: "running" }]);
  });

  it("on and off twenty times leaves the census identical", async () => {
    await using host = await startHost({ plugins: [counter("a"), counter("b")] });
    const before = host.census();
    for (let i = 0; i < 20; i += 1) {
      await host.plugins.disable("a", "test");
      expect((await host.request("/a")).status).toBe(404);
      await host.plugins.enable("a", "test");
    }
    expect(host.census()).toEqual(before);
    expect((await host.request("/a")).json()).toMatchObject({ born: 21 });
    expect((await host.request("/b")).json()).toMatchObject({ born: 1 });
  });
});

describe("order", () => {
  const provider = (log: string[]) =>
    definePlugin({
      id: "provider",
      version: "1.0.0",
      host: "^1.0.0",
      config: Type.Object({ name: Type.String({ default: "one" }) }),
      provides: [trace],
      setup(ctx: Context<{ name: string }>) {
        ctx.provide(trace, { name: ctx.config.name });
        ctx.start(() => {
          log.push("start provider");
          ctx.own("p", () => void log.push("stop provider"));
        });
      },
    });
  const consumer = (log: string[], range = "^1.0.0") =>
    definePlugin({
      id: "consumer",
      version: "1.0.0",
      host: "^1.0.0",
      needs: { trace: need(trace, range) },
      setup(ctx) {
        ctx.route({ method: "GET", path: "/consumer", access: "read", handler: () => ({ name: ctx.use.trace.name }) });
        ctx.start(() => {
          log.push("start consumer");
          ctx.own("c", () => void log.push("stop consumer"));
        });
      },
    });

  it("consumers start after their provider and stop before it; they follow it through a restart", async () => {
    const log: string[] = [];
    await using host = await startHost({ plugins: [consumer(log), provider(log)] });
    await host.config.write(set("plugins.entries.provider.config.name", "two"), who);
    expect((await host.request("/consumer")).json()).toEqual({ name: "two" });
    expect(log).toEqual([
      "start provider",
      "start consumer",
      "stop consumer",
      "stop provider",
      "start provider",
      "start consumer",
    ]);
  });

  it("without its provider a consumer waits, and comes back with it", async () => {
    await using host = await startHost({ plugins: [consumer([]), provider([])] });
    await host.plugins.disable("provider", "test");
    expect(host.plugins.info("consumer")).toMatchObject({
      state: "waiting",
      reason: expect.stringContaining("trace ^1.0.0") as string,
    });
    expect((await host.request("/consumer")).status).toBe(404);
    await host.plugins.enable("provider", "test");
    expect((await host.request("/consumer")).json()).toEqual({ name: "one" });
  });

  it("a provider outside the range is named with its version", async () => {
    await using host = await startHost({ plugins: [consumer([], "^2.0.0"), provider([])] });
    expect(host.plugins.info("consumer")).toMatchObject({
      state: "waiting",
      reason: expect.stringContaining("1.2.0") as string,
    });
  });
});

describe("in-flight work", () => {
  it("a request in flight ends on the generation it started on", async () => {
    let release: () => void = () => undefined;
    let entered = false;
    const slow = definePlugin({
      id: "slow",
      version: "1.0.0",
      host: "^1.0.0",
      setup(ctx) {
        ctx.route({
          method: "GET",
          path: "/slow",
          access: "read",
          handler: async () => {
            entered = true;
            await new Promise<void>((done) => {
              release = done;
            });
            return { aborted: ctx.signal.aborted };
          },
        });
      },
    });
    await using host = await startHost({ plugins: [slow] });
    const answer = host.request("/slow");
    await until(() => entered);
    const off = host.plugins.disable("slow", "test");
    await until(() => host.plugins.info("slow").state === "disabled");
    expect((await host.request("/slow")).status).toBe(404);
    release();
    expect((await answer).json()).toEqual({ aborted: false });
    await off;
  });

  it("work that does not end is aborted after drainMs", async () => {
    const stuck = definePlugin({
      id: "stuck",
      version: "1.0.0",
      host: "^1.0.0",
      setup(ctx) {
        ctx.route({
          method: "GET",
          path: "/stuck",
          access: "read",
          handler: (request) =>
            new Promise((_, reject) =>
              request.signal.addEventListener("abort", () => reject(request.signal.reason as Error)),
            ),
        });
      },
    });
    await using host = await startHost({ plugins: [stuck], config: { plugins: { drainMs: 50 } } });
    const answer = host.request("/stuck");
    await until(async () => (await host.gateway.status()).generation >= 1);
    await host.plugins.disable("stuck", "test");
    expect((await answer).status).toBeGreaterThanOrEqual(404);
  });
});

describe("the port", () => {
  it("moves without closing what is open", async () => {
    await using host = await startHost({ plugins: [counter("a")], port: 0 });
    const before = host.url;
    const headers = { authorization: `Bearer ${host.token}` };
    expect((await fetch(`${before}/a`, { headers })).status).toBe(200);
    const result = await host.config.write(set("gateway.port", 0), who);
    expect(result.failed).toEqual([]);
    await host.config.write(set("gateway.port", await freePort()), who);
    expect(host.url).not.toBe(before);
    expect((await fetch(`${host.url}/a`, { headers })).status).toBe(200);
    expect((await (await fetch(`${host.url}/a`, { headers })).json()) as object).toMatchObject({ born: 1 });
  });

  it("a port that is taken is refused and the old one stays", async () => {
    const { createServer } = await import("node:net");
    const squatter = createServer().listen(0, "127.0.0.1");
    await until(() => squatter.listening);
    const { port } = squatter.address() as { port: number };
    await using host = await startHost({ plugins: [counter("a")], port: 0 });
    await expect(host.config.write(set("gateway.port", port), who)).rejects.toThrow(/in use/);
    expect((await fetch(`${host.url}/health`)).status).toBe(200);
    squatter.close();
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const probe = createServer().listen(0, "127.0.0.1");
  await until(() => probe.listening);
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}
