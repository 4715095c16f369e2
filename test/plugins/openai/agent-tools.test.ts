/** Tools in turns through `/v1`: the agent's own stay inside, the client's come back. */
import { definePlugin, Type } from "@chela/sdk";
import { expect, test } from "vitest";
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
