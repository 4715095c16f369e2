/** What only the Messages API has: keys and logins, versions, caches, signatures, models of several generations. */
import { describe, expect, test } from "vitest";
import { startAnthropic } from "../../../simulators/anthropic/api.ts";
import { signingWith } from "../../../simulators/vendor/signing.ts";
import { ask, hear, never } from "../kit.ts";
import { provider, rounds, setup, tools } from "./kit.ts";

const clock = { name: "clock", args: {} };

test("a key goes into x-api-key, a login's token is a bearer with its header", async () => {
  const vendor = await startAnthropic({ token: "sk-ant-oat-login" });
  const keyed = provider("anthropic", vendor.origin);
  await hear(keyed.stream(ask("sim/claude-sonnet-5-5"), never));
  const logged = provider("anthropic", vendor.origin, { api_key: "sk-ant-oat-login" });
  await hear(logged.stream(ask("sim/claude-sonnet-5-5"), never));
  const bearer = provider("anthropic", vendor.origin, { auth: "bearer" });
  await hear(bearer.stream(ask("sim/claude-sonnet-5-5"), never));
  expect(
    vendor.asked.map(({ headers }) => [headers["x-api-key"], headers.authorization, headers["anthropic-beta"]]),
  ).toEqual([
    ["sk-ant-sim", undefined, undefined],
    [undefined, "Bearer sk-ant-oat-login", "oauth-2025-04-20"],
    [undefined, "Bearer sk-ant-sim", undefined],
  ]);
});

test("an account's token is a bearer whatever it looks like", async () => {
  const vendor = await startAnthropic({ token: "opaque" });
  const { events } = signingWith("anthropic", vendor.origin, { token: "opaque", account: { id: "a" } });
  expect((await hear(events(ask("sim/claude-sonnet-5-5")))).text).toBe("echo: hello there");
});

test("an account with an address of its own is asked there", async () => {
  const vendor = await startAnthropic({ token: "opaque" });
  const account = { id: "a", baseUrl: `${vendor.origin}/v1/` };
  const { events } = signingWith("anthropic", "http://127.0.0.1:9/v1", { token: "opaque", account });
  expect((await hear(events(ask("sim/claude-sonnet-5-5")))).text).toBe("echo: hello there");
});

test("the base URL may name the version, the endpoint, or neither", async () => {
  const vendor = await startAnthropic();
  for (const path of ["", "/", "/v1", "/v1/", "/v1/messages"]) {
    const upstreams = provider("anthropic", vendor.origin, { api_base: `${vendor.origin}${path}` });
    await hear(upstreams.stream(ask("sim/claude-sonnet-5-5"), never));
  }
  expect(new Set(vendor.asked.map(({ path }) => path))).toEqual(new Set(["/v1/messages"]));
});

test("servers that offer this API get the version they know, with heat; the newest version gets none", async () => {
  const { vendor, upstreams, model } = await setup("anthropic", { temperature: 1.7 });
  await hear(upstreams.stream(ask(model, { extra: { top_k: 5 } }), never));
  const newest = provider("anthropic", vendor.origin, {
    temperature: 0.5,
    headers: { "anthropic-version": "2026-10-21" },
  });
  await hear(newest.stream(ask(model, { temperature: 0.3, extra: { top_p: 0.1, top_k: 5 } }), never));
  expect(vendor.asked.map(({ headers, body }) => [headers["anthropic-version"], body.temperature, body.top_k])).toEqual(
    [
      ["2023-06-01", 1, 5],
      ["2026-10-21", undefined, undefined],
    ],
  );
});

test("cache tokens are part of the input, thoughts of the output", async () => {
  const { upstreams, vendor, model } = await setup("anthropic");
  const usage = {
    input_tokens: 3,
    cache_read_input_tokens: 100,
    cache_creation_input_tokens: 20,
    output_tokens: 50,
    output_tokens_details: { thinking_tokens: 30 },
  };
  vendor.script({ text: "ok", usage }, { text: "ok", usage, whole: true });
  for (let round = 0; round < 2; round++)
    expect((await hear(upstreams.stream(ask(model), never))).reply.usage).toEqual({
      inputTokens: 123,
      outputTokens: 50,
      cachedTokens: 100,
      cacheWriteTokens: 20,
      reasoningTokens: 30,
    });
});

test("a long beginning is marked for the cache, and what was said so far; a short one is not", async () => {
  const made = await setup("anthropic");
  const system = "Rule. ".repeat(1000);
  const messages = [
    { role: "system", content: system },
    { role: "user", content: "hi" },
  ] as const;
  await rounds(made, [{ reasoning: "hm", calls: [clock] }, { text: "done" }], { messages });
  await hear(made.upstreams.stream(ask(made.model), never));
  const marks = made.vendor.asked.map(({ body }) => JSON.stringify(body).split("cache_control").length - 1);
  expect(marks).toEqual([2, 2, 0]);
  expect(made.vendor.asked[0]?.body.system).toEqual([
    { type: "text", text: system, cache_control: { type: "ephemeral" } },
  ]);
});

test.each([
  ["claude-sonnet-5-5", { type: "adaptive", display: "summarized" }, { effort: "high" }, 32_000],
  ["claude-opus-4-6", { type: "adaptive", display: "summarized" }, { effort: "high" }, 32_000],
  ["claude-haiku-4-5-20251001", { type: "enabled", budget_tokens: 24_576 }, undefined, 32_000],
  ["claude-3-7-sonnet-20250219", { type: "enabled", budget_tokens: 24_576 }, undefined, 28_672],
  ["claude-3-5-haiku-20241022", undefined, undefined, 8192],
  ["MiniMax-M2", undefined, undefined, 8192],
])("%s thinks in its own way", async (name, thinking, config, max) => {
  const { upstreams, vendor } = await setup("anthropic");
  await hear(upstreams.stream(ask(`sim/${name}`, { extra: { reasoning_effort: "high" } }), never));
  const { body } = vendor.asked[0] as { body: Record<string, unknown> };
  expect([body.thinking, body.output_config, body.max_tokens]).toEqual([thinking, config, max]);
});

test("a model that thinks is not forced to call", async () => {
  const { upstreams, vendor, model } = await setup("anthropic");
  await hear(
    upstreams.stream(ask(model, { tools, toolChoice: "required", extra: { reasoning_effort: "low" } }), never),
  );
  expect(vendor.asked[0]?.body.tool_choice).toEqual({ type: "auto" });
});

describe("tools", () => {
  test("choices are said in the vendor's words", async () => {
    const { upstreams, vendor, model } = await setup("anthropic");
    const extra = { stop: ["END", " "], parallel_tool_calls: false, user: "u1", seed: 3, n: 1 };
    for (const toolChoice of ["auto", "none", "required", { name: "clock" }] as const)
      await hear(upstreams.stream(ask(model, { tools, toolChoice, maxTokens: 99, extra }), never));
    expect(vendor.asked.map(({ body }) => body.tool_choice)).toEqual([
      { type: "auto", disable_parallel_tool_use: true },
      { type: "none" },
      { type: "any", disable_parallel_tool_use: true },
      { type: "tool", name: "clock", disable_parallel_tool_use: true },
    ]);
    expect(vendor.asked[0]?.body).toMatchObject({
      max_tokens: 99,
      stop_sequences: ["END"],
      metadata: { user_id: "u1" },
    });
  });

  test("that were called stay known where none may be called any more", async () => {
    const made = await setup("anthropic");
    const [first] = await rounds(made, [{ calls: [clock] }, { text: "done" }]);
    const messages = [
      { role: "user", content: "time?" },
      { role: "assistant", content: "", toolCalls: first?.toolCalls ?? [] },
    ] as const;
    await hear(made.upstreams.stream({ model: made.model, messages }, never));
    expect(made.vendor.asked.at(-1)?.body).toMatchObject({
      tools: [{ name: "clock", input_schema: { type: "object" } }],
      tool_choice: { type: "none" },
    });
    expect(JSON.stringify(made.vendor.asked.at(-1)?.body)).toContain("no result: the call was interrupted");
  });

  test("with a choice at the top of their schema are offered with the properties of all", async () => {
    const { upstreams, vendor, model } = await setup("anthropic");
    const input = { anyOf: [{ properties: { a: { type: "string" } } }, { properties: { b: { type: "number" } } }] };
    await hear(upstreams.stream(ask(model, { tools: [{ name: "either", about: "x", input }] }), never));
    expect(vendor.asked[0]?.body.tools).toMatchObject([
      { input_schema: { type: "object", properties: { a: {}, b: {} } } },
    ]);
  });
});
