/** Clients that send anything at all, at any moment: an answer or a clear refusal, and nothing of anybody else's is harmed. */
import type { GatewayError } from "@chela/sdk";
import type { TestSocket } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { type ChatHost, chatHost, HeldAnswer, identity, isSummary, says } from "./kit.ts";

type Frame = Record<string, unknown> & { type: string; seq?: number };
const next = async (socket: TestSocket) => (await socket.next()) as Frame;

/** The status of what an RPC method answers. */
const rpc = ({ host }: ChatHost, method: string, params: unknown) => {
  const signal = new AbortController().signal;
  const answer = host.gateway.call(method, params, { identity, id: "1", signal });
  return answer.then(
    () => ({ status: 200 }),
    ({ status }: GatewayError) => ({ status }),
  );
};
const q = encodeURIComponent;

describe("a session called", () => {
  it.each([
    "../../etc/passwd",
    "a/b\\c",
    `"quoted" 'twice' \`and\``,
    "%00%2e%2e%2f",
    "'; DROP TABLE chat_sessions; --",
    "<script>alert(1)</script>",
    "你好🦀👩‍🚀",
    "\u202eabc\u202c שלום",
    "a\u2028b\u2029c",
    "a?b=c&d#e",
    "__proto__",
    "x".repeat(200),
    "字".repeat(200),
  ])("%j can be talked in, listed, shown, searched, exported, titled, renamed and removed", async (key) => {
    const chat = await chatHost();
    const { host, say } = chat;
    expect((await say("hello zebra", { session: key })).json()).toMatchObject({ ok: true, session: key });
    const list = async () =>
      ((await host.request("/api/sessions")).json() as { sessions: { key: string }[] }).sessions.map(({ key }) => key);
    expect(await list()).toEqual([key]);
    const history = await host.request(`/api/chat/history?session=${q(key)}`);
    expect((history.json() as { messages: unknown[] }).messages).toHaveLength(2);
    const found = await host.request("/api/sessions/search?query=zebra");
    expect((found.json() as { results: { key: string }[] }).results.map(({ key }) => key)).toEqual([key]);
    for (const format of ["jsonl", "markdown"]) {
      const out = await host.request(`/api/sessions/export?key=${q(key)}&format=${format}`);
      expect(out.status).toBe(200);
      expect(out.text).toContain("hello zebra");
      expect(out.headers["content-disposition"]).toMatch(/^attachment; filename="[\w.-]{1,130}"$/);
    }
    const titled = await host.request("/api/sessions", { body: { action: "title", key, title: `t ${key}` } });
    expect(titled.status).toBe(200);
    expect((await host.request("/api/sessions", { body: { action: "rename", key, to: "other" } })).status).toBe(200);
    expect(await list()).toEqual(["other"]);
    expect((await host.request("/api/sessions", { body: { action: "rename", key: "other", to: key } })).status).toBe(
      200,
    );
    expect((await host.request(`/api/sessions?key=${q(key)}`, { method: "DELETE" })).json()).toMatchObject({
      key,
      deleted: true,
    });
    expect(await chat.sessions.list()).toEqual([]);
  });

  it.each(["x".repeat(201), "x".repeat(10_240), "a\u0000b", "a\nb", "\u0085", "half \ud83d", "\udc00"])(
    "%j is refused at every door, and nothing is stored",
    async (key) => {
      const chat = await chatHost();
      await chat.say("hi", { session: "good" });
      const { host } = chat;
      const answers = [
        await chat.say("x", { session: key }),
        await host.request("/api/sessions", { body: { action: "rename", key: "good", to: key } }),
        await host.request("/api/sessions", { body: { action: "title", key, title: "x" } }),
        await host.request("/api/sessions", { body: { action: "delete", key } }),
        await rpc(chat, "chat.send", { session: key, message: "x" }),
        await rpc(chat, "chat.history", { session: key }),
        await rpc(chat, "sessions.rename", { key: "good", to: key }),
        await rpc(chat, "sessions.import", { key, jsonl: '{"role":"user","content":"x"}' }),
        await rpc(chat, "sessions.export", { key }),
      ];
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 400));
      const socket = await host.connect("/api/chat/live");
      socket.send({ session: key, message: "x" });
      expect(await next(socket)).toMatchObject({ ok: false, type: "chat_error" });
      expect((await chat.sessions.list()).map(({ key }) => key)).toEqual(["good"]);
    },
  );
});

describe("parameters that are nonsense", () => {
  const values = [
    "-1",
    "0",
    "1e9",
    "NaN",
    "0x10",
    "99999999999999999999",
    "1.5",
    "'",
    "١٢",
    "+3",
    " 2 ",
    "%00",
    "[]",
    "",
  ];

  it("of a history are answered like none, or meant as they are", async () => {
    const chat = await chatHost();
    await chat.say("hi");
    for (const name of ["around", "before", "after", "limit"]) {
      for (const value of values) {
        const answer = await chat.host.request(`/api/chat/history?${name}=${q(value)}`);
        expect(answer.status, `${name}=${value}`).toBe(200);
        const { messages } = answer.json() as { messages: { seq: number }[] };
        expect(messages.length, `${name}=${value}`).toBeLessThanOrEqual(2);
      }
      const twice = await chat.host.request(`/api/chat/history?${name}=1&${name}=2`);
      expect(twice.status).toBeLessThan(500);
    }
  });

  it("of lists, searches and exports are refused or ignored, never a fault", async () => {
    const chat = await chatHost();
    await chat.say("hi");
    const cursors = [
      "x",
      "AAAA",
      Buffer.from("[1]").toString("base64url"),
      Buffer.from('[1e999,"a"]').toString("base64url"),
    ];
    for (const value of [...values, ...cursors, "a".repeat(3_000)]) {
      for (const path of [
        `/api/sessions?limit=${q(value)}`,
        `/api/sessions?kinds=${q(value)}&kinds=main`,
        `/api/sessions/search?query=hi&limit=${q(value)}`,
        `/api/sessions/search?query=${q(value)}`,
      ]) {
        expect((await chat.host.request(path)).status, path).toBe(200);
      }
      for (const path of [`/api/sessions?cursor=${q(value)}`, `/api/sessions/export?key=main&format=${q(value)}`]) {
        expect([200, 400], path).toContain((await chat.host.request(path)).status);
      }
    }
  });

  it("of a search are words, whatever language of queries they speak", async () => {
    const chat = await chatHost();
    for (const [session, text] of Object.entries({
      rtl: "שלום עולם مرحبا بالعالم",
      zh: "今天部署网关",
      emoji: "🦀 crab 👩‍🚀",
      plain: "near AND or NOT body: content",
    })) {
      await chat.say(text, { session });
    }
    const keys = async (words: string) => {
      const answer = await chat.host.request(`/api/sessions/search?limit=100&query=${q(words)}`);
      expect(answer.status, words).toBe(200);
      return (answer.json() as { results: { key: string }[] }).results.map(({ key }) => key).sort();
    };
    expect(await keys("שלום")).toEqual(["rtl"]);
    expect(await keys("مرحبا")).toEqual(["rtl"]);
    expect(await keys("署网")).toEqual(["zh"]);
    expect(await keys("🦀 crab")).toEqual(["emoji"]);
    expect(await keys("NEAR(body content)")).toEqual(["plain"]);
    for (const words of [
      '"',
      '"unclosed',
      "a*",
      "*",
      "-hi",
      "body:x",
      "(",
      "NOT",
      "a OR",
      "^x",
      "{a b}:c",
      "\\",
      "%",
      "_",
      "\u0000",
      "🦀".repeat(500),
    ]) {
      await keys(words);
    }
  });

  it("of half a megabyte as the name of a model cost no time", async () => {
    const { run } = await chatHost();
    for (const name of ["moonshot", "qwen", "gemma3"]) {
      const from = performance.now();
      await run({ model: `x/${name.repeat(60_000)}`, text: "word ".repeat(20_000) }).done;
      expect(performance.now() - from, name).toBeLessThan(2_000);
    }
  });

  it("of five megabytes as a title cost no time", async () => {
    const chat = await chatHost();
    await chat.say("hi");
    for (const title of ["x".repeat(5_000_000), " ".repeat(5_000_000), "🦀".repeat(1_000_000)]) {
      const from = performance.now();
      const answer = await chat.host.request("/api/sessions", { body: { action: "title", key: "main", title } });
      expect(answer.status).toBe(200);
      expect([...(answer.json() as { title: string }).title].length).toBeLessThanOrEqual(200);
      expect(performance.now() - from).toBeLessThan(2_000);
    }
  });
});

describe("a rename", () => {
  it("that cannot be ends nothing that runs", async () => {
    const chat = await chatHost();
    const { host, run, model } = chat;
    await run({ session: "taken" }).done;
    const held = new HeldAnswer();
    model.answer = held.answer;
    const turn = run({ session: "busy" });
    await until(() => held.asked, 20_000);
    const rename = (key: string, to: string) => host.request("/api/sessions", { body: { action: "rename", key, to } });
    expect((await rename("busy", "taken")).status).toBe(409);
    expect((await rename("nobody", "free")).status).toBe(404);
    expect((await rename("busy", "busy")).status).toBe(200);
    held.say("whole");
    held.end();
    expect(await turn.done).toMatchObject({ stop: "stop", text: "whole" });
  });

  it("and a removal at once, and two renames to one key: one of them wins, the other is told", async () => {
    const chat = await chatHost();
    for (const session of ["a", "b", "c"]) await chat.say("hi", { session });
    const { sessions } = chat;
    const race = await Promise.allSettled([sessions.rename("a", "x"), sessions.rename("b", "x"), sessions.remove("c")]);
    expect(race.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "rejected"]);
    const swap = await Promise.allSettled([sessions.rename("x", "y"), sessions.rename("x", "z"), sessions.remove("x")]);
    expect(swap.filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(1);
    const left = (await sessions.list()).map(({ key }) => key);
    for (const key of left) expect(await sessions.history(key)).toHaveLength(2);
  });
});

describe("resume", () => {
  it("by a number from another life tells the newest there is", async () => {
    const { host, say } = await chatHost();
    await say("hi");
    const socket = await host.connect("/api/chat/live?multi=1");
    socket.send({ type: "resume", after: 900 });
    expect(await next(socket)).toMatchObject({ type: "chat_resumed", seq: 2, running: false });
    socket.send({ type: "resume", session: "nobody", after: 5 });
    expect(await next(socket)).toMatchObject({ type: "chat_resumed", seq: 0 });
    for (const after of [-1, 1.5, 2 ** 53, "1", null, {}, [1]]) {
      socket.send({ type: "resume", after });
      expect(await next(socket)).toMatchObject({ type: "chat_error", error: "invalid json" });
    }
    socket.close();
  });

  it("of a session of 60 MB comes in pieces that a client can take, and so does its history", {
    timeout: 120_000,
  }, async () => {
    const { host, sessions } = await chatHost({ port: 0 });
    const large = { role: "user", content: "字".repeat(600_000) } as const;
    for (let n = 0; n < 33; n++) await sessions.append("main", [large]);
    await sessions.append("main", [
      { role: "user", content: "x".repeat(9_000_000) },
      { role: "user", content: "end" },
    ]);
    const socket = await host.connect("/api/chat/live?multi=1");
    socket.send({ type: "resume", after: 0 });
    const seqs: number[] = [];
    for (let frame = await next(socket); frame.type !== "chat_resumed"; frame = await next(socket)) {
      expect(JSON.stringify(frame).length).toBeLessThan(4_000_000);
      seqs.push(...(frame.messages as { seq: number }[]).map(({ seq }) => seq));
    }
    expect(seqs).toEqual(Array.from({ length: 35 }, (_, n) => n + 1));
    socket.close();
    const newest = await sessions.history("main");
    expect(newest.map(({ seq }) => seq)).toEqual([23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35]);
    const first = await sessions.history("main", { after: 0 });
    expect(first.map(({ seq }) => seq)).toEqual(Array.from({ length: 26 }, (_, n) => n + 1));
    expect((await sessions.history("main", { after: 33, limit: 1 })).map(({ seq }) => seq)).toEqual([34]);
  });

  it("gives every message, also those that were summed up", async () => {
    const rules = { trigger_messages: 4, keep_recent_messages: 2 };
    const { host, say, model, history } = await chatHost({
      config: { agents: { defaults: { context_compaction: rules } } },
    });
    model.answer = (request) => says(isSummary(request) ? "Key Facts: all" : "ok");
    for (let n = 0; n < 6; n++) await say(`m${n}`);
    await until(() => model.callers.some((caller) => caller?.purpose === "summary"), 20_000);
    expect(await history()).toHaveLength(12);
    const socket = await host.connect("/api/chat/live?multi=1");
    socket.send({ type: "resume", after: 1 });
    const frame = await next(socket);
    expect((frame.messages as { seq: number }[]).map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    socket.close();
  });
});
