/** The simulators are real: the vendors' own clients talk to them, streamed and whole, with tools, and get their errors. */
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { startAnthropic } from "../../../simulators/anthropic/api.ts";
import { startGemini } from "../../../simulators/gemini/api.ts";
import { startResponses } from "../../../simulators/responses/api.ts";

const call = { name: "weather", args: { city: "Ulm" } };
const schema = { type: "object" as const, properties: { city: { type: "string" as const } } };

test("@anthropic-ai/sdk", async () => {
  const vendor = await startAnthropic();
  const client = new Anthropic({ baseURL: vendor.origin, apiKey: "sk-ant-sim", maxRetries: 0 });
  const ask = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user" as const, content: "hi" }] };
  expect((await client.messages.create(ask)).content).toMatchObject([{ type: "text", text: "echo: hi" }]);
  vendor.script({ reasoning: "hm", text: "It is", calls: [call], usage: { cache_read_input_tokens: 7 } });
  const stream = client.messages.stream({ ...ask, tools: [{ name: "weather", input_schema: schema }] });
  const message = await stream.finalMessage();
  expect(message.content.map(({ type }) => type)).toEqual(["thinking", "text", "tool_use"]);
  expect(message).toMatchObject({ stop_reason: "tool_use", usage: { cache_read_input_tokens: 7, output_tokens: 5 } });
  expect(message.content[2]).toMatchObject({ name: "weather", input: { city: "Ulm" } });
  await expect(client.messages.create({ ...ask, messages: [{ role: "assistant", content: "no" }] })).rejects.toThrow(
    /first message/,
  );
  vendor.script({ status: 529, error: { message: "Overloaded" } });
  await expect(client.messages.create(ask)).rejects.toMatchObject({ status: 529, type: "overloaded_error" });
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toEqual(["claude-sim-1", "claude-sim-2"]);
});

test("@google/genai", async () => {
  const vendor = await startGemini();
  const client = new GoogleGenAI({ apiKey: "AIza-sim", httpOptions: { baseUrl: vendor.origin } });
  const model = "gemini-3.8-flash";
  expect((await client.models.generateContent({ model, contents: "hi" })).text).toBe("echo: hi");
  vendor.script({ reasoning: "hm", text: "It is", calls: [call] });
  const config = { tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: schema }] }] };
  const texts: string[] = [];
  const calls: unknown[] = [];
  for await (const chunk of await client.models.generateContentStream({ model, contents: "hi", config })) {
    if (chunk.text) texts.push(chunk.text);
    calls.push(...(chunk.functionCalls ?? []));
  }
  expect(texts.join("")).toBe("It is");
  expect(calls).toEqual([call]);
  vendor.script({ status: 429, error: { message: "Quota exceeded" } });
  await expect(client.models.generateContent({ model, contents: "hi" })).rejects.toMatchObject({ status: 429 });
  const names: (string | undefined)[] = [];
  for await (const { name } of await client.models.list()) names.push(name);
  expect(names).toContain("models/gemini-sim-2");
});

test("openai, responses", async () => {
  const vendor = await startResponses();
  const client = new OpenAI({ baseURL: `${vendor.origin}/v1`, apiKey: "sk-sim", maxRetries: 0 });
  expect((await client.responses.create({ model: "gpt-4.1", input: "hi" })).output_text).toBe("echo: hi");
  vendor.script({ reasoning: "hm", text: "It is", calls: [call] });
  const types = new Set<string>();
  const stream = client.responses.stream({
    model: "gpt-4.1",
    input: "hi",
    tools: [{ type: "function", name: "weather", parameters: schema, strict: false }],
  });
  for await (const { type } of stream) types.add(type);
  const { output, usage } = await stream.finalResponse();
  expect(output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"]);
  expect(usage?.total_tokens).toBe(15);
  expect(types).toContain("response.function_call_arguments.done");
  await expect(client.responses.create({ model: "m", input: "hi", max_output_tokens: 1 })).rejects.toThrow(
    /max_output_tokens/,
  );
});
