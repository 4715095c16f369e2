/** A request that is repeated with its key: one outcome, whatever happened to the first one. */
import { GatewayError, type Message, store } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, reply, says, toolCall } from "./kit.ts";

const roles = (messages: readonly Message[] | undefined) => messages?.map(({ role }) => role);

describe("idempotency", () => {
  const key = (value: string) => ({ "idempotency-key": value });

  it("gives a retry the first outcome, also after a restart", async () => {
    const { say, history, model, host } = await chatHost();
    const first = (await say("pay", {}, key("k1"))).json();
    model.answer = () => says("another answer");
    expect((await say("pay", {}, key("k1"))).json()).toEqual(first);
    expect(await host.plugins.reload("chat")).toMatchObject({ failed: [] });
    expect((await say("pay", {}, key("k1"))).json()).toEqual(first);
    expect(await history()).toEqual(["user: pay", "assistant: you said: pay"]);
    expect((await say("pay", { idempotencyKey: "k2" })).json()).toMatchObject({ reply: "another answer" });
  });

  it("refuses the same key with another message, in this session only", async () => {
    const { say } = await chatHost();
    await say("pay 1", {}, key("k"));
    const other = await say("pay 2", {}, key("k"));
    expect([other.status, other.text]).toEqual([409, expect.stringContaining("another message")]);
    expect((await say("pay 2", { session: "b" }, key("k"))).status).toBe(200);
  });

  it("joins the run while it runs", async () => {
    const { say, history, model } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const both = [say("pay", {}, key("k")), say("pay", {}, key("k"))];
    await until(() => held.asked);
    const different = await say("pay more", {}, key("k"));
    expect(different.status).toBe(409);
    held.say("paid");
    held.end();
    const [first, second] = await Promise.all(both);
    expect(second?.json()).toEqual(first?.json());
    expect(model.requests).toHaveLength(1);
    expect(await history()).toEqual(["user: pay", "assistant: paid"]);
  });

  it("repeats a failure too", async () => {
    const { say, history, model } = await chatHost();
    model.answer = () => {
      throw new GatewayError("UPSTREAM_5XX", 503, "down");
    };
    const first = await say("pay", {}, key("k"));
    model.answer = () => says("up again");
    const second = await say("pay", {}, key("k"));
    expect([second.status, second.text]).toEqual([first.status, first.text]);
    expect(second.text).toBe("LLM call failed: down\n");
    expect(await history()).toEqual(["user: pay"]);
  });

  it.each(["", " ".repeat(201), "ключ"])("refuses the key %j", async (value) => {
    const { run } = await chatHost();
    const done = run({ idempotencyKey: value }).done;
    await expect(done).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY", status: 400 });
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

describe("a repeated request", () => {
  it("goes on after the rounds of tools that the process had survived, with one user message", async () => {
    const stateDir = tempDir("chat");
    const first = await chatHost({ stateDir });
    const replies = [callsTools([toolCall("1", "look")]), says("seen")];
    first.model.answer = () => replies.shift() as ReturnType<typeof says>;
    await first.run({ text: "look", idempotencyKey: "k" }).done;
    // What a kill -9 after the first round of tools leaves behind.
    const database = first.host.service(store);
    await database.run("DELETE FROM chat_messages WHERE seq = 4");
    await database.run("UPDATE chat_requests SET outcome = NULL");
    await first.host.stop();
    const { run, model, history } = await chatHost({ stateDir });
    model.answer = async function* (request) {
      expect(roles(request.messages)).toEqual(["system", "user", "assistant", "tool"]);
      yield { type: "done", reply: reply("seen") };
    };
    expect(await run({ text: "look", idempotencyKey: "k" }).done).toMatchObject({ text: "seen" });
    expect((await history()).map((line) => line.split(":")[0])).toEqual(["user", "assistant", "tool", "assistant"]);
  });

  it("is run again when the gateway's stop had cut it; what it had said stays, and is not shown to the model", async () => {
    const stateDir = tempDir("chat");
    const first = await chatHost({ stateDir, config: { plugins: { drainMs: 20 } } });
    const held = new HeldAnswer();
    first.model.answer = held.answer;
    const turn = first.run({ text: "tell", idempotencyKey: "k" });
    held.say("half a");
    for await (const event of turn.events) if (event.type === "text") break;
    await first.host.stop();
    expect(await turn.done).toMatchObject({ stop: "aborted", text: "half a" });
    const { run, model, history } = await chatHost({ stateDir });
    model.answer = async function* (request) {
      expect(roles(request.messages)).toEqual(["system", "user"]);
      yield { type: "done", reply: reply("all of it") };
    };
    for (let again = 0; again < 2; again++) {
      expect(await run({ text: "tell", idempotencyKey: "k" }).done).toMatchObject({ text: "all of it", stop: "stop" });
    }
    expect(model.requests).toHaveLength(1);
    expect(await history()).toEqual(["user: tell", "assistant: half a (partial)", "assistant: all of it"]);
  });

  it("is run again when its client had left, even while the first one still ends", async () => {
    const { run, model, history } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const client = new AbortController();
    const first = run({ text: "tell", idempotencyKey: "k", signal: client.signal });
    await until(() => held.asked);
    model.answer = () => says("told");
    client.abort();
    expect(await run({ text: "tell", idempotencyKey: "k" }).done).toMatchObject({ text: "told", stop: "stop" });
    expect(await first.done).toMatchObject({ stop: "aborted" });
    expect(await history()).toEqual(["user: tell", "assistant: told"]);
  });

  it("stays aborted when somebody had aborted it on purpose", async () => {
    const { run, model, abort } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const first = run({ text: "tell", idempotencyKey: "k" });
    await until(() => held.asked);
    expect(abort("main")).toBe(1);
    expect(await first.done).toMatchObject({ stop: "aborted" });
    expect(await run({ text: "tell", idempotencyKey: "k" }).done).toMatchObject({ stop: "aborted" });
    expect(model.requests).toHaveLength(1);
  });

  it("waits for the instance that still runs it, when the plugin is reloaded, and gets its outcome", async () => {
    const { host, say, model, history } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const first = say("pay", {}, { "idempotency-key": "k" });
    await until(() => held.asked);
    const { generation } = host.gateway.status();
    const reloaded = host.plugins.reload("chat");
    await until(() => host.gateway.status().generation > generation);
    const again = say("pay", {}, { "idempotency-key": "k" });
    held.say("paid");
    held.end();
    expect((await first).json()).toMatchObject({ reply: "paid", stop: "stop" });
    expect((await again).json()).toMatchObject({ reply: "paid", stop: "stop" });
    await reloaded;
    expect(model.requests).toHaveLength(1);
    expect(await history()).toEqual(["user: pay", "assistant: paid"]);
  });
});
