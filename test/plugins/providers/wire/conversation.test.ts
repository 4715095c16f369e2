/** Every wire, through the service: what goes out is what the strict vendor takes, what comes back is the same for all. */
import type { Message } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import type { Turn } from "../../../simulators/vendor/server.ts";
import { ask, fails, hear, never } from "../kit.ts";
import { rounds, setup, tools, wires } from "./kit.ts";

const weather = { name: "weather", args: { city: "Ülm 🦀" } };
const clock = { name: "clock", args: {} };

describe.each(wires)("%s", (wire) => {
  test("text arrives in pieces, then the reply with usage and stop", async () => {
    const { upstreams, model } = await setup(wire);
    const { events, text, reply } = await hear(upstreams.stream(ask(model), never));
    expect(events[0]).toEqual({ type: "start", provider: "sim", model });
    expect(events.filter(({ type }) => type === "text")).toHaveLength(2);
    expect(text).toBe("echo: hello there");
    expect(reply).toMatchObject({
      model,
      text,
      toolCalls: [],
      stop: "stop",
      usage: { inputTokens: 10, outputTokens: 5 },
    });
  });

  test("a reply that comes whole reads the same", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    const turn: Turn = { reasoning: "hm", text: "It is", calls: [weather, clock], whole: true };
    vendor.script(turn, { ...turn, whole: false });
    const request = ask(model, { tools });
    const [whole, streamed] = [
      await hear(upstreams.stream(request, never)),
      await hear(upstreams.stream(request, never)),
    ];
    expect(strip(whole.reply)).toEqual(strip(streamed.reply));
    expect(whole.reply.toolCalls.map(({ arguments: args }) => args)).toEqual(['{"city":"Ülm 🦀"}', "{}"]);
  });

  test("tools are called in several rounds, with thoughts between them that go back as they came", async () => {
    const made = await setup(wire);
    const replies = await rounds(
      made,
      [
        { reasoning: "Both at once.", calls: [weather, clock] },
        { reasoning: "Once more.", text: "Let me see.", calls: [clock] },
        { text: "Rain at noon." },
      ],
      {
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Weather?" },
        ],
      },
    );
    expect(replies.map(({ stop, toolCalls }) => [stop, toolCalls.length])).toEqual([
      ["tool_calls", 2],
      ["tool_calls", 1],
      ["stop", 0],
    ]);
    expect(replies[0]?.reasoning).toBe("Both at once.");
    expect(replies[2]?.text).toBe("Rain at noon.");
    expect(made.vendor.asked).toHaveLength(3);
  });

  test("a call of what can be no tool reaches the caller as it is, and ends no conversation", async () => {
    const name = "functions.clock<|channel|>json";
    const turns = [{ reasoning: "Hm.", calls: [{ name, args: {} }] }, { text: "Noon." }];
    const [first, last] = await rounds(await setup(wire), turns);
    expect([first?.toolCalls[0]?.name, last?.text]).toEqual([name, "Noon."]);
  });

  test("thoughts of another model stay behind: the conversation goes on without them", async () => {
    const first = await setup(wire);
    first.vendor.script({ reasoning: "Secret.", calls: [weather] });
    const { reply } = await hear(first.upstreams.stream(ask(first.model, { tools }), never));
    const second = await setup(wire);
    const history: Message[] = [
      { role: "user", content: "Weather?" },
      {
        role: "assistant",
        content: "",
        toolCalls: reply.toolCalls,
        native: { ...reply.native, wire, parts: { ...(reply.native?.parts as object), by: "other/model" } },
      },
      { role: "tool", toolCallId: reply.toolCalls[0]?.id ?? "", content: "Rain" },
    ];
    const { text } = await hear(second.upstreams.stream({ model: second.model, tools, messages: history }, never));
    expect(text).toMatch(/^echo/);
    expect(JSON.stringify(second.vendor.asked[0]?.body)).not.toMatch(/Secret|sig-1|sealed-1/);
  });

  test("a history that another vendor made, and that is not whole, is put in order", async () => {
    const { upstreams, model } = await setup(wire);
    const call = (id: string, name = "clock") => ({ id, name, arguments: name === "clock" ? "" : "not json" });
    const messages: Message[] = [
      { role: "assistant", content: "Hello, I am your assistant." },
      { role: "system", content: "Second rule." },
      { role: "user", content: "one" },
      { role: "user", content: "two" },
      {
        role: "assistant",
        content: "",
        toolCalls: [call("functions.clock:0"), call("functions.weather:1", "weather")],
      },
      { role: "tool", toolCallId: "functions.clock:0", content: "noon" },
      { role: "tool", toolCallId: "nobody", content: "an orphan" },
      { role: "user", content: "and?" },
      { role: "assistant", content: "  " },
      { role: "assistant", content: "", toolCalls: [call("functions.clock:0")] },
      { role: "tool", toolCallId: "functions.clock:0", content: "one o'clock" },
      { role: "assistant", content: "It is late. " },
    ];
    expect((await hear(upstreams.stream({ model, tools, messages }, never))).text).toMatch(/^echo/);
  });

  test("images go along, in what is said and in what tools return", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    const picture = { type: "image", url: "data:image/png;base64,iVBORw0KGgo=" } as const;
    const away = { type: "image", url: "https://example.com/a.png?x=1" } as const;
    const messages: Message[] = [
      { role: "user", content: [{ type: "text", text: "look" }, picture, away] },
      { role: "assistant", content: "", toolCalls: [{ id: "c1", name: "clock", arguments: "{}" }] },
      { role: "tool", toolCallId: "c1", content: [{ type: "text", text: "a picture" }, picture] },
    ];
    await hear(upstreams.stream({ model, tools, messages }, never));
    const sent = JSON.stringify(vendor.asked[0]?.body);
    expect(sent.split("iVBORw0KGgo=")).toHaveLength(3);
    expect(sent).toContain("https://example.com/a.png?x=1");
  });

  test("an answer in a form of JSON is asked for", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    const schema = {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    };
    const extra = { response_format: { type: "json_schema", json_schema: { name: "place", strict: true, schema } } };
    await hear(upstreams.stream(ask(model, { extra }), never));
    expect(JSON.stringify(vendor.asked[0]?.body)).toContain('"city":{"type":"string"}');
  });

  test("leaving early ends the request at the vendor", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    vendor.script({ fault: "stall" });
    const controller = new AbortController();
    const events = upstreams.stream(ask(model), controller.signal);
    await events.next();
    await events.next();
    controller.abort();
    const { error } = await fails(events);
    expect(error.code).toBe("ABORTED");
    await expect.poll(() => vendor.asked[0]?.aborted).toBe(true);
  });
});

/** Without what is made up anew for each reply. */
function strip(reply: { readonly toolCalls: readonly { readonly id: string }[] }): unknown {
  const { native: _, toolCalls, ...rest } = reply as typeof reply & { native?: unknown };
  return { ...rest, toolCalls: toolCalls.map((call) => ({ ...call, id: "" })) };
}
