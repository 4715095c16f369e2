import { expect, test } from "vitest";
import { planChanges } from "../../kernel/config/classify.ts";
import { sections, snapshotOf } from "./fixture.ts";

async function plan(before: Record<string, unknown>, after: Record<string, unknown>): Promise<string[]> {
  const rows = planChanges(await snapshotOf(before), await snapshotOf(after), sections);
  return rows.map(({ path, class: kind, owner }) => `${path} ${kind} ${owner}`.trim());
}

test("writing down a default is no change", async () => {
  expect(
    await plan({}, { gateway: { port: 18790, auth: {} }, cron: { sleep: { min: 1 } }, plugins: { entries: {} } }),
  ).toEqual([]);
});

test("keys are classified by their owner", async () => {
  const before = { models: { providers: { a: { api_base: "http://x" } } } };
  const after = {
    models: { providers: { a: { api_base: "http://y", timeout_sec: 5 } } },
    logging: { level: "debug", dir: "elsewhere" },
    cron: { maxWorkers: 8, sleep: { max: 60 } },
    plugins: { drainMs: 1, entries: { demo: { enabled: false, config: { greeting: "hi", password: "p" } } } },
    telegram: { on: true },
  };
  expect((await plan(before, after)).sort()).toEqual([
    "cron.maxWorkers hot cron",
    "cron.sleep.max restart-plugin cron",
    "logging.dir hot logs",
    "logging.level hot logs",
    "models.providers.a.api_base restart-plugin providers",
    "models.providers.a.timeout_sec hot providers",
    "plugins.drainMs hot gateway",
    "plugins.entries.demo.config.greeting hot demo",
    "plugins.entries.demo.config.password restart-plugin demo",
    "plugins.entries.demo.enabled restart-plugin demo",
    "telegram.on none",
  ]);
});

test("only what the listener is made of restarts the gateway", async () => {
  const after = {
    gateway: {
      port: 1,
      host: "127.0.0.1",
      bind: "lan",
      tls: { certPath: "c", keyPath: "k" },
      auth: { token: "t" },
      trustedProxies: ["10.0.0.0/8"],
      reload: { debounceMs: 5 },
    },
  };
  expect((await plan({}, after)).sort()).toEqual([
    "gateway.auth.token hot gateway",
    "gateway.bind restart-gateway gateway",
    "gateway.host restart-gateway gateway",
    "gateway.port restart-gateway gateway",
    "gateway.reload.debounceMs hot gateway",
    "gateway.tls.certPath restart-gateway gateway",
    "gateway.tls.keyPath restart-gateway gateway",
    "gateway.trustedProxies hot gateway",
  ]);
});

test("arrays are one leaf; removing is a change; entries of unknown plugins concern nobody", async () => {
  const provider = (spare: string[]) => ({ models: { providers: { a: { api_base: "x", spare_keys: spare } } } });
  expect(await plan(provider(["a", "b"]), provider(["b"]))).toEqual([
    "models.providers.a.spare_keys restart-plugin providers",
  ]);
  expect(await plan({ cron: { maxWorkers: 9 } }, {})).toEqual(["cron.maxWorkers hot cron"]);
  expect(await plan({}, { plugins: { entries: { gone: { config: { x: 1 } } } } })).toEqual([
    "plugins.entries.gone.config.x none",
  ]);
});

test("keys with dots are written so that they can be read back", async () => {
  expect(await plan({}, { models: { providers: { "my.host": { api_base: "x" } } } })).toEqual([
    'models.providers["my.host"].api_base restart-plugin providers',
    'models.providers["my.host"].timeout_sec hot providers',
    'models.providers["my.host"].accounts restart-plugin providers',
  ]);
});

test("the defaults of a plugin that has just been installed are no change of the config", async () => {
  const older = await snapshotOf({});
  const newer = {
    owner: "fresh",
    path: "fresh",
    schema: { type: "object", properties: { a: { default: 1 } } },
    hot: [],
  };
  const all = [...sections, newer];
  expect(planChanges(older, older, all)).toEqual([]);
});
