import { definePlugin, defineService, events, need, Type } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import { until } from "../../kit/until.ts";

const secret = "canary-1a2b3c4d5e";
const clock = defineService<object>("clock", "1.2.0");

const clockwork = definePlugin({
  id: "clockwork",
  version: "1.0.0",
  host: "^1.0.0",
  provides: [clock],
  setup: (ctx) => ctx.provide(clock, {}),
});

const page = definePlugin({
  id: "page",
  version: "1.0.0",
  host: "^1.0.0",
  config: Type.Object({
    key: Type.String({ secret: true, default: "" }),
    every: Type.Integer({ default: 5, description: "Seconds." }),
  }),
  hot: ["every"],
  needs: {
    clock: need(clock, "^1.0.0"),
    later: need(clock, "^2.0.0", { optional: true }),
    none: need(defineService<object>("none", "1.0.0"), "^1.0.0", { optional: true }),
  },
  setup(ctx) {
    ctx.panel({ id: "page", title: "The page", module: "/page/panel.js", access: "read" });
    ctx.on("config:changed", () => {
      throw new Error(`no luck with ${secret}`);
    });
  },
});

async function open() {
  const entries = { page: { config: { key: secret } } };
  const host = await startHost({ plugins: [apiConfig, clockwork, page], config: { plugins: { entries } } });
  onTestFinished(() => host.stop());
  const told: string[] = [];
  host.service(events).subscribe(({ type, payload }) => {
    if (type === "plugin_state") told.push(`${String(payload.plugin)} ${String(payload.state)}`);
    if (type === "generation") told.push(`generation ${String(payload.id)}`);
  });
  return { host, told };
}

test("a page learns all about a plugin, without its secrets", async () => {
  const { host } = await open();
  await host.config.write([{ path: "gateway.reload.debounceMs", value: 200 }], { who: "test" });
  const reply = await host.request("/api/call", { body: { method: "plugins.info", params: { id: "page" } } });
  expect(reply.text).not.toContain(secret);
  expect((reply.json() as { result: object }).result).toMatchObject({
    state: "running",
    enabled: true,
    enabledByDefault: true,
    removable: false,
    section: "plugins.entries.page.config",
    value: { key: "__CHELA_REDACTED__", every: 5 },
    hot: ["every"],
    schema: { properties: { key: { secret: true }, every: { default: 5, description: "Seconds." } } },
    needs: [
      { service: "clock", provider: "clockwork", offered: { id: "clockwork", version: "1.2.0" }, missing: false },
      { service: "clock", provider: null, offered: { id: "clockwork", version: "1.2.0" }, missing: true },
      { service: "none", provider: null, offered: null, missing: true },
    ],
    contributions: { panels: [{ id: "page", title: "The page", access: "read" }] },
    hooks: [{ hook: "config:changed", calls: 1, errors: 1 }],
    faults: 1,
    lastFault: { at: expect.any(Number), where: "config:changed", message: "no luck with [redacted]" },
  });
  expect(host.plugins.info("clockwork").usedBy).toEqual([{ id: "page", service: "clock", optional: false }]);
  await host.plugins.release("page");
  expect(host.plugins.info("page")).toMatchObject({ faults: 0, lastFault: null });
});

test("every change of a plugin is told, with one generation for each composition", async () => {
  const { host, told } = await open();
  const { generation } = host.gateway.status() as unknown as { generation: number };
  await host.plugins.disable("clockwork", "test");
  expect(host.plugins.list().find(({ id }) => id === "clockwork")).toMatchObject({ enabled: false });
  await host.plugins.disable("page", "test");
  await host.plugins.enable("page", "test");
  await host.plugins.enable("clockwork", "test");
  await host.plugins.reload("page");
  expect(told.splice(0)).toEqual([
    `generation ${generation + 1}`,
    "clockwork disabled",
    "page waiting",
    "page disabled",
    "page waiting",
    `generation ${generation + 2}`,
    "clockwork running",
    "page running",
    `generation ${generation + 3}`,
    "page running",
  ]);
  await host.config.write([{ path: "plugins.quarantine.faults", value: 1 }], { who: "test" });
  await until(() => told.includes("page quarantined"), 5000, "the quarantine");
  await host.plugins.release("page");
  expect(told.at(-1)).toBe("page running");
});
