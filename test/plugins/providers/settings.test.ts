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
  expect(one?.headers).toContain("Bearer sk");
});

test("no key, or auth none, sends no credential", () => {
  const { providers } = readSettings(
    section({ a: { api_base: base }, b: { api_base: base, api_key: "sk", auth: "none" } }),
  );
  for (const spec of providers) expect(spec.headers).not.toContain("authorization");
});

test.each([
  ["x", {}, "models.providers.x.api_base must be an http or https URL"],
  ["x", { api_base: "ftp://a" }, "models.providers.x.api_base must be an http or https URL"],
  ["x", { api_base: "https://u:p@a/v1" }, "models.providers.x.api_base must be"],
  ["x", { api_base: "https://a/v1?key=1" }, "models.providers.x.api_base must be"],
  ["x", { api_base: base, timeout_sec: 0 }, "models.providers.x.timeout_sec must be > 0"],
  ["x", { api_base: base, max_tokens: -1 }, "models.providers.x.max_tokens must be >= 0"],
  ["x", { api_base: base, auth: "basic" }, "models.providers.x.auth must be one of"],
  ["x", { api_base: base, auth: "oauth" }, "models.providers.x.auth must be bearer or none for now"],
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
