/** `provider/model` through `/v1` with the official client: nothing added, every error with its status, every abort passed on. */
import OpenAI from "openai";
import { expect, test } from "vitest";
import { until } from "../../kit/until.ts";
import { type Chunk, eventsOf, hello, setup, streamed } from "./kit.ts";

test("JSON: the reply as the upstream wrote it", async () => {
  const { client, upstream } = await setup();
  const reply = await client.chat.completions.create({
    model: "sim/echo",
    messages: hello,
    seed: 3,
    response_format: { type: "json_object" },
  });
  expect(reply.choices[0]?.message.content).toBe("echo: hello there");
  expect(reply.usage).toMatchObject({
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 1 },
  });
  const sent = await upstream.last();
  expect(sent.body).toEqual({ model: "echo", messages: hello, seed: 3, response_format: { type: "json_object" } });
  expect(sent.headers.authorization).toBe("Bearer sk-upstream");
});

test("stream: pieces, finish reason, usage", async () => {
  const { client } = await setup();
  const stream = await client.chat.completions.create({
    model: "sim/echo",
    messages: hello,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk as never);
  expect(streamed(chunks)).toBe("echo: hello there");
  expect(chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? [])).toEqual(["stop"]);
  expect(chunks.at(-1)?.usage).toMatchObject({ total_tokens: 12 });
});

test("stream: the first piece arrives before the last is sent", async () => {
  const { client, upstream } = await setup();
  const stream = await client.chat.completions.create({ model: "sim/trickle", messages: hello, stream: true });
  for await (const chunk of stream) {
    if (!chunk.choices[0]?.delta.content) continue;
    expect(upstream.requests[0]?.done).toBe(false);
    break;
  }
});

test("tools: offered, called, answered", async () => {
  const { client, upstream } = await setup();
  const tools = [{ type: "function" as const, function: { name: "weather", parameters: { type: "object" } } }];
  const reply = await client.chat.completions.create({ model: "sim/tools", messages: hello, tools });
  expect(reply.choices[0]?.finish_reason).toBe("tool_calls");
  const calls = reply.choices[0]?.message.tool_calls ?? [];
  expect(calls.map((call) => call.id)).toEqual(["call_1", "call_2"]);
  const results = calls.map((call) => ({ role: "tool" as const, tool_call_id: call.id, content: "fine" }));
  await client.chat.completions.create({
    model: "sim/echo",
    messages: [...hello, reply.choices[0]?.message as never, ...results],
    tools,
  });
  expect((await upstream.last()).body.messages).toHaveLength(4);
});

test("image parts and unknown fields pass", async () => {
  const { client, upstream } = await setup();
  const content = [
    { type: "image_url", image_url: { url: "data:image/png;base64,AA==", detail: "low" } },
    { type: "input_audio", input_audio: { data: "AA", format: "wav" } },
  ];
  await client.chat.completions.create({
    model: "sim/echo",
    messages: [{ role: "user", content: content as never }],
    vendor: { deep: [1] },
  } as never);
  expect((await upstream.last()).body).toEqual({
    model: "echo",
    messages: [{ role: "user", content }],
    vendor: { deep: [1] },
  });
});

test.each([
  ["bad", OpenAI.BadRequestError, 400, "max_tokens is too large"],
  ["auth", OpenAI.AuthenticationError, 401, "Incorrect API key provided"],
  ["forbidden", OpenAI.PermissionDeniedError, 403, "You are not allowed to use this model"],
  ["missing", OpenAI.NotFoundError, 404, "The model does not exist"],
  ["rate", OpenAI.RateLimitError, 429, "Rate limit reached"],
  ["fault", OpenAI.InternalServerError, 502, "The server had an error"],
  ["dead", OpenAI.InternalServerError, 502, "cannot be reached"],
  ["hang", OpenAI.InternalServerError, 504, "sim/hang"],
  ["redirect", OpenAI.InternalServerError, 502, "redirect"],
] as const)("errors: %s is %o", async (model, kind, status, message) => {
  const { client } = await setup({ provider: { timeout_sec: 0.4 } });
  for (const stream of [false, true]) {
    const error = await client.chat.completions.create({ model: `sim/${model}`, messages: hello, stream }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, message: expect.stringContaining(message), type: expect.any(String) });
    if (model === "rate") expect((error as InstanceType<typeof OpenAI.APIError>).headers?.get("retry-after")).toBe("7");
  }
});

test("a lone provider's 429 works when the client retries after Retry-After", async () => {
  const { client } = await setup({ maxRetries: 1 });
  const reply = await client.chat.completions.create({ model: "sim/rate-once", messages: hello });
  expect(reply.choices[0]?.message.content).toBe("echo: hello there");
});

test.each(["cut", "cut-clean", "hang-stream", "stream-error"])(
  "a stream that breaks (%s) throws in the client and never ends with stop",
  async (model) => {
    const { client } = await setup({ provider: { timeout_sec: 0.4 } });
    const stream = await client.chat.completions.create({ model: `sim/${model}`, messages: hello, stream: true });
    const chunks: Chunk[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of stream) chunks.push(chunk as never);
    };
    await expect(read()).rejects.toThrow();
    expect(streamed(chunks)).toContain("echo:");
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? [])).toEqual([]);
  },
);

test("a JSON reply that is cut is a 502, not half a text with status 200", async () => {
  const { client } = await setup();
  await expect(client.chat.completions.create({ model: "sim/cut", messages: hello })).rejects.toMatchObject({
    status: 502,
    code: "upstream_cut",
  });
});

test.each([
  ["hang", false],
  ["hang", true],
  ["hang-stream", true],
  ["endless", true],
] as const)("a client that leaves %s (stream: %s) aborts the upstream request", async (model, stream) => {
  const { client, upstream, host } = await setup();
  const controller = new AbortController();
  const work = client.chat.completions
    .create({ model: `sim/${model}`, messages: hello, stream }, { signal: controller.signal })
    .then(async (reply) => {
      for await (const _ of reply as AsyncIterable<unknown>);
    });
  const ended = work.catch(() => undefined);
  await upstream.last();
  controller.abort();
  await ended;
  await until(() => upstream.requests[0]?.aborted, 3000, "the abort at the upstream");
  expect((await host.request("/health")).status).toBe(200);
});

test("four megabytes stream to a client that reads slowly", async () => {
  const { client } = await setup();
  const stream = await client.chat.completions.create({ model: "sim/huge", messages: hello, stream: true });
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.choices[0]?.delta.content?.length ?? 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(size).toBe(64 * 64 * 1024);
});

test("the offline model answers by the same door", async () => {
  const { client } = await setup();
  const reply = await client.chat.completions.create({
    model: "offline/offline",
    messages: [{ role: "user", content: "/echo hi" }],
  });
  expect(reply.choices[0]?.message.content).toBe("hi");
  const failed = client.chat.completions.create({
    model: "offline/offline",
    messages: [{ role: "user", content: "/fail 429" }],
  });
  await expect(failed).rejects.toMatchObject({ status: 429 });
});

test("embeddings", async () => {
  const { client, upstream } = await setup();
  const reply = await client.embeddings.create({ model: "sim/embed", input: "x", encoding_format: "float" });
  expect(reply.data[0]?.embedding).toEqual([0.25, -0.5]);
  expect((await upstream.last()).body).toEqual({ model: "embed", input: "x", encoding_format: "float" });
  await expect(client.embeddings.create({ model: "chela", input: "x" })).rejects.toMatchObject({
    status: 404,
    code: "model_not_found",
  });
});

test("200 requests at once share kept connections", async () => {
  const { client, upstream } = await setup();
  const ask = () => client.chat.completions.create({ model: "sim/echo", messages: hello });
  for (let round = 0; round < 10; round += 1) {
    const replies = await Promise.all(Array.from({ length: 20 }, ask));
    expect(replies.every((reply) => reply.choices[0]?.message.content === "echo: hello there")).toBe(true);
  }
  expect(new Set(upstream.requests.map((request) => request.peer)).size).toBeLessThanOrEqual(45);
});

test("what a stream looks like on the wire when it breaks between two events", async () => {
  const { host, upstream } = await setup({ provider: { timeout_sec: 0.4 } });
  upstream.script("half", { fault: "hang-stream" });
  const { status, text } = await host.request("/v1/chat/completions", {
    body: { model: "sim/half", messages: hello, stream: true },
  });
  expect(status).toBe(200);
  const events = eventsOf(text);
  expect(events.at(-1)).toMatchObject({ error: { type: "api_error", code: "upstream_timeout", param: null } });
  expect(events).not.toContain("[DONE]");
});

test("a stream from an upstream that answers whole", async () => {
  const { client, host, upstream } = await setup();
  const ask = { model: "sim/whole", messages: hello, stream: true as const, stream_options: { include_usage: true } };
  const chunks: Chunk[] = [];
  for await (const chunk of await client.chat.completions.create(ask)) chunks.push(chunk as never);
  expect(streamed(chunks)).toBe("echo: hello there");
  expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: "assistant" });
  expect(chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? [])).toEqual(["stop"]);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 12 } });
  const { headers, text } = await host.request("/v1/chat/completions", { body: { ...ask, stream_options: null } });
  expect(headers["content-type"]).toMatch(/^text\/event-stream/);
  expect(eventsOf(text).at(-1)).toBe("[DONE]");
  expect(text).not.toContain('"usage"');

  const call = { name: "weather", arguments: '{"city":"Ulm"}' };
  upstream.script("whole-call", { whole: true, toolCalls: [call, call] });
  const calls = client.chat.completions.stream({ model: "sim/whole-call", messages: hello });
  expect((await calls.finalChatCompletion()).choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: { content: null, tool_calls: [{ id: "call_1", function: call }, { id: "call_2" }] },
  });
});
