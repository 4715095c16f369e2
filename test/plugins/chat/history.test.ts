/** The history and the list of sessions, as ClawGo's clients read them. */
import { describe, expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, modelId, reply, says, toolCall } from "./kit.ts";

describe("GET /api/chat/history", () => {
  it("shows ClawGo's keys, with seq, at and state", async () => {
    const { host, model } = await chatHost();
    const replies = [callsTools([toolCall("c1", "look", { n: 1 })], "let me see"), says("seen")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await host.request("/api/chat", { body: { session: "alpha", message: "look" } });
    const answer = await host.request("/api/chat/history?session=alpha&after=1&limit=3");
    const usage = { inputTokens: 10, outputTokens: 5 };
    const common = { at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), state: "complete" };
    expect(answer.json()).toEqual({
      ok: true,
      session: "alpha",
      epoch: expect.any(String),
      messages: [
        {
          role: "assistant",
          content: "let me see",
          tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"n":1}' } }],
          seq: 2,
          model: modelId,
          usage,
          ...common,
        },
        { role: "tool", content: "look 1 done", tool_call_id: "c1", seq: 3, ...common },
        { role: "assistant", content: "seen", seq: 4, model: modelId, usage, ...common },
      ],
    });
  });

  it("says which calls of tools failed, and what the model thought", async () => {
    const { host, model, say } = await chatHost();
    const thinks = async function* () {
      yield { type: "start", provider: "fake", model: modelId } as const;
      yield { type: "done", reply: { ...reply("seen"), reasoning: "it is not there" } } as const;
    };
    const replies = [callsTools([toolCall("c1", "look"), toolCall("c2", "nothing")]), thinks()];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await say("look");
    const { messages } = (await host.request("/api/chat/history")).json() as { messages: object[] };
    expect(messages.slice(2)).toMatchObject([
      { tool_call_id: "c1", state: "complete" },
      { tool_call_id: "c2", state: "failed" },
      { content: "seen", reasoning: "it is not there" },
    ]);
    expect(model.requests[1]?.messages.filter((message) => "state" in message)).toEqual([]);
  });

  it.each([
    ["", [1, 2, 3, 4, 5, 6]],
    ["?limit=2", [5, 6]],
    ["?limit=0", [1, 2, 3, 4, 5, 6]],
    ["?limit=x&after=-1", [1, 2, 3, 4, 5, 6]],
    ["?after=2&limit=2", [3, 4]],
    ["?before=3", [1, 2]],
    ["?around=3&limit=2", [3, 4]],
    ["?before=99999999999999999999", [1, 2, 3, 4, 5, 6]],
    ["?session=nobody", []],
  ])("%s is %j", async (query, seqs) => {
    const { host, sessions } = await chatHost();
    await sessions.append(
      "main",
      Array.from({ length: 6 }, (_, n) => ({ role: "user" as const, content: `${n}` })),
    );
    const answer = (await host.request(`/api/chat/history${query}`)).json() as { messages: { seq: number }[] };
    expect(answer.messages.map(({ seq }) => seq)).toEqual(seqs);
  });

  it("survives a restart of the gateway", async () => {
    const stateDir = tempDir("chat");
    const first = await chatHost({ stateDir });
    await first.say("remember 🦀");
    await first.host.stop();
    const second = await chatHost({ stateDir });
    expect(await second.history()).toEqual(["user: remember 🦀", "assistant: you said: remember 🦀"]);
  });
});

describe("/api/sessions", () => {
  it("always has one to begin with", async () => {
    const { host } = await chatHost();
    expect((await host.request("/api/sessions")).json()).toEqual({
      ok: true,
      sessions: [{ key: "main", channel: "main" }],
    });
  });

  it("hides internal ones unless asked", async () => {
    const { host, sessions } = await chatHost();
    for (const key of ["review-api", "weixin:bot:x", "cron:1", "hook:1", "internal:1", "heartbeat:1", "subagent:1"]) {
      await sessions.append(key, [{ role: "user", content: "x" }]);
    }
    const rows = async (query: string) =>
      ((await host.request(`/api/sessions${query}`)).json() as { sessions: { key: string }[] }).sessions;
    const shown = await rows("");
    expect(shown.map(({ key }) => key).sort()).toEqual(["review-api", "weixin:bot:x"]);
    expect(shown).toContainEqual({
      key: "weixin:bot:x",
      channel: "weixin",
      kind: "main",
      messages: 1,
      updated_at: expect.any(Number),
    });
    expect(await rows("?include_internal=1")).toHaveLength(7);
    expect(await rows("?include_internal=yes")).toHaveLength(2);
  });

  it("are deleted with what runs in them", async () => {
    const { host, model, say, sessions } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const running = say("one", { session: "a" });
    await until(() => held.asked);
    held.say("half");
    const removed = await host.request("/api/sessions?key=a", { method: "DELETE" });
    expect(removed.json()).toEqual({ ok: true, key: "a", deleted: true });
    expect((await running).json()).toMatchObject({ ok: true, stop: "aborted" });
    expect(held.aborted).toBe(true);
    expect(await sessions.list()).toEqual([]);
    expect((await host.request("/api/sessions?key=a", { method: "DELETE" })).json()).toMatchObject({ deleted: false });
    expect((await host.request("/api/sessions", { method: "DELETE" })).status).toBe(400);
  });
});
