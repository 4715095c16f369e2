import type { HistoryWindow, NewMessage } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { windowQuery } from "../../../plugins/chat/sessions/history-window.ts";
import { SessionTable } from "../../../plugins/chat/sessions/session-table.ts";
import { migrations } from "../../../plugins/chat/sessions/tables.ts";
import { openStore } from "../store/kit.ts";

async function table(options: { file?: string } = {}) {
  const { store, file } = await openStore(options);
  await store.migrate("chat", migrations);
  return { store, file, sessions: new SessionTable(store) };
}

const said = (content: string): NewMessage => ({ role: "user", content });

/** Written without a message for each: the gaps of time, not of numbers. */
async function fill(sessions: SessionTable, key: string, count: number): Promise<void> {
  for (let from = 1; from <= count; from += 500) {
    const part = Array.from({ length: Math.min(500, count - from + 1) }, (_, index) => said(`m${from + index}`));
    await sessions.append(key, part);
  }
}

describe("messages", () => {
  it("come back as they were written", async () => {
    const { sessions } = await table();
    const messages: NewMessage[] = [
      { role: "user", content: "你好,世界 👨‍👩‍👧 \u0000 \ud83d" },
      {
        role: "user",
        content: [
          { type: "text", text: "see" },
          { type: "image", url: "data:image/png;base64,AA==" },
        ],
      },
      {
        role: "assistant",
        content: "",
        toolCalls: [{ id: "c1", name: "clock", arguments: '{"zone":"UTC"}' }],
        reasoning: "hm\u0000",
        model: "a/b",
        usage: { inputTokens: 3, outputTokens: 4, cachedTokens: 1 },
      },
      { role: "tool", content: "12:00", toolCallId: "c1" },
      { role: "assistant", content: "cut", state: "partial" },
    ];
    expect(await sessions.append("main", messages)).toBe(5);
    const stored = await sessions.history("main");
    expect(stored).toEqual(
      messages.map((message, index) => ({
        state: "complete",
        ...message,
        seq: index + 1,
        at: expect.closeTo(Date.now(), -4),
      })),
    );
  });

  it("stand in the order in which they came, also when the clock goes back", async () => {
    const { store } = await table();
    let now = 2_000_000_000_000;
    const sessions = new SessionTable(store, { now: () => now });
    for (const text of ["one", "two", "three"]) {
      await sessions.append("main", [said(text)]);
      now -= 3_600_000;
    }
    expect((await sessions.history("main")).map(({ content }) => content)).toEqual(["one", "two", "three"]);
    expect((await sessions.context("main", 2)).map(({ content }) => content)).toEqual(["two", "three"]);
  });

  it("are numbered without gaps, whoever writes", async () => {
    const { sessions, store } = await table();
    const other = new SessionTable(store);
    await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        (n % 3 === 0 ? other : sessions).append("main", [said(`${n}a`), said(`${n}b`)]),
      ),
    );
    const stored = await sessions.history("main", { limit: 2_000 });
    expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    for (let index = 0; index < 120; index += 2) {
      expect(`${stored[index + 1]?.content}`).toBe(`${stored[index]?.content}`.replace("a", "b"));
    }
  });

  it("of more than one statement are one commit", async () => {
    const { sessions, store } = await table();
    await sessions.append("main", [said("first")]);
    const failing = sessions.append(
      "main",
      Array.from({ length: 250 }, () => said("x")),
      async () => {
        throw new Error("no");
      },
    );
    await expect(failing).rejects.toThrow("no");
    expect(await store.get("SELECT count(*) AS n FROM chat_messages")).toEqual({ n: 1 });
    expect(await sessions.append("main", [said("second")])).toBe(2);
  });

  it("that cannot be read do not hide the others", async () => {
    const { sessions, store } = await table();
    await sessions.append("main", [said("a"), said("b")]);
    await store.run("UPDATE chat_messages SET content = 'not json', tool_calls = '{' WHERE seq = 1");
    expect((await sessions.history("main")).map(({ content }) => content)).toEqual(["not json", "b"]);
  });

  it("survive a restart, and the numbers go on", async () => {
    const first = await table();
    await fill(first.sessions, "main", 3);
    await first.store.close();
    const { sessions } = await table({ file: first.file });
    expect(await sessions.append("main", [said("m4")])).toBe(4);
    expect((await sessions.history("main")).map(({ content }) => content)).toEqual(["m1", "m2", "m3", "m4"]);
  });
});

describe("a history window", () => {
  const cases: { window: HistoryWindow; of: number; first: number; last: number }[] = [
    { window: {}, of: 10, first: 1, last: 10 },
    { window: {}, of: 300, first: 101, last: 300 },
    { window: { limit: 3 }, of: 10, first: 8, last: 10 },
    { window: { limit: 5_000 }, of: 2_100, first: 101, last: 2_100 },
    { window: { limit: 0 }, of: 300, first: 101, last: 300 },
    { window: { limit: -1 }, of: 300, first: 101, last: 300 },
    // after alone is the next page, not the newest one
    { window: { after: 2, limit: 3 }, of: 10, first: 3, last: 5 },
    { window: { after: 2, limit: 2 }, of: 4, first: 3, last: 4 },
    { window: { after: 0, limit: 3 }, of: 10, first: 1, last: 3 },
    { window: { after: 8, limit: 3 }, of: 10, first: 9, last: 10 },
    { window: { after: 10 }, of: 10, first: 0, last: 0 },
    { window: { before: 8, limit: 3 }, of: 10, first: 5, last: 7 },
    { window: { before: 3, limit: 5 }, of: 10, first: 1, last: 2 },
    { window: { before: 1 }, of: 10, first: 0, last: 0 },
    { window: { before: 99, limit: 2 }, of: 10, first: 9, last: 10 },
    // a range keeps its last entries
    { window: { after: 2, before: 9, limit: 3 }, of: 10, first: 6, last: 8 },
    { window: { after: 5, before: 6 }, of: 10, first: 0, last: 0 },
    // around: [n - limit/2, n + limit/2], then its last entries; it wins over the other two
    { window: { around: 5, limit: 4 }, of: 10, first: 4, last: 7 },
    { window: { around: 5, limit: 5 }, of: 10, first: 3, last: 7 },
    { window: { around: 1, limit: 4 }, of: 10, first: 1, last: 3 },
    { window: { around: 10, limit: 4 }, of: 10, first: 8, last: 10 },
    { window: { around: 5, limit: 1 }, of: 10, first: 5, last: 5 },
    { window: { around: 50, limit: 4 }, of: 10, first: 0, last: 0 },
    { window: { around: 5, before: 2, after: 8, limit: 3 }, of: 10, first: 4, last: 6 },
    { window: { around: 0, before: 4, limit: 2 }, of: 10, first: 2, last: 3 },
  ];

  it.each(cases)("$window of $of is $first … $last", async ({ window, of, first, last }) => {
    const { sessions } = await table();
    await fill(sessions, "main", of);
    const seqs = (await sessions.history("main", window)).map(({ seq }) => seq);
    expect(seqs).toEqual(first === 0 ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index));
  });

  it("of what a model is shown has its newest messages, and a bound on what is read for it", async () => {
    const { sessions } = await table();
    const picture = { type: "image", url: `data:image/png;base64,${"A".repeat(20_000_000)}` } as const;
    for (let n = 0; n < 5; n++) await sessions.append("main", [{ role: "user", content: [picture] }]);
    await sessions.append("main", [said("newest")]);
    const seqs = async (limit: number, after = 0) =>
      (await sessions.context("main", limit, after)).map(({ seq }) => seq);
    expect(await seqs(60)).toEqual([3, 4, 5, 6]);
    expect(await seqs(2)).toEqual([5, 6]);
    expect(await seqs(60, 5)).toEqual([6]);
    expect(await seqs(60, 6)).toEqual([]);
  });

  it("of an unknown session is empty", async () => {
    const { sessions } = await table();
    expect(await sessions.history("nobody")).toEqual([]);
  });

  it("ignores bounds that are no numbers", () => {
    expect(windowQuery({ before: Number.NaN, after: 1.5, limit: Number.POSITIVE_INFINITY })).toEqual(windowQuery());
  });

  it("out of very many messages takes a few milliseconds", { timeout: 60_000 }, async () => {
    const { sessions, store } = await table();
    await sessions.append("main", [said("m1")]);
    await store.run(
      `INSERT INTO chat_messages (session, seq, at, role, content, state)
       WITH RECURSIVE n(seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < 1000000)
       SELECT 'main', seq, 1, 'user', '"m' || seq || '"', 'complete' FROM n`,
    );
    const windows: HistoryWindow[] = [
      {},
      { around: 500_000 },
      { before: 1_000 },
      { after: 999_000 },
      { after: 5, before: 999_999 },
    ];
    const best = async (window: HistoryWindow) => {
      const times: number[] = [];
      for (let round = 0; round < 10; round++) {
        const from = performance.now();
        expect(await sessions.history("main", window)).toHaveLength(200);
        times.push(performance.now() - from);
      }
      return Math.min(...times);
    };
    // The best of ten: the machine may be busy with other tests.
    for (const window of windows) expect(await best(window)).toBeLessThan(20);
  });
});

describe("sessions", () => {
  it("are listed with their kinds and the number of their messages", async () => {
    const { sessions } = await table();
    await sessions.append("b", [said("1")]);
    await sessions.append("cron:x", [said("1"), said("2")]);
    const infos = await sessions.list();
    expect(infos.map(({ key, kind, messages }) => ({ key, kind, messages }))).toEqual(
      expect.arrayContaining([
        { key: "b", kind: "other", messages: 1 },
        { key: "cron:x", kind: "cron", messages: 2 },
      ]),
    );
    expect(infos.every(({ updatedAt, createdAt }) => updatedAt >= createdAt)).toBe(true);
  });

  it("are removed whole, also long ones, and begin again at 1", async () => {
    const { sessions, store } = await table();
    await fill(sessions, "main", 12_000);
    await fill(sessions, "other", 2);
    expect(await sessions.remove("main")).toBe(true);
    expect(await sessions.remove("main")).toBe(false);
    expect(await store.get("SELECT count(*) AS n FROM chat_messages")).toEqual({ n: 2 });
    expect((await sessions.list()).map(({ key }) => key)).toEqual(["other"]);
    expect(await sessions.append("main", [said("new")])).toBe(1);
  });

  it("are created empty when there is nothing to store but something else", async () => {
    const { sessions } = await table();
    expect(await sessions.append("main", [], async () => {})).toBe(0);
    expect(await sessions.list()).toMatchObject([{ key: "main", messages: 0 }]);
  });
});
