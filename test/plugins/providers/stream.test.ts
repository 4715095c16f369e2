/** One model call: request on the wire, normalised events back. */
import { expect, test } from "vitest";
import { until } from "../../kit/until.ts";
import { ask, fails, hear, makeUpstreams, never, upstream } from "./kit.ts";

test("text arrives in pieces, then the reply with usage and stop", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base, models: ["echo"] } });
  const { events, text, reply } = await hear(upstreams.stream(ask("sim/echo"), never));
  expect(events[0]).toEqual({ type: "start", provider: "sim", model: "sim/echo" });
  expect(events.filter((event) => event.type === "text")).toHaveLength(3);
  expect(text).toBe("echo: hello there");
  expect(reply).toEqual({
    provider: "sim",
    model: "sim/echo",
    text,
    toolCalls: [],
    usage: { inputTokens: 9, outputTokens: 3, cachedTokens: 4, reasoningTokens: 1 },
    stop: "stop",
  });
});

test("the request goes out in OpenAI's form with the provider's key and defaults", async () => {
  const server = await upstream({ key: "sk-right" });
  const provider = {
    api_base: `${server.base}/`,
    api_key: "sk-right",
    models: ["m/with/slashes"],
    max_tokens: 77,
    temperature: 0,
    headers: { "X-Title": "t" },
  };
  const upstreams = makeUpstreams({ sim: provider });
  const request = ask("sim/m/with/slashes", {
    messages: [
      { role: "system", content: "be brief" },
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image", url: "data:image/png;base64,AA==" },
        ],
      },
      {
        role: "assistant",
        content: "",
        reasoning: "hm",
        toolCalls: [{ id: "c1", name: "weather", arguments: '{"city":"Ulm"}' }],
      },
      { role: "tool", content: "sunny", toolCallId: "c1" },
      { role: "tool", content: "orphan", toolCallId: "c9" },
    ],
    tools: [{ name: "weather", about: "Tells the weather", input: { type: "object" } }],
    toolChoice: { name: "weather" },
    extra: { top_p: 0.5, response_format: { type: "json_object" }, stream: false },
  });
  await hear(upstreams.stream(request, never));
  const sent = await server.last();
  expect(sent.path).toBe("/v1/chat/completions");
  expect(sent.headers["x-title"]).toBe("t");
  expect(sent.body).toEqual({
    top_p: 0.5,
    response_format: { type: "json_object" },
    model: "m/with/slashes",
    messages: [
      { role: "system", content: "be brief" },
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        reasoning_content: "hm",
        tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Ulm"}' } }],
      },
      { role: "tool", tool_call_id: "c1", content: "sunny" },
    ],
    tools: [
      {
        type: "function",
        function: { name: "weather", description: "Tells the weather", parameters: { type: "object" } },
      },
    ],
    tool_choice: { type: "function", function: { name: "weather" } },
    max_tokens: 77,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  });
});

test("tool calls are put together from their pieces", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { events, reply } = await hear(upstreams.stream(ask("sim/tools"), never));
  const calls = [
    { id: "call_1", name: "weather", arguments: '{"city":"Ulm"}' },
    { id: "call_2", name: "clock", arguments: "{}" },
  ];
  expect(events.flatMap((event) => (event.type === "tool" ? [event.call] : []))).toEqual(calls);
  expect(reply).toMatchObject({ toolCalls: calls, stop: "tool_calls", text: "" });
});

test.each([
  ["reason", { text: "42", reasoning: "Let me think.", stop: "stop" }],
  ["short", { text: "cut by the limit", stop: "length" }],
  ["filtered", { text: "", stop: "content_filter" }],
  ["whole", { text: "echo: hello there", stop: "stop" }],
])("the reply of %s", async (model, expected) => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { reply } = await hear(upstreams.stream(ask(`sim/${model}`), never));
  expect(reply).toMatchObject(expected);
});

test("four megabytes in 64 pieces arrive whole", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { text } = await hear(upstreams.stream(ask("sim/huge"), never));
  expect(text).toHaveLength(64 * 64 * 1024);
});

test("multi-byte characters survive any split", async () => {
  const server = await upstream();
  server.script("wide", { pieces: ["日本", "語🦀", "é"] });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { text } = await hear(upstreams.stream(ask("sim/wide"), never));
  expect(text).toBe("日本語🦀é");
});

test("calls one after another share connections", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  for (let round = 0; round < 10; round += 1) {
    await hear(upstreams.stream(ask("sim/echo"), never));
    await fails(upstreams.stream(ask("sim/bad"), never));
  }
  expect(new Set(server.requests.map((request) => request.peer)).size).toBeLessThanOrEqual(2);
});

test("a reader that leaves aborts the upstream request", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  for await (const event of upstreams.stream(ask("sim/hang-stream"), never)) {
    if (event.type === "text") break;
  }
  await until(() => server.requests[0]?.aborted, 2000, "the abort at the upstream");
});

test.each(["hang", "hang-body", "hang-stream", "endless"])(
  "an abort ends %s at once and is nobody's fault",
  async (model) => {
    const server = await upstream();
    const upstreams = makeUpstreams({ sim: { api_base: server.base } });
    const controller = new AbortController();
    const failed = fails(upstreams.stream(ask(`sim/${model}`), controller.signal));
    await server.last();
    controller.abort(new Error("gone"));
    const { error } = await failed;
    expect(error.code).toBe("ABORTED");
    expect(upstreams.status().cooling).toEqual([]);
    await until(() => server.requests[0]?.aborted, 2000, "the abort at the upstream");
  },
);

test("an aborted signal never reaches the upstream", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { error } = await fails(upstreams.stream(ask("sim/echo"), AbortSignal.abort()));
  expect(error.code).toBe("ABORTED");
  expect(server.requests).toEqual([]);
});
