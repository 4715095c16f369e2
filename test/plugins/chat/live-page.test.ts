/** What a page needs of `/api/chat/live?multi=1&events=1`: who answers, where it is stored, what it took, what already ran. */
import { definePlugin, usageBook } from "@chela/sdk";
import type { TestSocket } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, modelId, reply, says, toolCall } from "./kit.ts";

type Frame = Record<string, unknown> & { type: string };

/** Frames up to one of this type. */
async function upTo(socket: TestSocket, type: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  do frames.push((await socket.next()) as Frame);
  while (frames.at(-1)?.type !== type);
  return frames;
}

const page = "/api/chat/live?multi=1&events=1";

/** A dollar for a token, but nothing is known of `fake/second`. */
const prices = definePlugin({
  id: "prices",
  version: "1.0.0",
  host: "^1.0.0",
  provides: [usageBook],
  setup: (ctx) => {
    ctx.provide(usageBook, {
      totals: async () => [],
      spent: () => ({ tokens: 0, cost: 0, calls: 0 }),
      ready: () => undefined,
      cost: (model, { inputTokens, outputTokens }) => (model === modelId ? inputTokens + outputTokens : null),
    });
  },
});

describe("a question", () => {
  it("may name the agent, the model and several files", async () => {
    const { host, model, history } = await chatHost({
      config: { agents: { entries: { ann: { system_prompt: "I am Ann" } } } },
    });
    const socket = await host.connect(page);
    socket.send({ message: "look", agent: "ann", model: "fake/other", media: ["a.png", "", "b/c.txt"] });
    await upTo(socket, "chat_done");
    expect((await history())[0]).toBe("user: look\n[file: a.png]\n[file: b/c.txt]");
    expect(model.requests[0]).toMatchObject({ model: "fake/other", fallbacks: [] });
    expect(model.requests[0]?.messages[0]).toMatchObject({
      role: "system",
      content: expect.stringContaining("I am Ann"),
    });
    socket.send({ message: "look", agent: "nobody" });
    expect((await upTo(socket, "chat_error")).at(-1)).toMatchObject({ code: "AGENT_UNKNOWN" });
    socket.close();
  });

  it("is told by its key in each frame of its answer, its failure included", async () => {
    const { host } = await chatHost();
    const socket = await host.connect(page);
    socket.send({ message: "one", idempotencyKey: "k-1" });
    for (const frame of await upTo(socket, "chat_done")) expect(frame.idempotencyKey).toBe("k-1");
    socket.send({ message: "two", agent: "nobody", idempotencyKey: "k-2" });
    expect((await upTo(socket, "chat_error")).at(-1)).toMatchObject({ idempotencyKey: "k-2" });
    socket.send({ message: "three" });
    for (const frame of await upTo(socket, "chat_done")) expect(frame).not.toHaveProperty("idempotencyKey");
    socket.close();
  });

  it.each([{ agent: 1 }, { model: {} }, { media: [1] }, { media: { a: 1 } }])(
    "with %j is no question",
    async (more) => {
      const { host, say } = await chatHost();
      const socket = await host.connect(page);
      socket.send({ message: "x", ...more });
      expect(await socket.next()).toEqual({ ok: false, type: "chat_error", error: "invalid json" });
      expect(await say("x", more)).toMatchObject({ status: 400, text: "invalid json\n" });
      socket.close();
    },
  );

  it("over HTTP may be files alone, 32 at most", async () => {
    const { say, history } = await chatHost();
    const files = Array.from({ length: 33 }, (_, n) => `${n}`);
    expect((await say("", { media: files })).status).toBe(400);
    expect((await say("", { media: files.slice(1) })).status).toBe(200);
    expect((await history())[0]).toMatch(/^user: \[file: 1\]\n(.*\n)+\[file: 32\]$/);
  });
});

describe("?events=1", () => {
  it("says where question and answer are stored, what answered, and what it took", async () => {
    const { host, model, say } = await chatHost({ plugins: [prices] });
    await say("before");
    const replies = [callsTools([toolCall("1", "look")]), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    const socket = await host.connect(page);
    socket.send({ message: "x" });
    const frames = await upTo(socket, "chat_done");
    expect(frames[0]).toMatchObject({ type: "chat_start", seq: 3, model: modelId, epoch: expect.any(String) });
    expect(frames.at(-1)).toEqual({
      ok: true,
      type: "chat_done",
      session: "main",
      turn: frames[0]?.turn,
      stop: "stop",
      model: modelId,
      usage: { inputTokens: 20, outputTokens: 10 },
      cost: 30,
      seq: 6,
    });
    const { messages } = (await host.request("/api/chat/history")).json() as { messages: { cost?: number }[] };
    expect(messages.map(({ cost }) => cost)).toEqual([undefined, 15, undefined, 15, undefined, 15]);
    socket.close();
  });

  it("leaves the cost out when a part of it is not known", async () => {
    const { host, model } = await chatHost({ plugins: [prices] });
    const second = async function* () {
      yield { type: "done", reply: { ...reply("done"), model: "fake/second" } } as const;
    };
    const replies = [callsTools([toolCall("1", "look")]), second()];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    const socket = await host.connect(page);
    socket.send({ message: "x" });
    const done = (await upTo(socket, "chat_done")).at(-1);
    expect(done).toMatchObject({ model: "fake/second", usage: { inputTokens: 20 } });
    expect(done).not.toHaveProperty("cost");
    socket.close();
  });

  it("names the message that keeps what an aborted turn had said", async () => {
    const { host, model, history } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const socket = await host.connect(page);
    socket.send({ message: "x" });
    held.say("half");
    await upTo(socket, "chat_chunk");
    socket.send({ type: "abort" });
    expect((await upTo(socket, "chat_done")).at(-1)).toMatchObject({ stop: "aborted", seq: 2 });
    expect(await history()).toEqual(["user: x", "assistant: half (partial)"]);
    socket.close();
  });

  it("tells who joins what the model thought, said and ran in this round, in order", async () => {
    const { host, model, run, abort } = await chatHost();
    const calls = [toolCall("1", "look", { n: 4 }), toolCall("2", "nothing"), toolCall("3", "never")];
    model.answer = async function* () {
      yield { type: "start", provider: "fake", model: modelId };
      yield { type: "reasoning", text: "I have to " };
      yield { type: "reasoning", text: "look" };
      yield { type: "text", text: "I look" };
      yield { type: "done", reply: { ...reply("I look"), toolCalls: calls, stop: "tool_calls" } };
    };
    const turn = run({ text: "x" });
    const seen: string[] = [];
    for await (const event of turn.events) {
      if (event.type === "tool") seen.push(`${event.id} ${event.state}`);
      if (seen.at(-1) === "3 run") break;
    }
    const socket = await host.connect(page);
    socket.send({ type: "attach" });
    expect((await upTo(socket, "chat_resumed")).at(-1)).toMatchObject({ running: true });
    const frames: Frame[] = [];
    while (frames.length < 8) frames.push((await socket.next()) as Frame);
    expect(frames).toMatchObject([
      { type: "chat_start", seq: 1, model: modelId },
      { type: "chat_reasoning", delta: "I have to look" },
      { type: "chat_chunk", delta: "I look" },
      { type: "chat_tool", id: "1", name: "look", state: "run", input: '{"n":4}' },
      { type: "chat_tool", id: "1", name: "look", state: "ok", output: "look 4 done" },
      { type: "chat_tool", id: "2", name: "nothing", state: "run", input: "{}" },
      { type: "chat_tool", id: "2", name: "nothing", state: "failed", output: expect.any(String) },
      { type: "chat_tool", id: "3", name: "never", state: "run", input: "{}" },
    ]);
    abort("main");
    expect((await upTo(socket, "chat_done")).at(-1)).toMatchObject({ stop: "aborted" });
    socket.close();
  });

  it("repeats nothing of a round that is stored", async () => {
    const { host, model, run } = await chatHost();
    const held = new HeldAnswer();
    const replies = [callsTools([toolCall("1", "look")], "I look")];
    model.answer = (request, signal) => replies.shift() ?? held.answer(request, signal);
    const turn = run({ text: "x" });
    await until(() => held.asked);
    const socket = await host.connect(page);
    socket.send({ type: "resume", after: 0 });
    const [history, resumed] = await upTo(socket, "chat_resumed");
    expect(history).toMatchObject({ messages: [{ seq: 1 }, { seq: 2 }, { seq: 3, tool_call_id: "1" }] });
    expect(resumed).toMatchObject({ seq: 3, running: true, epoch: history?.epoch });
    held.say("seen");
    held.end();
    const frames = await upTo(socket, "chat_done");
    expect(frames.map(({ type }) => type)).not.toContain("chat_tool");
    expect(frames.at(-1)).toMatchObject({ seq: 4 });
    await turn.done;
    socket.close();
  });
});
