/** A client that was away goes on where it stopped; what a killed process had said is there. */
import { once } from "node:events";
import { store } from "@chela/sdk";
import type { TestSocket } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { type RunningGateway, startGateway } from "../../kit/gateway.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, says, toolCall } from "./kit.ts";

type Frame = Record<string, unknown> & { type: string };

async function next(socket: TestSocket): Promise<Frame> {
  return (await socket.next()) as Frame;
}

describe("resume on /api/chat/live?multi=1", () => {
  it("gives what was stored after a message, then what runs: its text so far and its end", async () => {
    const { host, model, run } = await chatHost();
    await run({ text: "old" }).done;
    const held = new HeldAnswer();
    model.answer = held.answer;
    const asking = await host.connect("/api/chat/live");
    asking.send({ message: "question" });
    held.say("first half, ");
    expect(await next(asking)).toMatchObject({ delta: "first half, " });
    asking.close();
    const socket = await host.connect("/api/chat/live?multi=1");
    socket.send({ type: "resume", session: "main", after: 2 });
    expect(await next(socket)).toMatchObject({
      type: "chat_history",
      seq: 3,
      messages: [{ role: "user", content: "question", seq: 3 }],
    });
    expect(await next(socket)).toMatchObject({ type: "chat_resumed", seq: 3, running: true, turn: expect.any(String) });
    expect(await next(socket)).toMatchObject({ type: "chat_chunk", delta: "first half, " });
    held.say("second half");
    expect(await next(socket)).toMatchObject({ type: "chat_chunk", delta: "second half" });
    held.end();
    expect(await next(socket)).toEqual({
      ok: true,
      type: "chat_done",
      session: "main",
      turn: expect.any(String),
      stop: "stop",
    });
    socket.send({ type: "resume", session: "main", after: 3 });
    expect(await next(socket)).toMatchObject({ messages: [{ content: "first half, second half", seq: 4 }] });
    expect(await next(socket)).toEqual({
      ok: true,
      type: "chat_resumed",
      session: "main",
      seq: 4,
      running: false,
      epoch: expect.any(String),
    });
    socket.close();
  });

  it("comes in pages, and an attach without the history", async () => {
    const { host, sessions } = await chatHost();
    await sessions.append(
      "main",
      Array.from({ length: 450 }, (_, n) => ({ role: "user", content: `m${n}` }) as const),
    );
    const socket = await host.connect("/api/chat/live?multi=1");
    socket.send({ type: "resume", after: 0 });
    const sizes: number[] = [];
    for (let frame = await next(socket); frame.type === "chat_history"; frame = await next(socket)) {
      sizes.push((frame.messages as unknown[]).length);
    }
    expect(sizes).toEqual([200, 200, 50]);
    socket.send({ type: "attach" });
    expect(await next(socket)).toMatchObject({ type: "chat_resumed", running: false });
    socket.send({ type: "resume", after: "3" });
    expect(await next(socket)).toEqual({ ok: false, type: "chat_error", error: "invalid json" });
    socket.close();
  });

  it("can abort what it joined", async () => {
    const { host, model, run } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const first = run({ text: "x" });
    held.say("half");
    await until(() => held.asked);
    const socket = await host.connect("/api/chat/live?multi=1");
    socket.send({ type: "attach" });
    await next(socket);
    socket.send({ type: "abort" });
    await until(() => held.aborted);
    expect(await first.done).toMatchObject({ stop: "aborted", text: "half" });
    socket.close();
  });
});

describe("?events=1", () => {
  it("shows tools with what goes in and comes out; others see text alone", async () => {
    const { host, model } = await chatHost();
    const seen: Record<string, Frame[]> = {};
    for (const query of ["", "&events=1"]) {
      const replies = [callsTools([toolCall("1", "look", { n: 4 })]), says("done")];
      model.answer = () => replies.shift() as ReturnType<typeof says>;
      const socket = await host.connect(`/api/chat/live?multi=1${query}`);
      socket.send({ message: "x" });
      const frames: Frame[] = [];
      for (let frame = await next(socket); frame.type !== "chat_done"; frame = await next(socket)) frames.push(frame);
      seen[query] = frames;
      socket.close();
    }
    expect(seen[""]?.map(({ type }) => type)).toEqual(["chat_chunk"]);
    expect(seen["&events=1"]).toEqual([
      {
        ok: true,
        type: "chat_start",
        session: "main",
        turn: expect.any(String),
        model: "fake/model",
        seq: 5,
        epoch: expect.any(String),
      },
      { ok: true, type: "chat_tool", session: "main", id: "1", name: "look", state: "run", input: '{"n":4}' },
      { ok: true, type: "chat_tool", session: "main", id: "1", name: "look", state: "ok", output: "look 4 done" },
      { ok: true, type: "chat_chunk", session: "main", delta: "done" },
    ]);
  });
});

describe("what a turn has said so far", () => {
  it("is kept while it goes on for long, and nothing of that is left when it has ended", async () => {
    const { host, model, run, history } = await chatHost();
    const database = host.service(store);
    const partials = () => database.all<{ text: string }>("SELECT text FROM chat_partials");
    const held = new HeldAnswer();
    model.answer = held.answer;
    const turn = run({ text: "x" });
    held.say("so far");
    await until(async () => (await partials()).length === 1, 5_000);
    expect(await partials()).toMatchObject([{ text: '"so far"' }]);
    held.say(" and on");
    held.end();
    await turn.done;
    expect(await partials()).toEqual([]);
    expect(await history()).toEqual(["user: x", "assistant: so far and on"]);
  });

  it("that was left by a process that died becomes a message of the history at the next start, once", async () => {
    const { host, run } = await chatHost();
    await run({ text: "x" }).done;
    const database = host.service(store);
    await database.run(
      "INSERT INTO chat_partials (turn, session, text, model) VALUES ('t1', 'main', '\"left \\ud83e\"', 'fake/model')",
    );
    await database.run(
      "INSERT INTO chat_partials (turn, session, text, model) VALUES ('t2', 'main', 'no json', 'fake/model')",
    );
    await host.plugins.reload("chat");
    const partial = async () =>
      ((await host.request("/api/chat/history")).json() as { messages: { content: string; state: string }[] }).messages
        .filter(({ state }) => state === "partial")
        .map(({ content }) => content);
    await until(async () => (await partial()).length === 1);
    await host.plugins.reload("chat");
    expect(await partial()).toHaveLength(1);
  });

  it("costs a short turn nothing", async () => {
    const { host, run } = await chatHost();
    await run({ text: "warm" }).done;
    const changes = async () => (await host.service(store).get<{ n: number }>("SELECT total_changes() AS n"))?.n ?? 0;
    const before = await changes();
    await run({ text: "x" }).done;
    // The user's message and the reply.
    expect((await changes()) - before).toBe(2);
  });
});

async function connect({ url, token }: RunningGateway): Promise<{ socket: WebSocket; frames: Frame[] }> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/chat/live?multi=1&token=${token}`);
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data)) as Frame));
  socket.on("error", () => {});
  await once(socket, "open");
  return { socket, frames };
}

it("kill -9 during a streamed turn: the message and the partial reply are there, the client resumes by sequence", {
  timeout: 90_000,
}, async () => {
  const stateDir = tempDir("resume");
  const first = await startGateway({ stateDir });
  const { socket, frames } = await connect(first);
  socket.send(JSON.stringify({ session: "s", message: "/echo hello" }));
  await until(() => frames.some(({ type }) => type === "chat_done"), 10_000);
  socket.send(JSON.stringify({ session: "s", message: "/slow 6000" }));
  // Six words in more than two seconds: what was said in the first of them is on the disk.
  await until(() => frames.filter(({ type }) => type === "chat_chunk").length >= 7, 60_000);
  first.signal("SIGKILL");
  await first.ended;
  const heard = frames
    .filter(({ type }) => type === "chat_chunk")
    .slice(1)
    .map(({ delta }) => delta)
    .join("");

  const second = await startGateway({ stateDir });
  const back = await connect(second);
  back.socket.send(JSON.stringify({ type: "resume", session: "s", after: 2 }));
  await until(() => back.frames.some(({ type }) => type === "chat_resumed"), 10_000);
  const [history, resumed] = back.frames;
  const messages = history?.messages as { role: string; content: string; seq: number; state: string }[];
  expect(messages.map(({ role, seq, state }) => [role, seq, state])).toEqual([
    ["user", 3, "complete"],
    ["assistant", 4, "partial"],
  ]);
  expect(messages[1]?.content.length).toBeGreaterThan(0);
  expect(heard.startsWith(messages[1]?.content ?? "nothing") || messages[1]?.content.startsWith(heard)).toBe(true);
  expect(resumed).toMatchObject({ seq: 4, running: false });
  back.socket.send(JSON.stringify({ session: "s", message: "/echo again" }));
  await until(() => back.frames.some(({ type }) => type === "chat_done"), 10_000);
});
