/** Requests to agents that are refused, each with the path of what is wrong. */
import { expect, test } from "vitest";
import { hello, setup } from "./kit.ts";

const weather = {
  type: "function" as const,
  function: { name: "weather", description: "Tells the weather", parameters: { type: "object" } },
};

test.each([
  [{ "x-openclaw-session-key": "cron:job" }, {}],
  [{ "x-openclaw-session-key": "agent:main:subagent:x" }, {}],
  [{ "x-openclaw-session-key": "ACP:x" }, {}],
  [{ "x-openclaw-session-key": "x".repeat(300) }, {}],
  [{}, { user: "subagent:x" }],
  [{}, { user: 7 }],
])("the session %j %j is refused", async (headers, more) => {
  const { host, upstream } = await setup();
  const reply = await host.request("/v1/chat/completions", {
    headers,
    body: { model: "chela", messages: hello, ...more },
  });
  expect(reply.status).toBe(400);
  expect(reply.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  expect(upstream.requests).toEqual([]);
});

test.each([
  [{ messages: [] }, "messages"],
  [{ messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
  [{ messages: [{ role: "user", content: null }] }, "messages[0].content"],
  [
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "file:///etc/passwd" } }] }] },
    "messages[0].content[0]",
  ],
  [{ messages: [{ role: "user", content: [{ type: "input_audio" }] }] }, "messages[0].content[0]"],
  [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id"],
  [{ messages: [{ role: "assistant" }] }, "messages[0].content"],
  [{ messages: [{ role: "assistant", tool_calls: [{ id: 1 }] }] }, "messages[0].tool_calls[0]"],
  [{ tools: [{ type: "function", function: { name: "no spaces" } }] }, "tools[0].function.name"],
  [{ tools: [weather, weather] }, "tools"],
  [{ tools: [{ type: "web_search" }] }, "tools[0]"],
  [{ tool_choice: { type: "function", function: { name: "none" } } }, "tool_choice"],
  [{ n: 2 }, "n"],
  [{ temperature: 3 }, "temperature"],
  [{ max_tokens: 0 }, "max_completion_tokens"],
  [{ stop: ["a", "b", "c", "d", "e"] }, "stop"],
])("%j is 400 at %s", async (more, param) => {
  const { host } = await setup();
  const reply = await host.request("/v1/chat/completions", { body: { model: "chela", messages: hello, ...more } });
  expect(reply.status).toBe(400);
  expect(reply.json()).toMatchObject({
    error: {
      type: "invalid_request_error",
      param,
      code: "invalid_request",
      message: expect.stringContaining(param.replace(/\[.*/, "")),
    },
  });
});
