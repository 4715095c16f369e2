/** A session taken back to one of its messages, and branches of it: nothing of what is gone comes back anywhere. */
import { definePlugin, events, GatewayError, store } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { ready, startGateway } from "../../kit/gateway.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { type ChatHost, callsTools, chatHost, HeldAnswer, identity, lastText, loops, says, toolCall } from "./kit.ts";
import { openSessions } from "./session-service.ts";
import { isChild, spawner } from "./spawner.ts";

/** What it returns, or the code of what it throws. */
async function rpc({ host }: ChatHost, method: string, params: object): Promise<Record<string, unknown>> {
  const { signal } = new AbortController();
  const answer = host.gateway.call(method, params, { identity, id: "1", signal });
  return answer.catch((error: unknown) => ({ code: GatewayError.is(error) ? error.code : String(error) })) as never;
}

async function changes({ host }: ChatHost) {
  const { events: all } = host.service(events).since(0);
  return all.filter(({ type }) => type === "session_changed").map(({ payload }) => payload);
}

async function found({ host }: ChatHost, words: string): Promise<unknown[]> {
  const answer = await host.request(`/api/sessions/search?query=${words}`);
  return ((answer.json() as { results?: { snippets: unknown[] }[] }).results ?? []).flatMap(({ snippets }) => snippets);
}

const epochOf = async (chat: ChatHost) => (await rpc(chat, "chat.history", {})).epoch;

describe("a rewind", () => {
  it("removes the messages from a number on; the next one gets this number, and the model hears of none of them", async () => {
    const chat = await chatHost();
    for (const text of ["one", "two", "three"]) await chat.say(text);
    const before = await epochOf(chat);
    const done = await rpc(chat, "sessions.rewind", { session: "main", seq: 3 });
    expect(done).toEqual({ session: "main", seq: 3, removed: 4, epoch: expect.any(String) });
    expect(done.epoch).not.toBe(before);
    const stale = { session: "main", seq: 1, epoch: before };
    expect(await rpc(chat, "sessions.rewind", stale)).toEqual({ code: "SESSION_CHANGED" });
    expect(await epochOf(chat)).toBe(done.epoch);
    expect((await changes(chat)).at(-1)).toEqual({ session: "main", rewound: 3, epoch: done.epoch });
    await chat.say("edited");
    expect(await chat.history()).toEqual([
      "user: one",
      "assistant: you said: one",
      "user: edited",
      "assistant: you said: edited",
    ]);
    expect(
      chat.model.requests
        .at(-1)
        ?.messages.slice(1)
        .map(({ content }) => content),
    ).toEqual(["one", "you said: one", "edited"]);
    expect(await epochOf(chat)).toBe(done.epoch);
  });

  it("over HTTP may empty a session, which stays", async () => {
    const chat = await chatHost();
    await chat.say("one");
    const answer = await chat.host.request("/api/sessions", { body: { action: "rewind", key: "main", seq: 1 } });
    expect(answer.json()).toEqual({ ok: true, key: "main", seq: 1, removed: 2, epoch: expect.any(String) });
    expect((await chat.host.request("/api/sessions")).json()).toMatchObject({
      sessions: [{ key: "main", messages: 0 }],
    });
    await chat.say("again");
    expect(await chat.history()).toEqual(["user: again", "assistant: you said: again"]);
  });

  it("of what is not there changes and tells nothing", async () => {
    const chat = await chatHost();
    await chat.say("one");
    const before = { epoch: await epochOf(chat), changes: await changes(chat) };
    expect(await rpc(chat, "sessions.rewind", { session: "main", seq: 3 })).toMatchObject({ removed: 0 });
    expect(await rpc(chat, "sessions.rewind", { session: "nobody", seq: 1 })).toEqual({ code: "SESSION_UNKNOWN" });
    expect(await rpc(chat, "sessions.rewind", { session: "main", seq: 0 })).toEqual({ code: "INVALID" });
    const noNumber = await chat.host.request("/api/sessions", { body: { action: "rewind", key: "main" } });
    expect([noNumber.status, noNumber.text]).toEqual([400, "seq required\n"]);
    expect({ epoch: await epochOf(chat), changes: await changes(chat) }).toEqual(before);
  });

  it("ends what runs first, and nothing of it stays", async () => {
    const chat = await chatHost();
    await chat.say("one");
    const held = new HeldAnswer();
    chat.model.answer = held.answer;
    const turn = chat.run({ text: "two" });
    held.say("half");
    await until(() => held.asked);
    expect(await rpc(chat, "sessions.rewind", { session: "main", seq: 3 })).toMatchObject({ seq: 3 });
    expect(await turn.done).toMatchObject({ stop: "aborted" });
    expect(await chat.history()).toEqual(["user: one", "assistant: you said: one"]);
    expect(await chat.host.service(store).all("SELECT turn FROM chat_partials")).toEqual([]);
  });

  it("ends a call that waits for a person, and what it had begun is not there", async () => {
    const asked: AbortSignal[] = [];
    const guard = definePlugin({
      id: "guard",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) =>
        ctx.on("tool:before", ({ turn }) => {
          asked.push(turn.signal);
          return new Promise((resolve) => {
            turn.signal.addEventListener("abort", () => resolve({ deny: "the turn was stopped" }));
          });
        }),
    });
    const chat = await chatHost({ plugins: [guard] });
    await chat.say("one");
    chat.model.answer = () => callsTools([toolCall("1", "write")]);
    const turn = chat.run({ text: "two" });
    await until(() => asked.length === 1);
    const both = [3, 2].map((seq) => rpc(chat, "sessions.rewind", { session: "main", seq }));
    expect(await Promise.all(both)).toMatchObject([{ seq: 3 }, { seq: 2, removed: 1 }]);
    expect([asked[0]?.aborted, (await turn.done).stop, chat.tools.log]).toEqual([true, "aborted", []]);
    expect(await chat.history()).toEqual(["user: one"]);
    expect(await chat.host.service(store).all("SELECT turn FROM chat_partials")).toEqual([]);
  });

  it("leaves subagents nobody to report to whose work was asked for by what is gone, and only those", async () => {
    const chat = await chatHost({ plugins: [spawner] });
    const held = [new HeldAnswer(), new HeldAnswer()];
    let children = 0;
    chat.model.answer = (request, signal) => {
      if (isChild(request)) return (held[children++] as HeldAnswer).answer(request, signal);
      if (lastText(request).startsWith("[The subagent")) return says("thanks");
      const started = request.messages.at(-1)?.role === "tool";
      return started ? says("it works") : callsTools([toolCall("s", "spawn", { task: "job", background: true })]);
    };
    for (const text of ["one", "two"]) await chat.say(text);
    await until(() => held.every(({ asked }) => asked));
    await rpc(chat, "sessions.rewind", { session: "main", seq: 5 });
    for (const [index, answer] of held.entries()) {
      answer.say(`result ${index}`);
      answer.end();
    }
    await until(async () => (await chat.history()).length === 6);
    await until(async () => (await chat.sessions.list()).filter(({ messages }) => messages === 2).length === 2);
    await loops(50);
    expect((await chat.history()).slice(4)).toEqual([expect.stringContaining("result 0"), "assistant: thanks"]);
  });

  it("takes summaries of what is gone with it, and only those", async () => {
    const chat = await chatHost();
    for (const text of ["one", "two"]) await chat.say(text);
    const database = chat.host.service(store);
    await database.run("INSERT INTO chat_summaries (log, upto, text, made_at) VALUES ('main', 2, 'old talk', 1)");
    await chat.host.plugins.reload("chat");
    const summed = async () => {
      await chat.say("next");
      return JSON.stringify(chat.model.requests.at(-1)?.messages).includes("old talk");
    };
    await rpc(chat, "sessions.rewind", { session: "main", seq: 3 });
    expect(await summed()).toBe(true);
    await rpc(chat, "sessions.rewind", { session: "main", seq: 2 });
    expect(await summed()).toBe(false);
  });

  it("forgets requests that are gone, and runs one again of which the answer alone is gone", async () => {
    const chat = await chatHost();
    const ask = (text: string, idempotencyKey: string) => chat.say(text, { idempotencyKey });
    await ask("one", "k1");
    await ask("two", "k2");
    await rpc(chat, "sessions.rewind", { session: "main", seq: 4 });
    chat.model.answer = (request) => says(`again: ${lastText(request)}`);
    await ask("two", "k2");
    await ask("one", "k1");
    const told = ["user: one", "assistant: you said: one", "user: two", "assistant: again: two"];
    expect(await chat.history()).toEqual(told);
    await rpc(chat, "sessions.rewind", { session: "main", seq: 3 });
    expect((await ask("another text", "k2")).status).toBe(200);
    expect((await chat.history()).slice(2)).toEqual(["user: another text", "assistant: again: another text"]);
  });

  it("leaves nothing in the search, also of long messages and of new ones in the same place", async () => {
    const chat = await chatHost();
    await chat.sessions.append("main", [
      { role: "user", content: "kept" },
      { role: "user", content: `${"filler ".repeat(4_000)} needle` },
      { role: "user", content: "needle" },
    ]);
    expect(await found(chat, "needle")).toHaveLength(2);
    await rpc(chat, "sessions.rewind", { session: "main", seq: 2 });
    expect(await found(chat, "needle")).toEqual([]);
    await chat.sessions.append("main", [{ role: "user", content: "short" }]);
    expect(await found(chat, "needle")).toEqual([]);
    expect(await found(chat, "short")).toMatchObject([{ seq: 2 }]);
    expect(await found(chat, "kept")).toMatchObject([{ seq: 1 }]);
  });

  it("that the database refuses changes nothing, and everything is found again", async () => {
    const { store: database, sessions: plain } = await openSessions();
    await plain.append("main", [
      { role: "user", content: "needle one" },
      { role: "user", content: "needle two" },
    ]);
    expect((await plain.find({ words: "needle" })).hits[0]?.snippets).toHaveLength(2);
    const refusing = new SessionService({
      store: database,
      log: { warn: () => {} },
      alone: (_, work) => work(),
      cut: () => Promise.reject(new Error("disk full")),
    });
    await expect(refusing.rewind("main", 2)).rejects.toThrow("disk full");
    expect(await plain.history("main")).toHaveLength(2);
    expect((await refusing.find({ words: "needle" })).hits[0]?.snippets).toHaveLength(2);
    await refusing.close();
  });
});

describe("a client that knew more", () => {
  it("is told to read the session anew, also when the numbers have grown past its own since", async () => {
    const chat = await chatHost();
    for (const text of ["one", "two"]) await chat.say(text);
    const known = await epochOf(chat);
    const socket = await chat.host.connect("/api/chat/live?multi=1");
    const resume = async (more: object) => {
      socket.send({ type: "resume", after: 4, ...more });
      return socket.next();
    };
    expect(await resume({ epoch: known })).toMatchObject({ type: "chat_resumed", seq: 4, epoch: known });
    await rpc(chat, "sessions.rewind", { session: "main", seq: 3 });
    expect(await resume({})).toMatchObject({ type: "chat_resumed", seq: 2 });
    for (const text of ["three", "four"]) await chat.say(text);
    const epoch = await epochOf(chat);
    expect(await resume({ epoch: known })).toEqual({
      ok: true,
      type: "chat_resumed",
      session: "main",
      seq: 0,
      running: false,
      epoch,
    });
    expect(await resume({ epoch })).toMatchObject({ type: "chat_history", epoch, messages: [{ seq: 5 }, { seq: 6 }] });
    socket.close();
  });

  it("sees another epoch when a session was deleted and begun again", async () => {
    const chat = await chatHost();
    await chat.say("one");
    const before = await epochOf(chat);
    await rpc(chat, "sessions.remove", { key: "main" });
    expect(await epochOf(chat)).toBeUndefined();
    await chat.say("one");
    expect(await epochOf(chat)).not.toBe(before);
  });
});

describe("a fork", () => {
  it("begins another session with what was said before a number, while the first one goes on", async () => {
    const chat = await chatHost();
    const replies = [callsTools([toolCall("1", "look")]), says("seen")];
    chat.model.answer = () => replies.shift() ?? says("more");
    await chat.say("look");
    const held = new HeldAnswer();
    chat.model.answer = held.answer;
    const turn = chat.run({ text: "two" });
    await until(() => held.asked);
    const made = await rpc(chat, "sessions.fork", { session: "main", seq: 5, to: "branch" });
    expect(made).toEqual({ session: "branch", forkedFrom: "main", epoch: expect.any(String) });
    expect(made.epoch).not.toBe(await epochOf(chat));
    expect((await changes(chat)).at(-1)).toEqual({ session: "branch", forked_from: "main" });
    held.end();
    expect(await turn.done).toMatchObject({ stop: "stop" });
    const [first, second] = await Promise.all(["main", "branch"].map((key) => chat.sessions.history(key)));
    expect(second).toEqual(first?.slice(0, 4));
    chat.model.answer = (request) => says(`${request.messages.length} messages`);
    await chat.say("other", { session: "branch" });
    expect((await chat.history("branch")).slice(4)).toEqual(["user: other", "assistant: 6 messages"]);
    expect(await found(chat, "other")).toMatchObject([{ seq: 5 }]);
  });

  it("takes the summary with it, and no key that is taken", async () => {
    const chat = await chatHost();
    for (const text of ["one", "two"]) await chat.say(text);
    await chat.host
      .service(store)
      .run("INSERT INTO chat_summaries (log, upto, text, made_at) VALUES ('main', 2, 'old talk', 1)");
    expect(await rpc(chat, "sessions.fork", { session: "nobody", seq: 3, to: "b" })).toEqual({
      code: "SESSION_UNKNOWN",
    });
    expect(await rpc(chat, "sessions.fork", { session: "main", seq: 3, to: "main" })).toEqual({
      code: "SESSION_EXISTS",
    });
    const fork = { action: "fork", key: "main", seq: 4, to: "b" };
    const made = await chat.host.request("/api/sessions", { body: fork });
    expect(made.json()).toEqual({ ok: true, key: "b", forked_from: "main", epoch: expect.any(String) });
    expect((await chat.host.request("/api/sessions", { body: fork })).status).toBe(409);
    await chat.say("next", { session: "b" });
    expect(JSON.stringify(chat.model.requests.at(-1)?.messages)).toContain("old talk");
  });
});

it("kill -9 within a fork and a rewind leaves what was before or what was to be", { timeout: 120_000 }, async () => {
  const stateDir = tempDir("rewind");
  const first = await startGateway({ stateDir });
  const lines = Array.from({ length: 3_000 }, (_, n) => JSON.stringify({ role: "user", content: `number${n + 1}` }));
  const headers = { "content-type": "application/x-ndjson" };
  await first.fetch("/api/sessions/import?key=big", { method: "POST", body: lines.join("\n"), headers });
  const call = async (gateway: typeof first, method: string, params: object) => {
    const answer = await gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
    return ((await answer.json()) as { result: Record<string, unknown> }).result;
  };
  const search = (gateway: typeof first, query: string) => call(gateway, "sessions.search", { query });
  await until(async () => (await search(first, "number3000")).missing === 0, 60_000, "the index");
  const fork = call(first, "sessions.fork", { session: "big", seq: 3_001, to: "copy" }).catch(() => undefined);
  const cut = call(first, "sessions.rewind", { session: "big", seq: 11 }).catch(() => undefined);
  // Somewhere between the arrival of the call and its answer.
  await first.fetch("/health");
  first.signal("SIGKILL");
  await first.ended;
  await Promise.all([fork, cut]);
  const second = await startGateway({ stateDir });
  await ready(second);
  const lastOf = async (session: string) => {
    const { messages } = await call(second, "chat.history", { session, limit: 2_000 });
    return (messages as { seq: number }[]).at(-1)?.seq;
  };
  const [last, copied] = [await lastOf("big"), await lastOf("copy")];
  expect([10, 3_000]).toContain(last);
  expect([undefined, 3_000]).toContain(copied);
  const copies = copied === undefined ? 0 : 1;
  await until(async () => (await search(second, "number10")).missing === 0, 60_000, "the index");
  const hits = async (query: string) => ((await search(second, query)).results as unknown[]).length;
  expect([await hits("number10"), await hits("number2500")]).toEqual([1 + copies, (last === 10 ? 0 : 1) + copies]);
  expect(await call(second, "sessions.rewind", { session: "big", seq: 11 })).toMatchObject({
    removed: (last ?? 0) - 10,
  });
  expect(await hits("number2500")).toBe(copies);
});
