/** Agents through `/v1` with the official client: aliases, context, options, sessions. */
import { sessions } from "@chela/sdk";
import { expect, test } from "vitest";
import { raw } from "../../attacks/kit.ts";
import { type Chunk, eventsOf, hello, setup, streamed } from "./kit.ts";

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
    messages: [{ role: "system", content: expect.stringMatching(/^Answer in verse\.\n/) }, { role: "user" }],
  });
  await client.chat.completions.create({ model: "openclaw/poet", messages: hello });
  expect((await upstream.last()).body.model).toBe("whole");
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

test("without any provider the offline model answers as agent", async () => {
  const { client } = await setup({ config: { models: {} } });
  const reply = await client.chat.completions.create({
    model: "chela",
    messages: [{ role: "user", content: "/echo it works" }],
  });
  expect(reply.choices[0]?.message.content).toBe("it works");
});

test("the client's system prompt holds in a session too, for the turn it came with", async () => {
  const { client, upstream, host } = await setup({
    config: { agents: { defaults: { system_prompt: "House rules." } } },
  });
  const ask = async (system: readonly string[], content: string) => {
    const prompts = system.map((text) => ({ role: "system" as const, content: text }));
    await client.chat.completions.create({
      model: "chela",
      user: "ann",
      messages: [...prompts, { role: "user", content }],
    });
    return (upstream.requests.at(-1)?.body.messages ?? []).map(
      (message) => `${message.role}: ${String(message.content)}`,
    );
  };
  const rules = expect.stringMatching(/^system: House rules\.\n/);
  expect(await ask(["Speak like a pirate.", "Be brief."], "one")).toEqual([
    rules,
    "system: Speak like a pirate.\n\nBe brief.",
    "user: one",
  ]);
  const history = ["user: one", "assistant: echo: one"];
  expect(await ask(["Speak French."], "two")).toEqual([rules, "system: Speak French.", ...history, "user: two"]);
  expect(await ask([], "three")).toEqual([rules, ...history, "user: two", "assistant: echo: two", "user: three"]);
  const kept = (await host.request("/api/chat/history?session=openai:user:ann")).json() as {
    messages: { role: string }[];
  };
  expect(kept.messages.map(({ role }) => role).filter((role) => role === "system")).toEqual([]);
});

test("a session key in UTF-8 is the one that the chat API knows", async () => {
  const { host } = await setup();
  const body = Buffer.from(JSON.stringify({ model: "chela", messages: hello }));
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `host: ${new URL(host.url).host}`,
    "connection: close",
    `authorization: Bearer ${host.token}`,
    "x-openclaw-session-key: 会话 grün 😀",
    `content-length: ${body.length}`,
  ];
  const answer = await raw(host, Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
  const kept = await host.request(`/api/chat/history?session=${encodeURIComponent("会话 grün 😀")}`);
  expect((kept.json() as { messages: unknown[] }).messages).toHaveLength(2);
});
