/** How replies end and how they fail, the same for every wire: reasons to stop, error classes, cuts, noise, and any division of the bytes. */
import { describe, expect, test } from "vitest";
import type { Turn } from "../../../simulators/vendor/server.ts";
import { ask, fails, hear, never } from "../kit.ts";
import { setup, tools, type WireId, wires } from "./kit.ts";
import { dice } from "./random.ts";

const stops: Readonly<Record<WireId, readonly (readonly [string, string])[]>> = {
  anthropic: [
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["pause_turn", "length"],
    ["refusal", "content_filter"],
    ["one_day_more", "stop"],
  ],
  gemini: [
    ["STOP", "stop"],
    ["MAX_TOKENS", "length"],
    ["SAFETY", "content_filter"],
    ["RECITATION", "content_filter"],
    ["BLOCKLIST", "content_filter"],
    ["PROHIBITED_CONTENT", "content_filter"],
    ["SPII", "content_filter"],
    ["BLOCKED", "content_filter"],
  ],
  responses: [
    ["max_output_tokens", "length"],
    ["content_filter", "content_filter"],
  ],
};

describe.each(wires)("%s", (wire) => {
  test.each(stops[wire])("a reply that stops for %s stops for %s, streamed and whole", async (stop, expected) => {
    const { upstreams, vendor, model } = await setup(wire);
    vendor.script({ text: "so far", stop }, { text: "so far", stop, whole: true });
    for (let round = 0; round < 2; round++) {
      const { reply } = await hear(upstreams.stream(ask(model), never));
      expect(reply.stop).toBe(expected);
    }
  });

  test("calls in a reply that the limit cut are not taken for whole", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    const stop = { anthropic: "max_tokens", gemini: "MAX_TOKENS", responses: "max_output_tokens" }[wire];
    vendor.script({ stop, calls: [{ name: "clock", args: {} }] });
    expect((await hear(upstreams.stream(ask(model, { tools }), never))).reply.stop).toBe("length");
  });

  test.each<[number, string, string, number]>([
    [400, "bad request", "UPSTREAM_REQUEST", 400],
    [401, "no such key", "UPSTREAM_AUTH", 401],
    [403, "not for you", "UPSTREAM_AUTH", 403],
    [404, "no such model", "UPSTREAM_REQUEST", 404],
    [413, "too large", "UPSTREAM_REQUEST", 413],
    [429, "slow down", "UPSTREAM_RATE", 429],
    [500, "oh no", "UPSTREAM_FAULT", 502],
    [529, "Overloaded", "UPSTREAM_FAULT", 502],
  ])("status %d is told in the vendor's words: %s, %s", async (status, message, code, own) => {
    const { upstreams, vendor, model } = await setup(wire);
    vendor.script({ status, error: { message }, headers: { "retry-after": "7" } });
    const { error } = await fails(upstreams.stream(ask(model), never));
    expect(error).toMatchObject({
      code,
      status: own,
      details: { upstreamStatus: status, upstream: { message }, retryAfter: 7 },
    });
    expect(error.message).toContain(`answered ${status}: ${message}`);
    expect(error.details).toMatchObject({ upstream: { type: expect.any(String) } });
  });

  const tooLong = {
    anthropic: "prompt is too long: 210000 tokens > 200000 maximum",
    gemini: "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
    responses: "Your input exceeds the context window of this model. Please adjust your input and try again.",
  }[wire];

  test("a conversation that is too long is told apart from any other bad request", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    vendor.script({ status: 400, error: { message: tooLong } });
    const { error } = await fails(upstreams.stream(ask(model), never));
    expect(error.details?.upstream).toMatchObject({ code: "context_length_exceeded" });
  });

  const usedUp = {
    anthropic: { status: 400, error: { message: "Your credit balance is too low to access the Anthropic API." } },
    gemini: {
      status: 429,
      error: { message: "You exceeded your current quota, please check your plan and billing details." },
    },
    responses: { status: 429, error: { message: "You exceeded your current quota", code: "insufficient_quota" } },
  }[wire];

  test("an account that is used up is told apart from a rate limit", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    vendor.script(usedUp);
    const { error } = await fails(upstreams.stream(ask(model), never));
    expect(error.details?.upstream).toMatchObject({ code: "insufficient_quota" });
    vendor.script({ status: 429, error: { message: "Slow down, please" } });
    const { error: limited } = await fails(upstreams.stream(ask(model), never));
    expect((limited.details?.upstream as object) ?? {}).not.toMatchObject({ code: "insufficient_quota" });
  });

  test("a slow stream is no silent one", async () => {
    const { upstreams, vendor, model } = await setup(wire, { timeout_sec: 1 });
    const split = (bytes: Buffer) => [0, 1, 2, 3, 4, 5].map((at) => bytes.subarray(...share(bytes.length, at, 6)));
    vendor.script({ text: "slow and steady", split, pauseMs: 250 });
    expect((await hear(upstreams.stream(ask(model), never))).text).toBe("slow and steady");
  });

  test("a key that is no key is the key's fault", async () => {
    const { model, vendor, upstreams } = await setup(wire, { api_key: "wrong-key-0123456789" });
    const { error } = await fails(upstreams.stream(ask(model), never));
    expect(error).toMatchObject({ code: "UPSTREAM_AUTH", status: 401 });
    expect(error.message).not.toContain("wrong-key-0123456789");
    expect(vendor.asked.length).toBeGreaterThan(0);
  });

  test.each<NonNullable<Turn["fault"]>>(["cut", "short"])(
    "a stream that ends early (%s) was cut, and is never called complete",
    async (kind) => {
      const { upstreams, vendor, model } = await setup(wire);
      vendor.script({
        text: "one two three",
        pieces: ["one ", "two ", "three ", "four ", "five ", "six"],
        fault: kind,
      });
      const { heard, error } = await fails(upstreams.stream(ask(model), never));
      expect(error.code).toBe("UPSTREAM_CUT");
      expect(heard.some(({ type }) => type === "done")).toBe(false);
      expect(heard.filter(({ type }) => type === "text").length).toBeGreaterThan(0);
    },
  );

  test("a stream that stops in the middle is given up in time", async () => {
    const { upstreams, vendor, model } = await setup(wire, { timeout_sec: 0.3 });
    vendor.script({ fault: "stall" });
    const { error } = await fails(upstreams.stream(ask(model), never));
    expect(error).toMatchObject({ code: "UPSTREAM_TIMEOUT", status: 504 });
  });

  test("an error in the middle of a stream is told with its class", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    vendor.script({ fault: "error", text: "so far" });
    const { heard, error } = await fails(upstreams.stream(ask(model), never));
    expect(error).toMatchObject({ code: "UPSTREAM_FAULT", status: 502 });
    expect(error.message).toMatch(/broke off with an error: .*(?:overloaded|error)/i);
    expect(heard.some(({ type }) => type === "text")).toBe(true);
  });

  test("an event that is no JSON is a fault of the vendor's", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    vendor.script({ fault: "garbage" });
    const { error } = await fails(upstreams.stream(ask(model), never));
    expect(error.code).toBe("UPSTREAM_PROTOCOL");
  });

  test("what is not known yet is passed over", async () => {
    const { upstreams, vendor, model } = await setup(wire);
    const noise = [
      ": a comment\n\n",
      'event: brand_new\ndata: {"type":"brand_new","index":99,"payload":{"a":[1]}}\n\n',
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":77,"delta":{"type":"new_delta","x":1}}\n\n',
      'data: {"candidates":[]}\n\n',
      'data: {"type":"response.image_generation_call.partial_image","output_index":50}\n\n',
    ];
    vendor.script({ text: "all is well", noise });
    const { text, reply } = await hear(upstreams.stream(ask(model), never));
    expect({ text, stop: reply.stop }).toEqual({ text: "all is well", stop: "stop" });
  });

  test("any division of the bytes gives the same events", { timeout: 60_000 }, async () => {
    const { upstreams, vendor, model } = await setup(wire);
    const turn: Turn = {
      reasoning: "dünkt mich 思考",
      pieces: ["Grüß ", "Gott 🦀", " 世界"],
      calls: [{ name: "weather", args: { city: "Ülm 🦀" } }],
    };
    const random = dice(7).roll;
    const splits = [
      (bytes: Buffer) => [bytes],
      (bytes: Buffer) => [...bytes].map((byte) => Uint8Array.of(byte)),
      ...Array.from({ length: 40 }, () => (bytes: Buffer) => cutAt(bytes, random)),
    ];
    vendor.script(...splits.map((split) => ({ ...turn, split })));
    const seen: unknown[] = [];
    for (const _ of splits) {
      const { events } = await hear(upstreams.stream(ask(model, { tools }), never));
      seen.push(joined(events));
    }
    for (const one of seen) expect(one).toEqual(seen[0]);
    expect(seen[0]).toMatchObject({
      text: "Grüß Gott 🦀 世界",
      reasoning: "dünkt mich 思考",
      calls: [{ name: "weather", arguments: '{"city":"Ülm 🦀"}' }],
    });
  });
});

/** What was said, whatever the ids. */
function joined(events: readonly { readonly type: string }[]): unknown {
  const all = events as readonly {
    type: string;
    text?: string;
    call?: { name: string; arguments: string };
    reply?: { stop: string; usage: unknown };
  }[];
  const of = (type: string) => all.flatMap((event) => (event.type === type ? [event.text] : [])).join("");
  return {
    order: all.map(({ type }) => type),
    text: of("text"),
    reasoning: of("reasoning"),
    calls: all.flatMap(({ call }) => (call ? [{ name: call.name, arguments: call.arguments }] : [])),
    end: all.flatMap(({ reply }) => (reply ? [{ stop: reply.stop, usage: reply.usage }] : [])),
  };
}

/** From where to where the part `at` of `parts` goes. */
function share(length: number, at: number, parts: number): [number, number] {
  return [Math.floor((length * at) / parts), Math.floor((length * (at + 1)) / parts)];
}

function cutAt(bytes: Buffer, random: () => number): readonly Uint8Array[] {
  const places = Array.from({ length: 1 + Math.floor(random() * 30) }, () => Math.floor(random() * bytes.length)).sort(
    (a, b) => a - b,
  );
  return [0, ...places]
    .map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
    .filter((piece) => piece.length > 0);
}
