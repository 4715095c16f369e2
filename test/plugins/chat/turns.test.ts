import { agent, definePlugin, GatewayError, type Message, store, type TurnEvent } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, lastText, modelId, reply, says, toolCall } from "./kit.ts";

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
      await until(() => open.length > 1 || open.every((other) => other[0] === "a"), 200).catch(() => undefined);
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
      { type: "start", turn: turn.id, model: modelId },
      { type: "tool", id: "1", name: "look", state: "run" },
      { type: "tool", id: "1", name: "look", state: "ok" },
      { type: "tool", id: "2", name: "nothing", state: "run" },
      { type: "tool", id: "2", name: "nothing", state: "failed" },
      { type: "text", text: "done" },
    ]);
    expect(await turn.done).toEqual({
      turn: turn.id,
      text: "done",
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
    expect(await history()).toEqual(["user: x", "user: y", "assistant: ", "tool: aborted: the turn was stopped"]);
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

describe("the request to the model", () => {
  it("carries the agent's and the caller's choices", async () => {
    const { run, model } = await chatHost({
      config: {
        agents: { defaults: { max_tokens: 100, temperature: 0.2, model: { primary: "a/main", fallbacks: ["b/x"] } } },
      },
    });
    await run({ session: null }).done;
    expect(model.requests[0]).toMatchObject({ model: "a/main", fallbacks: ["b/x"], maxTokens: 100, temperature: 0.2 });
    await run({ session: null, model: "c/other", options: { maxTokens: 5, toolChoice: "none", extra: { seed: 1 } } })
      .done;
    expect(model.requests[1]).toMatchObject({
      model: "c/other",
      fallbacks: [],
      maxTokens: 5,
      toolChoice: "none",
      extra: { seed: 1 },
    });
  });

  it("holds so much of the history, cut where a model accepts it", async () => {
    const { run, model, sessions } = await chatHost({ config: { agents: { defaults: { context_messages: 3 } } } });
    await sessions.append("main", [
      { role: "user", content: "old" },
      { role: "assistant", content: "", toolCalls: [toolCall("1", "look")] },
      { role: "tool", content: "r", toolCallId: "1" },
      { role: "assistant", content: "seen" },
      { role: "user", content: "more" },
    ]);
    await run({ text: "now" }).done;
    expect(model.requests[0]?.messages.slice(1).map(({ content }) => content)).toEqual(["seen", "more", "now"]);
  });

  it("belongs to the agent that is asked for, or that a plugin picks", async () => {
    const picker = definePlugin({
      id: "picker",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => ctx.on("agent:pick", ({ text }) => (text.startsWith("@poet") ? "poet" : undefined)),
    });
    const entries = {
      poet: { model: "p/poet", system_prompt: "Rhyme.", about: "Writes poems" },
      main: { system_prompt: "Main." },
    };
    const { run, model, host } = await chatHost({ plugins: [picker], config: { agents: { entries } } });
    const asked = () => [model.requests.at(-1)?.model, model.requests.at(-1)?.messages[0]?.content];
    await run({ session: null }).done;
    expect(asked()).toEqual([modelId, "Main."]);
    await run({ session: null, agent: "poet" }).done;
    expect(asked()).toEqual(["p/poet", "Rhyme."]);
    await run({ session: null, text: "@poet hi" }).done;
    expect(asked()).toEqual(["p/poet", "Rhyme."]);
    await expect(run({ session: null, agent: "nobody" }).done).rejects.toMatchObject({
      code: "AGENT_UNKNOWN",
      status: 404,
    });
    await expect(run({ session: null, agent: "constructor" }).done).rejects.toMatchObject({ code: "AGENT_UNKNOWN" });
    const agents = host.service(agent).agents();
    expect(agents).toEqual([
      { id: "main", about: "The main agent", model: modelId },
      { id: "poet", about: "Writes poems", model: "p/poet" },
    ]);
  });

  it("passes through the hooks, and so does the reply", async () => {
    const seen: string[] = [];
    const hooks = definePlugin({
      id: "hooks",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => {
        ctx.on("message:in", (message) => ({ ...message, text: `${message.text}!` }));
        ctx.on("model:request", (request) => ({ ...request, temperature: 1 }));
        ctx.on("model:chunk", (text) => void seen.push(text));
        ctx.on("model:reply", (answer) => ({ ...answer, text: `[${answer.text}]` }));
        ctx.on("message:out", (message) => {
          if (message.text.includes("secret")) throw new GatewayError("MODERATED", 403, "not that");
          return { ...message, text: `<${message.text}>` };
        });
      },
    });
    const { run, model, history } = await chatHost({ plugins: [hooks] });
    model.answer = (request) => says("a", lastText(request));
    expect(await run({ text: "b" }).done).toMatchObject({ text: "<[ab!]>" });
    expect(model.requests[0]).toMatchObject({ temperature: 1 });
    expect(seen).toEqual(["a", "b!"]);
    await expect(run({ text: "secret" }).done).rejects.toMatchObject({ code: "MODERATED", status: 403 });
    expect(await history()).toEqual(["user: b!", "assistant: <[ab!]>", "user: secret!"]);
  });

  it("follows the config without a restart", async () => {
    const { run, model, host } = await chatHost();
    const edits = [{ path: "agents.defaults.system_prompt", value: "New." }];
    expect(await host.config.write(edits, { who: "test" })).toMatchObject({
      applied: ["agents.defaults.system_prompt"],
      restarted: [],
    });
    await run({ session: null }).done;
    expect(model.requests[0]?.messages[0]).toEqual({ role: "system", content: "New." });
  });
});

it("a request that the process did not survive is run again, without a second user message", async () => {
  const stateDir = tempDir("chat");
  const first = await chatHost({ stateDir });
  const database = first.host.service(store);
  await first.run({ text: "pay", idempotencyKey: "k" }).done;
  // What a kill -9 right after the user's message leaves behind.
  await database.run("DELETE FROM chat_messages WHERE seq = 2");
  await database.run("UPDATE chat_requests SET outcome = NULL");
  await first.host.stop();
  const { run, model, history } = await chatHost({ stateDir });
  model.answer = async function* (request) {
    expect(roles(request.messages)).toEqual(["system", "user"]);
    yield { type: "done", reply: reply("paid") };
  };
  expect(await run({ text: "pay", idempotencyKey: "k" }).done).toMatchObject({ text: "paid" });
  expect(await history()).toEqual(["user: pay", "assistant: paid"]);
});
