/** The built-in model: says what it is, obeys its commands, speaks both doors. */
import type { Message, ToolSpec } from "@chela/sdk";
import { expect, test } from "vitest";
import { ask, bytes, fails, hear, makeUpstreams, never } from "./kit.ts";

const clock: ToolSpec = { name: "clock", about: "Tells the time", input: { type: "object" } };
const said = (content: string): { messages: Message[] } => ({ messages: [{ role: "user", content }] });

function wire(content: string, more: Record<string, unknown> = {}) {
  return {
    model: "offline/offline",
    path: "/chat/completions",
    body: { messages: [{ role: "user", content }], ...more },
    signal: never,
  };
}

test("it is the primary model where nothing is configured, and never a fallback", () => {
  expect(makeUpstreams({}).primary()).toBe("offline/offline");
  expect(makeUpstreams({}).fallbacks()).toEqual([]);
  expect(makeUpstreams({}).models()).toEqual([
    { id: "offline/offline", provider: "offline", model: "offline", source: "builtin" },
  ]);
  expect(makeUpstreams({ sim: { api_base: "http://127.0.0.1:1", models: ["m"] } }).fallbacks()).toEqual([]);
});

test("it says what it is and how to get a real model, in the user's language, word by word", async () => {
  const upstreams = makeUpstreams({});
  const english = await hear(upstreams.stream(ask("offline/offline", said("Hello?")), never));
  expect(english.text).toMatch(
    /offline model.*not a language model.*You said: "Hello\?".*chela provider configure openai/s,
  );
  expect(english.text).not.toMatch(/\p{Script=Han}/u);
  expect(english.events.filter((event) => event.type === "text").length).toBeGreaterThan(20);
  const chinese = await hear(upstreams.stream(ask("offline/offline", said("你好")), never));
  expect(chinese.text).toMatch(/not a language model/);
  expect(chinese.text).toMatch(/不是语言模型.*chela provider configure openai/s);
});

test("the same conversation gives the same answer", async () => {
  const upstreams = makeUpstreams({});
  const replies = await Promise.all(
    [1, 2].map(async () => (await hear(upstreams.stream(ask("offline/offline"), never))).reply),
  );
  expect(replies[0]).toEqual(replies[1]);
  expect(replies[0]?.usage?.outputTokens).toBeGreaterThan(20);
});

test("/tool calls an offered tool, then tells its result", async () => {
  const upstreams = makeUpstreams({});
  const { messages } = said('/tool clock {"zone":"UTC"}');
  const first = await hear(upstreams.stream(ask("offline/offline", { messages, tools: [clock] }), never));
  expect(first.reply.stop).toBe("tool_calls");
  const [call] = first.reply.toolCalls;
  expect(call).toMatchObject({ name: "clock", arguments: '{"zone":"UTC"}' });
  const second = await hear(
    upstreams.stream(
      ask("offline/offline", {
        messages: [
          ...messages,
          { role: "assistant", content: "", toolCalls: first.reply.toolCalls },
          { role: "tool", toolCallId: call?.id, content: "12:00" },
        ],
        tools: [clock],
      }),
      never,
    ),
  );
  expect(second.reply).toMatchObject({ text: "The tool clock answered: 12:00", stop: "stop", toolCalls: [] });
});

test("/tool says so when the tool is not offered", async () => {
  const upstreams = makeUpstreams({});
  const { text, reply } = await hear(
    upstreams.stream(ask("offline/offline", { ...said("/tool bomb {}"), tools: [clock] }), never),
  );
  expect(text).toBe('The tool "bomb" is not offered here. Offered: clock.');
  expect(reply.toolCalls).toEqual([]);
  const none = await hear(
    upstreams.stream(ask("offline/offline", { ...said("/tool clock {}"), tools: [clock], toolChoice: "none" }), never),
  );
  expect(none.text).toContain("Offered: none.");
});

test.each([
  ["/echo  a  b ", "a  b"],
  ["/json hi", '{"model":"offline","said":"hi","messages":1}'],
  ["/echoes", /not a language model/],
])("%s", async (command, expected) => {
  const { text } = await hear(makeUpstreams({}).stream(ask("offline/offline", said(command)), never));
  if (typeof expected === "string") expect(text).toBe(expected);
  else expect(text).toMatch(expected);
});

test.each([
  ["/fail", "UPSTREAM_FAULT", 502],
  ["/fail 503", "UPSTREAM_FAULT", 502],
  ["/fail 429", "UPSTREAM_RATE", 429],
  ["/fail 401", "UPSTREAM_AUTH", 401],
  ["/fail 418", "UPSTREAM_REQUEST", 418],
])("%s fails as %s", async (command, code, status) => {
  const upstreams = makeUpstreams({});
  const { error } = await fails(upstreams.stream(ask("offline/offline", said(command)), never));
  expect(error).toMatchObject({ code, status });
  await expect(upstreams.forward(wire(command))).rejects.toMatchObject({ code, status });
});

test("/slow spreads its reply over the time and stops when the caller leaves", async () => {
  const upstreams = makeUpstreams({});
  const began = performance.now();
  await hear(upstreams.stream(ask("offline/offline", said("/slow 120")), never));
  expect(performance.now() - began).toBeGreaterThan(90);
  const controller = new AbortController();
  const failed = fails(upstreams.stream(ask("offline/offline", said("/slow 60000")), controller.signal));
  controller.abort();
  expect((await failed).error.code).toBe("ABORTED");
});

test("straight through it answers OpenAI's wire in JSON and SSE", async () => {
  const upstreams = makeUpstreams({});
  const whole = await upstreams.forward(wire("/echo one two"));
  expect(whole.headers["content-type"]).toBe("application/json");
  expect(JSON.parse(await bytes(whole.body))).toMatchObject({
    object: "chat.completion",
    choices: [{ message: { role: "assistant", content: "one two" }, finish_reason: "stop" }],
    usage: { total_tokens: 6 },
  });
  const streamed = await upstreams.forward(
    wire("/echo one two", { stream: true, stream_options: { include_usage: true } }),
  );
  const lines = (await bytes(streamed.body)).trim().split("\n\n");
  expect(lines.at(-1)).toBe("data: [DONE]");
  const chunks = lines.slice(0, -1).map((line) => JSON.parse(line.slice(6)));
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("one two");
  expect(chunks.at(-2).choices[0].finish_reason).toBe("stop");
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 6 } });
});

test("straight through it calls the client's tool and takes its result", async () => {
  const upstreams = makeUpstreams({});
  const tools = [{ type: "function", function: { name: "clock" } }];
  const first = JSON.parse(await bytes((await upstreams.forward(wire("/tool clock {}", { tools }))).body)).choices[0];
  expect(first).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
  const body = {
    tools,
    messages: [
      { role: "user", content: "/tool clock {}" },
      first.message,
      { role: "tool", tool_call_id: first.message.tool_calls[0].id, content: "noon" },
    ],
  };
  const second = JSON.parse(await bytes((await upstreams.forward({ ...wire(""), body })).body));
  expect(second.choices[0].message.content).toBe("The tool clock answered: noon");
});

test("it has no embeddings", async () => {
  await expect(makeUpstreams({}).forward({ ...wire("x"), path: "/embeddings" })).rejects.toMatchObject({ status: 404 });
});
