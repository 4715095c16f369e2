/** Long conversations: summed up instead of forgotten, and never broken by a summary that fails. */
import { definePlugin, GatewayError, type NewMessage, store, Type } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { Compactor } from "../../../plugins/chat/agent/context/compactor.ts";
import { until } from "../../kit/until.ts";
import { type ChatHost, callsTools, chatHost, isSummary, lastText, modelId, says, toolCall } from "./kit.ts";

const bulky = definePlugin({
  id: "bulky",
  version: "1.0.0",
  host: "^1.0.0",
  setup: (ctx) =>
    ctx.tool({
      name: "bulk",
      about: "Says much",
      input: Type.Object({ n: Type.Integer() }),
      access: "read",
      risk: "read",
      run: ({ n }) => `${n} `.repeat(3_000),
    }),
});

const rules = { trigger_messages: 6, keep_recent_messages: 2, max_summary_chars: 200, max_transcript_chars: 4_000 };

function compacting(more: Record<string, unknown> = {}, defaults: Record<string, unknown> = {}) {
  return { agents: { defaults: { ...defaults, context_compaction: { ...rules, ...more } } } };
}

/** Answers turns with `re …`, requests for a summary with `summary`. */
function answering({ model }: ChatHost, summary: () => ReturnType<typeof says>) {
  model.answer = (request) => (isSummary(request) ? summary() : says(`re ${lastText(request)}`));
}

const sent = ({ model }: ChatHost) =>
  (model.requests.filter((request) => !isSummary(request)).at(-1)?.messages ?? [])
    .slice(1)
    .map(({ content }) => String(content));

const summaries = ({ model }: ChatHost) => model.requests.filter(isSummary);

const stored = ({ host }: ChatHost) =>
  host.service(store).all<{ upto: number; text: string }>("SELECT upto, text FROM chat_summaries");

async function talk({ run }: ChatHost, texts: readonly string[], session = "main"): Promise<void> {
  for (const text of texts) await run({ text, session }).done;
}

describe("a conversation with many messages", () => {
  it("is summed up in the background; later contexts begin with the summary and the log stays whole", async () => {
    const chat = await chatHost({ config: compacting() });
    answering(chat, () => says("Key Facts: a to c"));
    await talk(chat, ["a", "b", "c", "d"]);
    await until(async () => (await stored(chat)).length === 1);
    expect(await stored(chat)).toEqual([{ upto: 6, text: "Key Facts: a to c" }]);
    expect(lastText(summaries(chat)[0] as never)).toContain("user: b\nassistant: re b");
    await talk(chat, ["e"]);
    expect(sent(chat)).toEqual([expect.stringMatching(/^\[Summary of .*\n\nKey Facts: a to c$/s), "d", "re d", "e"]);
    expect(await chat.history()).toHaveLength(10);
    expect(chat.model.callers.map((caller) => caller?.purpose)).toEqual([
      "turn",
      "turn",
      "turn",
      "turn",
      "summary",
      "turn",
    ]);
  });

  it("gives the next summary the one before", async () => {
    const chat = await chatHost({ config: compacting() });
    let n = 0;
    answering(chat, () => says(`summary ${++n}`));
    await talk(chat, ["a", "b", "c", "d"]);
    await until(async () => (await stored(chat)).length === 1);
    await talk(chat, ["e", "f", "g"]);
    await until(async () => (await stored(chat))[0]?.upto === 12);
    expect(lastText(summaries(chat)[1] as never)).toMatch(
      /Summary so far\n\nsummary 1\n\n## Conversation\n\nuser: d\n/,
    );
    expect((await stored(chat))[0]?.text).toBe("summary 2");
  });

  it("goes on with its newest messages when no summary can be made", async () => {
    const chat = await chatHost({ config: compacting({}, { context_messages: 4 }) });
    answering(chat, () => {
      throw new Error("no summary today");
    });
    await talk(chat, ["a", "b", "c", "d", "e"]);
    await until(() => chat.host.logs().some((line) => JSON.stringify(line).includes("could not be summed up")));
    expect(sent(chat)).toEqual(["c", "re c", "d", "re d", "e"]);
    expect(await stored(chat)).toEqual([]);
  });

  it("is left alone when it is switched off", async () => {
    const chat = await chatHost({ config: compacting({ enabled: false }) });
    answering(chat, () => says("no"));
    await talk(chat, ["a", "b", "c", "d", "e", "f"]);
    expect(summaries(chat)).toEqual([]);
  });

  it("loses its summary when it is deleted, and keeps it when it is renamed", async () => {
    const chat = await chatHost({ config: compacting() });
    answering(chat, () => says("old facts"));
    await talk(chat, ["a", "b", "c", "d"]);
    await until(async () => (await stored(chat)).length === 1);
    await chat.sessions.rename("main", "other");
    await talk(chat, ["e"], "other");
    expect(sent(chat)[0]).toContain("old facts");
    await talk(chat, ["fresh"]);
    expect(sent(chat)).toEqual(["fresh"]);
    await chat.sessions.remove("other");
    expect(await stored(chat)).toEqual([]);
    await talk(chat, ["again"], "other");
    expect(sent(chat)).toEqual(["again"]);
  });

  it("rejects a summary that was made from an outdated state (T4), and one whose messages are gone", async () => {
    const { SummaryTable } = await import("../../../plugins/chat/agent/context/summary-table.ts");
    const chat = await chatHost();
    await talk(chat, ["a", "b"]);
    const [one, two] = [0, 1].map(() => new SummaryTable(chat.host.service(store)));
    const base = await one?.find("main");
    expect(await two?.put("main", base, { upto: 2, text: "first" })).toBe(true);
    expect(await one?.put("main", base, { upto: 3, text: "late" })).toBe(false);
    expect(await one?.find("main")).toEqual({ upto: 2, text: "first" });
    expect(await one?.put("main", { upto: 2, text: "first" }, { upto: 99, text: "nothing there" })).toBe(false);
    expect(await one?.put("nobody", undefined, { upto: 1, text: "x" })).toBe(false);
    expect(await one?.put("main", await one.find("main"), { upto: 4, text: "second" })).toBe(true);
  });
});

describe("a window that fills up", () => {
  const long = (word: string) => `${word} `.repeat(700);
  const known = [{ id: modelId, provider: "fake", model: "model", source: "config", contextWindow: 4_000 }] as const;

  it("is made free by a summary before the model is asked", async () => {
    const chat = await chatHost({ config: compacting({ trigger_messages: 100, protect_last_n: 2 }) });
    chat.model.known = known;
    answering(chat, () => says("what was said"));
    await chat.sessions.append(
      "main",
      ["one", "two", "three", "four"].flatMap((word) => [
        { role: "user", content: long(word) },
        { role: "assistant", content: "yes" },
      ]),
    );
    await talk(chat, ["now"]);
    expect(summaries(chat)).toHaveLength(1);
    const given = sent(chat);
    expect(given[0]).toContain("what was said");
    expect(given.at(-1)).toBe("now");
    expect(given.some((text) => text.startsWith("one"))).toBe(false);
    expect(await chat.history()).toHaveLength(10);
  });

  it.each([
    [{ pressure_threshold: 0.9 }, 0, 4],
    [{ pressure_threshold: 0.6, target_ratio: 0.25 }, 1, 1],
    [{ pressure_threshold: 0.6, target_ratio: 0.45 }, 1, 2],
    [{ pressure_threshold: 0.6, target_ratio: 0.25, protect_last_n: 3 }, 1, 3],
  ])("counts as full, and is made free, as far as %j says", async (more, made, left) => {
    const chat = await chatHost({ config: compacting({ trigger_messages: 100, protect_last_n: 1, ...more }) });
    chat.model.known = known;
    answering(chat, () => says("in short"));
    const words = ["one", "two", "three", "four"];
    const message = (word: string) => ({ role: "user", content: `${word} ${"x".repeat(2_640)}` }) as const;
    await chat.sessions.append("main", words.map(message));
    await talk(chat, ["now"]);
    expect(summaries(chat)).toHaveLength(made);
    expect(sent(chat).filter((text) => text.includes(" xxx"))).toHaveLength(left);
  });

  it("is summed up by the model that the settings name, and by no other", async () => {
    const chat = await chatHost({ config: compacting({ model: "fake/small" }) });
    answering(chat, () => says("in short"));
    await talk(chat, ["a", "b", "c", "d"]);
    await until(async () => (await stored(chat)).length === 1);
    expect(summaries(chat)[0]).toMatchObject({ model: "fake/small", fallbacks: [] });
  });

  it("leaves out the oldest when the summary fails: the turn is not lost", async () => {
    const chat = await chatHost({ config: compacting({ trigger_messages: 100, protect_last_n: 2 }) });
    chat.model.known = known;
    answering(chat, () => {
      throw new Error("no");
    });
    const words = ["one", "two", "three", "four", "five", "six"];
    await chat.sessions.append(
      "main",
      words.map((word) => ({ role: "user", content: long(word) }) as const),
    );
    expect(await chat.run({ text: "now" }).done).toMatchObject({ text: "re now" });
    const given = sent(chat);
    expect(given.length).toBeLessThan(6);
    expect(given.slice(-2).map((text) => text.slice(0, 3))).toEqual(["six", "now"]);
  });

  it("is not asked for again by each turn and each call when no summary can be made, but a minute later", async () => {
    const chat = await chatHost({ config: compacting({ protect_last_n: 2 }) });
    chat.model.known = known;
    let n = 0;
    chat.model.answer = (request) => {
      if (isSummary(request)) throw new Error("no summary today");
      return n++ < 5 ? callsTools([toolCall(`${n}`, "look", { n })]) : says("ok");
    };
    await chat.sessions.append("main", Array<NewMessage>(6).fill({ role: "user", content: long("word") }));
    await talk(chat, ["a", "b"]);
    expect(summaries(chat)).toHaveLength(1);
    let now = 0;
    let asked = 0;
    const compactor = new Compactor({
      sessions: { context: async () => [{ seq: 1, role: "user", content: "a" }] } as never,
      summaries: { find: async () => undefined } as never,
      settings: () => ({ defaults: { context_compaction: {} } }) as never,
      ask: async () => {
        asked += 1;
        throw new Error("no summary today");
      },
      failed: () => {},
      now: () => now,
    });
    const caller = { turn: { signal: new AbortController().signal } as never, model: "m", fallbacks: [] };
    for (now of [0, 59_999, 60_000]) await compactor.compact("s", { before: 2, keep: 0 }, caller);
    expect(asked).toBe(2);
  });

  it("shortens a message and a tool's result that alone are too large", async () => {
    const chat = await chatHost({ config: compacting() });
    chat.model.known = known;
    await chat.run({ text: `begin ${long("x").repeat(20)} end` }).done;
    const text = sent(chat)[0] ?? "";
    expect(text.length).toBeLessThan(14_000);
    expect(text).toMatch(/^begin x.*characters left out.* end$/s);
    const replies = [callsTools([toolCall("1", "look", { n: 5 })]), says("done")];
    chat.model.answer = () => replies.shift() as ReturnType<typeof says>;
    expect(await chat.run({ text: long("y").repeat(6), session: "two" }).done).toMatchObject({ text: "done" });
  });

  it("keeps the question when the results of its tools fill the window", async () => {
    const chat = await chatHost({ plugins: [bulky], config: compacting() });
    chat.model.known = known;
    let n = 0;
    chat.model.answer = () => (n < 8 ? callsTools([toolCall(`b${n}`, "bulk", { n: n++ })]) : says("done"));
    expect(await chat.run({ text: "What was the question?" }).done).toMatchObject({ text: "done" });
    const last = chat.model.requests.filter((request) => !isSummary(request)).at(-1)?.messages ?? [];
    expect(last.some(({ content }) => content === "What was the question?")).toBe(true);
    expect(last.at(-1)).toMatchObject({ role: "tool", toolCallId: "b7" });
    expect(JSON.stringify(last).length).toBeLessThan(16_000);
    const calls = last.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id));
    expect(last.filter(({ role }) => role === "tool").map(({ toolCallId }) => toolCallId)).toEqual(calls);
  });

  it("counts Chinese by the character", async () => {
    const { textTokens } = await import("../../../plugins/chat/agent/context/tokens.ts");
    expect([textTokens("abcdefgh"), textTokens("你好世界"), textTokens("안녕"), textTokens("𠮷")]).toEqual([
      2, 4, 2, 2,
    ]);
  });
});

describe("an upstream that says the context is too long", () => {
  const refusal = () =>
    new GatewayError(
      "UPSTREAM_REQUEST",
      400,
      "fake/model answered 400: This model's maximum context length is 4097 tokens.",
      {
        upstreamStatus: 400,
        upstream: { code: "context_length_exceeded", message: "too long" },
      },
    );

  it("is asked once more with less", async () => {
    const chat = await chatHost({ config: compacting({ trigger_messages: 100, protect_last_n: 2 }) });
    let refused = 0;
    chat.model.answer = (request) => {
      if (isSummary(request)) return says("in short");
      if (request.messages.length < 6) return says("fits");
      refused += 1;
      throw refusal();
    };
    await chat.sessions.append(
      "main",
      Array.from({ length: 12 }, (_, n) => ({ role: "user", content: `m${n}` }) as const),
    );
    expect(await chat.run({ text: "now" }).done).toMatchObject({ text: "fits" });
    expect(refused).toBe(1);
    expect(sent(chat).at(-1)).toBe("now");
  });

  it("is not asked for ever", async () => {
    const chat = await chatHost();
    chat.model.answer = () => {
      throw refusal();
    };
    await expect(chat.run({ text: "now" }).done).rejects.toMatchObject({ code: "UPSTREAM_REQUEST" });
    expect(chat.model.requests).toHaveLength(2);
  });
});

describe("the table of windows", () => {
  it.each([
    ["openai/gpt-5.4", 1_000_000],
    ["x/gpt-3.5-turbo", 16_000],
    ["or/anthropic/claude-sonnet-4-5", 200_000],
    ["unknown/thing", 128_000],
    ["cfg/own", 5_000],
  ])("%s holds %d tokens", async (id, tokens) => {
    const { ModelFacts } = await import("../../../plugins/chat/agent/context/windows.ts");
    const own = { id: "cfg/own", provider: "cfg", model: "own", source: "config", contextWindow: 5_000 } as const;
    expect(new ModelFacts({ models: () => [own] }).window(id)).toBe(tokens);
  });
});

it("models are known to look at images by their names, or by what the configuration says", async () => {
  const { ModelFacts } = await import("../../../plugins/chat/agent/context/windows.ts");
  const blind = {
    id: "openai/gpt-5.4",
    provider: "openai",
    model: "gpt-5.4",
    source: "config",
    images: false,
  } as const;
  const models = new ModelFacts({ models: () => [blind] });
  const ids = [
    "openai/gpt-4o",
    "a/claude-opus-4-5",
    "g/gemini-3-pro",
    "l/qwen2.5-vl-7b",
    "l/qwen3-8b",
    "offline/offline",
    blind.id,
  ];
  expect(ids.map((id) => models.seesImages(id))).toEqual([true, true, true, true, false, false, false]);
});
