/** What vendors put into replies on OpenAI's own wire beside what it says: thoughts in pieces, other ends, sums and complaints of their own. */
import { describe, expect, test } from "vitest";
import { httpServer, type TestServer } from "../../../kit/http-server.ts";
import { ask, fails, hear, makeUpstreams, never } from "../kit.ts";
import { hi, speaking, tools, withResults } from "./kit.ts";

function upstreamsAt(server: TestServer) {
  return makeUpstreams({ sim: { api_base: `${server.origin}/v1` } });
}

/** A reply that is one JSON text. */
async function answering(body: unknown, type = "application/json") {
  const server = await httpServer((_, reply) => {
    reply.writeHead(200, { "content-type": type });
    reply.end(type === "application/json" ? JSON.stringify(body) : `data: ${JSON.stringify(body)}\n\ndata: [DONE]\n\n`);
  });
  return upstreamsAt(server);
}

describe("thoughts that a router streams in pieces", () => {
  const piece = (text: string, index = 0) => ({ type: "reasoning.text", text, index, format: "anthropic-claude-v1" });
  const signature = { type: "reasoning.text", signature: "sig", index: 0, format: "anthropic-claude-v1" };
  const sealed = (data: string) => ({ type: "reasoning.encrypted", data, index: 2 });

  test("go back as the whole parts that are signed", async () => {
    const deltas = [piece("Let"), piece(" me"), piece(" see."), signature, piece("And", 1), piece(" on.", 1)];
    const reply = [...deltas, sealed("a"), sealed("b")].map((detail) => ({ reasoning_details: [detail, null] }));
    const call = { index: 0, id: "c1", function: { name: "clock", arguments: "{}" } };
    const server = await speaking([...reply, { tool_calls: [call] }], hi);
    const upstreams = upstreamsAt(server);
    const heard = await hear(upstreams.stream(ask("sim/m", { tools }), never));
    await hear(upstreams.stream(ask("sim/m", { messages: withResults(ask("").messages, heard.reply) }), never));
    const body = JSON.parse(server.seen[1]?.body ?? "") as { messages: { reasoning_details?: unknown }[] };
    expect(body.messages[1]?.reasoning_details).toEqual([
      { ...piece("Let me see."), signature: "sig" },
      piece("And on.", 1),
      sealed("a"),
      sealed("b"),
    ]);
  });

  test("are a fault of the upstream where they are too many to be told apart", async () => {
    const server = await speaking([{ reasoning_details: Array(200_000).fill({ type: "x" }) }]);
    const { error } = await fails(upstreamsAt(server).stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code: "UPSTREAM_PROTOCOL", message: expect.stringContaining("more than 4096") });
  });
});

test("calls with one id between them get ids of their own", async () => {
  const call = (index: number) => ({ index, id: "c1", function: { name: "clock", arguments: "{}" } });
  const server = await speaking([{ tool_calls: [call(0), call(1)] }]);
  const { reply } = await hear(upstreamsAt(server).stream(ask("sim/m", { tools }), never));
  expect(reply.toolCalls).toMatchObject([{ id: "c1" }, { id: expect.stringMatching(/^call_[0-9a-f]{24}$/) }]);
});

test("thoughts among the content are thoughts", async () => {
  const thinking = { type: "thinking", thinking: [{ type: "text", text: "hm" }, null] };
  const server = await speaking([{ content: [thinking] }, { content: [{ type: "text", text: "hi" }] }]);
  const { text, reply } = await hear(upstreamsAt(server).stream(ask("sim/m"), never));
  expect([reply.reasoning, text]).toEqual(["hm", "hi"]);
});

test.each([
  ["are counted where a vendor leaves them out of the completion", { total_tokens: 14_428 }, 4308],
  ["are not counted twice where it does not", { total_tokens: 11_619 }, 1499],
  ["are not counted twice where it tells no sum", {}, 1499],
])("tokens of thoughts %s", async (_, total, outputTokens) => {
  const usage = {
    prompt_tokens: 10_120,
    completion_tokens: 1499,
    completion_tokens_details: { reasoning_tokens: 2809 },
  };
  const message = { role: "assistant", content: "hi" };
  const upstreams = await answering({ choices: [{ message, finish_reason: "stop" }], usage: { ...usage, ...total } });
  const { reply } = await hear(upstreams.stream(ask("sim/m"), never));
  expect(reply.usage).toEqual({ inputTokens: 10_120, outputTokens, reasoningTokens: 2809 });
});

describe.each(["application/json", "text/event-stream"])("a complaint with status 200 (%s)", (type) => {
  test.each([
    [{ base_resp: { status_code: 1004, status_msg: "login fail" } }, "UPSTREAM_AUTH", "login fail"],
    [{ choices: null, base_resp: { status_code: 1002, status_msg: "rate limit" } }, "UPSTREAM_RATE", "rate limit"],
    [{ base_resp: { status_code: 1008, status_msg: "insufficient balance" } }, "UPSTREAM_RATE", "insufficient balance"],
    [{ base_resp: { status_code: 1000, status_msg: "unknown" } }, "UPSTREAM_FAULT", "unknown"],
    [{ status: "449", msg: "too many at once", body: null }, "UPSTREAM_FAULT", "too many at once"],
    [{ object: "error", message: "no such thing", code: 40_303 }, "UPSTREAM_FAULT", "no such thing"],
    [{ error_code: 110, error_msg: "Access token invalid" }, "UPSTREAM_FAULT", "Access token invalid"],
  ])("%j is told", async (body, code, message) => {
    const { error } = await fails((await answering(body, type)).stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
