/** `/v1/responses` with the official client: whole, as events, with tools, and following each other. */
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { until } from "../../kit/until.ts";
import { newKey, setup } from "./kit.ts";

const weather = {
  type: "function" as const,
  name: "weather",
  description: "Tells the weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: false,
};

type Event = OpenAI.Responses.ResponseStreamEvent;

async function collect(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const types = (events: readonly Event[]) => events.map(({ type }) => type);
const sequence = (events: readonly Event[]) => events.map((event) => event.sequence_number);

describe.each(["sim/echo", "chela", "offline/offline"])("a response of %s", (model) => {
  const input = model === "offline/offline" || model === "chela" ? "/echo hi there" : "hi there";
  const config = model === "chela" ? { agents: { defaults: { model: { primary: "offline/offline" } } } } : {};

  test("whole", async () => {
    const { client } = await setup({ config });
    const response = await client.responses.create({ model, input, metadata: { trace: "7" } });
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      model,
      error: null,
      incomplete_details: null,
      metadata: { trace: "7" },
      previous_response_id: null,
      output: [{ type: "message", role: "assistant", status: "completed", content: [{ type: "output_text" }] }],
    });
    expect(response.id).toMatch(/^resp_[0-9a-f]{48}$/);
    expect(response.output_text).toBe(model === "sim/echo" ? "echo: hi there" : "hi there");
    expect(response.usage).toMatchObject({ input_tokens: expect.any(Number), total_tokens: expect.any(Number) });
  });

  test("as events, in OpenAI's order and numbered without a gap", async () => {
    const { client } = await setup({ config });
    const events = await collect(await client.responses.create({ model, input, stream: true }));
    expect(types(events).filter((type) => type !== "response.output_text.delta")).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(sequence(events)).toEqual(events.map((_, index) => index));
    const deltas = events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []));
    const last = events.at(-1);
    if (last?.type !== "response.completed") throw new Error("not completed");
    const [item] = last.response.output;
    expect(item).toMatchObject({ content: [{ text: deltas.join("") }] });
    expect(deltas.join("")).toContain("hi there");
  });
});

test("the client's own stream helper puts it together", async () => {
  const { client } = await setup();
  const final = await client.responses.stream({ model: "sim/reason", input: "why?" }).finalResponse();
  expect(final.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
  expect(final.output[0]).toMatchObject({ summary: [{ type: "summary_text", text: "Let me think." }] });
  expect(final.output_text).toBe("42");
});

describe("tools", () => {
  test("a call comes back, and its output goes up as a tool message behind it", async () => {
    const { client, upstream } = await setup();
    upstream.script("caller", {
      times: 1,
      toolCalls: [{ name: "weather", arguments: '{"city":"Ulm"}' }],
      afterwards: { text: "Sunny in Ulm." },
    });
    const first = await client.responses.create({ model: "sim/caller", input: "Weather in Ulm?", tools: [weather] });
    const [call] = first.output;
    if (call?.type !== "function_call") throw new Error("no call");
    expect(call).toMatchObject({
      name: "weather",
      arguments: '{"city":"Ulm"}',
      call_id: "call_1",
      status: "completed",
    });
    const second = await client.responses.create({
      model: "sim/caller",
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }],
      tools: [weather],
    });
    expect(second.output_text).toBe("Sunny in Ulm.");
    expect(second.previous_response_id).toBe(first.id);
    const { messages, tools } = (await upstream.last()).body;
    expect(messages).toMatchObject([
      { role: "user", content: "Weather in Ulm?" },
      { role: "assistant", tool_calls: [{ id: "call_1", function: { name: "weather" } }] },
      { role: "tool", tool_call_id: "call_1", content: "sunny" },
    ]);
    expect(tools).toMatchObject([{ type: "function", function: { name: "weather", parameters: weather.parameters } }]);
  });

  test("several calls in a stream, each with its events, and without a past when the client sends it all", async () => {
    const { client, upstream } = await setup();
    const clock = { ...weather, name: "clock" };
    const events = await collect(
      await client.responses.create({ model: "sim/tools", input: "both", tools: [weather, clock], stream: true }),
    );
    expect(types(events).slice(2, -1)).toEqual(
      [1, 2].flatMap(() => [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
      ]),
    );
    const calls = events.flatMap((event) =>
      event.type === "response.output_item.done" && event.item.type === "function_call" ? [event.item] : [],
    );
    await client.responses.create({
      model: "sim/echo",
      store: false,
      tools: [weather, clock],
      input: [
        { role: "user", content: "both" },
        ...calls,
        ...calls.map(({ call_id }) => ({ type: "function_call_output" as const, call_id, output: "done" })),
      ],
    });
    const { messages } = (await upstream.last()).body;
    expect(messages?.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "tool"]);
    expect(messages?.[1]).toMatchObject({ tool_calls: [{ id: "call_1" }, { id: "call_2" }] });
  });
});

test("options reach the upstream in the form of chat completions", async () => {
  const { client, upstream } = await setup();
  const schema = {
    type: "object",
    properties: { a: { type: "string" } },
    required: ["a"],
    additionalProperties: false,
  };
  await client.responses.create({
    model: "sim/echo",
    instructions: "Be brief.",
    input: [
      { role: "developer", content: "Speak plainly." },
      {
        role: "user",
        content: [
          { type: "input_text", text: "look" },
          { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
        ],
      },
    ],
    max_output_tokens: 77,
    temperature: 0.3,
    top_p: 0.9,
    reasoning: { effort: "low" },
    text: { format: { type: "json_schema", name: "answer", schema, strict: true } },
    tools: [weather],
    tool_choice: { type: "function", name: "weather" },
    parallel_tool_calls: false,
  });
  expect((await upstream.last()).body).toMatchObject({
    messages: [
      { role: "system", content: "Be brief." },
      { role: "system", content: "Speak plainly." },
      { role: "user", content: [{ type: "text", text: "look" }, { type: "image_url" }] },
    ],
    max_tokens: 77,
    temperature: 0.3,
    top_p: 0.9,
    reasoning_effort: "low",
    response_format: { type: "json_schema", json_schema: { name: "answer", schema, strict: true } },
    tool_choice: { type: "function", function: { name: "weather" } },
    parallel_tool_calls: false,
  });
});

describe("a response that is kept", () => {
  test("can be fetched, followed and deleted; what was not to be kept cannot", async () => {
    const { client, upstream } = await setup();
    const first = await client.responses.create({ model: "sim/echo", input: "one" });
    expect(await client.responses.retrieve(first.id)).toMatchObject({ id: first.id, output: first.output });
    const ask = { model: "sim/echo", input: "two", previous_response_id: first.id, instructions: "Now." };
    const second = await client.responses.create({ ...ask, stream: true });
    const done = (await collect(second)).at(-1);
    if (done?.type !== "response.completed") throw new Error("not completed");
    await client.responses.create({ model: "sim/echo", input: "three", previous_response_id: done.response.id });
    const said = (await upstream.last()).body.messages?.map(({ role, content }) => `${role} ${content}`);
    expect(said).toEqual(["user one", "assistant echo: one", "user two", "assistant echo: two", "user three"]);
    await client.responses.delete(first.id);
    await expect(client.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 });
    const follow = client.responses.create({ model: "sim/echo", input: "four", previous_response_id: first.id });
    await expect(follow).rejects.toMatchObject({ status: 400, code: "previous_response_not_found" });
    const unkept = await client.responses.create({ model: "sim/echo", input: "secret", store: false });
    await expect(client.responses.retrieve(unkept.id)).rejects.toMatchObject({ status: 404 });
  });

  test("is nobody else's", async () => {
    const { client, host } = await setup({ plugins: [apiConfig, keys] });
    const [alice, bob] = await Promise.all(["alice", "bob"].map((name) => newKey(host, { name })));
    const own = client.withOptions({ apiKey: alice as string });
    const other = client.withOptions({ apiKey: bob as string });
    const { id } = await own.responses.create({ model: "sim/echo", input: "mine" });
    await expect(other.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
    await expect(other.responses.delete(id)).rejects.toMatchObject({ status: 404 });
    const follow = other.responses.create({ model: "sim/echo", input: "x", previous_response_id: id });
    await expect(follow).rejects.toMatchObject({ status: 400 });
    expect((await own.responses.retrieve(id)).id).toBe(id);
    expect((await client.responses.retrieve(id)).id).toBe(id);
  });
});

describe("what goes wrong", () => {
  test.each([
    ["input of another kind", { input: 7 }, /input/],
    ["no input", { input: [] }, /input/],
    ["an item that is none", { input: [{ type: "banana" }] }, /input\[0\]\.type/],
    [
      "a part that is none",
      { input: [{ role: "user", content: [{ type: "input_file" }] }] },
      /input\[0\]\.content\[0\]/,
    ],
    ["a role that is none", { input: [{ role: "owner", content: "x" }] }, /input\[0\]\.role/],
    ["an output without its call", { input: [{ type: "function_call_output", output: "x" }] }, /call_id/],
    ["a tool of OpenAI's own", { input: "x", tools: [{ type: "web_search" }] }, /tools\[0\]\.type/],
    ["the same tool twice", { input: "x", tools: [weather, weather] }, /twice/],
    [
      "a choice of a tool that is not there",
      { input: "x", tool_choice: { type: "function", name: "x" } },
      /tool_choice/,
    ],
    ["too few tokens", { input: "x", max_output_tokens: 0 }, /max_output_tokens/],
    ["a hot temperature", { input: "x", temperature: 3 }, /temperature/],
    ["background", { input: "x", background: true }, /background/],
    ["a conversation", { input: "x", conversation: "conv_1" }, /conversation/],
    ["a format that is none", { input: "x", text: { format: { type: "xml" } } }, /text\.format/],
    ["a past that is none", { input: "x", previous_response_id: 7 }, /previous_response_id/],
  ])("%s is 400 in OpenAI's shape", async (_, body, message) => {
    const { host } = await setup();
    const reply = await host.request("/v1/responses", { body: { model: "sim/echo", ...body } });
    expect(reply.status).toBe(400);
    expect(reply.json()).toMatchObject({ error: { message: expect.stringMatching(message) } });
  });

  test("an upstream's refusal keeps its status, before and in a stream", async () => {
    const { client } = await setup();
    const ask = { model: "sim/bad", input: "x" };
    await expect(client.responses.create(ask)).rejects.toMatchObject({ status: 400, code: "invalid_value" });
    await expect(client.responses.create({ ...ask, stream: true })).rejects.toMatchObject({ status: 400 });
    await expect(client.responses.create({ model: "sim/missing", input: "x" })).rejects.toMatchObject({ status: 404 });
    await expect(client.responses.create({ model: "nobody", input: "x" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });

  test("a stream that breaks ends as failed, with the text so far, and is not kept", async () => {
    const { client } = await setup();
    const events = await collect(await client.responses.create({ model: "sim/cut", input: "a b c d", stream: true }));
    const last = events.at(-1);
    if (last?.type !== "response.failed") throw new Error(`ended with ${last?.type}`);
    expect(last.response).toMatchObject({ status: "failed", error: { code: "upstream_cut" } });
    expect(last.response.output).toMatchObject([{ type: "message", status: "incomplete" }]);
    expect(sequence(events)).toEqual(events.map((_, index) => index));
    await expect(client.responses.retrieve(last.response.id)).rejects.toMatchObject({ status: 404 });
  });

  test.each([
    ["short", "max_output_tokens"],
    ["filtered", "content_filter"],
  ])("a reply that was %s is incomplete", async (model, reason) => {
    const { client } = await setup();
    const response = await client.responses.create({ model: `sim/${model}`, input: "x" });
    expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason } });
    const events = await collect(await client.responses.create({ model: `sim/${model}`, input: "x", stream: true }));
    const last = events.at(-1);
    if (last?.type !== "response.incomplete") throw new Error("not incomplete");
    for (const { output } of [response, last.response])
      expect(output.every((item) => item.type === "message" && item.status === "incomplete")).toBe(true);
  });

  test("a client that leaves stops the upstream", async () => {
    const { client, upstream } = await setup();
    const stream = await client.responses.create({ model: "sim/endless", input: "x", stream: true });
    for await (const event of stream) if (event.type === "response.created") break;
    await until(async () => (await upstream.last()).aborted, 10_000, "the end of the upstream's request");
  });
});

test("a session is the agent's own history", async () => {
  const { client, host, upstream } = await setup({
    config: { agents: { defaults: { model: { primary: "sim/echo" } } } },
  });
  const headers = { "x-openclaw-session-key": "notes" };
  await client.responses.create({ model: "chela", input: "one" }, { headers });
  await client.responses.create({ model: "chela", input: "two", instructions: "Be brief." }, { headers });
  const { messages } = (await upstream.last()).body;
  expect(messages?.map(({ content }) => content)).toEqual(
    expect.arrayContaining(["one", "echo: one", "two", "Be brief."]),
  );
  const history = await host.request("/api/chat/history?session=notes");
  expect((history.json() as { messages: unknown[] }).messages).toHaveLength(4);
});
