/** Whatever a history holds, the strict vendors take what is made of it; whatever a vendor sends, no other error than an upstream's fault comes of it. */
import {
  type ContentPart,
  GatewayError,
  isObject,
  jsonOf,
  type Message,
  type ModelEvent,
  type ModelRequest,
} from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { wireFor } from "../../../../plugins/providers/call.ts";
import { toSpec } from "../../../../plugins/providers/settings.ts";
import type { WireName } from "../../../../plugins/providers/wire/dialect.ts";
import { geminiSchema } from "../../../../plugins/providers/wire/gemini/schema.ts";
import { complaint as anthropicComplaint } from "../../../simulators/anthropic/check.ts";
import { complaint as geminiComplaint, schema as schemaComplaint } from "../../../simulators/gemini/check.ts";
import { complaint as responsesComplaint } from "../../../simulators/responses/check.ts";
import type { Asked, Body } from "../../../simulators/vendor/server.ts";
import { type Dice, dice } from "./random.ts";

const names: readonly WireName[] = ["chat", "responses", "anthropic", "gemini"];
const models: Readonly<Record<WireName, string>> = {
  chat: "m",
  responses: "gpt-4.1",
  anthropic: "claude-sonnet-4-5",
  gemini: "gemini-3.8-flash",
};
const spec = (api: WireName) => toSpec("sim", { api, api_base: "http://127.0.0.1:9/v1" }, "config");

function content(random: Dice): string | ContentPart[] {
  if (random.roll() < 0.6) return random.pick(["", " ", "\n", "hello", "  padded  ", "世界 🦀"]);
  return random.list(3, () =>
    random.pick<ContentPart>([
      { type: "text", text: random.pick(["", "text", " "]) },
      { type: "image", url: "data:image/png;base64,AAAA" },
      { type: "image", url: "https://example.com/x.webp" },
      {
        type: "image",
        url: random.pick(["data:image/jpg;base64,AAAA", "data:text/plain,a%20b", "data:image/svg+xml;base64,AAAA"]),
      },
    ]),
  );
}

/** Messages in any order, with results that are lost, doubled or nobody's. */
function history(random: Dice): Message[] {
  return random.list(12, (): Message => {
    const role = random.pick(["system", "user", "user", "assistant", "assistant", "tool", "tool"] as const);
    const id = () => random.pick(["call_1", "call_2", "functions.look:0", "toolu_x", ""]);
    if (role === "tool") return { role, content: content(random), toolCallId: id() };
    if (role !== "assistant") return { role, content: content(random) };
    const toolCalls = [...new Set(random.list(3, id))].map((one) => {
      return {
        id: one || "fallback",
        name: random.pick([
          "look",
          "walk",
          "functions.walk",
          "",
          "look<|channel|>",
          "$9",
          `look ${"at it ".repeat(30)}`,
        ]),
        arguments: random.pick(["{}", "", '{"a":1}', "[1]", "no json", "null"]),
      };
    });
    const foreign =
      random.roll() < 0.3
        ? { native: { wire: random.pick(names), parts: { by: "other/m", blocks: [], parts: [], items: [] } } }
        : {};
    return {
      role,
      content: content(random),
      ...(toolCalls.length > 0 ? { toolCalls } : {}),
      ...(random.roll() < 0.3 ? { reasoning: "hm" } : {}),
      ...foreign,
    };
  });
}

function request(random: Dice): Omit<ModelRequest, "model"> {
  const input = { type: "object", properties: { a: { type: "string" } } };
  const tools = random.pick([
    undefined,
    [],
    [
      { name: "look", about: "x", input },
      { name: "walk", about: "y", input: {} },
    ],
  ]);
  const extra = {
    ...(random.roll() < 0.3 ? { reasoning_effort: random.pick(["none", "low", "high", 7]) } : {}),
    ...(random.roll() < 0.3 ? { stop: random.pick(["x", ["y", " "], null]) } : {}),
    ...(random.roll() < 0.3 ? { top_p: random.pick([0.5, "x"]), user: random.pick(["u", "", 3]) } : {}),
  };
  return {
    messages: history(random),
    ...(tools ? { tools } : {}),
    ...(random.roll() < 0.5
      ? { toolChoice: random.pick(["auto", "none", "required", { name: "look" }] as const) }
      : {}),
    ...(random.roll() < 0.3 ? { maxTokens: 100 } : {}),
    ...(random.roll() < 0.3 ? { temperature: random.roll() * 2 } : {}),
    extra,
  };
}

/** What the vendor says to it. */
function judged(wire: WireName, body: Body): string | undefined {
  if (wire === "gemini") return geminiComplaint(body, models.gemini, new Set());
  if (wire === "responses") return responsesComplaint(body, new Set());
  const headers = { "anthropic-version": "2023-06-01" };
  return anthropicComplaint({ body, headers } as unknown as Asked, { signatures: new Set(), thoughtful: new Set() });
}

describe.each(["anthropic", "gemini", "responses"] as const)("%s", (wire) => {
  test("takes what is made of any history", async () => {
    const random = dice(11);
    const { request: write } = await wireFor(wire);
    for (let round = 0; round < 400; round++) {
      const { extra, ...rest } = request(random);
      // Refused where the API has none: no body is made of it.
      const asked = {
        model: `sim/${models[wire]}`,
        ...rest,
        extra: wire === "responses" ? { ...extra, stop: null } : extra,
      };
      const { body } = write(asked, models[wire], spec(wire));
      expect(judged(wire, JSON.parse(body) as Body), JSON.stringify(asked)).toBeUndefined();
    }
  });
});

interface Called {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

test("OpenAI's own order is kept for any history: each call is answered right after it, once, and can be read", async () => {
  const random = dice(12);
  const { request: write } = await wireFor("chat");
  for (let round = 0; round < 400; round++) {
    const { body } = write({ model: "sim/m", ...request(random) }, "m", spec("chat"));
    const { messages } = JSON.parse(body) as {
      messages: { role: string; tool_call_id?: string; tool_calls?: Called[] }[];
    };
    let open: string[] = [];
    for (const { role, tool_call_id: id, tool_calls: calls } of messages) {
      if (role === "tool") expect(open.shift()).toBe(id);
      else expect(open).toEqual([]);
      if (calls) open = calls.map((call) => call.id);
      for (const { function: called } of calls ?? []) {
        expect(called.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        expect(isObject(jsonOf(called.arguments)), called.arguments).toBe(true);
      }
    }
    expect(open).toEqual([]);
  }
});

function schema(random: Dice, depth = 0): unknown {
  if (random.roll() < 0.1) return random.pick([true, {}, null, "text", 7, []]);
  const below = (): unknown => (depth > 3 ? { type: "string" } : schema(random, depth + 1));
  const some: Record<string, () => unknown> = {
    type: () =>
      random.pick([
        "string",
        "integer",
        "number",
        "boolean",
        "object",
        "array",
        "null",
        ["string", "null"],
        ["integer", "string"],
        7,
      ]),
    description: () => "x",
    enum: () => random.list(3, () => random.pick<unknown>(["a", 1, null, true, ""])),
    const: () => random.pick<unknown>(["a", 1, null]),
    properties: () => ({ a: below(), b: below() }),
    required: () => ["a", "zzz"],
    items: () => random.pick([below(), [below(), below()]]),
    prefixItems: () => [below(), below()],
    anyOf: () => random.list(3, below),
    oneOf: () => [below(), { type: "null" }],
    allOf: () => [below(), below()],
    $ref: () => random.pick(["#/$defs/x", "#/nowhere", "#", "https://example.com/x"]),
    format: () => random.pick(["date-time", "email", "int32", "uint8"]),
    exclusiveMinimum: () => random.pick<unknown>([0, true]),
    additionalProperties: () => below(),
    patternProperties: () => ({ "^x": below() }),
    minLength: () => 1,
    default: () => null,
    not: below,
    if: below,
  };
  return Object.fromEntries(Object.keys(some).flatMap((key) => (random.roll() < 0.22 ? [[key, some[key]?.()]] : [])));
}

test("any schema becomes one of the subset", () => {
  const random = dice(13);
  for (let round = 0; round < 600; round++) {
    const input = { ...(schema(random) as object), $defs: { x: schema(random), y: { $ref: "#/$defs/x" } } };
    const clean = geminiSchema(input);
    if (clean) expect(schemaComplaint(clean, "parameters"), JSON.stringify(input)).toBeUndefined();
  }
});

const samples: Readonly<Record<WireName, readonly Body[]>> = {
  chat: [
    {
      choices: [
        { index: 0, delta: { role: "assistant", content: "a", reasoning_content: "r", reasoning_details: [{}] } },
      ],
    },
    {
      choices: [
        {
          delta: {
            tool_calls: [{ index: 0, id: "c", function: { name: "look", arguments: "{}" }, extra_content: {} }],
          },
        },
      ],
    },
    {
      choices: [{ delta: {}, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 1 } },
    },
    { error: { message: "no", type: "t", code: "c" } },
  ],
  anthropic: [
    {
      type: "message_start",
      message: { content: [], usage: { input_tokens: 1, output_tokens_details: {} }, stop_reason: null },
    },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } },
    { type: "content_block_start", index: 1, content_block: { type: "tool_use", id: "x", name: "look", input: {} } },
    { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "{}" } },
    { type: "content_block_start", index: 2, content_block: { type: "thinking", thinking: "", signature: "" } },
    { type: "content_block_delta", index: 2, delta: { type: "signature_delta", signature: "s" } },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
    { type: "error", error: { type: "overloaded_error", message: "no" } },
  ],
  gemini: [
    {
      candidates: [
        {
          content: {
            parts: [{ text: "a", thoughtSignature: "s" }, { functionCall: { name: "look", args: {}, id: "i" } }],
          },
        },
      ],
    },
    {
      candidates: [{ content: { parts: [{ text: "t", thought: true }] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 1 },
    },
    { promptFeedback: { blockReason: "SAFETY" } },
    { error: { code: 503, message: "no", status: "UNAVAILABLE", details: [{ reason: "R" }] } },
  ],
  responses: [
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { type: "function_call", call_id: "c", name: "look", arguments: "" },
    },
    { type: "response.function_call_arguments.delta", output_index: 0, delta: "{}" },
    {
      type: "response.output_item.done",
      output_index: 1,
      item: { type: "reasoning", summary: [{ text: "r" }], encrypted_content: "e" },
    },
    { type: "response.output_text.delta", output_index: 2, delta: "a" },
    {
      type: "response.completed",
      response: {
        status: "completed",
        output: [{ type: "message", content: [{ type: "output_text", text: "a" }] }],
        usage: { input_tokens: 1 },
      },
    },
    { type: "error", code: "c", message: "no" },
  ],
};

/** The same, with something in it that does not belong there. */
function damaged(value: unknown, random: Dice): unknown {
  if (random.roll() < 0.08)
    return random.pick<unknown>([null, 7, -1, "text", [], {}, true, [null], { type: "text" }, "x".repeat(100)]);
  if (Array.isArray(value)) return value.map((one) => damaged(one, random));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (random.roll() < 0.05 ? [] : [[key, damaged(one, random)]])),
  );
}

test.each(names)("%s: whatever arrives is read, or is a fault of the upstream's", async (wire) => {
  const random = dice(14);
  const { reader } = await wireFor(wire);
  const target = { id: "sim/m", provider: "sim", model: "m" };
  for (let round = 0; round < 600; round++) {
    const read = reader(target, spec(wire), { model: "sim/m", messages: [] });
    const out: ModelEvent[] = [];
    try {
      for (let at = 0; at < 6; at++) {
        const sample = damaged(random.pick(samples[wire]), random);
        if (random.roll() < 0.1) read.whole(JSON.stringify(sample), out);
        else read.event((sample as { type?: string } | null)?.type, JSON.stringify(sample), out);
      }
      read.finish(out);
      expect(out.at(-1)?.type).toBe("done");
    } catch (error) {
      if (!GatewayError.is(error)) throw error;
      expect(error.code).toMatch(/^UPSTREAM_/);
    }
    for (const event of out) expect(wellFormed(event), JSON.stringify(event)).toBe(true);
  }
});

function wellFormed(event: ModelEvent): boolean {
  if (event.type === "text" || event.type === "reasoning") return typeof event.text === "string" && event.text !== "";
  if (event.type === "tool") return Object.values(event.call).every((value) => typeof value === "string");
  if (event.type === "start") return true;
  const { text, toolCalls, usage, stop } = event.reply;
  const counts = Object.values(usage ?? {}).every((count) => Number.isFinite(count) && count >= 0);
  return typeof text === "string" && typeof stop === "string" && toolCalls.every(({ id }) => id !== "") && counts;
}
