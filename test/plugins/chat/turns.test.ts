import { type Message, store, type TurnEvent } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, lastText, loops, modelId, says, toolCall } from "./kit.ts";

async function eventsOf(events: AsyncIterable<TurnEvent>): Promise<TurnEvent[]> {
  const all: TurnEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const roles = (messages: readonly Message[] | undefined) => messages?.map(({ role }) => role);

describe("turns", () => {
  it("of one session run one after the other, of others side by side", async () => {
    const { run, model, history } = await chatHost();
    const open: string[] = [];
    let most = 0;
    model.answer = async function* (request) {
      const text = lastText(request);
      open.push(text);
      most = Math.max(most, open.length);
      expect(open.filter((other) => other[0] === text[0])).toHaveLength(1);
      await loops(20);
      open.splice(open.indexOf(text), 1);
      yield* says(`re ${text}`);
    };
    const texts = ["a1", "a2", "b1", "a3", "b2"];
    await Promise.all(texts.map((text) => run({ session: text[0], text }).done));
    expect(most).toBe(2);
    expect(await history("a")).toEqual(
      ["a1", "a2", "a3"].flatMap((text) => [`user: ${text}`, `assistant: re ${text}`]),
    );
    expect(await history("b")).toEqual(["b1", "b2"].flatMap((text) => [`user: ${text}`, `assistant: re ${text}`]));
  });

  it("store the user's message before the model is asked", async () => {
    const { run, model, history } = await chatHost();
    const before: string[][] = [];
    model.answer = async function* () {
      before.push(await history());
      yield* says("x");
    };
    await run({ text: "one" }).done;
    expect(before).toEqual([["user: one"]]);
  });

  it("ask no model when the user's message cannot be stored", async () => {
    const { run, model, host } = await chatHost();
    const database = host.service(store);
    await run({ text: "one" }).done;
    await database.run("ALTER TABLE chat_messages RENAME TO away");
    await expect(run({ text: "two" }).done).rejects.toMatchObject({ code: "STORE_STATEMENT" });
    expect(model.requests).toHaveLength(1);
  });

  it("beyond the queue of a session are refused with 429", async () => {
    const { run, model } = await chatHost({ config: { agents: { defaults: { max_queued_turns: 1 } } } });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const first = run({});
    await until(() => held.asked);
    const second = run({ text: "second" });
    await expect(run({}).done).rejects.toMatchObject({ code: "BUSY", status: 429 });
    second.abort("test");
    expect(await second.done).toMatchObject({ stop: "aborted", text: "" });
    held.end();
    await first.done;
  });

  it("go on when nobody listens to their events", async () => {
    const { run, model, history } = await chatHost();
    model.answer = () => says(..."many words ".repeat(1_000).split(" "));
    const { events, done } = run({});
    for await (const _ of events) break;
    await done;
    expect(await history()).toHaveLength(2);
  });

  it("tell what happens", async () => {
    const { run, model } = await chatHost();
    const replies = [callsTools([toolCall("1", "look"), toolCall("2", "nothing")]), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    const turn = run({});
    expect(await eventsOf(turn.events)).toEqual([
      { type: "start", turn: turn.id, model: modelId, seq: 1 },
      { type: "tool", id: "1", name: "look", state: "run", arguments: "{}" },
      { type: "tool", id: "1", name: "look", state: "ok", output: "look 0 done" },
      { type: "tool", id: "2", name: "nothing", state: "run", arguments: "{}" },
      { type: "tool", id: "2", name: "nothing", state: "failed", output: expect.stringContaining("no tool") },
      { type: "text", text: "done" },
    ]);
    expect(await turn.done).toEqual({
      turn: turn.id,
      text: "done",
      seq: 5,
      model: modelId,
      usage: { inputTokens: 20, outputTokens: 10 },
      stop: "stop",
      toolCalls: [],
    });
  });

  it("end by themselves when they take too long", async () => {
    const { run, model, history } = await chatHost({ config: { agents: { defaults: { turn_timeout_sec: 1 } } } });
    const held = new HeldAnswer();
    model.answer = held.answer;
    held.say("so far");
    await expect(run({ text: "x" }).done).rejects.toMatchObject({ code: "TURN_TIMEOUT", status: 504 });
    expect(held.aborted).toBe(true);
    expect(await history()).toEqual(["user: x", "assistant: so far (partial)"]);
  });

  it("are refused for a session key that is none", async () => {
    const { run } = await chatHost();
    await expect(run({ session: "" }).done).rejects.toMatchObject({ code: "SESSION_KEY", status: 400 });
  });
});

describe("an abort", () => {
  it.each(["the caller's signal", "the run", "the session"])(
    "by %s stops the upstream and keeps what was said",
    async (by) => {
      const { run, abort, model, history } = await chatHost();
      const held = new HeldAnswer();
      model.answer = held.answer;
      const stop = new AbortController();
      const turn = run({ text: "x", signal: stop.signal });
      held.say("half");
      await until(() => held.asked);
      for await (const event of turn.events) if (event.type === "text") break;
      if (by === "the run") turn.abort("enough");
      else if (by === "the session") expect(abort("main")).toBe(1);
      else stop.abort();
      expect(await turn.done).toMatchObject({ text: "half", stop: "aborted", model: modelId });
      expect(held.aborted).toBe(true);
      expect(await history()).toEqual(["user: x", "assistant: half (partial)"]);
      expect(abort("main")).toBe(0);
    },
  );

  it("does not wait for a provider or a tool that ignores it", async () => {
    const { run, model, history } = await chatHost();
    model.answer = async function* () {
      yield { type: "start", provider: "fake", model: modelId };
      await new Promise(() => undefined);
    };
    const deaf = run({ text: "x" });
    await until(() => model.requests.length === 1);
    deaf.abort("enough");
    expect(await deaf.done).toMatchObject({ stop: "aborted" });
    model.answer = () => callsTools([toolCall("1", "never")]);
    const tool = run({ text: "y" });
    for await (const event of tool.events) if (event.type === "tool") break;
    tool.abort("enough");
    expect(await tool.done).toMatchObject({ stop: "aborted" });
    expect(await history()).toEqual([
      "user: x",
      "user: y",
      "assistant: ",
      "tool: aborted: the turn was stopped (failed)",
    ]);
    model.answer = () => says("fine");
    await run({ text: "z" }).done;
    expect(roles(model.requests.at(-1)?.messages)).toEqual(["system", "user", "user", "assistant", "tool", "user"]);
  });

  it("before the start asks nobody and stores nothing", async () => {
    const { run, model, history } = await chatHost();
    expect(await run({ signal: AbortSignal.abort() }).done).toMatchObject({ stop: "aborted", text: "" });
    expect(model.requests).toEqual([]);
    expect(await history()).toEqual([]);
  });
});

describe("a call without a session", () => {
  it("leaves nothing behind", async () => {
    const { run, model, host, sessions } = await chatHost();
    const database = host.service(store);
    const changes = () => database.get("SELECT total_changes() AS n");
    const before = await changes();
    const replies = [callsTools([toolCall("1", "look")]), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    const context: Message[] = [
      { role: "system", content: "be short" },
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
    ];
    await run({ session: null, context, text: "c", idempotencyKey: "k" }).done;
    expect(model.requests[0]?.messages.slice(1)).toEqual([...context, { role: "user", content: "c" }]);
    expect(await changes()).toEqual(before);
    expect(await sessions.list()).toEqual([]);
  });

  it("may end in a tool result instead of a question", async () => {
    const { run, model } = await chatHost();
    const context: Message[] = [
      { role: "user", content: "a" },
      { role: "assistant", content: "", toolCalls: [toolCall("1", "theirs")] },
      { role: "tool", content: "r", toolCallId: "1" },
    ];
    model.answer = () => says("ok");
    expect(await run({ session: null, context, text: "" }).done).toMatchObject({ text: "ok" });
    expect(model.requests[0]?.messages.slice(1)).toEqual(context);
  });
});
