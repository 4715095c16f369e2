/** The test kit, as a plugin author meets it: what it infers, waits for, isolates and cleans up. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { definePlugin, defineService, need, Type } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { describe, expect, expectTypeOf, it } from "vitest";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

const greeter = defineService<{ greet(name: string): string }>("greeter", "1.0.0");

describe("what definePlugin infers", () => {
  it("the config from its schema, services from needs, handlers from their schemas", async () => {
    const plugin = definePlugin({
      id: "typed",
      version: "1.0.0",
      host: "^1.0.0",
      config: Type.Object({ limit: Type.Integer({ default: 3 }), name: Type.Optional(Type.String()) }),
      hot: ["limit"],
      needs: { sure: need(greeter, "^1.0.0"), maybe: need(greeter, "^2.0.0", { optional: true }) },
      setup(ctx) {
        expectTypeOf(ctx.config).toEqualTypeOf<{ limit: number; name?: string }>();
        expectTypeOf(ctx.use.sure.greet).returns.toBeString();
        expectTypeOf(ctx.use.maybe).toEqualTypeOf<{ greet(name: string): string } | undefined>();
        // @ts-expect-error an undeclared service does not exist
        expect(ctx.use.other).toBeUndefined();
        // @ts-expect-error there is no default for access
        expect(() => ctx.route({ method: "GET", path: "/open", handler: () => 1 })).toThrow(/access/);
        ctx.onConfig((now, changed) => {
          expectTypeOf(now.limit).toBeNumber();
          expectTypeOf(changed).toEqualTypeOf<readonly string[]>();
        });
        ctx.route({
          method: "POST",
          path: "/typed/:id",
          access: "read",
          query: Type.Object({ page: Type.Integer() }),
          body: Type.Object({ text: Type.String() }),
          handler: ({ params, query, body }) => {
            expectTypeOf(query.page).toBeNumber();
            expectTypeOf(body.text).toBeString();
            return `${params.id} ${query.page} ${body.text} ${ctx.use.sure.greet("you")} ${ctx.config.limit}`;
          },
        });
        ctx.stream({
          path: "/typed/live",
          access: "read",
          up: Type.Object({ a: Type.Integer() }),
          down: Type.Object({ b: Type.Integer() }),
          async open(socket) {
            // @ts-expect-error frames have the shape that `down` says
            const wrong = () => socket.send({ b: "1" });
            expect(wrong).toBeDefined();
            for await (const { a } of socket.incoming()) socket.send({ b: a + 1 });
          },
        });
      },
    });
    const provider = definePlugin({
      id: "greeter",
      version: "1.0.0",
      host: "^1.0.0",
      provides: [greeter],
      setup(ctx) {
        // @ts-expect-error an implementation has the shape of its service
        expect(() => ctx.provide(defineService<{ a: number }>("x", "1.0.0"), { b: 1 })).toThrow(/provides/);
        ctx.provide(greeter, { greet: (name) => `hello ${name}` });
      },
    });
    await using host = await startHost({ plugins: [plugin, provider] });
    expect((await host.request("/typed/7?page=2", { body: { text: "hi" } })).json()).toBe("7 2 hi hello you 3");
    const socket = await host.connect("/typed/live");
    socket.send({ a: 1 });
    expect(await socket.next()).toEqual({ b: 2 });
  });
});

describe("a test host", () => {
  const echo = definePlugin({
    id: "echo",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      let runs = 0;
      ctx.every(1000, () => {
        runs += 1;
      });
      ctx.route({ method: "GET", path: "/runs", access: "read", handler: () => ({ runs }) });
      ctx.stream({
        path: "/echo",
        access: "read",
        async open(socket) {
          for await (const frame of socket.incoming()) socket.send(frame);
        },
      });
    },
  });

  it("gives the next frame to who asks next, though somebody gave up before", async () => {
    await using host = await startHost({ plugins: [echo] });
    const socket = await host.connect("/echo");
    await expect(socket.next(5)).rejects.toThrow("no frame within 5 ms");
    socket.send({ still: "mine" });
    expect(await socket.next()).toEqual({ still: "mine" });
  });

  it("steps time for `every`, and two hosts know nothing of each other", async () => {
    await using one = await startHost({ plugins: [echo], clock: "fake" });
    await using other = await startHost({ plugins: [echo], clock: "fake" });
    one.clock.tick(2500);
    await until(async () => ((await one.request("/runs")).json() as { runs: number }).runs > 0);
    expect((await other.request("/runs")).json()).toEqual({ runs: 0 });
    await one.plugins.disable("echo", "test");
    expect(other.plugins.list()).toMatchObject([{ state: "running" }]);
    expect(one.token).toBe(other.token);
    expect(one.stateDir).not.toBe(other.stateDir);
  });

  it("stops once however often it is told, and takes its folder along", async () => {
    const host = await startHost({ plugins: [echo] });
    await Promise.all([host.stop(), host.stop(), host[Symbol.asyncDispose]()]);
    expect(existsSync(host.stateDir)).toBe(false);
  });

  it("leaves a state dir that it was given, and makes one that is not there", async () => {
    const stateDir = join(tempDir("kit"), "deep", "state");
    const host = await startHost({ plugins: [echo], stateDir, config: {} });
    await host.stop();
    expect(existsSync(join(stateDir, "config.json"))).toBe(true);
  });

  it("that cannot start leaves no folder behind", async () => {
    const marker = `kit-${process.hrtime.bigint()}`;
    const config = `{ "gateway": { "port": "${marker}" } }`;
    await expect(startHost({ plugins: [echo], config })).rejects.toThrow(/gateway\.port/);
    const left = readdirSync(tmpdir()).filter((name) => {
      const file = join(tmpdir(), name, "config.json");
      return name.startsWith("chela-test-") && existsSync(file) && readText(file).includes(marker);
    });
    expect(left).toEqual([]);
  });
});

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
