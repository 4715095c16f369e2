/** Agents through `/v1` with the official client: aliases, context, sessions, tools inside and outside, failures. */
import { agent, definePlugin, sessions, Type } from "@chela/sdk";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { until } from "../../kit/until.ts";
import { type Chunk, eventsOf, hello, setup, streamed } from "./kit.ts";

const weather = {
  type: "function" as const,
  function: { name: "weather", description: "Tells the weather", parameters: { type: "object" } },
};

const clockPlugin = definePlugin({
  id: "clock",
  version: "1.0.0",
  host: "^1.0.0",
  config: Type.Object({}),
  setup(ctx) {
    ctx.tool({
      name: "clock",
      about: "Tells the time",
      input: Type.Object({}),
      risk: "read",
      access: "read",
      run: () => "high noon",
    });
  },
});

test.each([
  "chela",
  "chela/main",
  "chela/default",
  "openclaw",
  "openclaw/main",
  "openclaw/default",
  "openclaw:main",
  "agent:main",
])("%s answers", async (model) => {
  const { client, upstream } = await setup();
  const reply = await client.chat.completions.create({ model, messages: hello });
  expect(reply).toMatchObject({
    object: "chat.completion",
    model,
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "echo: hello there" } }],
    usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
  });
  expect(reply.id).toMatch(/^chatcmpl-/);
  expect((await upstream.last()).body.model).toBe("echo");
});

test("without a model the default agent answers", async () => {
  const { host } = await setup();
  const reply = await host.request("/v1/chat/completions", { body: { messages: hello } });
  expect(reply.json()).toMatchObject({ model: "chela", choices: [{ message: { content: "echo: hello there" } }] });
});

test("stream: role, pieces, finish reason, usage, [DONE]", async () => {
  const { host } = await setup();
  const body = { model: "openclaw", messages: hello, stream: true, stream_options: { include_usage: true } };
  const { headers, text } = await host.request("/v1/chat/completions", { body });
  expect(headers["content-type"]).toMatch(/^text\/event-stream/);
  const events = eventsOf(text);
  expect(events.at(-1)).toBe("[DONE]");
  const chunks = events.slice(0, -1) as Chunk[];
  expect(chunks[0]).toMatchObject({
    object: "chat.completion.chunk",
    model: "openclaw",
    choices: [{ index: 0, delta: { role: "assistant" }, finish_reason: null }],
  });
  expect(streamed(chunks)).toBe("echo: hello there");
  expect(chunks.filter((chunk) => chunk.choices[0]?.delta.content).length).toBeGreaterThan(1);
  expect(chunks.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
  });
});

test("reasoning is passed on apart from the text", async () => {
  const { host } = await setup();
  const body = { model: "chela", messages: hello, stream: true };
  const { text } = await host.request("/v1/chat/completions", { body, headers: { "x-openclaw-model": "sim/reason" } });
  const deltas = (eventsOf(text).slice(0, -1) as Chunk[]).map((chunk) => chunk.choices[0]?.delta ?? {});
  expect(deltas.map((delta) => delta.reasoning_content ?? "").join("")).toBe("Let me think.");
  expect(deltas.map((delta) => delta.content ?? "").join("")).toBe("42");
});

test("the client's messages are the conversation; its options reach the model", async () => {
  const { client, upstream } = await setup();
  await client.chat.completions.create({
    model: "chela",
    messages: [
      { role: "system", content: "Speak like a pirate." },
      { role: "user", content: "one" },
      { role: "assistant", content: "two" },
      {
        role: "user",
        content: [
          { type: "text", text: "three" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
        ],
      },
    ],
    max_completion_tokens: 50,
    temperature: 0.25,
    top_p: 0.5,
    seed: 11,
    stop: ["END"],
    response_format: { type: "json_object" },
  });
  const { body } = await upstream.last();
  const messages = body.messages ?? [];
  expect(messages.slice(-4)).toEqual([
    { role: "system", content: "Speak like a pirate." },
    { role: "user", content: "one" },
    { role: "assistant", content: "two" },
    {
      role: "user",
      content: [
        { type: "text", text: "three" },
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      ],
    },
  ]);
  expect(body).toMatchObject({
    max_tokens: 50,
    temperature: 0.25,
    top_p: 0.5,
    seed: 11,
    stop: ["END"],
    response_format: { type: "json_object" },
  });
});

test("x-openclaw-model overrides the agent's model; an unknown one is 404", async () => {
  const { client, upstream } = await setup({ provider: { models: ["echo", "whole"] } });
  const options = (model: string) => ({ headers: { "x-openclaw-model": model } });
  await client.chat.completions.create({ model: "openclaw", messages: hello }, options("sim/whole"));
  expect((await upstream.last()).body.model).toBe("whole");
  for (const model of ["sim/ghost", "ghost/echo", "echo"]) {
    await expect(
      client.chat.completions.create({ model: "openclaw", messages: hello }, options(model)),
    ).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  }
  expect(upstream.requests).toHaveLength(1);
});

test("an unknown agent is 404 as model and 400 as header", async () => {
  const { client } = await setup();
  for (const model of ["chela/ghost", "openclaw/ghost", "openclaw:ghost", "gpt-4"]) {
    await expect(client.chat.completions.create({ model, messages: hello })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  }
  const headers = { "x-openclaw-agent-id": "ghost" };
  await expect(client.chat.completions.create({ model: "chela", messages: hello }, { headers })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining("Unknown agent 'ghost'."),
  });
});

test("an agent of the config answers under its own name with its own prompt", async () => {
  const { client, upstream } = await setup({
    config: { agents: { entries: { poet: { system_prompt: "Answer in verse.", model: "sim/whole" } } } },
  });
  await client.chat.completions.create(
    { model: "chela", messages: hello },
    { headers: { "x-openclaw-agent-id": "poet" } },
  );
  expect((await upstream.last()).body).toMatchObject({
    model: "whole",
    messages: [{ role: "system", content: "Answer in verse." }, { role: "user" }],
  });
  await client.chat.completions.create({ model: "openclaw/poet", messages: hello });
  expect((await upstream.last()).body.model).toBe("whole");
});

test("the agent's own tool calls stay inside", async () => {
  const { host, upstream } = await setup({ plugins: [clockPlugin] });
  upstream.script("worker", {
    times: 1,
    toolCalls: [{ name: "clock", arguments: "{}" }],
    afterwards: { text: "It is noon." },
  });
  const body = { model: "chela", messages: hello, stream: true };
  const { text } = await host.request("/v1/chat/completions", { body, headers: { "x-openclaw-model": "sim/worker" } });
  const chunks = eventsOf(text).slice(0, -1) as Chunk[];
  expect(streamed(chunks)).toBe("It is noon.");
  expect(text).not.toContain("clock");
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
  expect((await upstream.last()).body.messages?.at(-1)).toMatchObject({ role: "tool", content: "high noon" });
});

test("the client's tools come back as tool_calls and their results go on", async () => {
  const { client, upstream } = await setup({ plugins: [clockPlugin] });
  upstream.script("caller", {
    times: 1,
    toolCalls: [{ name: "weather", arguments: '{"city":"Ulm"}' }],
    afterwards: { text: "Sunny in Ulm." },
  });
  const headers = { "x-openclaw-model": "sim/caller" };
  const first = await client.chat.completions.create(
    { model: "chela", messages: hello, tools: [weather] },
    { headers },
  );
  expect(first.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
  const call = first.choices[0]?.message.tool_calls?.[0];
  expect(call).toEqual({ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Ulm"}' } });
  const offered = (((await upstream.last()).body.tools ?? []) as { function: { name: string } }[]).map(
    (tool) => tool.function.name,
  );
  expect(offered).toEqual(expect.arrayContaining(["weather", "clock"]));
  const messages = [
    ...hello,
    first.choices[0]?.message as never,
    { role: "tool" as const, tool_call_id: call?.id ?? "", content: "sunny" },
  ];
  const second = await client.chat.completions.create({ model: "chela", messages, tools: [weather] }, { headers });
  expect(second.choices[0]?.message.content).toBe("Sunny in Ulm.");
  expect((await upstream.last()).body.messages?.slice(-2)).toMatchObject([
    { role: "assistant", tool_calls: [{ id: "call_1" }] },
    { role: "tool", content: "sunny" },
  ]);
});

test("the client's tools in a stream", async () => {
  const { client } = await setup();
  const runner = client.chat.completions.stream(
    { model: "chela", messages: hello, tools: [weather] },
    { headers: { "x-openclaw-model": "sim/tools" } },
  );
  const final = await runner.finalChatCompletion();
  expect(final.choices[0]?.finish_reason).toBe("tool_calls");
  expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject({
    id: "call_1",
    function: { name: "weather", arguments: '{"city":"Ulm"}' },
  });
});

test("a call is stateless and leaves nothing behind; a named session remembers", async () => {
  const { client, host, upstream } = await setup();
  await client.chat.completions.create({ model: "chela", messages: hello });
  expect(await host.service(sessions).list()).toEqual([]);

  const headers = { "x-openclaw-session-key": "desk" };
  await client.chat.completions.create({ model: "chela", messages: [{ role: "user", content: "first" }] }, { headers });
  await client.chat.completions.create(
    {
      model: "chela",
      messages: [
        { role: "system", content: "ignored" },
        { role: "user", content: "second" },
      ],
    },
    { headers },
  );
  expect(((await upstream.last()).body.messages ?? []).slice(-3)).toEqual([
    { role: "user", content: "first" },
    { role: "assistant", content: "echo: first" },
    { role: "user", content: "second" },
  ]);
  expect((await host.service(sessions).history("desk")).map((message) => message.content)).toEqual([
    "first",
    "echo: first",
    "second",
    "echo: second",
  ]);

  await client.chat.completions.create({ model: "chela", messages: hello, user: "alice" });
  expect((await host.service(sessions).list()).map((session) => session.key).sort()).toEqual([
    "desk",
    "openai:user:alice",
  ]);
});

test.each([
  [{ "x-openclaw-session-key": "cron:job" }, {}],
  [{ "x-openclaw-session-key": "agent:main:subagent:x" }, {}],
  [{ "x-openclaw-session-key": "ACP:x" }, {}],
  [{ "x-openclaw-session-key": "x".repeat(300) }, {}],
  [{}, { user: "subagent:x" }],
  [{}, { user: 7 }],
])("the session %j %j is refused", async (headers, more) => {
  const { host, upstream } = await setup();
  const reply = await host.request("/v1/chat/completions", {
    headers,
    body: { model: "chela", messages: hello, ...more },
  });
  expect(reply.status).toBe(400);
  expect(reply.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  expect(upstream.requests).toEqual([]);
});

test.each([
  [{ messages: [] }, "messages"],
  [{ messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
  [{ messages: [{ role: "user", content: null }] }, "messages[0].content"],
  [
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "file:///etc/passwd" } }] }] },
    "messages[0].content[0]",
  ],
  [{ messages: [{ role: "user", content: [{ type: "input_audio" }] }] }, "messages[0].content[0]"],
  [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id"],
  [{ messages: [{ role: "assistant" }] }, "messages[0].content"],
  [{ messages: [{ role: "assistant", tool_calls: [{ id: 1 }] }] }, "messages[0].tool_calls[0]"],
  [{ tools: [{ type: "function", function: { name: "no spaces" } }] }, "tools[0].function.name"],
  [{ tools: [weather, weather] }, "tools"],
  [{ tools: [{ type: "web_search" }] }, "tools[0]"],
  [{ tool_choice: { type: "function", function: { name: "none" } } }, "tool_choice"],
  [{ n: 2 }, "n"],
  [{ temperature: 3 }, "temperature"],
  [{ max_tokens: 0 }, "max_completion_tokens"],
  [{ stop: ["a", "b", "c", "d", "e"] }, "stop"],
])("%j is 400 at %s", async (more, param) => {
  const { host } = await setup();
  const reply = await host.request("/v1/chat/completions", { body: { model: "chela", messages: hello, ...more } });
  expect(reply.status).toBe(400);
  expect(reply.json()).toMatchObject({
    error: {
      type: "invalid_request_error",
      param,
      code: "invalid_request",
      message: expect.stringContaining(param.replace(/\[.*/, "")),
    },
  });
});

test.each([
  ["bad", 400, OpenAI.BadRequestError],
  ["rate", 429, OpenAI.RateLimitError],
  ["fault", 502, OpenAI.InternalServerError],
  ["hang", 504, OpenAI.InternalServerError],
  ["cut-clean", 502, OpenAI.InternalServerError],
] as const)("a turn that fails (%s) before it said anything has status %i", async (model, status, kind) => {
  const { client, upstream } = await setup({ provider: { timeout_sec: 0.4 } });
  if (model === "cut-clean") upstream.script(model, { fault: "cut-clean", pieces: [] });
  for (const stream of [false, true]) {
    const failed = client.chat.completions.create(
      { model: "chela", messages: hello, stream },
      { headers: { "x-openclaw-model": `sim/${model}` } },
    );
    const error = await failed.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status });
    if (model === "rate") expect((error as InstanceType<typeof OpenAI.APIError>).headers?.get("retry-after")).toBe("7");
  }
});

test("a turn that is cut in the middle ends with an error event, no stop, no [DONE]", async () => {
  const { host } = await setup();
  const { text } = await host.request("/v1/chat/completions", {
    body: { model: "chela", messages: hello, stream: true },
    headers: { "x-openclaw-model": "sim/cut" },
  });
  const events = eventsOf(text);
  expect(streamed(events.slice(0, -1) as Chunk[])).toContain("echo:");
  expect(events.at(-1)).toMatchObject({ error: { type: "api_error", code: "upstream_cut" } });
  expect(text).not.toContain('"finish_reason":"stop"');
});

test.each([
  ["hang", false],
  ["hang", true],
  ["endless", true],
] as const)("a client that leaves a turn (%s, stream: %s) aborts the upstream request", async (model, stream) => {
  const { client, upstream } = await setup();
  const controller = new AbortController();
  const options = { signal: controller.signal, headers: { "x-openclaw-model": `sim/${model}` } };
  const ended = client.chat.completions
    .create({ model: "chela", messages: hello, stream }, options)
    .then(async (reply) => {
      for await (const _ of reply as AsyncIterable<unknown>);
    })
    .catch(() => undefined);
  await upstream.last();
  controller.abort();
  await ended;
  await until(() => upstream.requests[0]?.aborted, 3000, "the abort at the upstream");
});

test("a turn that somebody aborts is an error, whole and streamed, never a stop", async () => {
  const { host, upstream } = await setup();
  for (const stream of [false, true]) {
    const headers = { "x-openclaw-session-key": "desk", "x-openclaw-model": "sim/hang-stream" };
    const asked = host.request("/v1/chat/completions", { headers, body: { model: "chela", messages: hello, stream } });
    await until(
      () =>
        upstream.requests.length === (stream ? 2 : 1) &&
        host
          .service(sessions)
          .list()
          .then((rows) => rows.length > 0),
    );
    await until(() => host.service(agent).abort("desk") === 1);
    const reply = await asked;
    if (stream && reply.status === 200)
      expect(eventsOf(reply.text).at(-1)).toMatchObject({ error: { code: "turn_aborted" } });
    else expect([reply.status, reply.json()]).toMatchObject([409, { error: { code: "turn_aborted" } }]);
    expect(reply.text).not.toContain('"finish_reason":"stop"');
  }
});

test("without any provider the offline model answers as agent", async () => {
  const { client } = await setup({ config: { models: {} } });
  const reply = await client.chat.completions.create({
    model: "chela",
    messages: [{ role: "user", content: "/echo it works" }],
  });
  expect(reply.choices[0]?.message.content).toBe("it works");
});
