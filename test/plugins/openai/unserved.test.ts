/** What a client may ask for and this side cannot give: refused with its name, never left out in silence. */
import type OpenAI from "openai";
import { expect, test } from "vitest";
import { hello, setup } from "./kit.ts";
import { open } from "./vendors.ts";

const behindChela = { agents: { defaults: { model: { primary: "sim/echo" } } } };
const targets = ["chela", "claude", "gemini", "openai"] as const;
type Ask = Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>;

/** A client of an agent, or of one model of another vendor. */
async function clientOf(target: (typeof targets)[number]) {
  if (target !== "chela") return open(target);
  const { client } = await setup({ config: behindChela });
  return { client, model: "chela" };
}

const refused: readonly (readonly [string, Ask])[] = [
  ["n", { n: 2 }],
  ["logprobs", { logprobs: true }],
  ["top_logprobs", { top_logprobs: 3 }],
  ["modalities", { modalities: ["text", "audio"] }],
  ["audio", { audio: { voice: "alloy", format: "wav" } }],
  ["functions", { functions: [{ name: "weather", parameters: {} }] }],
  ["function_call", { function_call: { name: "weather" } }],
  ["web_search_options", { web_search_options: {} }],
  ["moderation", { moderation: { model: "omni-moderation-latest" } }],
  ["tool_choice", { tool_choice: "required" }],
  ["messages[1].tool_call_id", { messages: [...hello, { role: "tool", tool_call_id: "call_1", content: "x" }] }],
];

test.each(targets)("chat completions of %s", async (target) => {
  const { client, model } = await clientOf(target);
  for (const [param, ask] of refused) {
    const asked = client.chat.completions.create({ messages: hello, ...ask, model });
    await expect(asked, param).rejects.toMatchObject({ status: 400, param });
  }
  const harmless: Ask = { logprobs: false, top_logprobs: 0, modalities: ["text"], seed: 7, verbosity: "low" };
  await client.chat.completions.create({ messages: hello, ...harmless, model });
});

test.each(["chela", "sim/echo"])("responses of %s", async (model) => {
  const { client, host } = await setup({ config: behindChela });
  const orphan = { type: "function_call_output", call_id: "call_1", output: "x" };
  const image = { type: "input_image", image_url: "data:image/png;base64,AAAA" };
  for (const [param, ask] of [
    ["top_logprobs", { top_logprobs: 2 }],
    ["include", { include: ["message.output_text.logprobs"] }],
    ["moderation", { moderation: { model: "omni-moderation-latest" } }],
    ["context_management", { context_management: [{ type: "compaction" }] }],
    ["reasoning", { reasoning: "low" }],
    ["text", { text: "short" }],
    ["tool_choice", { tool_choice: "required" }],
    ["input", { input: [orphan] }],
    ["input", { input: [...hello, orphan] }],
    ["input[0].content", { input: [{ role: "assistant", content: [image] }, ...hello] }],
  ] as const) {
    const reply = await host.request("/v1/responses", { body: { model, input: "x", ...ask } });
    expect([reply.status, (reply.json() as { error?: { param: string } }).error?.param]).toEqual([400, param]);
  }
  const kept = await client.responses.create({
    model,
    input: "x",
    truncation: "auto",
    include: ["reasoning.encrypted_content"],
  });
  expect(kept.truncation).toBe("disabled");
  await expect(client.responses.retrieve(kept.id, { stream: true })).rejects.toMatchObject({
    status: 400,
    param: "stream",
  });
});

test("an agent is asked something", async () => {
  const { client, upstream } = await setup({ config: behindChela });
  const blank = [{ role: "user" as const, content: " " }];
  await expect(client.chat.completions.create({ model: "chela", messages: blank })).rejects.toMatchObject({
    status: 400,
  });
  await expect(client.responses.create({ model: "chela", input: "" })).rejects.toMatchObject({ status: 400 });
  await client.chat.completions.create({ model: "chela", messages: [...hello, ...blank] });
  expect((await upstream.last()).body.messages?.at(-1)).toMatchObject({ role: "user" });
});

const cannot: readonly (readonly ["claude" | "gemini" | "openai", string, Ask])[] = [
  ["claude", "logit_bias", { logit_bias: { 5: -100 } }],
  ["gemini", "logit_bias", { logit_bias: { 5: -100 } }],
  ["openai", "logit_bias", { logit_bias: { 5: -100 } }],
  ["openai", "stop", { stop: "END" }],
  ["claude", "response_format", { response_format: { type: "grammar" } as never }],
  ["gemini", "response_format", { response_format: { type: "grammar" } as never }],
  ["openai", "response_format", { response_format: { type: "grammar" } as never }],
];

test.each(cannot)("a wire without a word for it refuses: %s, %s", async (name, param, ask) => {
  const { client, vendor, model } = await open(name);
  const asked = client.chat.completions.create({ model, messages: hello, ...ask });
  await expect(asked).rejects.toMatchObject({ status: 400, param, code: "unsupported" });
  expect(vendor.asked).toEqual([]);
  await client.chat.completions.create({ model, messages: hello, logit_bias: {}, stop: null });
});

test("a fallback that knows the word answers in the place of one that does not", async () => {
  const mute = { api_base: "http://127.0.0.1:9/v1", api_key: "k", models: ["m"], responses: { api: "responses" } };
  const agents = { defaults: { model: { primary: "mute/m", fallbacks: ["sim/echo"] } } };
  const { client, upstream } = await setup({ providers: { mute }, config: { agents } });
  const reply = await client.chat.completions.create({ model: "chela", messages: hello, stop: ["END"] });
  expect(reply.choices[0]?.message.content).toBe("echo: hello there");
  expect((await upstream.last()).body.stop).toEqual(["END"]);
});

test.each(["claude", "gemini"] as const)("embeddings of %s are refused, and its key stays good", async (name) => {
  const { client, vendor, model } = await open(name);
  await expect(client.embeddings.create({ model, input: "x" })).rejects.toMatchObject({ status: 400, param: "model" });
  await expect(client.embeddings.create({ model: `${name}/none`, input: "x" })).rejects.toMatchObject({ status: 404 });
  expect(vendor.asked).toEqual([]);
});
