/** Streams of servers that stand in for a vendor and are careless about its order of events. */
import { expect, test } from "vitest";
import { httpServer } from "../../../kit/http-server.ts";
import { ask, hear, never } from "../kit.ts";
import { provider, tools, type WireId } from "./kit.ts";

async function replyOf(wire: WireId, events: readonly { readonly type: string }[]) {
  const server = await httpServer((_, reply) => {
    reply.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of events) reply.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    reply.end();
  });
  return (await hear(provider(wire, server.origin).stream(ask("sim/m", { tools }), never))).reply;
}

test("anthropic: arguments that come with the beginning of a call and in pieces count once", async () => {
  const use = (id: string, input: object) => ({ type: "tool_use", id, name: "weather", input });
  const piece = (index: number, partial_json: string) => {
    return { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } };
  };
  const { toolCalls } = await replyOf("anthropic", [
    { type: "message_start", message: { content: [] } },
    { type: "content_block_start", index: 0, content_block: use("a", { city: "Ulm" }) },
    piece(0, '{"city":'),
    piece(0, '"Ulm"}'),
    { type: "content_block_start", index: 1, content_block: use("b", { city: "Bonn" }) },
    { type: "content_block_start", index: 2, content_block: use("c", {}) },
    { type: "message_delta", delta: { stop_reason: "tool_use" } },
    { type: "message_stop" },
  ] as never);
  expect(toolCalls.map(({ arguments: args }) => args)).toEqual(['{"city":"Ulm"}', '{"city":"Bonn"}', "{}"]);
});

test("responses: calls of one place in the output are told apart by their ids", async () => {
  const item = (call_id: string, args = "") => {
    return { type: "function_call", id: `fc_${call_id}`, call_id, name: "clock", arguments: args };
  };
  const events = (at: number, id: string, args: string) => [
    { type: "response.output_item.added", output_index: at, item: item(id) },
    { type: "response.function_call_arguments.delta", output_index: at, delta: args },
    { type: "response.output_item.done", output_index: at, item: item(id, args) },
  ];
  const end = { type: "response.completed", response: { status: "completed", output: [] } };
  const all = [...events(0, "a", "{}"), ...events(0, "b", '{"x":1}'), ...events(1, "b", '{"x":2}'), end];
  const { toolCalls } = await replyOf("responses", all);
  expect(toolCalls.map(({ id, arguments: args }) => [id, args])).toEqual([
    ["a", "{}"],
    ["b", '{"x":1}'],
    [expect.stringMatching(/^call_/), '{"x":2}'],
  ]);
});
