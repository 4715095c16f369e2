/** Which preset a provider gets, and which wire it speaks then. */
import { describe, expect, test } from "vitest";
import { localServers } from "../../../../plugins/providers/discovery/vendors.ts";
import { presetNamed, presetOf, presets, wireOf } from "../../../../plugins/providers/presets.ts";
import { toSpec } from "../../../../plugins/providers/settings.ts";

describe("a provider is known", () => {
  test.each([
    ["openai", {}, "openai", "chat"],
    ["openai", { responses: { api: "responses" } }, "openai", "responses"],
    ["openai", { responses: { api: "chat_completions" } }, "openai", "chat"],
    ["anthropic", {}, "claude", "anthropic"],
    ["claude-code", {}, "claude", "anthropic"],
    ["Claude_API_Key", {}, "claude", "anthropic"],
    ["claude", { responses: { api: "chat_completions" } }, "claude", "anthropic"],
    ["claude", { api: "chat" }, "claude", "chat"],
    ["google", {}, "gemini", "gemini"],
    ["gemini", { api_base: "https://generativelanguage.googleapis.com/v1beta/openai" }, "gemini", "chat"],
    ["google-ai-studio", {}, "aistudio", "gemini"],
    ["moonshot", {}, "kimi", "chat"],
    ["dashscope", {}, "qwen", "chat"],
    ["glm", {}, "zhipu", "chat"],
    ["doubao", {}, "volcengine", "chat"],
    ["z-ai", {}, "zai", "chat"],
    ["kimi_for_coding", {}, "kimi-coding", "anthropic"],
    ["mine", { api_base: "https://api.moonshot.ai/v1" }, "kimi-intl", "chat"],
    // One host, two addresses: the vendor's own preset is meant.
    ["mine", { api_base: "https://open.bigmodel.cn/api/coding/paas/v4" }, "zhipu", "chat"],
    ["codex", {}, "codex", "responses"],
    ["mine", { preset: "deepseek" }, "deepseek", "chat"],
    ["mine", { api_base: "https://api.deepseek.com/v1" }, "deepseek", "chat"],
    ["mine", { api_base: "https://api.deepseek.com/anthropic" }, "deepseek", "anthropic"],
    ["mine", { api_base: "https://api.anthropic.com" }, "claude", "anthropic"],
    ["mine", { oauth: { provider: "kimi" } }, "kimi", "chat"],
    // The host knows better whose quirks these are than a name that many use for a proxy.
    ["openai", { api_base: "https://openrouter.ai/api/v1" }, "openrouter", "chat"],
    ["claude", { api_base: "https://proxy.example.com" }, "claude", "anthropic"],
  ])("%s %j is %s over %s", (name, clues, preset, wire) => {
    expect(presetOf(name, clues)).toMatchObject({ name: preset, wire });
  });

  test("as nothing but a wire where neither name nor host says more", () => {
    expect(presetOf("mine", { api_base: "http://10.0.0.1/v1" })).toBeUndefined();
    expect(presetOf("mine", { preset: "no-such-vendor" })).toBeUndefined();
    expect(wireOf(undefined, { api: "anthropic-messages" })).toBe("anthropic");
    expect(wireOf(undefined, {})).toBe("chat");
  });
});

test("names are unique, and addresses are addresses", () => {
  const names = presets.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
  for (const { base } of presets) if (base !== undefined) expect(URL.canParse(base)).toBe(true);
});

test("no server on this machine is taken for a vendor by its host", () => {
  expect(presetOf("mine", { api_base: "http://127.0.0.1:8080/v1" })).toBeUndefined();
  expect(localServers.get(8080)).toBe("llamacpp");
});

test("a key that is there for other things is nobody's", () => {
  const keys = presets.flatMap(({ env }) => env?.key ?? []);
  expect(new Set(keys).size).toBe(keys.length);
  for (const common of ["GITHUB_TOKEN", "HF_TOKEN", "GOOGLE_API_KEY"]) expect(keys).not.toContain(common);
});

test.each([
  "openai",
  "claude",
  "gemini",
  "deepseek",
  "qwen",
  "kimi",
  "zhipu",
  "siliconflow",
  "openrouter",
  "groq",
  "mistral",
  "xai",
  "together",
  "fireworks",
  "minimax",
  "volcengine",
  "ollama",
  "lmstudio",
  "vllm",
  "llamacpp",
  "azure-openai",
  "aistudio",
  "hunyuan",
  "qianfan",
  "stepfun",
  "baichuan",
  "spark",
  "modelscope",
  "xiaomi",
  "cohere",
  "perplexity",
  "cerebras",
  "sambanova",
  "nvidia",
  "deepinfra",
  "novita",
  "nebius",
  "huggingface",
  "github-models",
  "vercel",
  "ollama-cloud",
  "localai",
  "sglang",
])("%s is there", (name) => {
  const preset = presetNamed(name);
  expect(preset?.name).toBe(name);
});

test("a vendor's address need not be written", () => {
  expect(toSpec("anthropic", { api_key: "k" }, "config")).toMatchObject({
    origin: "https://api.anthropic.com",
    prefix: "/v1",
    wire: "anthropic",
  });
  expect(toSpec("ollama", {}, "config")).toMatchObject({
    origin: "http://127.0.0.1:11434",
    prefix: "/v1",
    mode: "none",
  });
  expect(toSpec("aistudio", {}, "config")).toMatchObject({ transport: "relay", wire: "gemini" });
});
