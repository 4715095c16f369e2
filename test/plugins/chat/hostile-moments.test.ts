/** Aborts, removals and floods at every moment of a turn: it ends once, and nothing is left of it that should not be. */
import { GatewayError, type ModelEvent, store } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, isSummary, loops, modelId, says, toolCall } from "./kit.ts";

describe("a removal during a turn", () => {
  it.each(["the model speaks", "a tool runs", "others wait"])(
    "when %s: all of it ends, the key begins anew at 1",
    async (when) => {
      const { run, model, tools, sessions } = await chatHost();
      const held = new HeldAnswer();
      model.answer = when === "a tool runs" ? () => callsTools([toolCall("1", "never")]) : held.answer;
      const turns = [run({ text: "one" })];
      await until(() => model.requests.length === 1, 20_000);
      if (when === "others wait") turns.push(...Array.from({ length: 20 }, (_, n) => run({ text: `w${n}` })));
      held.say("half");
      await until(async () => (await sessions.history("main")).length >= 1, 20_000);
      expect(await sessions.remove("main")).toBe(true);
      const ends = await Promise.all(turns.map(({ done }) => done));
      expect(ends.map(({ stop }) => stop)).toEqual(turns.map(() => "aborted"));
      expect(await sessions.list()).toEqual([]);
      expect(tools.log).toEqual([]);
      model.answer = () => says("new");
      await run({ text: "again" }).done;
      expect((await sessions.history("main")).map(({ seq, content }) => `${seq} ${content}`)).toEqual([
        "1 again",
        "2 new",
      ]);
    },
  );

  it("while a message is stored that another turn is to hear: nothing of it is left", async () => {
    const { run, model, sessions, host } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const turns = [run({ text: "one" })];
    await until(() => held.asked);
    let letGo = () => {};
    const disk = host.service(store).transaction(() => new Promise<void>((resolve) => (letGo = resolve)));
    turns.push(run({ text: "two", idempotencyKey: "k", whenBusy: "steer" }));
    await loops(20);
    const removed = sessions.remove("main");
    await loops(20);
    letGo();
    await Promise.all([disk, removed]);
    const ends = await Promise.all(turns.map(({ done }) => done));
    expect(ends.map(({ stop }) => stop)).toEqual(["aborted", "aborted"]);
    expect(await sessions.list()).toEqual([]);
  });
});

describe("a thousand messages to one busy session", () => {
  it("wait in order as far as the queue goes, the others are refused at once; an abort ends all of them", {
    timeout: 120_000,
  }, async () => {
    const config = { agents: { defaults: { max_queued_turns: 600 } } };
    const { run, say, model, abort, sessions, host } = await chatHost({ config });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const first = run({ text: "first" });
    await until(() => held.asked, 20_000);
    const turns = Array.from({ length: 1_000 }, (_, n) => run({ text: `m${n}` }));
    const refused = await Promise.allSettled(turns.slice(600).map(({ done }) => done));
    expect(new Set(refused.map((end) => (end.status === "rejected" ? end.reason.code : "ran")))).toEqual(
      new Set(["BUSY"]),
    );
    const late = await say("late");
    expect([late.status, late.headers["retry-after"]]).toEqual([429, "1"]);
    model.answer = () => says("ok");
    held.end();
    await first.done;
    await Promise.all(turns.slice(0, 300).map(({ done }) => done));
    abort("main");
    const stops = await Promise.all(turns.slice(300, 600).map(({ done }) => done));
    expect(stops.at(-1)).toMatchObject({ stop: "aborted" });
    const stored = await sessions.history("main", { limit: 2_000 });
    const said = stored.filter(({ role }) => role === "user").map(({ content }) => content);
    expect(said.length).toBeGreaterThan(300);
    expect(said).toEqual(["first", ...said.slice(1).map((_, n) => `m${n}`)]);
    expect(JSON.stringify(await host.gateway.health())).toContain('"running":0,"waiting":0');
    expect((await say("after")).status).toBe(200);
  });
});

describe("an abort", () => {
  const summing = { trigger_messages: 100, keep_recent_messages: 2, protect_last_n: 2 };
  const small = [{ id: modelId, provider: "fake", model: "model", source: "config", contextWindow: 4_000 }] as const;

  it("while the window is made free ends the turn, and the next one makes it free", async () => {
    const { run, model, sessions, history } = await chatHost({
      config: { agents: { defaults: { context_compaction: summing } } },
    });
    model.known = small;
    const held = new HeldAnswer();
    model.answer = (request, signal) => (isSummary(request) ? held.answer(request, signal) : says("ok"));
    const long = { role: "user", content: "word ".repeat(900) } as const;
    await sessions.append("main", [long, long, long, long]);
    const turn = run({ text: "now" });
    await until(() => held.asked, 20_000);
    turn.abort("enough");
    expect(await turn.done).toMatchObject({ stop: "aborted", text: "" });
    expect((await history()).at(-1)).toBe("user: now");
    model.answer = (request) => says(isSummary(request) ? "in short" : "fine");
    expect(await run({ text: "again" }).done).toMatchObject({ stop: "stop", text: "fine" });
  });

  it("while another summary of the session is waited for ends the turn at once", async () => {
    const rules = { ...summing, trigger_messages: 3 };
    const { run, model, sessions } = await chatHost({
      config: { agents: { defaults: { context_compaction: rules } } },
    });
    const held = new HeldAnswer();
    model.answer = (request, signal) => (isSummary(request) ? held.answer(request, signal) : says("ok"));
    model.known = small;
    const words = (count: number) => ({ role: "user", content: "word ".repeat(count) }) as const;
    await sessions.append("main", [words(1), words(1), words(1)]);
    await run({ text: "begins one in the background" }).done;
    await until(() => held.asked, 20_000);
    await sessions.append("main", [words(900), words(900), words(900), words(900)]);
    const turn = run({ text: "waits for it" });
    await until(async () => (await sessions.history("main")).length === 10, 20_000);
    turn.abort("enough");
    expect(await turn.done).toMatchObject({ stop: "aborted" });
    expect(held.aborted).toBe(false);
    held.say("in short");
    held.end();
  });

  it("between two calls of the model keeps the round of tools, and the next turn sees it", async () => {
    const { run, model, history } = await chatHost();
    const held = new HeldAnswer();
    let calls = 0;
    model.answer = (request, signal) => {
      calls += 1;
      if (calls === 1) return callsTools([toolCall("1", "write", { n: 1 })], "I write.");
      return calls === 2 ? held.answer(request, signal) : says("seen");
    };
    const turn = run({});
    await until(() => held.asked, 20_000);
    turn.abort("enough");
    await turn.done;
    expect(await history()).toEqual(["user: hi", "assistant: I write.", "tool: write 1 done"]);
    await run({ text: "and?" }).done;
    expect(model.requests.at(-1)?.messages.map(({ role }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "tool",
      "user",
    ]);
  });

  it("in the moment of the answer is either too late or in time, never both", async () => {
    const { run, model, sessions } = await chatHost();
    for (let round = 0; round < 60; round++) {
      const session = `r${round}`;
      model.answer = async function* (): AsyncIterable<ModelEvent> {
        yield* says("whole");
      };
      const turn = run({ session });
      await loops(round % 30);
      turn.abort("now");
      const { stop } = await turn.done;
      const stored = await sessions.history(session);
      const replies = stored.filter(({ role }) => role === "assistant");
      expect(replies.length).toBeLessThanOrEqual(1);
      if (stop === "stop") expect(replies).toMatchObject([{ content: "whole", state: "complete" }]);
      else expect(replies.every(({ state }) => state === "partial")).toBe(true);
    }
  });

  it("of everything at once leaves nothing behind", async () => {
    const { run, model, abort, host } = await chatHost();
    model.answer = (_, signal) =>
      (async function* (): AsyncIterable<ModelEvent> {
        yield* callsTools([toolCall("1", "never")]);
        signal.throwIfAborted();
        throw new GatewayError("UPSTREAM_FAULT", 502, "x");
      })();
    const names = Array.from({ length: 40 }, (_, n) => `s${n}`);
    const turns = names.flatMap((session) => [run({ session }), run({ session, text: "two" })]);
    await until(() => model.requests.length >= 40, 20_000);
    for (const name of names) abort(name);
    expect((await Promise.all(turns.map(({ done }) => done))).every(({ stop }) => stop === "aborted")).toBe(true);
    expect(JSON.stringify(await host.gateway.health())).toContain('"running":0,"waiting":0');
  });
});
