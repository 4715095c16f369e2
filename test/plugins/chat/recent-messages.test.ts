/** The cache of recent messages never tells anything but what the store would: every way to change a session, by chance and by name. */
import type { NewMessage } from "@chela/sdk";
import { describe, expect, it, onTestFinished } from "vitest";
import { RecentMessages } from "../../../plugins/chat/sessions/recent-messages.ts";
import { SessionTable } from "../../../plugins/chat/sessions/session-table.ts";
import { migrations, type SequencedMessage } from "../../../plugins/chat/sessions/tables.ts";
import { openStore } from "../store/kit.ts";
import { chatHost, lastText, says } from "./kit.ts";

const said = (content: string): NewMessage => ({ role: "user", content });

async function tables() {
  const { store } = await openStore();
  await store.migrate("chat", migrations);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  let reads = 0;
  const counted = new Proxy(store, {
    get(target, name) {
      if (name === "all") reads += 1;
      const member = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const cached = new SessionTable(counted);
  cached.remember(stop.signal);
  return { store, stop, cached, plain: new SessionTable(store), reads: () => reads };
}

describe("messages of a session in use", () => {
  it("are read once, then told from memory, as the store has them", async () => {
    const { cached, plain, reads } = await tables();
    await plain.append("old", [said("one"), said("two")]);
    const messages: NewMessage[] = [
      { role: "user", content: [{ type: "image", url: "data:image/png;base64,AA==" }] },
      { role: "assistant", content: "", toolCalls: [{ id: "c", name: "look", arguments: "{}" }], reasoning: "hm" },
      { role: "tool", content: "\u0000 \ud83d", toolCallId: "c" },
      { role: "assistant", content: "cut", state: "partial", toolCalls: [] },
    ];
    expect(await cached.context("old", 60)).toHaveLength(2);
    const once = reads();
    expect(once).toBeGreaterThan(0);
    await cached.append("old", messages);
    await cached.append("new", messages);
    expect(reads()).toBe(once);
    for (const [key, limit, after] of [
      ["old", 60, 0],
      ["old", 3, 0],
      ["old", 60, 4],
      ["new", 2, 0],
      ["new", 60, 9],
    ] as const) {
      expect(await cached.context(key, limit, after)).toEqual(await plain.context(key, limit, after));
    }
    expect(reads()).toBe(once);
  });

  it("that somebody tries to change stay what they are", async () => {
    const { cached } = await tables();
    await cached.append("main", [
      { role: "assistant", content: "", toolCalls: [{ id: "c", name: "a", arguments: "" }] },
    ]);
    const [message] = await cached.context("main", 9);
    expect(() => (message?.toolCalls as unknown[] | undefined)?.push({})).toThrow(TypeError);
    const list = await cached.context("main", 9);
    list.length = 0;
    expect(await cached.context("main", 9)).toHaveLength(1);
  });

  it("are the store's own again once another instance may write", async () => {
    const { cached, plain, stop } = await tables();
    await cached.append("main", [said("one")]);
    stop.abort();
    await plain.append("main", [said("two")]);
    expect(await cached.context("main", 9)).toHaveLength(2);
    await cached.append("main", [said("three")]);
    await plain.append("main", [said("four")]);
    expect(await cached.context("main", 9)).toHaveLength(4);
  });

  it("are dropped by a number that somebody else took", async () => {
    const { cached, plain } = await tables();
    await cached.append("main", [said("one")]);
    await plain.append("main", [said("theirs")]);
    await cached.append("main", [said("mine")]);
    expect((await cached.context("main", 9)).map(({ content }) => content)).toEqual(["one", "theirs", "mine"]);
  });

  it("equal the store's after anything that may happen to them, in any order and at once", {
    timeout: 60_000,
  }, async () => {
    const { cached, plain, reads } = await tables();
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    const keys = ["a", "b", "c"];
    const any = () => keys[random(keys.length)] as string;
    const deeds: (() => Promise<unknown>)[] = [
      () => cached.append(any(), [said(`m${random(1e6)}`)]),
      () => cached.append(any(), [said("x"), { role: "tool", content: "r", toolCallId: "t" }]),
      () => cached.append(any(), [said("with more")], (query) => query.run("DELETE FROM chat_requests")),
      () => cached.append(any(), [said("fails")], () => Promise.reject(new Error("no"))),
      () =>
        cached.append(
          any(),
          Array.from({ length: 130 }, (_, index) => said(`import ${index}`)),
        ),
      () => cached.context(any(), 1 + random(80), random(4)),
      () => cached.remove(any()),
      () => cached.rename(any(), any()),
      () => cached.title(any(), "t"),
    ];
    for (let round = 0; round < 150; round++) {
      const count = 1 + random(4);
      await Promise.allSettled(Array.from({ length: count }, () => deeds[random(deeds.length)]?.()));
      for (const key of keys) {
        const [limit, after] = [1 + random(80), random(3) === 0 ? random(200) : 0];
        expect(await cached.context(key, limit, after), `round ${round} ${key}`).toEqual(
          await plain.context(key, limit, after),
        );
      }
    }
    expect(reads()).toBeLessThan(150 * 3);
  });
});

describe("the memory of the cache", () => {
  const row = (seq: number, content = "x".repeat(1_000)): SequencedMessage => ({ role: "user", content, seq });

  it("is bounded; what is in use stays", () => {
    const recent = new RecentMessages(200_000);
    recent.begin(new AbortController().signal);
    for (let session = 0; session < 500; session++) recent.stored(`s${session}`, [row(1)], 1);
    expect(recent.bytes).toBeLessThanOrEqual(200_000);
    expect(recent.bytes).toBeGreaterThan(100_000);
  });

  it("lets go of the oldest messages of a long session, and does not keep what is too long to begin with", async () => {
    const recent = new RecentMessages(200_000);
    recent.begin(new AbortController().signal);
    for (let seq = 1; seq <= 100; seq++) recent.stored("long", [row(seq)], seq);
    expect(recent.bytes).toBeLessThanOrEqual(200_000 / 8);
    let reads = 0;
    const read = async () => {
      reads += 1;
      return Array.from({ length: 60 }, (_, index) => row(41 + index));
    };
    expect(await recent.get("long", { limit: 3, after: 0 }, read)).toEqual([row(98), row(99), row(100)]);
    expect(reads).toBe(0);
    expect(await recent.get("long", { limit: 60, after: 0 }, read)).toHaveLength(60);
    expect(await recent.get("other", { limit: 60, after: 0 }, read)).toHaveLength(60);
    expect(recent.bytes).toBeLessThanOrEqual(200_000 / 8);
    expect(reads).toBe(2);
  });

  it("keeps no read that something was written beside", async () => {
    const recent = new RecentMessages();
    recent.begin(new AbortController().signal);
    const slow = recent.get("main", { limit: 9, after: 0 }, async () => {
      recent.stored("main", [row(2)], 2);
      return [row(1)];
    });
    expect(await slow).toEqual([row(1)]);
    expect(await recent.get("main", { limit: 9, after: 0 }, async () => [row(1), row(2)])).toEqual([row(1), row(2)]);
  });
});

it("turns see what happened to their session in between: written by others, imported, renamed, removed", async () => {
  const { model, say, run, sessions } = await chatHost();
  const asked = () => (model.requests.at(-1)?.messages ?? []).map(({ content }) => content).slice(1);
  model.answer = (request) => says(`re: ${lastText(request)}`);
  await say("one", { session: "s" });
  await say("two", { session: "s" });
  expect(asked()).toEqual(["one", "re: one", "two"]);
  await sessions.append("s", [said("from a channel")]);
  await run({ session: "s", text: "three" }).done;
  expect(asked()).toEqual(["one", "re: one", "two", "re: two", "from a channel", "three"]);
  await sessions.rename("s", "t");
  await run({ session: "s", text: "new here" }).done;
  expect(asked()).toEqual(["new here"]);
  await run({ session: "t", text: "four" }).done;
  expect(asked().slice(-3)).toEqual(["three", "re: three", "four"]);
  await sessions.remove("t");
  await run({ session: "t", text: "again" }).done;
  expect(asked()).toEqual(["again"]);
});
