/** What a plugin may not do in setup, or says wrongly: told at the call, as the reason why it is off. */
import { defineService, Type } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { calm, plugin, row, type Setup } from "./kit.ts";

describe("whatever setup throws", () => {
  const symbol = Object.assign(new Error("x"), { message: Symbol("odd") });
  const endless = new AggregateError([]);
  endless.errors.push(endless);
  it.each([
    ["nothing", undefined],
    ["an object without a prototype", Object.create(null)],
    ["a message that is no text", symbol],
    ["errors within themselves", endless],
    ["a plain object", { message: "plain" }],
  ])("%s is a reason, and the host starts", async (_what, thrown) => {
    await using host = await startHost({
      plugins: [
        calm,
        plugin("wild", () => {
          throw thrown;
        }),
      ],
    });
    expect(row(host, "wild")).toMatchObject({ state: "quarantined", reason: expect.stringMatching(/^.+; fix it/) });
    expect((await host.request("/calm")).status).toBe(200);
  });
});

describe("what a Context refuses", () => {
  const handler = () => 1;
  const table: Record<string, [Setup, RegExp]> = {
    "a route without a handler": [
      (ctx) => ctx.route({ method: "GET", path: "/x", access: "read" } as never),
      /a function belongs/,
    ],
    "a method in small letters": [
      (ctx) => ctx.route({ method: "get" as never, path: "/x", access: "read", handler }),
      /the methods are GET/,
    ],
    "a probe of the host": [
      (ctx) => ctx.route({ method: "GET", path: "/ready", access: "public", handler }),
      /answers itself/,
    ],
    "a wildcard in the middle": [
      (ctx) => ctx.route({ method: "GET", path: "/*/x", access: "read", handler }),
      /at the end only/,
    ],
    "a parameter without a name": [
      (ctx) => ctx.route({ method: "GET", path: "/:/x", access: "read", handler }),
      /has a name/,
    ],
    "a stream with a parameter": [
      (ctx) => ctx.stream({ path: "/x/:id", access: "read", open: () => undefined }),
      /no parameters/,
    ],
    "a tap that is no function": [(ctx) => ctx.on("http:request", "x" as never), /a string where a function belongs/],
    "a hook of Object's": [(ctx) => ctx.on("constructor" as never, handler as never), /unknown hook/],
    "a method without a name": [(ctx) => ctx.method({ name: "", access: "read", handler }), /method named ""/],
    "a schema that is none": [
      (ctx) => ctx.method({ name: "x.y", access: "read", params: 5 as never, handler }),
      /a schema that is none/,
    ],
    "an interval beyond what a timer holds": [(ctx) => ctx.every(30 * 86_400_000, () => undefined), /1 to 2147483647/],
    "an interval that is no number": [(ctx) => ctx.every(Number.NaN, () => undefined), /1 to 2147483647/],
    "a release that is no function": [
      (ctx) => ctx.own("x", undefined as never),
      /own x nothing where a function belongs/,
    ],
  };
  it.each(Object.keys(table))("%s is refused at the call", async (name) => {
    const [setup, reason] = table[name] as [Setup, RegExp];
    await using host = await startHost({ plugins: [calm, plugin("wild", setup as never)] });
    expect(row(host, "wild")).toEqual({ state: "quarantined", reason: expect.stringMatching(reason) as string });
    expect(host.census()).toEqual({ route: 1 });
  });

  it("registrations after setup, of every kind, and a service twice or of nothing", async () => {
    const thing = defineService<object>("thing", "1.0.0");
    const refusals: string[] = [];
    const tried = (call: () => void) => {
      try {
        call();
      } catch (error) {
        refusals.push((error as Error).message.replace(/^plugin "late" /, ""));
      }
    };
    const late: Setup = (ctx) => {
      tried(() => ctx.provide(thing, undefined as never));
      ctx.provide(thing, {});
      tried(() => ctx.provide(thing, {}));
      ctx.start(() => {
        const input = Type.Object({});
        tried(() => ctx.route({ method: "GET", path: "/late", access: "read", handler }));
        tried(() => ctx.stream({ path: "/late/live", access: "read", open: () => undefined }));
        tried(() => ctx.method({ name: "late.do", access: "read", handler }));
        tried(() => ctx.tool({ name: "late", about: "", input, risk: "read", access: "read", run: handler }));
        tried(() => ctx.command({ name: "late", about: "", access: "read", run: handler }));
        tried(() => ctx.panel({ id: "late", title: "", module: "/x.js", access: "read" }));
        tried(() => ctx.static("/late", import.meta.dirname, { access: "read" }));
        tried(() => ctx.health("late", () => ({ ok: true })));
        tried(() => ctx.on("http:request", () => undefined));
        tried(() => ctx.provide(thing, {}));
      });
    };
    await using host = await startHost({ plugins: [plugin("late", late as never, { provides: [thing] })] });
    expect(row(host, "late").state).toBe("running");
    expect(refusals.slice(0, 2)).toEqual(['provides nothing for "thing"', 'provides "thing" twice']);
    expect(refusals.slice(2)).toHaveLength(10);
    expect(refusals.slice(2).filter((text) => !text.includes("after setup"))).toEqual([]);
    expect((await host.request("/late")).status).toBe(404);
  });
});
