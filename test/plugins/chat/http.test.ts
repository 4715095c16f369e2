import { definePlugin, events, GatewayError } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, modelId, says, toolCall } from "./kit.ts";

describe("POST /api/chat", () => {
  it("answers with the whole reply and stores both messages", async () => {
    const { say, history, model } = await chatHost();
    const answer = await say("hello");
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      ok: true,
      reply: "you said: hello",
      session: "main",
      turn: expect.any(String),
      model: modelId,
      stop: "stop",
    });
    expect(await history()).toEqual(["user: hello", "assistant: you said: hello"]);
    expect(model.requests[0]).toMatchObject({ model: modelId, fallbacks: ["fake/second"] });
    expect(model.requests[0]?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
  });

  it("gives the model what was said before, and other sessions nothing of it", async () => {
    const { say, model } = await chatHost();
    await say("one", { session: "a" });
    await say("two", { session: "a" });
    await say("three", { session: "b" });
    const asked = model.requests.map(({ messages }) => messages.slice(1).map(({ content }) => content));
    expect(asked).toEqual([["one"], ["one", "you said: one", "two"], ["three"]]);
  });

  it.each([
    [{ message: "x" }, "", "main", "x"],
    [{ message: "x", session: "body" }, "?session=query", "body", "x"],
    [{ message: "x", session: "" }, "?session=query", "query", "x"],
    [{ Message: "x", SESSION: "case" }, "", "case", "x"],
    [{ message: "x", session: null, media: null }, "", "main", "x"],
    [{ message: "x", media: "up/a.txt", unknown: 1 }, "", "main", "x\n[file: up/a.txt]"],
    [{ media: "up/a.txt" }, "", "main", "[file: up/a.txt]"],
    [{ message: "汉字 👍", session: "微信:群" }, "", "微信:群", "汉字 👍"],
  ])("understands %j%s", async (body, query, session, text) => {
    const { host, model } = await chatHost();
    const answer = await host.request(`/api/chat${query}`, { body });
    expect(answer.json()).toMatchObject({ ok: true, session, reply: `you said: ${text}` });
    expect(model.requests[0]?.messages.at(-1)).toEqual({ role: "user", content: text });
  });

  it.each([{}, { message: "" }, { message: " \n" }, { session: "s" }])(
    "asks no model when nothing is said: %j",
    async (body) => {
      const { host, model, sessions } = await chatHost();
      const answer = await host.request("/api/chat", { body });
      expect([answer.status, answer.json()]).toEqual([200, { ok: true, reply: "", session: body.session ?? "main" }]);
      expect(model.requests).toEqual([]);
      expect(await sessions.list()).toEqual([]);
    },
  );

  it.each([
    ["{", "invalid json"],
    ["", "invalid json"],
    ["[]", "invalid json"],
    ['"text"', "invalid json"],
    ['{"message": 1}', "invalid json"],
    ['{"session": {}}', "invalid json"],
  ])("refuses %j with 400 %s", async (body, text) => {
    const { host } = await chatHost();
    const answer = await host.request("/api/chat", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    expect([answer.status, answer.text]).toEqual([400, `${text}\n`]);
  });

  it.each([["a".repeat(201)], ["a\nb"], ["\u0000"]])("refuses the session key %j", async (session) => {
    const { say } = await chatHost();
    const answer = await say("x", { session });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/^session must have/);
  });

  it("says that the model failed, keeps the user's message, and goes on", async () => {
    const { say, history, model } = await chatHost();
    model.answer = async function* () {
      yield* [];
      throw new GatewayError("UPSTREAM_AUTH", 401, "fake: the key was refused", {
        attempts: [{ model: "fake/model" }],
      });
    };
    const answer = await say("one");
    expect([answer.status, answer.text]).toEqual([500, "LLM call failed: fake: the key was refused\n"]);
    const detailed = await say("two", {}, { accept: "application/json" });
    expect(detailed.json()).toMatchObject({ ok: false, code: "UPSTREAM_AUTH", attempts: [{ model: "fake/model" }] });
    expect(await history()).toEqual(["user: one", "user: two"]);
    model.answer = () => says("fine");
    expect((await say("three")).json()).toMatchObject({ reply: "fine" });
  });

  it("keeps what a broken stream had said, marked", async () => {
    const { say, history, model } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    held.say("half a sen");
    held.fail(new GatewayError("UPSTREAM_BROKEN", 502, "the upstream went away"));
    expect((await say("one")).status).toBe(500);
    expect(await history()).toEqual(["user: one", "assistant: half a sen (partial)"]);
  });

  it("hides the inner text of a fault, and logs it", async () => {
    const { say, model, host } = await chatHost();
    model.answer = () => {
      throw new TypeError("secret inner text");
    };
    const answer = await say("one");
    expect([answer.status, answer.text]).toEqual([500, "the turn failed; the log has the reason\n"]);
    expect(JSON.stringify(host.logs())).toContain("secret inner text");
  });

  it("goes on when its client leaves", async () => {
    const { host, history, model } = await chatHost({ port: 0 });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const leave = new AbortController();
    const gone = fetch(`${host.url}/api/chat`, {
      method: "POST",
      body: '{"message":"one"}',
      headers: { authorization: `Bearer ${host.token}` },
      signal: leave.signal,
    });
    await until(() => held.asked);
    leave.abort();
    await expect(gone).rejects.toThrow();
    held.say("still here");
    held.end();
    await until(async () => (await history()).length === 2);
    expect(await history()).toEqual(["user: one", "assistant: still here"]);
  });

  it("needs write access", async () => {
    const { host } = await chatHost();
    expect((await host.request("/api/chat", { body: { message: "x" }, token: null })).status).toBe(401);
    expect((await host.request("/api/chat", { method: "PUT", body: {} })).status).toBe(405);
  });
});

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

  it.each(["", " ".repeat(201), "ключ"])("refuses the key %j or takes it as absent when empty", async (value) => {
    const { run } = await chatHost();
    const done = run({ idempotencyKey: value }).done;
    await expect(done).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY", status: 400 });
  });
});

describe("GET /api/chat/history", () => {
  it("shows ClawGo's keys, with seq, at and state", async () => {
    const { host, model } = await chatHost();
    const replies = [callsTools([toolCall("c1", "look", { n: 1 })], "let me see"), says("seen")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await host.request("/api/chat", { body: { session: "alpha", message: "look" } });
    const answer = await host.request("/api/chat/history?session=alpha&after=1&limit=3");
    const common = { at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), state: "complete" };
    expect(answer.json()).toEqual({
      ok: true,
      session: "alpha",
      messages: [
        {
          role: "assistant",
          content: "let me see",
          tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"n":1}' } }],
          seq: 2,
          model: modelId,
          ...common,
        },
        { role: "tool", content: "look 1 done", tool_call_id: "c1", seq: 3, ...common },
        { role: "assistant", content: "seen", seq: 4, model: modelId, ...common },
      ],
    });
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

describe("RPC", () => {
  const call = (host: Awaited<ReturnType<typeof chatHost>>["host"], method: string, params: unknown) =>
    host.gateway.call(method, params, {
      identity: { id: "t", name: "t", kind: "token", scopes: ["admin"] },
      id: "1",
      signal: new AbortController().signal,
    });

  it("sends, lists, shows and removes", async () => {
    const { host } = await chatHost();
    expect(await call(host, "chat.send", { message: "hi" })).toMatchObject({
      reply: "you said: hi",
      session: "main",
      usage: { inputTokens: 10, outputTokens: 5 },
    });
    expect(await call(host, "chat.history", { limit: 1 })).toMatchObject({ session: "main", messages: [{ seq: 2 }] });
    expect(await call(host, "sessions.list", {})).toMatchObject({ sessions: [{ key: "main", messages: 2 }] });
    expect(await call(host, "agents.list", {})).toEqual({
      agents: [{ id: "main", about: "The main agent", model: modelId }],
    });
    expect(await call(host, "chat.abort", { session: "main" })).toEqual({ session: "main", aborted: 0 });
    expect(await call(host, "sessions.remove", { key: "main" })).toEqual({ key: "main", deleted: true });
  });
});

it("says in the events which session changed, and nothing of what was said", async () => {
  const seen: string[] = [];
  const watcher = definePlugin({
    id: "watcher",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => ctx.on("turn:done", async (turn) => void seen.push(JSON.stringify(turn))),
  });
  const { host, say } = await chatHost({ plugins: [watcher] });
  const socketless = host.service(events);
  await say("private words");
  await until(() => seen.length === 1);
  const changes = socketless.since(0).events.filter(({ type }) => type === "session_changed");
  expect(changes.map(({ payload }) => payload)).toEqual([{ session: "main" }]);
  expect(JSON.parse(seen[0] ?? "")).toMatchObject({
    session: "main",
    agent: "main",
    model: modelId,
    stop: "stop",
    usage: { inputTokens: 10 },
  });
  expect(seen.join()).not.toContain("private words");
});
