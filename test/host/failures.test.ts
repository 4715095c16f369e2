/** The N-th failure: whichever call of a plugin's setup throws, nothing of it is left and the rest did not notice. */
import { definePlugin, events, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import api from "../../plugins/api-config/index.ts";
import { until } from "../kit/until.ts";

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

describe("what a plugin throws", () => {
  const secret = "canary-of-the-plugin-17";
  const path = "plugins.entries.loud.config.fail";
  const loud = definePlugin({
    id: "loud",
    version: "1.0.0",
    host: "^1.0.0",
    config: Type.Object({
      token: Type.String({ default: "", secret: true }),
      fail: Type.String({ default: "" }),
    }),
    hot: ["fail"],
    setup(ctx) {
      const failAt = (place: string) => {
        if (ctx.config.fail === place) throw new Error(`${place} refused ${ctx.config.token}`);
      };
      failAt("setup");
      ctx.start(() => failAt("start"));
      ctx.onConfig(() => failAt("onConfig"));
      ctx.health("loud", () => {
        failAt("health");
        return { ok: true };
      });
      ctx.route({
        method: "GET",
        path: "/loud",
        access: "public",
        handler: () => {
          throw new Error(`route refused ${ctx.config.token}`);
        },
      });
    },
  });
  const start = (fail: string) =>
    startHost({
      plugins: [api, loud],
      config: { plugins: { quarantine: { faults: 2 }, entries: { loud: { config: { token: secret, fail } } } } },
    });
  const told = async (host: TestHost) => {
    const { gateway, plugins } = host;
    const said = [
      plugins.list(),
      plugins.info("loud"),
      gateway.status(),
      await gateway.health(),
      host.config.trouble(),
    ];
    return JSON.stringify([said, host.service(events).since(0), (await host.request("/ready")).text]);
  };

  it.each(["setup", "start", "onConfig", "health"])("in %s is told, but not the secret in it", async (place) => {
    await using host = await start(place === "onConfig" ? "" : place);
    let failed = "";
    if (place === "onConfig")
      failed = await host.config.write([{ path, value: place }], { who: "test" }).then(String, String);
    const all = failed + (await told(host));
    expect(all).toContain(`${place} refused [redacted]`);
    expect(all).not.toContain(secret);
  });

  it("while it runs is the last fault, and the reason of the quarantine, without the secret", async () => {
    await using host = await start("");
    for (let fault = 0; fault < 2; fault += 1) await host.request("/loud");
    await until(() => host.plugins.info("loud").state === "quarantined");
    const all = await told(host);
    expect(all).toContain("route refused [redacted]");
    expect(all).not.toContain(secret);
  });
});
