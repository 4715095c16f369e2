/** What a client of OpenAI's API may count on beyond the plain call, each with the official client. */
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import tools from "../../../plugins/tools/index.ts";
import { until } from "../../kit/until.ts";
import { hello, newKey, setup } from "./kit.ts";

const behindChela = { agents: { defaults: { model: { primary: "sim/echo" } } } };
const fn = (name: string) => ({ type: "function" as const, function: { name, parameters: { type: "object" } } });
const schema = {
  name: "weather",
  strict: true,
  schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
};

describe.each(["sim/echo", "chela"])("%s", (model) => {
  const headers = { "x-openclaw-model": "sim/parallel" };
  const named = model === "chela" ? "chela" : "sim/parallel";

  test("parallel tool calls come back apart, and their results go up in the order they were sent", async () => {
    const { client, upstream } = await setup({ config: behindChela });
    const toolCalls = [
      { name: "weather", arguments: '{"city":"Ulm"}' },
      { name: "weather", arguments: '{"city":"Bonn"}' },
      { name: "clock", arguments: "{}" },
    ];
    upstream.script("parallel", { times: 1, toolCalls, afterwards: { text: "all done" } });
    const ask = { model: named, tools: [fn("weather"), fn("clock")], parallel_tool_calls: true };
    const first = await client.chat.completions.create({ ...ask, messages: hello }, { headers });
    expect((await upstream.last()).body.parallel_tool_calls).toBe(true);
    const [choice] = first.choices;
    const calls = choice?.message.tool_calls ?? [];
    expect(calls.map((call) => call.type === "function" && call.function)).toEqual(toolCalls);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
    const results = [...calls].reverse().map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: id }));
    const messages = [...hello, choice?.message as never, ...results];
    const second = await client.chat.completions.create({ ...ask, messages }, { headers });
    expect(second.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "all done" } });
    const sent = ((await upstream.last()).body.messages ?? []) as { role: string; tool_call_id?: string }[];
    const answered = sent.filter(({ role }) => role === "tool").map((one) => one.tool_call_id);
    expect(answered.toSorted()).toEqual(calls.map(({ id }) => id).toSorted());
  });

  test("a JSON schema for the reply reaches the model, and the client's parser reads what comes", async () => {
    const { client, upstream } = await setup({ config: behindChela });
    upstream.script("parallel", { text: '{"city":"Ulm"}' });
    const format = { type: "json_schema" as const, json_schema: schema };
    const reply = await client.chat.completions.parse(
      { model: named, messages: hello, response_format: format },
      { headers },
    );
    expect((await upstream.last()).body.response_format).toEqual(format);
    expect(reply.choices[0]?.message.parsed ?? JSON.parse(reply.choices[0]?.message.content ?? "")).toEqual({
      city: "Ulm",
    });
  });

  test("a developer's words, metadata, store, a tier and a cache key are taken", async () => {
    const { client, upstream } = await setup({ config: behindChela });
    const reply = await client.chat.completions.create({
      model,
      messages: [{ role: "developer", content: "Be brief." }, ...hello],
      metadata: { trace: "7" },
      store: true,
      service_tier: "auto",
      prompt_cache_key: "k",
      safety_identifier: "u",
    });
    expect(reply.choices[0]?.message.content).toBe("echo: hello there");
    const { messages = [] } = (await upstream.last()).body;
    expect(messages.map(({ role, content }) => [role, content])).toContainEqual([
      model === "chela" ? "system" : "developer",
      "Be brief.",
    ]);
  });

  test("a refusal of the model may stand in the conversation", async () => {
    const { client, upstream } = await setup({ config: behindChela });
    const refused = { role: "assistant" as const, content: null, refusal: "I cannot." };
    await client.chat.completions.create({ model, messages: [...hello, refused, ...hello] });
    expect(JSON.stringify((await upstream.last()).body.messages)).toContain("I cannot.");
  });

  test.each([true, false])("a client that leaves stops the upstream, stream: %s", async (stream) => {
    const { client, upstream } = await setup({ config: behindChela });
    const leave = new AbortController();
    const slow = { headers: { "x-openclaw-model": "sim/hang" }, signal: leave.signal };
    const asked = client.chat.completions.create(
      { model: model === "chela" ? "chela" : "sim/hang", messages: hello, stream },
      slow,
    );
    const failed = expect(asked).rejects.toThrow();
    await upstream.last();
    leave.abort();
    await failed;
    await until(async () => (await upstream.last()).aborted, 10_000, "the end of the upstream's request");
  });
});

test("what only a model can do passes to it: several choices, log probabilities, audio", async () => {
  const { client, upstream } = await setup();
  const wanted = { n: 3, logprobs: true, top_logprobs: 2, modalities: ["text" as const], logit_bias: { 5: -100 } };
  await client.chat.completions.create({ model: "sim/echo", messages: hello, ...wanted });
  expect((await upstream.last()).body).toMatchObject(wanted);
});

test("a file in the conversation of an agent is refused with its place", async () => {
  const { client } = await setup({ config: behindChela });
  const content = [{ type: "file" as const, file: { file_id: "file-1" } }];
  await expect(
    client.chat.completions.create({ model: "chela", messages: [{ role: "user", content }] }),
  ).rejects.toMatchObject({ status: 400, param: "messages[0].content[0]" });
});

describe.each([
  ["sim/reason", {}],
  ["chela", { agents: { defaults: { model: { primary: "sim/reason" } } } }],
])("thoughts of %s", (model, config) => {
  test("are beside the text of a whole reply, as they are in a stream", async () => {
    const { client } = await setup({ config });
    const chat = await client.chat.completions.create({ model, messages: hello });
    expect(chat.choices[0]?.message).toMatchObject({ content: "42", reasoning_content: "Let me think." });
    const response = await client.responses.create({ model, input: "why?" });
    expect(response.output).toMatchObject([
      { type: "reasoning", summary: [{ type: "summary_text", text: "Let me think." }] },
      { type: "message", content: [{ text: "42" }] },
    ]);
    const streamed = await client.responses.stream({ model, input: "why?" }).finalResponse();
    expect(streamed.output.map(({ type }) => type)).toEqual(response.output.map(({ type }) => type));
    const next = { model, input: [{ role: "user" as const, content: "why?" }, ...response.output, ...hello] };
    expect((await client.responses.create(next as never)).output_text).toBe("42");
  });
});

describe("items by their name", () => {
  const weather = { type: "function" as const, name: "weather", parameters: { type: "object" }, strict: false };

  test.each(["sim/caller", "chela"])(
    "calls and texts of kept responses of %s are put in their place",
    async (model) => {
      const { client, upstream } = await setup({
        config: { agents: { defaults: { model: { primary: "sim/caller" } } } },
      });
      const toolCalls = [{ name: "weather", arguments: '{"city":"Ulm"}' }];
      upstream.script("caller", { times: 1, text: "Let me look.", toolCalls, afterwards: { text: "Sunny." } });
      const events = client.responses.stream({ model, input: "Weather?", tools: [weather] });
      const { output } = await events.finalResponse();
      const call = output.find((item) => item.type === "function_call");
      if (call?.type !== "function_call") throw new Error("no call");
      const second = await client.responses.create({
        model,
        tools: [weather],
        input: [
          { role: "user", content: "Weather?" },
          ...output.map(({ id }) => ({ type: "item_reference" as const, id: id as string })),
          { type: "function_call_output", call_id: call.call_id, output: "sunny" },
        ],
      });
      expect(second.output_text).toBe("Sunny.");
      expect((await upstream.last()).body.messages?.slice(-3)).toMatchObject([
        { role: "user", content: "Weather?" },
        { role: "assistant", tool_calls: [{ function: { name: "weather" } }] },
        { role: "tool", content: "sunny" },
      ]);
    },
  );

  test("one that is not there, was not kept or is another's is 400 with its place", async () => {
    const one = await setup({ plugins: [apiConfig, keys] });
    const stranger = one.client.withOptions({ apiKey: await newKey(one.host, { name: "stranger" }) });
    const idOf = async (store: boolean) => {
      const response = await one.client.responses.create({ model: "sim/echo", input: "x", store });
      return response.output[0]?.id as string;
    };
    const [kept, forgotten] = [await idOf(true), await idOf(false)];
    const ask = (client: OpenAI, id: string) =>
      client.responses.create({ model: "sim/echo", input: [...hello, { type: "item_reference", id }] });
    expect((await ask(one.client, kept)).status).toBe("completed");
    for (const [client, id] of [
      [stranger, kept],
      [one.client, forgotten],
      [one.client, "msg_1"],
      [one.client, `fc_${"0".repeat(52)}`],
    ] as const) {
      await expect(ask(client, id), id).rejects.toMatchObject({
        status: 400,
        param: "input[1]",
        message: expect.stringContaining("not found"),
      });
    }
  });
});

test.each([
  ["an address", { image_url: "https://example.org/cat.png" }],
  ["base64", { image_url: "data:image/png;base64,AA==" }],
])("a picture as %s goes up with a response's input", async (_, image) => {
  const { client, upstream } = await setup();
  const content = [
    { type: "input_text" as const, text: "What is it?" },
    { type: "input_image" as const, detail: "auto" as const, ...image },
  ];
  await client.responses.create({ model: "sim/echo", input: [{ role: "user", content }] });
  expect((await upstream.last()).body.messages?.at(-1)).toMatchObject({
    content: [
      { type: "text", text: "What is it?" },
      { type: "image_url", image_url: { url: image.image_url } },
    ],
  });
});

test("a chain of responses with tools runs over an agent, in streams, and its instructions hold for one turn", async () => {
  const { client, upstream } = await setup({ config: { agents: { defaults: { model: { primary: "sim/caller" } } } } });
  const weather = { type: "function" as const, name: "weather", parameters: { type: "object" }, strict: false };
  upstream.script("caller", {
    times: 1,
    toolCalls: [{ name: "weather", arguments: "{}" }],
    afterwards: { times: 1, text: "Sunny.", afterwards: { text: "As I said." } },
  });
  const ask = { model: "chela", tools: [weather] };
  const first = await client.responses.stream({ ...ask, input: "Weather?", instructions: "Be brief." }).finalResponse();
  const call = first.output.find((item) => item.type === "function_call");
  if (call?.type !== "function_call") throw new Error("no call");
  const result = { type: "function_call_output" as const, call_id: call.call_id, output: "sunny" };
  const second = await client.responses
    .stream({ ...ask, previous_response_id: first.id, input: [result] })
    .finalResponse();
  expect(second.output_text).toBe("Sunny.");
  const third = await client.responses.create({ ...ask, previous_response_id: second.id, input: "Really?" });
  expect([third.output_text, third.previous_response_id]).toEqual(["As I said.", second.id]);
  const { messages = [] } = (await upstream.last()).body;
  expect(messages.filter(({ role }) => role !== "system")).toMatchObject([
    { role: "user", content: "Weather?" },
    { role: "assistant", tool_calls: [{ function: { name: "weather" } }] },
    { role: "tool", content: "sunny" },
    { role: "assistant", content: "Sunny." },
    { role: "user", content: "Really?" },
  ]);
  expect(JSON.stringify(messages)).not.toContain("Be brief.");
});

test("every reply below /v1 to a key with a limit tells the limit, refusals too", async () => {
  const one = await setup({ plugins: [apiConfig, keys, tools] });
  const apiKey = await newKey(one.host, { name: "limited", limits: { rpm: 9 } });
  const client = one.client.withOptions({ apiKey });
  const headersOf = async (path: string, body?: object) => {
    const reply = await fetch(`${one.host.url}${path}`, {
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    await reply.text();
    return [
      reply.status,
      reply.headers.get("x-ratelimit-limit-requests"),
      reply.headers.get("x-ratelimit-remaining-requests"),
    ];
  };
  expect(await headersOf("/v1/models")).toEqual([200, "9", "8"]);
  expect(await headersOf("/v1/chat/completions", { model: "sim/echo", messages: hello })).toEqual([200, "9", "7"]);
  expect(await headersOf("/v1/chat/completions", { model: "sim/bad", messages: hello })).toEqual([400, "9", "6"]);
  expect(await headersOf("/v1/chat/completions", { model: "chela", messages: [] })).toEqual([400, "9", "5"]);
  expect(await headersOf("/v1/responses", { model: "sim/echo", input: "x", stream: true })).toEqual([200, "9", "4"]);
  expect(await headersOf("/v1/embeddings", { model: "sim/embed", input: "x" })).toEqual([200, "9", "3"]);
  expect(await headersOf("/v1/tools/invoke", { tool: "system_info" })).toEqual([200, "9", "2"]);
  expect(await headersOf("/v1/models/nobody")).toEqual([404, "9", "1"]);
  expect(await headersOf("/v1/responses/resp_1")).toEqual([404, "9", "0"]);
  await expect(client.models.list()).rejects.toMatchObject({ status: 429, code: "rate_limited" });
});
