/** Vendors that refuse a whole conversation over one field or one id of it, and what they are sent instead. */
import type { Message } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { wireFor } from "../../../../plugins/providers/call.ts";
import { toSpec } from "../../../../plugins/providers/settings.ts";
import { type Body, sent } from "./kit.ts";

const call = (id: string, args = "{}") => ({ id, name: "clock", arguments: args });
const thoughtful: readonly Message[] = [
  { role: "user", content: "a" },
  { role: "assistant", content: "", reasoning: "thought", toolCalls: [call("1")] },
  { role: "tool", toolCallId: "1", content: "noon" },
];

describe("thoughts", () => {
  test.each([
    ["groq", {}],
    ["mistral", {}],
    ["cerebras", { reasoning: "thought" }],
    ["openrouter", { reasoning_content: "thought" }],
  ])("go back to %s in the field that it takes, if any", async (preset, expected) => {
    const { messages } = await sent({ preset }, { model: "sim/m", messages: thoughtful });
    const { role: _, content: __, tool_calls: ___, ...rest } = messages[1] as Record<string, unknown>;
    expect(rest).toEqual(expected);
  });
});

test.each([
  ['{"city":"Ulm"}', '{"city":"Ulm"}'],
  ["", "{}"],
  ['{"city":"U', '{"input":"{\\"city\\":\\"U"}'],
  ["[1]", '{"input":"[1]"}'],
])("arguments that a model wrote as %j go back as %j", async (written, expected) => {
  const messages: Message[] = [
    { role: "user", content: "a" },
    { role: "assistant", content: "", toolCalls: [call("1", written)] },
  ];
  const body = await sent({}, { model: "sim/m", messages });
  expect(body.messages[1]?.tool_calls).toMatchObject([{ function: { arguments: expected } }]);
});

test.each([
  ["openai", {}, "https://api.openai.com/v1", 40],
  ["codex", {}, "https://api.openai.com/v1", 64],
])("ids of another vendor's calls are no longer than %s takes them", async (preset, entry, base, most) => {
  const long = `functions.mcp__${"a".repeat(60)}:0`;
  const messages: Message[] = [
    { role: "user", content: "a" },
    { role: "assistant", content: "", toolCalls: [call(long), call(long.replace(":0", ":1"))] },
    { role: "tool", toolCallId: long, content: "noon" },
  ];
  const ids = idsIn(await written(preset, { ...entry, api_base: base }, messages));
  expect(new Set(ids).size).toBe(2);
  expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  for (const id of ids) expect(id.length).toBeLessThanOrEqual(most);
  expect(idsIn(await written("generic", { api_base: "http://127.0.0.1:9/v1" }, messages))[0]).toBe(long);
});

/** The body of a request that is not sent. */
async function written(name: string, entry: Record<string, unknown>, messages: readonly Message[]): Promise<Body> {
  const spec = toSpec(name, entry, "config");
  const { request } = await wireFor(spec.wire);
  return JSON.parse(request({ model: `${name}/m`, messages }, "m", spec).body) as Body;
}

/** Of calls, then of their results. */
function idsIn({ messages, input = messages }: Body): string[] {
  const items = input as { tool_calls?: { id: string }[]; tool_call_id?: string; call_id?: string }[];
  const calls = items.flatMap(({ tool_calls: made }) => (made ?? []).map(({ id }) => id));
  return [...calls, ...items.flatMap(({ tool_call_id: id, call_id: own }) => id ?? own ?? [])];
}

test("a turn in which the assistant said nothing is left out", async () => {
  const messages: Message[] = [
    { role: "user", content: "a" },
    { role: "assistant", content: " \n", reasoning: "thought" },
    { role: "assistant", content: [] },
    { role: "assistant", content: "", toolCalls: [call("1")] },
    { role: "tool", toolCallId: "1", content: "" },
    { role: "user", content: "b" },
  ];
  const body = await sent({ preset: "kimi" }, { model: "sim/m", messages });
  expect(body.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "user"]);
});

test.each([
  ["kimi", "kimi-k2.6", undefined],
  ["kimi-intl", "kimi-k3", undefined],
  ["kimi", "kimi-k2-0905-preview", 0.3],
  ["generic", "kimi-k2.6", 0.3],
  ["kimi", "kimi-for-coding", undefined],
  ["kimi-coding", "k3-256k", undefined],
])("%s: %s is sent the temperature %s", async (name, model, temperature) => {
  const spec = toSpec(name, name === "generic" ? { api_base: "http://127.0.0.1:9/v1" } : {}, "config");
  const { request } = await wireFor(spec.wire);
  const { body } = request({ model: `${name}/${model}`, messages: thoughtful, temperature: 0.3 }, model, spec);
  expect((JSON.parse(body) as Body).temperature).toBe(temperature);
});

describe("Mistral", () => {
  const history: readonly Message[] = [
    { role: "user", content: "a" },
    {
      role: "assistant",
      content: "",
      toolCalls: [call("call_0_abcdefgh"), call("call_0_abcdefgx"), call("Abc123xyz")],
    },
    { role: "tool", toolCallId: "call_0_abcdefgh", content: "1" },
    { role: "tool", toolCallId: "call_0_abcdefgx", content: [{ type: "image", url: "data:image/png;base64,AA==" }] },
    { role: "tool", toolCallId: "Abc123xyz", content: "3" },
    { role: "user", content: "b" },
  ];

  test("gets ids of nine letters and digits, each call its own, its own ids as they are", async () => {
    const { messages } = await sent({ preset: "mistral" }, { model: "sim/m", messages: history });
    const ids = ((messages[1]?.tool_calls ?? []) as { id: string }[]).map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(ids[2]).toBe("Abc123xyz");
    expect(messages.slice(2, 5).map(({ tool_call_id: id }) => id)).toEqual(ids);
  });

  test("hears no user right after a tool", async () => {
    const { messages } = await sent({ preset: "mistral" }, { model: "sim/m", messages: history });
    const roles = messages.map(({ role }) => role);
    expect(roles).toEqual(["user", "assistant", "tool", "tool", "tool", "assistant", "user", "user"]);
    expect(messages[5]?.content).not.toBe("");
  });

  test("others hear and see what was there", async () => {
    const { messages } = await sent({}, { model: "sim/m", messages: history });
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "tool", "tool", "user", "user"]);
    expect(messages[2]?.tool_call_id).toBe("call_0_abcdefgh");
  });
});
