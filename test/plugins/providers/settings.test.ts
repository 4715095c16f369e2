/** The `models` section: both dialects of keys, what is refused and with which words, and what follows for candidates. */
import { expect, test } from "vitest";
import { readSettings } from "../../../plugins/providers/settings.ts";
import { makeUpstreams, section } from "./kit.ts";

const base = "https://api.example.com/v1";

test("ClawGo's and OpenClaw's keys mean the same; keys of others are ignored", () => {
  const settings = readSettings(
    section({
      one: {
        api_base: `${base}/`,
        api_key: " sk ",
        models: ["a", "b"],
        timeout_sec: 5,
        runtime_persist: true,
        responses: { api: "responses" },
      } as never,
      two: { baseUrl: base, apiKey: "sk", models: [{ id: "a", contextWindow: 1 }, { id: "b" }] } as never,
    }),
  );
  expect(settings.problems).toEqual([]);
  const [one, two] = settings.providers;
  expect(one).toMatchObject({
    name: "one",
    origin: "https://api.example.com",
    prefix: "/v1",
    models: ["a", "b"],
    timeoutMs: 5000,
    open: false,
    source: "config",
  });
  expect(two).toMatchObject({ models: ["a", "b"], secrets: ["sk"], timeoutMs: 90_000 });
  expect(one).toMatchObject({
    keys: ["sk"],
    mode: "key",
    persist: true,
    historyMax: 24,
    responses: { api: "responses" },
  });
  expect(JSON.stringify(one?.headers)).not.toContain("sk");
});

test("no key, or auth none, signs with nothing; a key is a secret all the same", () => {
  const { providers } = readSettings(
    section({ a: { api_base: base }, b: { api_base: base, api_key: "sk", auth: "none" } }),
  );
  for (const spec of providers) expect(spec.keys).toEqual([]);
  expect(providers[1]?.secrets).toEqual(["sk"]);
});

test("several keys, each once, in order; presets know addresses; ClawGo's modes", () => {
  const { providers, problems } = readSettings(
    section({
      many: { api_base: base, api_key: " one ", api_keys: ["two", "one", "", "three"] },
      claude: { api_key: "sk" },
      codex: { auth: "oauth", oauth: { provider: "codex" }, api_base: base },
      both: { auth: "hybrid", api_key: "sk", oauth: { provider: "qwen", cooldown_sec: 60 }, api_base: base },
    }),
  );
  expect(problems).toEqual([]);
  const [many, claude, codex, both] = providers;
  expect(many?.keys).toEqual(["one", "two", "three"]);
  expect(claude).toMatchObject({ wire: "anthropic", origin: "https://api.anthropic.com", preset: "claude" });
  expect(codex).toMatchObject({ mode: "oauth", keys: [], open: true });
  expect(both).toMatchObject({ mode: "hybrid", keys: ["sk"], oauth: { cooldown_sec: 60 } });
});

test("what the config says about a model is told with it", () => {
  const models = [
    "plain",
    { id: "big", context_window: 200_000, images: true },
    { id: "open", contextWindow: 8, input: ["text"] },
  ];
  const upstreams = makeUpstreams({ a: { api_base: base, models } });
  expect(upstreams.models().slice(0, 3)).toEqual([
    { id: "a/plain", provider: "a", model: "plain", source: "config" },
    { id: "a/big", provider: "a", model: "big", source: "config", contextWindow: 200_000, images: true },
    { id: "a/open", provider: "a", model: "open", source: "config", contextWindow: 8, images: false },
  ]);
});

test.each([
  ["x", {}, "models.providers.x.api_base must be set"],
  ["x", { api_base: "ftp://a" }, "models.providers.x.api_base must be an http or https URL"],
  ["x", { api_base: "https://u:p@a/v1" }, "models.providers.x.api_base must be"],
  ["x", { api_base: "https://a/v1?key=1" }, "models.providers.x.api_base must be"],
  ["x", { api_base: base, timeout_sec: 0 }, "models.providers.x.timeout_sec must be > 0"],
  ["x", { api_base: base, max_tokens: -1 }, "models.providers.x.max_tokens must be >= 0"],
  ["x", { api_base: base, auth: "basic" }, "models.providers.x.auth must be one of"],
  ["x", { api_base: base, auth: "oauth" }, "models.providers.x.oauth.provider must be set when auth is oauth"],
  ["x", { api_base: base, auth: "hybrid", oauth: {} }, "models.providers.x.oauth.provider must be set"],
  ["x", { api_base: base, responses: { api: "legacy" } }, "models.providers.x.responses.api must be one of"],
  ["x", { api_base: base, responses: { include: [" "] } }, "models.providers.x.responses.include must hold no empty"],
  [
    "x",
    { api_base: base, preset: "nobody" },
    "models.providers.x.preset must be one of aistudio, antigravity, azure-openai",
  ],
  ["x", { api_base: base, api: "soap" }, "models.providers.x.api must be one of"],
  ["x", { api_base: base, api_keys: ["a", "b\nc"] }, "models.providers.x.api_keys.1 must be one line"],
  ["x", { api_base: base, runtime_history_max: -1 }, "models.providers.x.runtime_history_max must be >= 0"],
  ["x", { api_base: base, api_key: "a\nb" }, "models.providers.x.api_key must be one line"],
  ["x", { api_base: base, headers: { "a b": "c" } }, "models.providers.x.headers.a b must be a valid HTTP header"],
  ["x", { api_base: base, headers: { a: "c\r\nd: e" } }, "models.providers.x.headers.a must be a valid HTTP header"],
  ["chela", { api_base: base }, "models.providers.chela must be named"],
  ["a/b", { api_base: base }, "models.providers.a/b must be named"],
])("%s %j is left out: %s", (name, entry, words) => {
  const { providers, problems } = readSettings(section({ [name]: entry, good: { api_base: base } }));
  expect(providers.map((spec) => spec.name)).toEqual(["good"]);
  expect(problems).toHaveLength(1);
  expect(`${problems[0]?.path} ${problems[0]?.message}`).toContain(words);
});

test("whatever stands there, nothing throws", () => {
  const odd: unknown[] = [
    null,
    7,
    "x",
    [],
    { api_base: 7 },
    { api_base: base, models: "a" },
    { api_base: base, models: [{}] },
    { api_base: base, headers: { a: 1 } },
    { api_base: base, oauth: [] },
    { api_base: base, oauth: { provider: 7 } },
    { api_base: base, api_keys: [7] },
    { api_base: base, responses: { include: "all" } },
  ];
  for (const entry of odd) expect(readSettings({ providers: { odd: entry } } as never).providers).toEqual([]);
  for (const whole of [null, 7, [], { providers: [] }, {}]) expect(readSettings(whole as never).providers).toEqual([]);
});

test("the first configured model is the primary one; the first of each other provider follows", () => {
  const upstreams = makeUpstreams({
    a: { api_base: base, models: ["m1", "m2"] },
    b: { api_base: base, models: ["n1"] },
    c: { api_base: base },
  });
  expect(upstreams.primary()).toBe("a/m1");
  expect(upstreams.fallbacks()).toEqual(["b/n1"]);
  expect(upstreams.models().map((model) => model.id)).toEqual(["a/m1", "a/m2", "b/n1", "c/*", "offline/offline"]);
});

test("models.fallbacks decides when it is there, also when it is empty", () => {
  const providers = { a: { api_base: base, models: ["m1"] }, b: { api_base: base, models: ["n1"] } };
  expect(makeUpstreams(providers, { fallbacks: ["a/m1", "b/n1"] }).fallbacks()).toEqual(["a/m1", "b/n1"]);
  expect(makeUpstreams(providers, { fallbacks: [] }).fallbacks()).toEqual([]);
});
