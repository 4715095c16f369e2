/** Where vendors differ on OpenAI's own wire: levels in a model's name, thoughts that go back, tools in the text, images of tools, keys in other headers. */
import type { Message, ModelRequest } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { httpServer } from "../../../kit/http-server.ts";
import { ask, bytes, hear, makeUpstreams, never } from "../kit.ts";
import { type Body, hi, sent, speaking, tools, withResults } from "./kit.ts";

describe("a level in the model's name", () => {
  test.each([
    ["qwen", "qwen3-max(high)", { model: "qwen3-max", enable_thinking: true, thinking_budget: 24_576 }],
    ["qwen", "qwen3-max(4096)", { model: "qwen3-max", enable_thinking: true, thinking_budget: 4096 }],
    ["qwen", "qwen3-max(none)", { model: "qwen3-max", enable_thinking: false }],
    ["qwen", "qwen3-max(auto)", { model: "qwen3-max", enable_thinking: true }],
    ["kimi", "kimi-k2.5(high)", { model: "kimi-k2.5", thinking: { type: "enabled" } }],
    ["kimi", "kimi-k2.5(none)", { model: "kimi-k2.5", thinking: { type: "disabled" } }],
    ["openai", "gpt-5(low)", { model: "gpt-5", reasoning_effort: "low" }],
    ["openai", "gpt-5(9000)", { model: "gpt-5", reasoning_effort: "high" }],
    ["qwen", "qwen3(beta)", { model: "qwen3(beta)" }],
    ["deepseek", "deepseek(high)", { model: "deepseek(high)" }],
  ])("is said in %s's words: %s", async (preset, model, expected) => {
    const body = await sent({ preset }, { model: `sim/${model}` });
    expect(body).toMatchObject(expected);
    const said = ["enable_thinking", "thinking_budget", "thinking", "reasoning_effort"].filter((key) => key in body);
    expect(said).toEqual(Object.keys(expected).filter((key) => key !== "model"));
  });

  test("goes along straight through too, and the client's own word comes first", async () => {
    const server = await httpServer((_, reply) =>
      reply.writeHead(200, { "content-type": "application/json" }).end("{}"),
    );
    const upstreams = makeUpstreams({ qwen: { api_base: `${server.origin}/v1` } });
    const request = { model: "qwen/qwen3(high)", path: "/chat/completions", signal: never };
    await bytes((await upstreams.forward({ ...request, body: { messages: [], thinking_budget: 7 } })).body);
    expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({
      model: "qwen3",
      messages: [],
      enable_thinking: true,
      thinking_budget: 7,
    });
  });
});

describe("thoughts", () => {
  const messages: readonly Message[] = [
    { role: "user", content: "a" },
    { role: "assistant", content: "b", reasoning: "thought 1" },
    { role: "user", content: "c" },
    {
      role: "assistant",
      content: "",
      reasoning: "thought 2",
      toolCalls: [{ id: "1", name: "clock", arguments: "{}" }],
    },
    { role: "tool", toolCallId: "1", content: "noon" },
    { role: "assistant", content: "", toolCalls: [{ id: "2", name: "clock", arguments: "{}" }] },
    { role: "tool", toolCallId: "2", content: "noon" },
  ];

  test.each([
    ["generic", undefined, [undefined, "thought 2", undefined]],
    ["kimi", "kimi", ["thought 1", "thought 2", ""]],
    ["deepseek", "deepseek", ["thought 1", "thought 2", ""]],
  ])("go back as %s wants them", async (_, preset, expected) => {
    const body = await sent(preset === undefined ? {} : { preset }, { model: "sim/m", messages });
    const said = body.messages.filter(({ role }) => role === "assistant").map((message) => message.reasoning_content);
    expect(said).toEqual(expected);
  });

  test("that a router keeps in parts, and signatures of calls, go back to the same model only", async () => {
    const details = [{ type: "reasoning.encrypted", data: "sealed", index: 0 }];
    const call = {
      index: 0,
      id: "c1",
      function: { name: "clock", arguments: "{}" },
      extra_content: { google: { thought_signature: "sig" } },
    };
    const server = await speaking([{ reasoning: "hm", reasoning_details: details }, { tool_calls: [call] }], hi);
    const upstreams = makeUpstreams({ sim: { api_base: `${server.origin}/v1` } });
    const { reply } = await hear(upstreams.stream(ask("sim/m", { tools }), never));
    const next = withResults(ask("sim/m").messages, reply);
    for (const model of ["sim/m", "sim/other"]) await hear(upstreams.stream({ model, tools, messages: next }, never));
    const [same, other] = server.seen.slice(1).map(({ body }) => (JSON.parse(body) as Body).messages[1]);
    expect(same).toMatchObject({
      reasoning_details: details,
      tool_calls: [{ extra_content: { google: { thought_signature: "sig" } } }],
    });
    expect(JSON.stringify(other)).not.toMatch(/sealed|sig/);
  });
});

describe("tools that are called in the text", () => {
  const dsml =
    '<｜DSML｜tool_calls>\n<｜DSML｜invoke name="weather">\n<｜DSML｜parameter name="city" string="true">U < lm > "x"</｜DSML｜parameter>\n<｜DSML｜parameter name="days" string="false">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n<｜DSML｜invoke name="clock">\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>';
  const city = { name: "weather", arguments: '{"city":"Ulm"}' };

  async function heard(
    text: string,
    entry: Record<string, unknown> = { preset: "deepseek" },
    offered: ModelRequest["tools"] = tools,
  ) {
    const pieces = [...text].map((content) => ({ content }));
    const server = await speaking(pieces);
    const upstreams = makeUpstreams({ sim: { api_base: `${server.origin}/v1`, ...entry } });
    const { text: shown, reply } = await hear(upstreams.stream(ask("sim/m", { tools: offered ?? [] }), never));
    return {
      shown,
      stop: reply.stop,
      calls: reply.toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args })),
    };
  }

  test.each([
    ['<function_call>{"name":"weather","arguments":{"city":"Ulm"}}</function_call>', [city]],
    ['<function_call>{"name":"weather","arguments":"{\\"city\\":\\"Ulm\\"}"}</function_call>', [city]],
    ['<tool_call>\n{"name":"weather","parameters":{"city":"Ulm"}}\n</tool_call>', [city]],
    ["<tool_call>\n<function=weather>\n<parameter=city>\nUlm\n</parameter>\n</function>\n</tool_call>", [city]],
    [
      dsml,
      [
        { name: "weather", arguments: '{"city":"U < lm > \\"x\\"","days":3}' },
        { name: "clock", arguments: "{}" },
      ],
    ],
    [
      dsml.replaceAll("｜", "|").replaceAll("tool_calls", "function_calls"),
      [expect.anything(), { name: "clock", arguments: "{}" }],
    ],
    [dsml.replaceAll("｜", "｜｜"), [expect.anything(), { name: "clock", arguments: "{}" }]],
    // Never ended, and without its wrapper.
    [dsml.slice(0, dsml.lastIndexOf("</")), [expect.anything(), { name: "clock", arguments: "{}" }]],
    ['<｜DSML｜invoke name="clock"></｜DSML｜invoke>', [{ name: "clock", arguments: "{}" }]],
  ])("are calls: %s", async (markup, calls) => {
    expect(await heard(`Let me see.\n${markup}`)).toEqual({ shown: "Let me see.\n", stop: "tool_calls", calls });
  });

  test.each([
    "if (a < b) return <b>bold</b>",
    "<function_call> is a tag",
    '<function_call>{"name":"unknown_tool","arguments":{}}</function_call>',
    "<tool_call>not json</tool_call> and on",
    "a <",
    "<｜DSML｜",
    "<｜DSML｜tool_calls>",
  ])("stay text where they are none: %s", async (text) => {
    expect(await heard(text)).toEqual({ shown: text, stop: "stop", calls: [] });
  });

  test("stay text where no preset says that it happens, or no tool was offered", async () => {
    expect(await heard(dsml, {})).toMatchObject({ shown: dsml, calls: [] });
    expect(await heard(dsml, { preset: "deepseek" }, [])).toMatchObject({ shown: dsml, calls: [] });
  });

  test("a long text with many brackets takes time that grows with its length only", { timeout: 30_000 }, async () => {
    const text = `<function_call>${"< ".repeat(100_000)}`;
    const server = await speaking(
      Array.from({ length: 2000 }, (_, at) => ({ content: text.slice(at * 101, (at + 1) * 101) })),
    );
    const upstreams = makeUpstreams({ sim: { api_base: `${server.origin}/v1`, preset: "deepseek" } });
    const { text: shown } = await hear(upstreams.stream(ask("sim/m", { tools }), never));
    expect(shown).toBe(text.slice(0, 2000 * 101));
  });
});

test("images that tools return follow all results of their round", async () => {
  const picture = { type: "image", url: "data:image/png;base64,AA==" } as const;
  const messages: readonly Message[] = [
    { role: "user", content: "look" },
    {
      role: "assistant",
      content: "",
      toolCalls: [
        { id: "1", name: "clock", arguments: "{}" },
        { id: "2", name: "clock", arguments: "{}" },
      ],
    },
    { role: "tool", toolCallId: "1", content: [{ type: "text", text: "one" }, picture] },
    { role: "tool", toolCallId: "2", content: "two" },
    { role: "tool", toolCallId: "lost", content: "an orphan" },
  ];
  const body = await sent({}, { model: "sim/m", messages });
  expect(body.messages.map(({ role, content }) => [role, content])).toEqual([
    ["user", "look"],
    ["assistant", null],
    ["tool", "one\n[image, see below]"],
    ["tool", "two"],
    ["user", [{ type: "image_url", image_url: { url: picture.url } }]],
  ]);
});

test("Azure's key has its own header, and its version goes with every request", async () => {
  const { headers, path } = await sent({ preset: "azure-openai", api_version: "2024-10-21" }, { model: "sim/m" });
  expect([headers["api-key"], headers.authorization, path]).toEqual([
    "sk-sim-0123456789",
    undefined,
    "/v1/chat/completions?api-version=2024-10-21",
  ]);
});

test("who refuses `stream_options` gets none", async () => {
  expect(await sent({ preset: "mistral" }, { model: "sim/m" })).not.toHaveProperty("stream_options");
  expect(await sent({}, { model: "sim/m" })).toHaveProperty("stream_options");
});
