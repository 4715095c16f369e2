/** What a page about providers shows: the vendors that are known, and the providers there are with whoever rests. */
import { events, providers } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test } from "vitest";
import plugin from "../../../plugins/providers/index.ts";
import { until } from "../../kit/until.ts";
import { ask, hear, never, upstream } from "./kit.ts";

interface Preset {
  readonly id: string;
  readonly title: string;
  readonly needs: readonly string[];
  readonly [fact: string]: unknown;
}

async function rig(models: Record<string, unknown> = {}) {
  const host = await startHost({ plugins: [plugin], config: { models } });
  onTestFinished(() => host.stop());
  const identity = { id: "internal", name: "test", kind: "internal", scopes: ["admin"] } as const;
  const call = (method: string, params: unknown = {}) =>
    host.gateway.call(method, params, { identity, id: "1", signal: never }) as Promise<never>;
  return { host, call };
}

test("providers.presets tells of each vendor what it wants to be told", async () => {
  const { call } = await rig();
  const { presets } = (await call("providers.presets")) as { presets: readonly Preset[] };
  const named = (id: string) => presets.find((one) => one.id === id);
  expect(named("claude")).toEqual({
    id: "claude",
    title: "Anthropic Claude",
    aliases: expect.arrayContaining(["anthropic"]) as unknown,
    wire: "anthropic",
    api_base: "https://api.anthropic.com/v1",
    models: expect.any(Array) as unknown,
    auth: ["api_key", "oauth", "hybrid"],
    needs: ["api_key"],
    login: { vendor: "claude", flow: "callback", client_secret: false, label: false, client_set: false },
    env: "ANTHROPIC_API_KEY",
    local: false,
    relay: false,
  });
  expect(named("azure-openai")).toMatchObject({ api_base: null, needs: ["api_base", "api_key"], login: null });
  expect(named("ollama")).toMatchObject({ title: "Ollama", auth: ["none"], needs: [], local: true });
  expect(named("aistudio")).toMatchObject({ needs: [], relay: true });
  expect(new Set(presets.map(({ title }) => title)).size).toBe(presets.length);
});

test("every preset becomes a provider with nothing but what it needs", async () => {
  const { host, call } = await rig();
  const { presets } = (await call("providers.presets")) as { presets: readonly Preset[] };
  const told: Record<string, string> = { api_base: "https://ai.test/v1", api_key: "sk-canary-1234567890" };
  const value = Object.fromEntries(
    presets.map(({ id, needs }) => [
      id,
      { preset: id, models: ["m"], ...Object.fromEntries(needs.map((key) => [key, told[key]])) },
    ]),
  );
  await host.config.write([{ path: "models.providers", value }], { who: "test" });
  const listed = (await call("providers.list")) as {
    providers: readonly { name: string; preset: string }[];
    problems: unknown;
  };
  expect(listed.problems).toEqual([]);
  expect(listed.providers.map(({ name, preset }) => [name, preset])).toEqual(presets.map(({ id }) => [id, id]));
  expect(JSON.stringify(listed)).not.toContain("sk-canary-1234567890");
});

test("providers.list says where each is configured, and who rests, why and until when", async () => {
  const server = await upstream();
  const { host, call } = await rig({
    providers: { "sim-1": { api_base: server.base, api_key: "sk-canary-1234567890", models: ["echo", "auth"] } },
  });
  const list = async () =>
    ((await call("providers.list")) as { providers: readonly Record<string, unknown>[] }).providers;
  expect(await list()).toMatchObject([{ config_path: 'models.providers["sim-1"]', accounts: [], cooldowns: [] }]);
  await expect(hear(host.service(providers).stream(ask("sim-1/auth"), never))).rejects.toThrow();
  const [shown] = await list();
  expect(shown).toMatchObject({
    candidates: [{ target: expect.any(String) as unknown, status: "cooldown" }],
    cooldowns: [{ provider: "sim-1", reason: "unauthorized" }],
  });
  expect(JSON.stringify(shown)).not.toContain("sk-canary-1234567890");
  expect(await call("providers.clear", { provider: "sim-1" })).toMatchObject({
    cleared: expect.any(Number) as unknown,
  });
  expect(await list()).toMatchObject([{ cooldowns: [] }]);
  const news = () =>
    host
      .service(events)
      .since(0)
      .events.find(({ type }) => type === "provider_rests_changed");
  expect((await until(news, 2000, "the event of rests")).payload).toEqual({ provider: "sim-1" });
});
