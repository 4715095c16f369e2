/** What a client asks for beyond the words, as upstreams of each kind get it. */
import { describe, expect, test } from "vitest";
import { hello, setup } from "./kit.ts";
import { open } from "./vendors.ts";

const behindChela = { agents: { defaults: { model: { primary: "sim/echo" } } } };
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const strict = { name: "weather", parameters, strict: true };
const loose = { name: "clock", parameters: { type: "object" } };
const tools = [strict, loose].map((fn) => ({ type: "function" as const, function: fn }));
const picture = "data:image/png;base64,iVBORw0KGgo=";

describe("a tool that is strict stays so", () => {
  test.each(["chela", "sim/echo"])("%s, both APIs", async (model) => {
    const { client, upstream } = await setup({ config: behindChela });
    const sent = async () => {
      const [first, second] = (await upstream.last()).body.tools as { function: { strict?: boolean } }[];
      return [first?.function.strict, second?.function.strict];
    };
    await client.chat.completions.create({ model, messages: hello, tools });
    expect(await sent()).toEqual([true, undefined]);
    const functions = [
      { type: "function" as const, ...strict },
      { type: "function" as const, ...loose, strict: false },
    ];
    await client.responses.create({ model, input: "x", tools: functions });
    expect(await sent()).toEqual([true, undefined]);
  });

  test.each([
    ["claude", [true, undefined]],
    ["openai", [true, false]],
  ] as const)("%s", async (name, wanted) => {
    const { client, vendor, model } = await open(name);
    await client.chat.completions.create({ model, messages: hello, tools });
    const sent = vendor.asked.at(-1)?.body.tools as { strict?: boolean }[];
    expect(sent.map((tool) => tool.strict)).toEqual(wanted);
  });

  test("older Claudes do not know it", async () => {
    const { client, vendor, model } = await open("claude", "claude-3-5-haiku-20241022");
    await client.chat.completions.create({ model, messages: hello, tools });
    expect(JSON.stringify(vendor.asked.at(-1)?.body)).not.toContain('"strict"');
  });
});

test.each(["chela", "sim/echo"])("a picture in the result of a tool reaches %s", async (model) => {
  const { client, upstream } = await setup({ config: behindChela });
  const call = { id: "call_1", type: "function" as const, function: { name: "look", arguments: "{}" } };
  const output = [
    { type: "input_text" as const, text: "a cat" },
    { type: "input_image" as const, image_url: picture },
  ];
  await client.responses.create({
    model,
    input: [
      { role: "user", content: "Look." },
      { type: "function_call", call_id: call.id, ...call.function },
      { type: "function_call_output", call_id: call.id, output },
    ],
  });
  expect((await upstream.last()).body.messages?.slice(-2)).toMatchObject([
    { role: "tool", tool_call_id: "call_1" },
    { role: "user", content: [{ type: "image_url", image_url: { url: picture } }] },
  ]);
});

test("a picture in the result of a tool reaches another vendor", async () => {
  const { client, vendor, model } = await open("claude");
  const content = [
    { type: "text", text: "a cat" },
    { type: "image_url", image_url: { url: picture } },
  ];
  const calls = [{ id: "call_1", type: "function" as const, function: { name: "weather", arguments: "{}" } }];
  const messages = [
    ...hello,
    { role: "assistant" as const, content: null, tool_calls: calls },
    { role: "tool" as const, tool_call_id: "call_1", content: content as never },
  ];
  await client.chat.completions.create({ model, messages, tools });
  expect(JSON.stringify(vendor.asked.at(-1)?.body.messages)).toContain('"media_type":"image/png"');
});

test("JSON without a schema is asked of Claude in words", async () => {
  const { client, vendor, model } = await open("claude");
  await client.chat.completions.create({ model, messages: hello, response_format: { type: "json_object" } });
  expect(JSON.stringify(vendor.asked.at(-1)?.body.system)).toContain("one JSON object and nothing else");
});

test("verbosity reaches a model behind the Responses API", async () => {
  const { client, vendor, model } = await open("openai");
  await client.chat.completions.create({ model, messages: hello, verbosity: "low" });
  expect(vendor.asked.at(-1)?.body.text).toEqual({ verbosity: "low" });
});

test("embeddings are there at a provider whose models speak the Responses API", async () => {
  const { client, upstream } = await setup({ provider: { responses: { api: "responses" } } });
  const reply = await client.embeddings.create({ model: "sim/embed", input: "x" });
  expect(reply.data[0]?.embedding).toEqual([0.25, -0.5]);
  expect((await upstream.last()).path).toBe("/v1/embeddings");
});

test("what a response was made from is listed, in pages, with all that went before it", async () => {
  const { client } = await setup();
  const first = await client.responses.create({ model: "sim/echo", instructions: "Be brief.", input: "one" });
  const second = await client.responses.create({
    model: "sim/echo",
    previous_response_id: first.id,
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "two" },
          { type: "input_image", detail: "auto", image_url: picture },
        ],
      },
      { type: "function_call", call_id: "call_1", name: "look", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "a cat" },
    ],
  });
  const all: { type?: string; id?: string }[] = [];
  for await (const item of client.responses.inputItems.list(second.id, { order: "asc", limit: 2 })) all.push(item);
  expect(all).toMatchObject([
    { type: "message", role: "user", content: [{ type: "input_text", text: "one" }] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "echo: one" }] },
    { type: "message", role: "user", content: [{ text: "two" }, { type: "input_image", image_url: picture }] },
    { type: "function_call", call_id: "call_1", name: "look", arguments: "{}" },
    { type: "function_call_output", call_id: "call_1", output: "a cat" },
  ]);
  expect(new Set(all.map(({ id }) => id)).size).toBe(5);
  const newest = await client.responses.inputItems.list(second.id, { limit: 1 });
  expect([newest.data[0]?.type, newest.has_more]).toEqual(["function_call_output", true]);
  await expect(client.responses.inputItems.list("resp_none")).rejects.toMatchObject({ status: 404 });
  await expect(client.responses.inputItems.list(second.id, { after: "x" })).rejects.toMatchObject({ param: "after" });
});
