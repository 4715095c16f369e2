/** What whoever asks has used himself, and what is left: over HTTP, as a method and on the command line, without rights over others. */
import { expect, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import chat from "../../../plugins/chat/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { periodOf } from "../../../plugins/keys/limits.ts";
import openai from "../../../plugins/openai/index.ts";
import providers from "../../../plugins/providers/index.ts";
import store from "../../../plugins/store/index.ts";
import usage from "../../../plugins/usage/index.ts";
import { liveHost } from "../../kit/live.ts";
import { newKey } from "../openai/kit.ts";

const env = { CHELA_DISCOVERY: "off" };
const prices = { offline: { input: 1e6, output: 1e6 } };
const body = { model: "offline/offline", messages: [{ role: "user", content: "/echo hi" }] };

async function open(plugins = [usage]) {
  const all = [apiConfig, store, providers, chat, openai, keys, ...plugins];
  return liveHost({ plugins: all, env, config: { usage: { prices } } });
}

test("a key that may only read sees its own use and what is left of each limit, nobody else's", async () => {
  const { host } = await open();
  const limits = { rpm: 5, tokens: 1000, usd: 500, period: "day" };
  const token = await newKey(host, { name: "app", limits });
  const reader = await newKey(host, { name: "reader", scopes: ["read"] });
  expect((await host.request("/v1/chat/completions", { token, body })).status).toBe(200);
  expect((await host.request("/v1/chat/completions", { body })).status).toBe(200);

  const own = (await host.request("/api/usage/me", { token })).json() as { used: { tokens: number } };
  const { until: resets_at, from: since } = periodOf("day", Date.now());
  const { tokens } = own.used;
  expect(tokens).toBeGreaterThan(0);
  const ofDay = { per: "day", used: tokens, reserved: 0, resets_at };
  const taken = { limit: "requests", per: "minute", max: 5, used: 2, reserved: 0, remaining: 3 };
  expect(own).toEqual({
    ok: true,
    id: expect.stringMatching(/^key:k_/),
    name: "app",
    period: "day",
    since,
    resets_at,
    used: { calls: 1, tokens, cost: tokens },
    limits: [
      { ...taken, resets_at: expect.any(Number) },
      { limit: "tokens", max: 1000, remaining: 1000 - tokens, ...ofDay },
      { limit: "usd", max: 500, remaining: 500 - tokens, ...ofDay },
    ],
  });
  const others = (await host.request("/api/usage/me", { token: reader })).json();
  expect(others).toMatchObject({ name: "reader", period: "month", used: { calls: 0, tokens: 0, cost: 0 }, limits: [] });
  const owner = (await host.request("/api/usage/me")).json();
  expect(owner).toMatchObject({ id: "token", used: { calls: 1 }, limits: [] });
  expect((await host.request("/api/usage/me", { token: "chela_k_aaaaaaaaaa_guess" })).status).toBe(401);
});

test("the list of keys says what remains of each budget and when it begins anew", async () => {
  const { host, chela } = await open();
  const token = await newKey(host, { name: "app", limits: { rpm: 5, tokens: 1000, period: "month" } });
  expect((await host.request("/v1/chat/completions", { token, body })).status).toBe(200);
  const [row] = (await chela(["keys", "list", "--json"])).json<{ spent: { tokens: number } }[]>();
  const tokens = 1000 - (row?.spent.tokens ?? 0);
  expect(row).toMatchObject({
    remaining: { tokens, usd: null, rpm: 4 },
    resetsAt: periodOf("month", Date.now()).until,
  });
});

test("chela usage --me", async () => {
  const { host, chela } = await open();
  const token = await newKey(host, { name: "app", limits: { rpm: 5, tokens: 1000, usd: 500, period: "day" } });
  const me = (...more: string[]) => chela(["usage", "--me", ...more], { env: { CHELA_GATEWAY_TOKEN: token } });
  const { stdout } = await me();
  expect(stdout).toMatch(/requests\/minute +5 +1 +0 +4 /);
  expect(stdout).toMatch(/tokens\/day +1,000 +0 +0 +1,000 /);
  expect(stdout).toMatch(/dollars\/day +\$500\.00 +\$0\.00 +\$0\.00 +\$500\.00 /);
  expect((await me("--json")).json()).toMatchObject({ name: "app", limits: { length: 3 } });
  expect((await chela(["usage", "--me"])).stdout).toBe("");
  expect((await chela(["usage", "--me"])).stderr).toMatch(/no limit/);
  expect(await me("--by", "model")).toMatchObject({ code: 1, stderr: expect.stringContaining("--me") });
});

test("without the plugin usage the limits that need no book are told, and nothing is made up", async () => {
  const { host } = await open([]);
  const token = await newKey(host, { name: "app", limits: { rpm: 5, tokens: 1000 } });
  const own = (await host.request("/api/usage/me", { token })).json();
  expect(own).toMatchObject({ used: null, limits: [{ limit: "requests", remaining: 4 }] });
});
