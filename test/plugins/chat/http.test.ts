import { definePlugin, events, GatewayError } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { chatHost, HeldAnswer, modelId, says } from "./kit.ts";

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
  expect(changes.map(({ payload }) => payload)).toEqual([{ session: "main", turn: expect.any(String) }]);
  expect(JSON.parse(seen[0] ?? "")).toMatchObject({
    session: "main",
    agent: "main",
    model: modelId,
    stop: "stop",
    usage: { inputTokens: 10 },
  });
  expect(seen.join()).not.toContain("private words");
});
