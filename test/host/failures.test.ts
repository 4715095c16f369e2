/** The N-th failure: whichever call of a plugin's setup throws, nothing of it is left and the rest did not notice. */
import { definePlugin, Type } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it } from "vitest";

const neighbour = definePlugin({
  id: "neighbour",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "GET", path: "/neighbour", access: "read", handler: () => ({ ok: true }) });
  },
});

const busy = definePlugin({
  id: "busy",
  version: "1.0.0",
  host: "^1.0.0",
  config: Type.Object({ pace: Type.Integer({ default: 1 }) }),
  hot: ["pace"],
  setup(ctx) {
    ctx.own("resource", () => undefined);
    ctx.route({ method: "GET", path: "/busy", access: "read", handler: () => ({ ok: true }) });
    ctx.stream({ path: "/busy/live", access: "read", open: () => undefined });
    ctx.method({ name: "busy.do", access: "read", handler: () => 1 });
    ctx.tool({ name: "busy", about: "busy", input: Type.Object({}), risk: "read", access: "read", run: () => "busy" });
    ctx.on("http:request", () => undefined);
    ctx.health("busy", () => ({ ok: true }));
    ctx.every(60_000, () => undefined);
    ctx.watch([import.meta.dirname], () => undefined);
    ctx.onConfig(() => undefined);
    ctx.start(() => ctx.own("outward", () => undefined));
    ctx.emit("busy_ready");
  },
});

it("leaves the census as it was for every N until setup succeeds", async () => {
  let baseline: Readonly<Record<string, number>>;
  {
    await using host = await startHost({ plugins: [neighbour] });
    baseline = host.census();
  }
  for (let call = 0; ; call += 1) {
    await using host = await startHost({ plugins: [neighbour, busy], failCall: { plugin: "busy", call } });
    const state = host.plugins.list().find(({ id }) => id === "busy")?.state;
    expect((await host.request("/neighbour")).status).toBe(200);
    if (state === "running") {
      expect(call).toBeGreaterThanOrEqual(13);
      break;
    }
    expect(state, `call ${call}`).toBe("quarantined");
    expect(host.census(), `call ${call}`).toEqual(baseline);
    expect((await host.request("/busy")).status).toBe(404);
  }
});
