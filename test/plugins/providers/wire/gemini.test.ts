/** What only generateContent has: schemas in a subset, signatures, ids, finish reasons, generations. */
import type { Message } from "@chela/sdk";
import { expect, test } from "vitest";
import { geminiSchema } from "../../../../plugins/providers/wire/gemini/schema.ts";
import { startGemini } from "../../../simulators/gemini/api.ts";
import { signingWith } from "../../../simulators/vendor/signing.ts";
import { ask, fails, hear, never } from "../kit.ts";
import { provider, rounds, setup, tools } from "./kit.ts";

const clock = { name: "clock", args: {} };

test("the base URL may name the version or not, the model its folder or not", async () => {
  const vendor = await startGemini();
  for (const path of ["", "/v1beta", "/v1beta/"]) {
    const upstreams = provider("gemini", vendor.origin, { api_base: `${vendor.origin}${path}` });
    await hear(upstreams.stream(ask("sim/gemini-3.8-flash"), never));
    await hear(upstreams.stream(ask("sim/models/gemini-3.8-flash"), never));
  }
  expect(new Set(vendor.asked.map(({ path }) => path))).toEqual(
    new Set(["/v1beta/models/gemini-3.8-flash:streamGenerateContent"]),
  );
});

test("a login's token is a bearer with the project it belongs to", async () => {
  const vendor = await startGemini({ token: "opaque" });
  const { events } = signingWith("gemini", vendor.origin, { token: "opaque", account: { projectId: "p-1" } });
  expect((await hear(events(ask("sim/gemini-3.8-flash")))).text).toBe("echo: hello there");
  expect(vendor.asked[0]?.headers["x-goog-user-project"]).toBe("p-1");
});

test("a model's name stays one name, whatever it holds", async () => {
  const { upstreams, vendor } = await setup("gemini");
  await hear(upstreams.stream(ask("sim/a?key=x#y"), never));
  expect(vendor.asked[0]?.path).toBe("/v1beta/models/a%3Fkey%3Dx%23y:streamGenerateContent");
});

test("calls with ids of their own get their results under them", async () => {
  const vendor = await startGemini({ ids: true });
  const made = { vendor, upstreams: provider("gemini", vendor.origin), model: "sim/gemini-3.8-flash" };
  await rounds(made, [{ calls: [clock, clock] }, { text: "done" }]);
  const sent = JSON.stringify(vendor.asked[1]?.body);
  expect(sent).toContain('"functionResponse":{"name":"clock","id":"fc_1_0"');
  expect(sent).toContain('"functionResponse":{"name":"clock","id":"fc_1_1"');
});

test("calls without ids get their results by name and order, and never an id we made up", async () => {
  const made = await setup("gemini");
  const replies = await rounds(made, [{ calls: [clock, clock] }, { calls: [clock] }, { text: "done" }]);
  const ids = replies.flatMap(({ toolCalls }) => toolCalls.map(({ id }) => id));
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(JSON.stringify(made.vendor.asked.at(-1)?.body)).not.toContain(id);
});

test("a call whose signature was lost passes with the word for that, in the generations that ask for one", async () => {
  const messages: Message[] = [
    { role: "user", content: "time?" },
    {
      role: "assistant",
      content: "",
      toolCalls: [
        { id: "a", name: "clock", arguments: "{}" },
        { id: "b", name: "clock", arguments: "{}" },
      ],
    },
    { role: "tool", toolCallId: "a", content: "noon" },
    { role: "tool", toolCallId: "b", content: "noon" },
  ];
  const { upstreams, vendor } = await setup("gemini");
  for (const model of ["sim/gemini-3.8-flash", "sim/gemini-flash-latest", "sim/gemini-2.5-flash"])
    await hear(upstreams.stream({ model, tools, messages }, never));
  expect(
    vendor.asked.map(({ body }) => JSON.stringify(body).split("skip_thought_signature_validator").length - 1),
  ).toEqual([1, 1, 0]);
});

test.each(["OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])(
  "a model that gave up with %s was cut",
  async (stop) => {
    const { upstreams, vendor, model } = await setup("gemini");
    vendor.script({ text: "so far", stop });
    const { error } = await fails(upstreams.stream(ask(model), never));
    expect(error).toMatchObject({ code: "UPSTREAM_CUT", message: expect.stringContaining(stop) });
  },
);

test("thoughts are part of the output, what tools brought in part of the input", async () => {
  const { upstreams, vendor, model } = await setup("gemini");
  const usage = {
    promptTokenCount: 100,
    toolUsePromptTokenCount: 5,
    cachedContentTokenCount: 60,
    candidatesTokenCount: 10,
    thoughtsTokenCount: 40,
  };
  vendor.script({ text: "ok", usage });
  expect((await hear(upstreams.stream(ask(model), never))).reply.usage).toEqual({
    inputTokens: 105,
    outputTokens: 50,
    cachedTokens: 60,
    reasoningTokens: 40,
  });
});

test.each([
  ["gemini-2.0-flash", undefined],
  ["gemma-3-27b-it", undefined],
  ["gemini-2.5-flash", { includeThoughts: true, thinkingBudget: 1024 }],
  ["gemini-3.8-flash", { includeThoughts: true, thinkingLevel: "low" }],
  ["gemini-flash-latest", { includeThoughts: true, thinkingLevel: "low" }],
])("%s thinks in its own way", async (name, expected) => {
  const { upstreams, vendor } = await setup("gemini");
  await hear(upstreams.stream(ask(`sim/${name}`, { extra: { reasoning_effort: "low" } }), never));
  const { generationConfig } = (vendor.asked[0] as { body: unknown }).body as {
    generationConfig: { thinkingConfig?: unknown };
  };
  expect(generationConfig.thinkingConfig).toEqual(expected);
});

test("options are said in the vendor's words, and what it does not know stays behind", async () => {
  const { upstreams, vendor, model } = await setup("gemini");
  const extra = { top_p: 0.5, seed: 3, n: 2, stop: "END", frequency_penalty: 0.1, user: "u", logit_bias: {} };
  for (const toolChoice of ["auto", "none", "required", { name: "clock" }] as const)
    await hear(upstreams.stream(ask(model, { tools, toolChoice, maxTokens: 99, temperature: 0.2, extra }), never));
  expect(
    vendor.asked.map(({ body }) => (body.toolConfig as { functionCallingConfig: unknown }).functionCallingConfig),
  ).toEqual([{ mode: "AUTO" }, { mode: "NONE" }, { mode: "ANY" }, { mode: "ANY", allowedFunctionNames: ["clock"] }]);
  expect(vendor.asked[0]?.body.generationConfig).toMatchObject({
    topP: 0.5,
    seed: 3,
    frequencyPenalty: 0.1,
    maxOutputTokens: 99,
    temperature: 0.2,
    stopSequences: ["END"],
  });
});

test("schemas of any kind become the subset, and still say what they can", async () => {
  const { upstreams, vendor, model } = await setup("gemini");
  const input = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $defs: { place: { type: "object", properties: { name: { type: "string" }, inside: { $ref: "#/$defs/place" } } } },
    type: "object",
    additionalProperties: false,
    patternProperties: { "^x": {} },
    properties: {
      place: { $ref: "#/$defs/place", description: "where" },
      many: { type: "integer", exclusiveMinimum: 0, multipleOf: 2, format: "uint8" },
      kind: { const: "fixed" },
      level: { enum: [1, 2, 3] },
      maybe: { type: ["string", "null"], format: "email" },
      either: { oneOf: [{ type: "string" }, { type: "number" }, { type: "null" }] },
      both: { allOf: [{ type: "object", properties: { a: { type: "string" } } }, { required: ["a"] }] },
      list: { type: "array", uniqueItems: true },
      pair: { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }] },
      free: {},
      any: true,
    },
    required: ["place", "gone"],
  };
  await hear(upstreams.stream(ask(model, { tools: [{ name: "odd", about: "x", input }] }), never));
  const sent = (vendor.asked[0] as { body: unknown }).body as {
    tools: [{ functionDeclarations: [{ parameters: Record<string, unknown> }] }];
  };
  const { parameters } = sent.tools[0].functionDeclarations[0];
  expect(parameters).toMatchObject({
    type: "object",
    required: ["place"],
    properties: {
      place: { type: "object", description: "where", properties: { name: { type: "string" } } },
      many: { type: "integer", minimum: 1 },
      kind: { type: "string", enum: ["fixed"] },
      level: { type: "integer", description: "One of: 1, 2, 3" },
      maybe: { type: "string", nullable: true },
      either: { anyOf: [{ type: "string" }, { type: "number" }], nullable: true },
      both: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
      list: { type: "array", items: { type: "string" } },
      pair: { type: "array", items: { anyOf: [{ type: "string" }, { type: "integer" }] } },
    },
  });
});

test("a schema that holds itself many times over costs no more than any other", () => {
  const self = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`p${at}`, { $ref: "#" }]));
  const pair = { allOf: [{ $ref: "#/$defs/a" }], properties: { x: { $ref: "#/$defs/b" }, y: { $ref: "#/$defs/b" } } };
  const input = {
    type: "object",
    properties: { ...self, a: { $ref: "#/$defs/a" } },
    $defs: { a: pair, b: { oneOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }, { properties: self }] } },
  };
  const began = performance.now();
  const clean = JSON.stringify(geminiSchema(input));
  expect(performance.now() - began).toBeLessThan(2000);
  expect(clean.length).toBeLessThan(200_000);
});
