// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in strings are what this file is about
import { expect, test } from "vitest";
import { envName } from "../../kernel/config/env.ts";
import { assertKernelSections } from "../../kernel/config/snapshot.ts";
import { open, refusal, snapshotOf } from "./fixture.ts";

const provider = (more: Record<string, unknown>) => ({
  models: { providers: { a: { api_base: "http://x", ...more } } },
});

function providerOf(snapshot: Awaited<ReturnType<typeof snapshotOf>>): Record<string, unknown> {
  return (snapshot.values.get("providers") as { providers: { a: Record<string, unknown> } }).providers.a;
}

test("references are resolved in memory, also inside text, and coerced where they are the whole value", async () => {
  const env = { KEY: "sk-1", HOST: "example.org", SECONDS: "30" };
  const raw = provider({ api_key: "${KEY}", api_base: "https://${HOST}/v1", timeout_sec: "${SECONDS}" });
  const snapshot = await snapshotOf(raw, env);
  expect(snapshot.problems).toEqual([]);
  expect(providerOf(snapshot)).toMatchObject({ api_key: "sk-1", api_base: "https://example.org/v1", timeout_sec: 30 });
  expect(snapshot.raw).toEqual(raw);
});

test("$${NAME} is the text ${NAME}; what is no upper-case name is text too", async () => {
  const snapshot = await snapshotOf(provider({ headers: { a: "$${KEY}", b: "${name} {X} $X" } }), { KEY: "no" });
  expect(providerOf(snapshot).headers).toEqual({ a: "${KEY}", b: "${name} {X} $X" });
});

test("a missing variable is a problem on its path; its value counts as absent, never as the text itself", async () => {
  const snapshot = await snapshotOf({ gateway: { auth: { token: "${NOT_SET}" } } });
  expect(snapshot.problems).toEqual([
    { path: "gateway.auth.token", message: expect.stringContaining("NOT_SET"), level: "warning" },
  ]);
  expect(snapshot.values.get("gateway")).toMatchObject({ auth: { token: "" } });
});

test("CHELA_ variables override known keys, coerced by the schema", async () => {
  const env = {
    CHELA_GATEWAY_PORT: "9000",
    CHELA_GATEWAY_TOKEN: "from-env",
    CHELA_GATEWAY_AUTH_TRUSTED_PROXY_ALLOW_LOOPBACK: "yes",
    CHELA_GATEWAY_RELOAD_MODE: "off",
    CHELA_PLUGINS_ENTRIES_DEMO_CONFIG_GREETING: "hi",
    CHELA_MODELS_PROVIDERS_A_TIMEOUT_SEC: "7",
    CHELA_MODELS_PROVIDERS_B_TIMEOUT_SEC: "7",
    CHELA_CONFIG: "/nowhere",
    CHELA_STATE_DIR: "/nowhere",
    CHELA_SOMETHING_ELSE: "ignored",
  };
  const snapshot = await snapshotOf(provider({}), env);
  expect(snapshot.values.get("gateway")).toMatchObject({
    port: 9000,
    auth: { token: "from-env", trustedProxy: { allowLoopback: true } },
    reload: { mode: "off" },
  });
  expect(snapshot.values.get("demo")).toMatchObject({ greeting: "hi" });
  expect(providerOf(snapshot).timeout_sec).toBe(7);
  expect(Object.fromEntries(snapshot.overrides)).toMatchObject({
    "gateway.port": "CHELA_GATEWAY_PORT",
    "gateway.auth.token": "CHELA_GATEWAY_TOKEN",
  });
  expect(snapshot.problems).toEqual([]);
  expect(snapshot.raw).toEqual(provider({}));
});

test("an override that is not valid says which variable it was", async () => {
  const snapshot = await snapshotOf({}, { CHELA_GATEWAY_PORT: "ninety" });
  const error = await refusal(() => assertKernelSections(snapshot));
  expect(error.details?.errors).toEqual(["gateway.port must be integer (set by CHELA_GATEWAY_PORT)"]);
});

test("names are the upper snake of the path", () => {
  expect(envName(["gateway", "reload", "debounceMs"])).toBe("CHELA_GATEWAY_RELOAD_DEBOUNCE_MS");
  expect(envName(["plugins", "entries", "api-config", "config", "x_y"])).toBe(
    "CHELA_PLUGINS_ENTRIES_API_CONFIG_CONFIG_X_Y",
  );
});

test("neither references nor overrides reach the disk when the file is written", async () => {
  const text = '{\n  "gateway": { "auth": { "token": "${TOKEN}" } }, // from the environment\n  "logging": {}\n}\n';
  const { config, onDisk } = await open(text, { TOKEN: "resolved-secret", CHELA_GATEWAY_PORT: "9000" });
  const view = config.view() as { gateway: { auth: { token: string }; port: number } };
  expect(view.gateway.auth.token).toBe("${TOKEN}");
  expect(view.gateway.port).toBe(9000);
  await config.write(
    [
      { path: "logging.level", value: "debug" },
      { path: "gateway.auth", value: { token: view.gateway.auth.token } },
    ],
    { who: "test" },
  );
  expect(onDisk()).toContain("${TOKEN}");
  expect(onDisk()).not.toContain("resolved-secret");
  expect(onDisk()).not.toContain("9000");
});

test("escapes are shown as they are written, so that sending the view back keeps their meaning", async () => {
  const { config } = await open(provider({ headers: { a: "$${KEY}" } }), { KEY: "v" });
  expect(config.get("models.providers.a.headers.a", "merged")).toEqual({ found: true, value: "$${KEY}" });
});
