import { definePlugin } from "@chela/sdk";
import type { TestSocket } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, says, toolCall } from "./kit.ts";

interface Frame {
  readonly ok: boolean;
  readonly type: string;
  readonly session?: string;
  readonly delta?: string;
  readonly error?: string;
}

/** Frames up to the one that ends the reply. */
async function frames(socket: TestSocket): Promise<Frame[]> {
  const all: Frame[] = [];
  for (;;) {
    const frame = (await socket.next()) as Frame;
    all.push(frame);
    if (frame.type !== "chat_chunk") return all;
  }
}

const deltas = (all: readonly Frame[]) => all.flatMap(({ delta }) => (delta === undefined ? [] : [delta]));

describe("GET /api/chat/live", () => {
  it("streams the reply as it comes, then closes", async () => {
    const { host, model, history } = await chatHost();
    model.answer = () => says("wor", "ld");
    const socket = await host.connect("/api/chat/live");
    socket.send({ session: "s", message: "hello" });
    expect(await frames(socket)).toEqual([
      { ok: true, type: "chat_chunk", session: "s", delta: "wor" },
      { ok: true, type: "chat_chunk", session: "s", delta: "ld" },
      { ok: true, type: "chat_done", session: "s", turn: expect.any(String), stop: "stop" },
    ]);
    expect((await socket.closed).code).toBe(1000);
    expect(await history("s")).toEqual(["user: hello", "assistant: world"]);
  });

  it("sends each piece before the next one is there", async () => {
    const { host, model } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const socket = await host.connect("/api/chat/live?session=q");
    socket.send({ message: "hello" });
    for (const piece of ["one ", "two ", "three"]) {
      held.say(piece);
      expect(await socket.next()).toEqual({ ok: true, type: "chat_chunk", session: "q", delta: piece });
    }
    held.end();
    expect(await socket.next()).toMatchObject({ type: "chat_done" });
  });

  it("keeps characters whole, however the model cuts them", async () => {
    const { host, model, history } = await chatHost();
    const text = "你好,世界!👨‍👩‍👧‍👦 𠮷 🦀 ".repeat(20);
    model.answer = () => says(...text.split(""));
    const socket = await host.connect("/api/chat/live");
    socket.send({ message: text });
    const pieces = deltas(await frames(socket));
    expect(pieces.length).toBeGreaterThan(100);
    for (const piece of pieces) expect(Buffer.from(piece).toString()).toBe(piece);
    expect(pieces.join("")).toBe(text);
    expect(await history()).toEqual([`user: ${text}`, `assistant: ${text}`]);
  });

  it("finishes and stores the turn of a client that left in the middle", async () => {
    const { host, model, history } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const socket = await host.connect("/api/chat/live");
    socket.send({ message: "hello" });
    held.say("first ");
    await socket.next();
    socket.close();
    await socket.closed;
    held.say("second");
    held.end();
    await until(async () => (await history()).length === 2);
    expect(held.aborted).toBe(false);
    expect(await history()).toEqual(["user: hello", "assistant: first second"]);
  });

  it("stops on an abort frame, upstream too, and keeps what was said", async () => {
    const { host, model, history } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const socket = await host.connect("/api/chat/live");
    socket.send({ message: "hello" });
    held.say("half");
    await socket.next();
    socket.send({ type: "abort" });
    expect(await socket.next()).toMatchObject({ ok: true, type: "chat_done", stop: "aborted" });
    expect((await socket.closed).code).toBe(1000);
    expect(held.aborted).toBe(true);
    expect(await history()).toEqual(["user: hello", "assistant: half (partial)"]);
  });

  it("stops what another connection asked for", async () => {
    const { host, model } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const asking = await host.connect("/api/chat/live");
    asking.send({ session: "s", message: "hello" });
    await until(() => held.asked);
    const other = await host.connect("/api/chat/live");
    other.send({ type: "abort", session: "s" });
    expect(await other.next()).toEqual({ ok: true, type: "chat_aborted", session: "s", aborted: 1 });
    expect((await other.closed).code).toBe(1000);
    expect(await asking.next()).toMatchObject({ type: "chat_done", stop: "aborted" });
  });

  it("answers only chat_done when nothing is said or nothing comes", async () => {
    const { host, model } = await chatHost();
    for (const message of ["", "hello"]) {
      model.answer = () => says();
      const socket = await host.connect("/api/chat/live");
      socket.send({ message });
      expect(await frames(socket)).toMatchObject([{ ok: true, type: "chat_done", session: "main" }]);
      await socket.closed;
    }
    expect(model.requests).toHaveLength(1);
  });

  it.each(["{", '{"message": 1}', "[]", '"hi"'])(
    "tells of the bad frame %s without a session, and closes",
    async (frame) => {
      const { host } = await chatHost();
      const socket = await host.connect("/api/chat/live");
      socket.send(frame);
      expect(await socket.next()).toEqual({ ok: false, type: "chat_error", error: "invalid json" });
      expect((await socket.closed).code).toBe(1000);
    },
  );

  it("tells of a failed turn with the session, and closes", async () => {
    const { host, model } = await chatHost();
    model.answer = () => {
      throw new Error("inner");
    };
    const socket = await host.connect("/api/chat/live");
    socket.send({ session: "s", message: "x" });
    expect(await socket.next()).toEqual({
      ok: false,
      type: "chat_error",
      error: "the turn failed; the log has the reason",
      session: "s",
    });
    expect((await socket.closed).code).toBe(1000);
  });

  it("ignores a second question on the same connection", async () => {
    const { host, model } = await chatHost();
    const held = new HeldAnswer();
    model.answer = held.answer;
    const socket = await host.connect("/api/chat/live");
    socket.send({ message: "one" });
    socket.send({ message: "two" });
    await until(() => held.asked);
    held.end();
    expect(await frames(socket)).toMatchObject([{ type: "chat_done" }]);
    await socket.closed;
    expect(model.requests).toHaveLength(1);
  });

  it("stays open with multi=1: more questions, bad frames and all", async () => {
    const { host, history } = await chatHost();
    const socket = await host.connect("/api/chat/live?multi=1");
    for (const message of ["one", "two"]) {
      socket.send({ message });
      expect(deltas(await frames(socket))).toEqual([`you said: ${message}`]);
    }
    socket.send("{");
    expect(await socket.next()).toEqual({ ok: false, type: "chat_error", error: "invalid json" });
    socket.send({ message: "bad session", session: "a\nb" });
    expect(await socket.next()).toMatchObject({
      ok: false,
      type: "chat_error",
      error: expect.stringMatching(/^session must/),
    });
    socket.send({ message: "three" });
    socket.send({ message: "four" });
    expect([...(await frames(socket)), ...(await frames(socket))].map(({ delta }) => delta)).toEqual([
      "you said: three",
      undefined,
      "you said: four",
      undefined,
    ]);
    expect(await history()).toHaveLength(8);
    socket.close();
  });

  it("bounds the questions of one connection", async () => {
    const { host, model } = await chatHost();
    model.answer = new HeldAnswer().answer;
    const socket = await host.connect("/api/chat/live?multi=1");
    for (let n = 0; n <= 16; n++) socket.send({ message: "x", session: `s${n}` });
    expect(await socket.next()).toMatchObject({ ok: false, type: "chat_error", session: "s16" });
    socket.send({ type: "abort" });
    for (let n = 0; n < 16; n++) expect(await socket.next()).toMatchObject({ type: "chat_done", stop: "aborted" });
    socket.close();
  });

  it("tells the whole reply when it is not what was streamed", async () => {
    const shout = definePlugin({
      id: "shout",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => ctx.on("message:out", (message) => ({ ...message, text: message.text.toUpperCase() })),
    });
    const { host, model } = await chatHost({ plugins: [shout] });
    model.answer = () => says("quiet");
    const socket = await host.connect("/api/chat/live");
    socket.send({ message: "x" });
    expect((await frames(socket)).at(-1)).toMatchObject({ type: "chat_done", reply: "QUIET" });
  });

  it("streams what is said before and after a tool call, set apart", async () => {
    const { host, model } = await chatHost();
    const replies = [callsTools([toolCall("1", "look")], "let me look"), says("it is there")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    const socket = await host.connect("/api/chat/live");
    socket.send({ message: "x" });
    const all = await frames(socket);
    expect(deltas(all).join("")).toBe("let me look\n\nit is there");
    expect(all.at(-1)).toMatchObject({ type: "chat_done", reply: "it is there" });
  });

  it("needs write access before the handshake", async () => {
    const { host } = await chatHost();
    await expect(host.connect("/api/chat/live", { token: null })).rejects.toThrow("HTTP 401");
    expect((await host.request("/api/chat/live")).status).toBe(400);
  });

  it("survives the reload of another plugin; its own ends the turn and keeps what was said", async () => {
    const other = definePlugin({ id: "other", version: "1.0.0", host: "^1.0.0", setup: () => undefined });
    const { host, model, history } = await chatHost({ plugins: [other], config: { plugins: { drainMs: 50 } } });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const socket = await host.connect("/api/chat/live");
    socket.send({ message: "hello" });
    held.say("one ");
    await socket.next();
    await host.plugins.reload("other");
    held.say("two");
    expect(await socket.next()).toMatchObject({ delta: "two" });
    await host.plugins.reload("chat");
    expect((await socket.closed).code).toBe(1012);
    expect(await history()).toEqual(["user: hello", "assistant: one two (partial)"]);
  });
});
