/** Messages that arrive while a turn runs: heard in it, or answered by a turn of their own; never lost, never answered twice. */
import { definePlugin, GatewayError, type Identity, type TurnEvent } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { type ChatHost, callsTools, chatHost, HeldAnswer, identity, loops, modelId, says, toolCall } from "./kit.ts";

const steer = { whenBusy: "steer" } as const;

/** A turn whose first model call is in the hands of the test; the later ones answer with what was said last. */
async function busyHost(config: Record<string, unknown> = {}) {
  const chat = await chatHost({ config });
  const held = new HeldAnswer();
  let calls = 0;
  chat.model.answer = (request, signal) =>
    calls++ === 0 ? held.answer(request, signal) : says(`heard ${users(chat).join("+")}`);
  return { ...chat, held };
}

/** A turn of two model calls, both in the hands of the test: the first one asks for a tool when `waits` ends. */
async function twoCalls() {
  const chat = await chatHost();
  const [waits, answers] = [new HeldAnswer(), new HeldAnswer()];
  const waiting = waits.answer({} as never, new AbortController().signal);
  chat.model.answer = async function* (request, signal) {
    if (chat.model.requests.length > 1) return yield* answers.answer(request, signal);
    for await (const _ of waiting);
    yield* callsTools([toolCall("1", "look")]);
  };
  return { ...chat, waits, answers };
}

const users = ({ model }: Pick<ChatHost, "model">) =>
  (model.requests.at(-1)?.messages ?? []).filter(({ role }) => role === "user").map(({ content }) => content);

describe("a message to a busy session", () => {
  it("waits for its own turn by default", async () => {
    const { run, held, history } = await busyHost();
    const first = run({ text: "one" });
    await until(() => held.asked);
    const second = run({ text: "two" });
    held.say("re one");
    held.end();
    expect(await first.done).toMatchObject({ text: "re one" });
    expect(await second.done).toMatchObject({ text: "heard one+two" });
    expect(await history()).toEqual(["user: one", "assistant: re one", "user: two", "assistant: heard one+two"]);
  });

  it("that steers is stored at once, heard before the next model call, and answered by the running turn", async () => {
    const { run, model, history, waits: held, answers } = await twoCalls();
    answers.say("both");
    answers.end();
    const first = run({ text: "one", model: modelId });
    await until(() => held.asked);
    const second = run({ text: "two", model: modelId, ...steer });
    const events: TurnEvent[] = [];
    const listening = (async () => {
      for await (const event of second.events) events.push(event);
    })();
    await until(async () => (await history()).includes("user: two"));
    expect(model.requests).toHaveLength(1);
    held.end();
    const result = await first.done;
    expect(await second.done).toEqual(result);
    expect([result.text, second.id]).toEqual(["both", first.id]);
    await listening;
    expect(events.map(({ type }) => type)).toEqual(["start", "steered", "text"]);
    expect(events[1]).toEqual({ type: "steered", text: "two", seq: 2 });
    expect(model.requests).toHaveLength(2);
    expect(model.requests[1]?.messages.slice(1).map(({ role, content }) => `${role}: ${content}`)).toEqual([
      "user: one",
      "assistant: ",
      "tool: look 0 done",
      "user: two",
    ]);
    expect(await history()).toEqual(["user: one", "user: two", "assistant: ", "tool: look 0 done", "assistant: both"]);
  });

  it("that came too late is answered by a turn of its own, after the others that came before", async () => {
    const { run, held, history, model } = await busyHost({ agents: { defaults: { when_busy: "steer" } } });
    const first = run({ text: "one" });
    await until(() => held.asked);
    const others = ["two", "three"].map((text) => run({ text }));
    await until(async () => (await history()).length === 3);
    held.say("re one");
    held.end();
    expect((await first.done).text).toBe("re one");
    expect(await Promise.all(others.map(async ({ done }) => (await done).text))).toEqual([
      "heard one+two",
      "heard one+two+three",
    ]);
    expect(await history()).toEqual([
      "user: one",
      "user: two",
      "user: three",
      "assistant: re one",
      "assistant: heard one+two",
      "assistant: heard one+two+three",
    ]);
    expect(model.requests[1]?.messages.slice(1).map(({ content }) => content)).toEqual(["one", "re one", "two"]);
  });

  it("is not lost with the turn that fails or is aborted before it heard it", async () => {
    for (const end of ["fail", "abort"] as const) {
      const { run, held, history } = await busyHost();
      const first = run({ text: "one" });
      await until(() => held.asked);
      const second = run({ text: "two", ...steer });
      await until(async () => (await history()).length === 2);
      if (end === "fail") held.fail(new Error("broken"));
      else first.abort("enough");
      await first.done.catch(() => undefined);
      expect(await second.done).toMatchObject({ text: "heard one+two", stop: "stop" });
    }
  });

  it("can be taken back by its caller: it stays in the history and is not answered", async () => {
    const { run, held, history, model } = await busyHost();
    const first = run({ text: "one" });
    await until(() => held.asked);
    const second = run({ text: "two", ...steer });
    await until(async () => (await history()).length === 2);
    second.abort("changed my mind");
    expect(await second.done).toMatchObject({ stop: "aborted", text: "" });
    held.end();
    await first.done;
    expect(model.requests).toHaveLength(1);
  });

  it("ends with the session's abort, heard or not", async () => {
    const { run, held, abort, history } = await busyHost();
    const first = run({ text: "one" });
    await until(() => held.asked);
    const second = run({ text: "two", ...steer });
    await until(async () => (await history()).length === 2);
    expect(abort("main")).toBe(2);
    expect((await Promise.all([first.done, second.done])).map(({ stop }) => stop)).toEqual(["aborted", "aborted"]);
  });

  it("with an idempotency key gets the same outcome again", async () => {
    const { run, model, history, waits, answers } = await twoCalls();
    const first = run({ text: "one", idempotencyKey: "k1" });
    await until(() => waits.asked);
    const second = run({ text: "two", idempotencyKey: "k2", ...steer });
    await until(async () => (await history()).length === 2);
    waits.end();
    answers.say("both");
    answers.end();
    await Promise.all([first.done, second.done]);
    expect(await run({ text: "two", idempotencyKey: "k2", ...steer }).done).toEqual(await second.done);
    expect(model.requests).toHaveLength(2);
  });

  it("that was heard is answered though whoever began that turn has left", async () => {
    const { run, history, waits, answers } = await twoCalls();
    const client = new AbortController();
    const first = run({ text: "one", signal: client.signal });
    await until(() => waits.asked);
    const second = run({ text: "two", ...steer });
    await until(async () => (await history()).length === 2);
    waits.end();
    await until(() => answers.asked);
    client.abort();
    answers.say("for two");
    answers.end();
    expect(await second.done).toMatchObject({ text: "for two", stop: "stop" });
    expect((await first.done).stop).toBe("stop");
  });

  it("for which the queue has no place is refused before it is stored", async () => {
    const { run, held, history } = await busyHost({ agents: { defaults: { max_queued_turns: 1 } } });
    const first = run({ text: "one" });
    await until(() => held.asked);
    const second = run({ text: "two", ...steer });
    await until(async () => (await history()).length === 2);
    await expect(run({ text: "three", ...steer }).done).rejects.toMatchObject({ code: "BUSY", status: 429 });
    expect(await history()).toEqual(["user: one", "user: two"]);
    held.end();
    await Promise.all([first.done, second.done]);
  });

  it("that was heard, repeated with its key, hears the answer from its beginning", async () => {
    const { run, history, waits, answers } = await twoCalls();
    const first = run({ text: "one" });
    await until(() => waits.asked);
    const two = { text: "two", idempotencyKey: "k2", ...steer };
    const second = run(two);
    await until(async () => (await history()).length === 2);
    waits.end();
    answers.say("both ");
    for await (const event of second.events) if (event.type === "text") break;
    const again = run(two);
    answers.say("of you");
    answers.end();
    let heard = "";
    for await (const event of again.events) if (event.type === "text") heard += event.text;
    expect([heard, again.id]).toEqual(["both of you", first.id]);
    expect(await again.done).toEqual(await first.done);
  });

  it("and the turn it steered into, cut by a stop, are repeated with their keys: each message is there once", async () => {
    const { say, held, history, host, model } = await busyHost({ plugins: { drainMs: 20 } });
    const first = say("one", { idempotencyKey: "k1" });
    held.say("half");
    await until(() => held.asked);
    const second = say("two", { idempotencyKey: "k2", ...steer });
    await until(async () => (await history()).length === 2);
    await host.plugins.disable("chat", "test");
    await Promise.all([first, second]);
    await host.plugins.enable("chat", "test");
    const kept = async () => {
      const { messages } = (await host.request("/api/chat/history")).json() as {
        messages: { role: string; content: string; state: string }[];
      };
      return messages.map(
        ({ role, content, state }) => `${role}: ${content}${state === "partial" ? " (partial)" : ""}`,
      );
    };
    expect(await kept()).toEqual(["user: one", "user: two", "assistant: half (partial)"]);
    expect((await say("two", { idempotencyKey: "k2" })).json()).toMatchObject({ reply: "heard one+two" });
    expect((await say("one", { idempotencyKey: "k1" })).json()).toMatchObject({ reply: "heard two+one" });
    expect(await kept()).toEqual([
      "user: one",
      "user: two",
      "assistant: half (partial)",
      "assistant: heard one+two",
      "assistant: heard two+one",
    ]);
    expect((await say("one", { idempotencyKey: "k1" })).json()).toMatchObject({ reply: "heard two+one" });
    expect(model.requests).toHaveLength(3);
  });

  it("refused by a plugin is refused, and nothing of it is kept", async () => {
    const guard = definePlugin({
      id: "guard",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) =>
        ctx.on("message:in", ({ text }) => {
          if (text === "bad") throw new GatewayError("MODERATED", 403, "no");
        }),
    });
    const { run, model, history } = await chatHost({ plugins: [guard] });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const first = run({ text: "one" });
    await until(() => held.asked);
    await expect(run({ text: "bad", ...steer }).done).rejects.toMatchObject({ code: "MODERATED" });
    held.end();
    await first.done;
    expect(await history()).toEqual(["user: one"]);
  });
});

describe("rights of several people in one turn", () => {
  const reader: Identity = { id: "user:reader", name: "r", kind: "proxy", scopes: ["read"] };
  const key: Identity = { id: "key:k_1", name: "k", kind: "key", scopes: ["admin"] };

  /** `first` asks, `second` steers; then the model calls `write`, which needs write access. */
  async function together(first: Identity, second: Identity) {
    const { run, model, tools } = await chatHost();
    const held = new HeldAnswer();
    const waiting = held.answer({} as never, new AbortController().signal);
    const replies = [[toolCall("1", "look")], [toolCall("2", "write")]];
    model.answer = async function* () {
      if (model.requests.length === 1) for await (const _ of waiting);
      const calls = replies.shift();
      yield* calls ? callsTools(calls) : says("done");
    };
    const one = run({ text: "one", identity: first });
    await until(() => held.asked);
    const two = run({ text: "two", identity: second, ...steer });
    // One that waits for its own turn is not stored before that.
    await loops(50);
    held.end();
    await Promise.all([one.done, two.done]);
    return { tools: tools.log, model, joined: two.id === one.id };
  }

  it("are those of the weakest, from the moment he is heard", async () => {
    const { tools, model, joined } = await together(identity, reader);
    expect(joined).toBe(true);
    expect(tools).toEqual(["+look0", "-look0"]);
    expect(model.callers.map((caller) => caller?.identity?.id)).toEqual(["token", "user:reader", "user:reader"]);
  });

  it("do not grow when somebody stronger speaks", async () => {
    const { tools } = await together(reader, identity);
    expect(tools).toEqual(["+look0", "-look0"]);
  });

  it("that cannot be compared are kept apart: the message waits for its own turn", async () => {
    expect((await together(identity, { ...reader, scopes: ["admin"] })).joined).toBe(false);
    expect((await together(key, reader)).joined).toBe(false);
    expect((await together(key, key)).joined).toBe(true);
  });
});
