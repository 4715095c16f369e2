/** OpenAI's official client before upstreams of other vendors: the same words, tools and errors, whichever wire lies behind. */
import { describe, expect, test } from "vitest";
import { open } from "./vendors.ts";

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { type: "function" as const, function: { name: "weather", description: "Weather", parameters } };

describe.each(["claude", "gemini", "openai"] as const)("chat completions from %s", (name) => {
  const ask = [
    { role: "system" as const, content: "Be brief." },
    { role: "user" as const, content: "hello there" },
  ];

  test("whole and streamed, with usage", async () => {
    const { client, model } = await open(name);
    const whole = await client.chat.completions.create({ model, messages: ask });
    expect(whole.choices[0]).toMatchObject({ finish_reason: "stop", message: { role: "assistant" } });
    expect(whole.choices[0]?.message.content).toBe("echo: hello there");
    expect(whole.usage?.prompt_tokens).toBeGreaterThan(0);
    const stream = client.chat.completions.stream({ model, messages: ask, stream_options: { include_usage: true } });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("echo: hello there");
    expect((await stream.totalUsage()).total_tokens).toBeGreaterThan(0);
  });

  test("tools there and back", async () => {
    const { client, vendor, model } = await open(name);
    vendor.script({ calls: [{ name: "weather", args: { city: "Ulm" } }] }, { text: "Sunny in Ulm." });
    const first = await client.chat.completions.create({ model, messages: ask, tools: [weather] });
    expect(first.choices[0]?.finish_reason).toBe("tool_calls");
    const call = first.choices[0]?.message.tool_calls?.[0];
    if (call?.type !== "function") throw new Error("no call");
    expect(JSON.parse(call.function.arguments)).toEqual({ city: "Ulm" });
    const second = await client.chat.completions.create({
      model,
      tools: [weather],
      messages: [...ask, first.choices[0]?.message as never, { role: "tool", tool_call_id: call.id, content: "sunny" }],
    });
    expect(second.choices[0]?.message.content).toBe("Sunny in Ulm.");
  });

  test("a refusal and a cut are what they are with every wire", async () => {
    const { client, vendor, model } = await open(name);
    vendor.script({ status: 400, error: { message: "too much" } });
    await expect(client.chat.completions.create({ model, messages: ask })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("too much"),
    });
    vendor.script({ text: "one two three four", pieces: ["one ", "two ", "three ", "four"], fault: "short" });
    const broken = async () => {
      for await (const _ of await client.chat.completions.create({ model, messages: ask, stream: true }));
    };
    await expect(broken()).rejects.toMatchObject({ code: "upstream_cut" });
  });
});

describe.each(["claude", "gemini", "openai"] as const)("responses from %s", (name) => {
  test("whole, streamed, and following each other", async () => {
    const { client, model } = await open(name);
    const first = await client.responses.create({ model, input: "one" });
    expect(first.output_text).toBe("echo: one");
    const events: string[] = [];
    let text = "";
    for await (const event of await client.responses.create({ model, input: "two", stream: true })) {
      events.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe("echo: two");
    expect(events[0]).toBe("response.created");
    expect(events.at(-1)).toBe("response.completed");
  });
});

test("an upstream of the same wire gets a response's request as it is, and its bytes come back", async () => {
  const { client, vendor, model } = await open("openai");
  await client.responses.create({ model, input: "one", metadata: { own: "thing" }, store: false });
  expect(vendor.asked.at(-1)).toMatchObject({
    path: "/v1/responses",
    body: { model: "gpt-sim", input: "one", metadata: { own: "thing" }, store: false },
  });
});
