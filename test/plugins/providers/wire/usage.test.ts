/** What a straight reply had cost is read from its last bytes, and told once, however it ended. */
import type { Usage } from "@chela/sdk";
import { describe, expect, onTestFinished, test } from "vitest";
import { forwardTo } from "../../../../plugins/providers/forward.ts";
import { Pools } from "../../../../plugins/providers/http/pools.ts";
import { toSpec } from "../../../../plugins/providers/settings.ts";
import { usageIn } from "../../../../plugins/providers/wire/usage-tail.ts";
import { bytes, never, upstream } from "../kit.ts";

type End = { readonly usage: Usage | null; readonly error?: { readonly code: string } };

async function ends(model: string, body: Record<string, unknown>, path = "/chat/completions") {
  const server = await upstream();
  const pools = new Pools();
  onTestFinished(() => pools.close());
  const spec = toSpec("sim", { api_base: server.base }, "config");
  const target = { id: `sim/${model}`, provider: "sim", model, secrets: [], spec };
  const told: End[] = [];
  const onEnd = (end: End): void => void told.push(end);
  const options = { pools, signed: { token: undefined }, totalMs: 30_000, firstByteMs: 30_000, onEnd };
  const { reply } = await forwardTo(target, { model, path, body, signal: never }, options);
  return { reply, told };
}

const messages = [{ role: "user", content: "hi" }];
const cost = { inputTokens: 9, outputTokens: 3, cachedTokens: 4, reasoningTokens: 1 };

test.each([
  ["a whole reply", "echo", { messages }, cost],
  ["a large one", "huge", { messages }, cost],
  [
    "a stream that was asked for its usage",
    "trickle",
    { messages, stream: true, stream_options: { include_usage: true } },
    cost,
  ],
  ["a stream that was not", "trickle", { messages, stream: true }, null],
] as const)("%s", async (_, model, body, usage) => {
  const { reply, told } = await ends(model, body);
  await bytes(reply.body);
  expect(told).toEqual([{ usage }]);
});

test("embeddings", async () => {
  const { reply, told } = await ends("echo", { input: "x" }, "/embeddings");
  await bytes(reply.body);
  expect(told).toEqual([{ usage: { inputTokens: 2, outputTokens: 0 } }]);
});

test("a stream that was cut says so, and so does one that was left", async () => {
  const cut = await ends("cut", { messages, stream: true });
  await expect(bytes(cut.reply.body)).rejects.toMatchObject({ code: "UPSTREAM_CUT" });
  expect(cut.told).toMatchObject([{ usage: null, error: { code: "UPSTREAM_CUT" } }]);
  const left = await ends("endless", { messages, stream: true });
  for await (const _ of left.reply.body) break;
  expect(left.told).toMatchObject([{ usage: null, error: { code: "ABORTED" } }]);
});

describe("the last bytes", () => {
  test.each([
    ['…half of "usage":{"prompt_tokens":1', null],
    ['{"usage":null}', null],
    [
      'x "usage" : { "prompt_tokens": 5, "completion_tokens": 6, "prompt_tokens_details": {} } }',
      { inputTokens: 5, outputTokens: 6 },
    ],
    [
      '"usage":{"input_tokens":5,"output_tokens":6,"input_tokens_details":{"cached_tokens":2}},"user":null}',
      { inputTokens: 5, outputTokens: 6, cachedTokens: 2 },
    ],
    [
      '"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\ndata: {"usage":{"prompt_tokens":1,"completion_tokens":9}}',
      { inputTokens: 1, outputTokens: 9 },
    ],
    ["", null],
  ])("%s", (tail, usage) => {
    expect(usageIn(tail)).toEqual(usage);
  });
});
