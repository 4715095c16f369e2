/** Sessions of many messages: whatever is done to a whole one leaves others their turn, and a moment between two steps shows no half of it. */

import { describe, expect, it } from "vitest";
import type { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { exportSession } from "../../../plugins/chat/sessions/transcript/export.ts";
import { loops } from "./kit.ts";
import { openSessions } from "./session-service.ts";

const count = 12_000;

/** One that is long enough, written at once. */
async function longSession() {
  const opened = await openSessions();
  const { store, sessions } = opened;
  await sessions.append("long", [{ role: "user", content: "m1" }]);
  const messages = `WITH RECURSIVE n (seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?)
    INSERT INTO chat_messages (session, seq, at, role, content, state) SELECT 'long', seq, 1700000000000 + seq, 'user', '"m' || seq || '"', 'complete' FROM n`;
  await store.run(messages, count);
  return opened;
}

/** How often others had their turn until `work` was done. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  for (; !done; turns += 1) await loops(1);
  await work;
  return turns;
}

const lengthOf = async (sessions: SessionService, key: string) => (await sessions.table.info(key))?.messages;

async function looseLogs({ store }: Awaited<ReturnType<typeof longSession>>) {
  const logs = "SELECT session AS log FROM chat_messages GROUP BY session";
  const loose = `${logs} EXCEPT SELECT COALESCE(log, key) FROM chat_sessions UNION SELECT log FROM chat_removed`;
  return store.all(loose);
}

describe("others have their turn", () => {
  it("while a long session is forked, taken back and removed", async () => {
    const opened = await longSession();
    const { sessions } = opened;
    expect(await turnsDuring(sessions.fork("long", count + 1, "copy"))).toBeGreaterThan(count / 1_000);
    expect(await lengthOf(sessions, "copy")).toBe(count);
    expect((await sessions.history("copy", { before: 3 })).map(({ seq, content }) => [seq, content])).toEqual([
      [1, "m1"],
      [2, "m2"],
    ]);
    expect(await turnsDuring(sessions.rewind("copy", count / 2))).toBeGreaterThan(count / 2_000);
    expect(await lengthOf(sessions, "copy")).toBe(count / 2 - 1);
    expect(await sessions.append("copy", [{ role: "user", content: "next" }])).toBe(count / 2);
    expect(await turnsDuring(sessions.remove("long"))).toBeGreaterThan(count / 1_000);
    expect(await looseLogs(opened)).toEqual([]);
  });

  it("while one is exported, and imported again", async () => {
    const { sessions } = await longSession();
    let text = "";
    const exporting = async () => {
      for await (const piece of await exportSession(sessions.table, "long", "jsonl")) text += piece;
    };
    expect(await turnsDuring(exporting())).toBeGreaterThanOrEqual(count / 200 - 1);
    const source = { key: "long", files: [{ name: "jsonl", bytes: () => [Buffer.from(text)] }] };
    const report = sessions.import(source, { dryRun: false, signal: new AbortController().signal });
    expect(await turnsDuring(report)).toBeGreaterThan(count / 2_000);
    expect(await report).toMatchObject({ imported: 0, duplicates: count });
  });
});

describe("a fork of a long session", () => {
  it("sees one state of it: a rewind and a rename wait, a message does not", async () => {
    const { sessions } = await longSession();
    // What comes with the first of them is loaded.
    await sessions.fork("long", 2, "short");
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    await Promise.all([
      sessions.fork("long", count + 1, "copy").then(note("fork")),
      sessions.rewind("long", 3).then(note("rewind")),
      sessions.append("long", [{ role: "user", content: "meanwhile" }]).then(note("message")),
    ]);
    await Promise.all([
      sessions.fork("copy", count, "second").then(note("second fork")),
      sessions.rename("copy", "renamed").then(note("rename")),
    ]);
    expect(order).toEqual(["message", "fork", "rewind", "second fork", "rename"]);
    const lengths = ["long", "renamed", "second"].map((key) => lengthOf(sessions, key));
    expect(await Promise.all(lengths)).toEqual([2, count, count - 1]);
  });

  it("to one key from two sides at once is made once", async () => {
    const opened = await longSession();
    const { sessions } = opened;
    const both = await Promise.allSettled([sessions.fork("long", 5, "copy"), sessions.fork("long", count, "copy")]);
    expect(both).toMatchObject([{ status: "fulfilled" }, { status: "rejected", reason: { code: "SESSION_EXISTS" } }]);
    expect([await lengthOf(sessions, "copy"), await looseLogs(opened)]).toEqual([4, []]);
  });

  it("that the plugin's end cuts short leaves nothing after the next start", async () => {
    const { store, sessions } = await longSession();
    const fork = sessions.fork("long", count + 1, "copy");
    fork.catch(() => undefined);
    await loops(4);
    await sessions.close();
    await expect(fork).rejects.toMatchObject({ code: "STOPPING" });
    expect(await store.all("SELECT log FROM chat_removed")).toHaveLength(1);
    await sessions.table.logs.sweep();
    expect(await store.all("SELECT DISTINCT session FROM chat_messages")).toEqual([{ session: "long" }]);
    expect(await store.all("SELECT log FROM chat_removed")).toEqual([]);
  });

  it("that a full disk ends leaves nothing of the copy", async () => {
    const opened = await longSession();
    const { store, sessions } = opened;
    await store.run(
      "CREATE TRIGGER full BEFORE INSERT ON chat_messages WHEN NEW.seq = 7000 BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    );
    await expect(sessions.fork("long", count + 1, "copy")).rejects.toThrow("disk full");
    await expect(sessions.rewind("long", 7_500)).rejects.toThrow("disk full");
    expect([await lengthOf(sessions, "copy"), await lengthOf(sessions, "long")]).toEqual([undefined, count]);
    expect(await store.all("SELECT DISTINCT session FROM chat_messages")).toEqual([{ session: "long" }]);
  });
});
