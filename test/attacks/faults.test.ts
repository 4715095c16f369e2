/** Whatever strangers to the code send, no entrance answers with a fault of its own: N faults would switch its plugin off for everybody. */
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gatewayWith } from "./kit.ts";

let host: TestHost;
beforeAll(async () => {
  // Nothing is quarantined here before the end, so that every fault is seen.
  const plugins = { quarantine: { faults: 1_000, windowSec: 3_600 } };
  const tools = { approvals: { exec: "deny" }, mcp: { enabled: true } };
  host = await gatewayWith([], { config: { plugins, tools, agents: { defaults: { max_turn_seconds: 5 } } } });
});
afterAll(() => host.stop());

const lone = "\ud800";
const nested = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`) as unknown;
/** What is no good value anywhere, and here and there a good one. */
const values: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  "",
  " ",
  "x",
  "../../../../etc/passwd",
  "a/../../b",
  "/etc/passwd",
  "\\\\evil\\share",
  "file:///etc/passwd",
  "http://[::1",
  "http://169.254.169.254/",
  "javascript:alert(1)",
  "a\0b",
  "a\r\nb: c",
  `${lone}x`,
  "\u202e\u2066x",
  "__proto__",
  "constructor",
  "toString",
  "%00%ff%",
  "' OR 1=1 --",
  '"NEAR( * ^ ) AND',
  "(a+)+$".repeat(50),
  "x".repeat(100_000),
  "🙂".repeat(5_000),
  [],
  {},
  [null],
  [[[[]]]],
  nested(40),
  { length: 1e9 },
  { toString: 1 },
  Array.from({ length: 2_000 }, (_, index) => index),
];
const words = [
  "action",
  "name",
  "id",
  "key",
  "to",
  "path",
  "content",
  "query",
  "session",
  "tool",
  "args",
  "provider",
  "model",
  "message",
  "messages",
  "input",
  "url",
  "value",
  "limit",
  "since",
  "by",
  "hash",
  "decision",
  "credential_file",
  "flow_id",
  "callback_url",
  "provider_config",
  "package",
  "installer",
  "jsonl",
];

/** What ends the gateway itself, replaces its settings or takes long: their own tests attack them. */
const apart = /^(?:gateway\.(?:stop|restart)|plugins\.|config\.|store\.)/;
const apartRoutes = /^\/api\/(?:gateway|config|service|plugins)/;

function names(schema: unknown): readonly string[] {
  const { properties } = (schema ?? {}) as { properties?: Record<string, unknown> };
  return properties ? Object.keys(properties) : words;
}

/** One object per value, each name of it with that value, and the value by itself; `deep`: each name alone, too. */
function* hostile(own: readonly string[], deep = false): Iterable<unknown> {
  for (const value of values) {
    yield value;
    yield Object.fromEntries(own.map((name) => [name, value]));
  }
  if (deep) for (const name of own) for (const value of values) if (typeof value === "string") yield { [name]: value };
}

const faults = () => host.plugins.list().map(({ id }) => `${id} ${host.plugins.info(id).faults}`);
const unfaulted = () => host.plugins.list().map(({ id }) => `${id} 0`);
const said = () =>
  host
    .logs()
    .filter((line) => Number(line.level) >= 50)
    .slice(-3);

function expectNone(what: string): void {
  expect(faults(), `${what}: ${JSON.stringify(said())}`).toEqual(unfaulted());
}

/** Some wait for somebody, on purpose; nobody waits for them here. */
async function ask(path: string, init: { method?: string; body?: unknown } = {}) {
  const signal = AbortSignal.timeout(500);
  return host.request(path, { ...init, token: host.token, signal }).catch(() => undefined);
}

const post = (path: string, body: unknown) => ask(path, { method: "POST", body: JSON.stringify(body) });

it("tools", { timeout: 120_000 }, async () => {
  const listed = (await host.request("/api/tools", { token: host.token })).json() as {
    tools: { name: string; parameters: unknown }[];
  };
  expect(listed.tools.length).toBeGreaterThan(15);
  for (const { name, parameters } of listed.tools) {
    const { properties = {} } = parameters as { properties?: Record<string, { anyOf?: { const: unknown }[] }> };
    const actions = properties.action?.anyOf?.map((one) => one.const) ?? [undefined];
    for (const given of hostile(names(parameters), true))
      for (const action of actions) {
        const object = typeof given === "object" && given !== null && !Array.isArray(given);
        const args = object && action !== undefined ? { ...given, action } : given;
        await post("/v1/tools/invoke", { tool: name, args });
      }
    expectNone(name);
  }
});

it("methods", { timeout: 120_000 }, async () => {
  const methods = host.gateway.methods();
  expect(methods.length).toBeGreaterThan(50);
  for (const { name } of methods.filter(({ name }) => !apart.test(name))) {
    for (const given of hostile(words)) {
      const { status = 0, text = "" } = (await post("/api/call", { method: name, params: given })) ?? {};
      const what = `${name} ${JSON.stringify(given)?.slice(0, 300)}: ${text.slice(0, 300)}`;
      expect(status >= 500 && text.includes("INTERNAL"), what).toBe(false);
    }
    expectNone(name);
  }
});

it("routes", { timeout: 120_000 }, async () => {
  const routes = host.plugins.list().flatMap(({ id }) => host.plugins.info(id).contributions.routes);
  expect(routes.length).toBeGreaterThan(50);
  for (const { method, path } of routes.filter(({ path }) => !apartRoutes.test(path) && path !== "/api/call")) {
    const texts = values.filter((value) => typeof value === "string" && value.length < 2_000) as string[];
    for (const text of texts) {
      const value = encodeURIComponent(text.replaceAll(lone, ""));
      const target = path.replace(/:[A-Za-z]+\??|\*/g, value || "x");
      const query = words.map((word) => `${word}=${value}`).join("&");
      for (const at of [target, `${target}?${query}`])
        if (method === "GET" || method === "DELETE") await ask(at, { method });
    }
    if (method !== "GET" && method !== "DELETE")
      for (const given of hostile(words)) await post(path.replace(/:[A-Za-z]+\??|\*/g, "x"), given);
    expectNone(`${method} ${path}`);
  }
});
