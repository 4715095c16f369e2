/** What only the Responses API has: built-in tools, sealed thoughts, what is stored, its own names. */
import { expect, test } from "vitest";
import { ask, bytes, hear, never } from "../kit.ts";
import { provider, rounds, setup, tools } from "./kit.ts";

const clock = { name: "clock", args: {} };

test("built-in tools come from the config, beside those of the request", async () => {
  const { upstreams, vendor, model } = await setup("responses", {
    responses: {
      web_search_enabled: true,
      web_search_context_size: "low",
      file_search_vector_store_ids: ["vs_1"],
      file_search_max_num_results: 4,
      include: ["file_search_call.results"],
    },
  });
  await hear(upstreams.stream(ask(model, { tools }), never));
  expect(vendor.asked[0]?.body).toMatchObject({
    tools: [
      { type: "function", name: "weather", strict: false },
      { type: "function", name: "clock", strict: false },
      { type: "web_search", search_context_size: "low" },
      { type: "file_search", vector_store_ids: ["vs_1"], max_num_results: 4 },
    ],
    tool_choice: "auto",
    include: ["file_search_call.results"],
  });
});

test("`responses.api` in the config chooses this wire for what speaks OpenAI's API, and only for that", async () => {
  const { vendor } = await setup("responses");
  const chosen = provider("responses", vendor.origin, { api: undefined, responses: { api: "responses" } });
  expect((await hear(chosen.stream(ask("sim/m"), never))).text).toBe("echo: hello there");
  expect(vendor.asked[0]?.path).toBe("/v1/responses");
});

test("sealed thoughts go back with the calls they led to; nothing is stored at the vendor", async () => {
  const made = await setup("responses");
  const model = "sim/gpt-5-sim";
  const extra = { include: ["reasoning.encrypted_content"] };
  const replies = await rounds(
    { ...made, model },
    [
      { reasoning: "hm", calls: [clock] },
      { reasoning: "so", text: "done" },
    ],
    { extra },
  );
  expect(replies[1]?.text).toBe("done");
  expect(made.vendor.asked[1]?.body.store).toBe(false);
  expect(JSON.stringify(made.vendor.asked[1]?.body.input)).toContain('"encrypted_content":"sealed-1"');
});

test("system messages are the instructions, OpenAI's options have this API's names", async () => {
  const { upstreams, vendor, model } = await setup("responses");
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "system", content: "Be kind." },
    { role: "user", content: "hi" },
  ] as const;
  const extra = {
    reasoning_effort: "low",
    seed: 3,
    stop: null,
    logit_bias: {},
    metadata: { a: "b" },
    previous_response_id: "resp_0",
  };
  await hear(upstreams.stream({ model, messages, maxTokens: 50, temperature: 0.2, extra }, never));
  const { body } = vendor.asked[0] as { body: Record<string, unknown> };
  expect(body).toMatchObject({
    instructions: "Be brief.\n\nBe kind.",
    input: [{ role: "user", content: "hi" }],
    max_output_tokens: 50,
    temperature: 0.2,
    reasoning: { effort: "low", summary: "auto" },
    metadata: { a: "b" },
    previous_response_id: "resp_0",
  });
  for (const gone of ["seed", "stop", "logit_bias", "store"]) expect(body).not.toHaveProperty(gone);
});

test("tool choices and formats lie where this API has them", async () => {
  const { upstreams, vendor, model } = await setup("responses");
  const extra = { response_format: { type: "json_object" }, parallel_tool_calls: false };
  for (const toolChoice of ["none", "required", { name: "clock" }] as const)
    await hear(upstreams.stream(ask(model, { tools, toolChoice, extra }), never));
  expect(vendor.asked.map(({ body }) => body.tool_choice)).toEqual([
    "none",
    "required",
    { type: "function", name: "clock" },
  ]);
  expect(vendor.asked[0]?.body).toMatchObject({
    text: { format: { type: "json_object" } },
    parallel_tool_calls: false,
  });
});

test("details of the usage are kept", async () => {
  const { upstreams, vendor, model } = await setup("responses");
  const usage = {
    input_tokens: 100,
    output_tokens: 50,
    input_tokens_details: { cached_tokens: 60 },
    output_tokens_details: { reasoning_tokens: 40 },
  };
  vendor.script({ text: "ok", usage });
  expect((await hear(upstreams.stream(ask(model), never))).reply.usage).toEqual({
    inputTokens: 100,
    outputTokens: 50,
    cachedTokens: 60,
    reasoningTokens: 40,
  });
});

test("a reply that failed is an error with its code", async () => {
  const { upstreams, vendor, model } = await setup("responses");
  const error = { code: "rate_limit_exceeded", message: "Slow down" };
  for (const whole of [false, true]) {
    vendor.script({ stop: "failed", error, whole });
    await expect(hear(upstreams.stream(ask(model), never))).rejects.toMatchObject({
      code: "UPSTREAM_RATE",
      status: 429,
      details: { upstream: error },
    });
  }
});

test("a client's own request passes straight, and its stream's usage is read from its end", async () => {
  const { upstreams, vendor, model } = await setup("responses");
  expect([upstreams.passes(model, "/responses"), upstreams.passes(model, "/chat/completions")]).toEqual([true, false]);
  const body = { input: "hi", stream: true, store: true };
  const reply = await upstreams.forward({ model, path: "/responses", body, signal: never });
  expect(reply.status).toBe(200);
  const text = await bytes(reply.body);
  expect(text).toMatch(/^event: response.created\n/);
  expect(text).toContain('"type":"response.completed"');
  expect(vendor.asked[0]?.body).toEqual({ ...body, model: "gpt-4.1" });
});

test.each(["cut", "short"] as const)(
  "a straight stream that ends early (%s) is cut for its reader too",
  async (fault) => {
    const { upstreams, vendor, model } = await setup("responses");
    vendor.script({ fault });
    const reply = await upstreams.forward({
      model,
      path: "/responses",
      body: { input: "hi", stream: true },
      signal: never,
    });
    await expect(bytes(reply.body)).rejects.toMatchObject({ code: "UPSTREAM_CUT" });
  },
);

test("a straight stream whose last event is longer than what is kept of it has ended well", async () => {
  const { upstreams, vendor, model } = await setup("responses");
  vendor.script({ text: "x".repeat(20_000) });
  const reply = await upstreams.forward({
    model,
    path: "/responses",
    body: { input: "hi", stream: true },
    signal: never,
  });
  expect((await bytes(reply.body)).length).toBeGreaterThan(40_000);
});
