/** The parts of a turn by themselves: what a model is shown, listeners, places, the children of a turn. */
import type { Message, Turn, TurnEvent } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { coherent, userMessage } from "../../../plugins/chat/agent/conversation.ts";
import { EventQueue } from "../../../plugins/chat/agent/event-queue.ts";
import { Lanes } from "../../../plugins/chat/agent/lanes.ts";
import { LiveRun } from "../../../plugins/chat/agent/live-run.ts";
import { Family } from "../../../plugins/chat/agent/team/family.ts";
import type { AgentsSettings } from "../../../plugins/chat/settings.ts";
import { until } from "../../kit/until.ts";

const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string, ...ids: string[]): Message => ({
  role: "assistant",
  content,
  ...(ids.length > 0 && { toolCalls: ids.map((id) => ({ id, name: "t", arguments: "{}" })) }),
});
const tool = (toolCallId: string): Message => ({ role: "tool", content: "r", toolCallId });

describe("a stretch of history for the model", () => {
  it.each<[string, Message[], Message[]]>([
    ["plain talk is kept", [user("a"), assistant("b")], [user("a"), assistant("b")]],
    [
      "a whole round is kept",
      [user("a"), assistant("", "1", "2"), tool("2"), tool("1"), assistant("b")],
      [user("a"), assistant("", "1", "2"), tool("2"), tool("1"), assistant("b")],
    ],
    [
      "results that lost their call at the cut are dropped",
      [tool("1"), tool("2"), assistant("b"), user("c")],
      [assistant("b"), user("c")],
    ],
    [
      "a call without result loses the call, its text stays",
      [user("a"), assistant("let me see", "1"), user("c")],
      [user("a"), assistant("let me see"), user("c")],
    ],
    ["a call without result and text is dropped", [user("a"), assistant("", "1"), user("c")], [user("a"), user("c")]],
    ["a round with one of two results is dropped", [assistant("", "1", "2"), tool("1"), user("c")], [user("c")]],
    [
      "a result that nobody asked for is dropped",
      [assistant("", "1"), tool("1"), tool("9")],
      [assistant("", "1"), tool("1")],
    ],
    ["a result in the wrong place is dropped", [assistant("", "1"), user("x"), tool("1")], [user("x")]],
  ])("%s", (_, given, expected) => expect(coherent(given)).toEqual(expected));

  it("holds nothing that only the store knows", () => {
    const stored = { ...user("a"), seq: 1, at: 5, state: "complete", model: "m", reasoning: "r" } as Message;
    expect(coherent([stored])).toEqual([user("a")]);
  });
});

describe("the user's message", () => {
  it.each([
    ["hi", [], "hi"],
    ["hi", ["up/a.txt"], "hi\n[file: up/a.txt]"],
    ["", ["up/a.txt"], "[file: up/a.txt]"],
  ])("%j with %j is %j", (text, media, content) => expect(userMessage(text, media)).toEqual({ role: "user", content }));

  it("shows images as images and is nothing when nothing is said", () => {
    const url = "data:image/png;base64,AA==";
    expect(userMessage("see", [url])).toEqual({
      role: "user",
      content: [
        { type: "text", text: "see" },
        { type: "image", url },
      ],
    });
    expect(userMessage("", [url])).toEqual({ role: "user", content: [{ type: "image", url }] });
    expect(userMessage(" \n", [])).toBeUndefined();
  });
});

describe("the queue of a listener", () => {
  const drain = async (queue: EventQueue) => {
    const events: TurnEvent[] = [];
    for await (const event of queue) events.push(event);
    return events;
  };

  it("hands over each event, and what waited at the end", async () => {
    const queue = new EventQueue();
    const events = drain(queue);
    for (const text of ["a", "b", "c"]) queue.push({ type: "text", text });
    queue.end();
    queue.push({ type: "text", text: "late" });
    expect(await events).toEqual(["a", "b", "c"].map((text) => ({ type: "text", text })));
  });

  it("stays bounded when nobody listens, and loses no text", async () => {
    const queue = new EventQueue();
    queue.push({ type: "start", turn: "t", model: "m" });
    for (let n = 0; n < 5_000; n++) queue.push({ type: n % 2 ? "text" : "reasoning", text: `${n},` });
    queue.end();
    const events = await drain(queue);
    expect(events.length).toBeLessThanOrEqual(257);
    const text = (type: string) =>
      events.map((event) => (event.type === type && "text" in event ? event.text : "")).join("");
    const numbers = (odd: number) => Array.from({ length: 2_500 }, (_, n) => `${2 * n + odd},`).join("");
    expect(text("text")).toBe(numbers(1));
    expect(text("reasoning")).toBe(numbers(0));
  });

  it("keeps nothing for a listener that left", async () => {
    const queue = new EventQueue();
    queue.push({ type: "text", text: "a" });
    for await (const _ of queue) break;
    queue.push({ type: "text", text: "b" });
    expect(await drain(queue)).toEqual([]);
  });
});

describe("a run", () => {
  const textOf = async (run: LiveRun) => {
    const pieces: string[] = [];
    for await (const event of run.view(Promise.resolve(null as never)).events)
      if (event.type === "text") pieces.push(event.text);
    return pieces;
  };

  it("never passes on half a character", async () => {
    const run = new LiveRun("main");
    const pieces = textOf(run);
    for (const unit of "a👍汉🦀".split("")) run.text(unit);
    run.end();
    expect(await pieces).toEqual(["a", "👍", "汉", "🦀"]);
    expect(run.partial).toBe("a👍汉🦀");
  });

  it("sets what follows a tool call apart", async () => {
    const run = new LiveRun("main");
    const pieces = textOf(run);
    for (const step of ["let me see", "it is 12"]) {
      run.nextStep();
      run.text(step);
    }
    run.end();
    expect((await pieces).join("")).toBe("let me see\n\nit is 12");
    expect(run.partial).toBe("it is 12");
  });

  it("gives who joins late everything", async () => {
    const run = new LiveRun("main");
    run.answeredBy("a/b");
    run.text("one ");
    const events: TurnEvent[] = [];
    const joined = (async () => {
      for await (const event of run.join(Promise.resolve(null as never)).events) events.push(event);
    })();
    run.text("two");
    run.end();
    await joined;
    expect(events).toEqual([
      { type: "start", turn: run.id, model: "a/b" },
      { type: "text", text: "one " },
      { type: "text", text: "two" },
    ]);
  });
});

describe("listeners that left", () => {
  it("cost the turn nothing", async () => {
    const run = new LiveRun("main");
    run.text("said");
    for (let n = 0; n < 30_000; n++) for await (const _ of run.join(Promise.resolve(null as never)).events) break;
    const from = performance.now();
    for (let n = 0; n < 3_000; n++) run.text("x");
    expect(performance.now() - from).toBeLessThan(200);
  });
});

describe("the children of one turn", () => {
  it.each([
    [true, [1, 2, 3]],
    [false, [1, 1, 1]],
  ])("are numbered as long as it runs (%s), and then forgotten", (runs, numbers) => {
    const settings = { defaults: { subagents: { max_depth: 1, max_children: 1 } } } as AgentsSettings;
    const family = new Family(
      () => settings,
      () => runs,
    );
    const child = () => {
      const { number, leave } = family.enter({ id: "t", session: null } as Turn, { background: false });
      leave();
      return number;
    };
    expect([child(), child(), child()]).toEqual(numbers);
  });
});

describe("lanes", () => {
  const never = new AbortController().signal;

  it("let one turn at a time into a session, in order, and others beside it", async () => {
    const lanes = new Lanes(() => ({ queued: 8, parallel: 8 }));
    const order: string[] = [];
    const leave = await lanes.enter("a", never);
    const waiting = ["1", "2", "3"].map(async (name) => {
      const out = await lanes.enter("a", never);
      order.push(name);
      out();
    });
    (await lanes.enter("b", never))();
    (await lanes.enter(null, never))();
    expect(order).toEqual([]);
    expect([lanes.running, lanes.waiting]).toEqual([1, 3]);
    leave();
    await Promise.all(waiting);
    expect(order).toEqual(["1", "2", "3"]);
    expect([lanes.running, lanes.waiting]).toEqual([0, 0]);
  });

  it("refuse with 429 what does not fit into the queue", async () => {
    const lanes = new Lanes(() => ({ queued: 1, parallel: 8 }));
    const leave = await lanes.enter("a", never);
    const second = lanes.enter("a", never);
    await expect(lanes.enter("a", never)).rejects.toMatchObject({
      code: "BUSY",
      status: 429,
      headers: { "retry-after": "1" },
    });
    leave();
    (await second)();
    (await lanes.enter("a", never))();
  });

  it("bound what runs at once over all sessions", async () => {
    const lanes = new Lanes(() => ({ queued: 8, parallel: 2 }));
    const first = await lanes.enter("a", never);
    const second = await lanes.enter("b", never);
    let entered = false;
    const third = lanes.enter("c", never).then((leave) => {
      entered = true;
      return leave;
    });
    await until(() => lanes.waiting === 1);
    expect([entered, lanes.running, lanes.waiting]).toEqual([false, 2, 1]);
    first();
    (await third)();
    second();
    expect(lanes.running).toBe(0);
  });

  it("let nobody overtake who waits when the limit grows", async () => {
    let parallel = 1;
    const lanes = new Lanes(() => ({ queued: 8, parallel }));
    const leave = await lanes.enter("a", never);
    const order: string[] = [];
    const enter = (session: string) => lanes.enter(session, never).then(() => order.push(session));
    const waiting = ["b", "c"].map(enter);
    await until(() => lanes.waiting === 2);
    parallel = 3;
    const late = enter("d");
    await Promise.all(waiting);
    expect([order, lanes.running, lanes.waiting]).toEqual([["b", "c"], 3, 1]);
    leave();
    await late;
  });

  it("let go of who gives up while waiting, in the session or for a free place", async () => {
    const lanes = new Lanes(() => ({ queued: 8, parallel: 1 }));
    const leave = await lanes.enter("a", never);
    const stop = new AbortController();
    const waiting = ["a", "b"].map((session) => lanes.enter(session, stop.signal));
    stop.abort(new Error("enough"));
    for (const each of waiting) await expect(each).rejects.toThrow("enough");
    expect(lanes.waiting).toBe(0);
    leave();
    (await lanes.enter("b", never))();
    expect(lanes.running).toBe(0);
  });
});
