/** Vercel's `ai` before the OpenAI face: text, streams and tools that the client runs, with a named model and with an agent. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";
import { setup } from "./kit.ts";

const config = { agents: { defaults: { model: { primary: "sim/talker" } } } };

describe.each(["sim/talker", "chela"])("%s", (name) => {
  async function open() {
    const { host, upstream } = await setup({ config });
    const provider = createOpenAICompatible({ name: "chela", baseURL: `${host.url}/v1`, apiKey: host.token });
    return { upstream, model: provider(name) };
  }

  test("streamText with a tool goes through two steps to the answer", async () => {
    const { upstream, model } = await open();
    upstream.script("talker", {
      times: 1,
      toolCalls: [{ name: "weather", arguments: '{"city":"Ulm"}' }],
      afterwards: { text: "Sunny in Ulm." },
    });
    const asked: string[] = [];
    const inputSchema = jsonSchema<{ city: string }>({
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
    });
    const weather = tool({
      description: "Tells the weather",
      inputSchema,
      execute: async ({ city }) => {
        asked.push(city);
        return "sunny";
      },
    });
    const { textStream, steps, finishReason } = streamText({
      model,
      prompt: "Weather in Ulm?",
      tools: { weather },
      stopWhen: stepCountIs(3),
      maxRetries: 0,
    });
    let text = "";
    for await (const piece of textStream) text += piece;
    expect(text).toBe("Sunny in Ulm.");
    expect(asked).toEqual(["Ulm"]);
    expect(await finishReason).toBe("stop");
    expect((await steps).map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
    const { messages } = (await upstream.last()).body;
    expect(messages?.slice(-3).map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  });

  test("generateText, and thoughts apart from the text", async () => {
    const { upstream, model } = await open();
    upstream.script("talker", {
      reasoning: "Let me think.",
      text: "42",
      usage: { prompt_tokens: 9, completion_tokens: 3 },
    });
    const { text, usage } = await generateText({ model, prompt: "why?", maxRetries: 0 });
    expect(text).toBe("42");
    expect(usage).toMatchObject({ inputTokens: 9, outputTokens: 3 });
    const streamed = streamText({ model, prompt: "why?", maxRetries: 0 });
    let thoughts = "";
    for await (const part of streamed.fullStream) if (part.type === "reasoning-delta") thoughts += part.text;
    expect(thoughts).toBe("Let me think.");
    expect(await streamed.text).toBe("42");
  });

  test("a refusal of the upstream reaches the caller with its status", async () => {
    const { upstream, model } = await open();
    upstream.script("talker", { status: 400, message: "max_tokens is too large", code: "invalid_value" });
    const failed = generateText({ model, prompt: "x", maxRetries: 0 });
    await expect(failed).rejects.toMatchObject({ statusCode: 400, message: expect.stringContaining("too large") });
  });
});
