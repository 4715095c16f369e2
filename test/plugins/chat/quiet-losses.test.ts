/** What goes wrong without a word: rounds of tools whose record fails once, traces of sessions that are gone, rows behind. */
import { type Store, store as storeService, type TextIndex } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { agentMigrations } from "../../../plugins/chat/agent/context/tables.ts";
import { SessionJournal } from "../../../plugins/chat/agent/journal.ts";
import { PartialTable } from "../../../plugins/chat/agent/partials.ts";
import { RequestTable } from "../../../plugins/chat/sessions/request-table.ts";
import { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { SessionTable } from "../../../plugins/chat/sessions/session-table.ts";
import { migrations } from "../../../plugins/chat/sessions/tables.ts";
import { until } from "../../kit/until.ts";
import { openStore } from "../store/kit.ts";
import { chatHost, loops, shown, toolCall } from "./kit.ts";

async function openTables(now?: () => number) {
  const { store } = await openStore();
  await store.migrate("chat", migrations);
  await store.migrate("chat_agent", agentMigrations);
  return { store, sessions: new SessionTable(store, now && { now }), partials: new PartialTable(store) };
}

/** A store of which some methods are others. */
function withOther(store: Store, others: Partial<Store>): Store {
  return {
    get: (sql, ...values) => store.get(sql, ...values),
    all: (sql, ...values) => store.all(sql, ...values),
    run: (sql, ...values) => store.run(sql, ...values),
    transaction: (work) => store.transaction(work),
    migrate: (owner, steps) => store.migrate(owner, steps),
    backup: (file) => store.backup(file),
    integrity: () => store.integrity(),
    textIndex: (name) => store.textIndex(name),
    ...others,
  };
}

describe("a round of tools that the database refuses once", () => {
  const calls = [toolCall("1", "write"), toolCall("2", "write")];
  const asked = { role: "assistant", content: "I write", toolCalls: calls } as const;
  const partial = { role: "assistant", content: "I write", state: "partial" } as const;
  const failure = { error: { code: "X", status: 500, message: "x" } };

  async function journalOf() {
    const { store, sessions, partials } = await openTables();
    const requests = new RequestTable(store);
    const options = { session: "main", turn: "t", sessions, requests, partials, request: undefined };
    const journal = new SessionJournal({ ...options, interrupted: undefined });
    await journal.begin({ role: "user", content: "do it" });
    const left = async () => (await store.all("SELECT turn FROM chat_partials")).length;
    const kept = async () => (await sessions.history("main")).map(shown);
    const afterFailure = async () => {
      await journal.finish([partial], failure);
      return kept();
    };
    const refused = async (table: string, work: () => Promise<unknown>) => {
      await store.run(`ALTER TABLE ${table} RENAME TO away`);
      await expect(work()).rejects.toThrow();
      await store.run(`ALTER TABLE away RENAME TO ${table}`);
    };
    return { journal, refused, left, kept, afterFailure };
  }

  it("is in the history with its results when the turn fails for that", async () => {
    const { journal, refused, left, afterFailure } = await journalOf();
    const answers = [
      { role: "tool", content: "one done", toolCallId: "1" },
      { role: "tool", content: "two done", toolCallId: "2" },
    ] as const;
    await journal.calling({ asked, answers, begun: 2 });
    await refused("chat_messages", () => journal.add([asked, ...answers]));
    expect(await afterFailure()).toEqual(["user: do it", "assistant: I write", "tool: one done", "tool: two done"]);
    expect(await left()).toBe(0);
  });

  it("says of calls after the refusal that they were not run", async () => {
    const { journal, refused, left, afterFailure } = await journalOf();
    const answers: { role: "tool"; content: string; toolCallId: string }[] = [];
    await journal.calling({ asked, answers, begun: 1 });
    answers.push({ role: "tool", content: "one done", toolCallId: "1" });
    await refused("chat_partials", () => journal.calling({ asked, answers, begun: 2 }));
    expect(await afterFailure()).toEqual([
      "user: do it",
      "assistant: I write",
      "tool: one done",
      "tool: [gateway: not run, the turn failed before.] (failed)",
    ]);
    expect(await left()).toBe(0);
  });

  it("is no reply's loss: what was said is stored with the end that says so", async () => {
    const { journal, refused, kept } = await journalOf();
    const result = { turn: "t", text: "said", model: "m", usage: null, stop: "stop", toolCalls: [] } as const;
    await refused("chat_messages", () => journal.finish([{ role: "assistant", content: "said" }], { result }));
    await journal.finish([], failure);
    await journal.finish([], failure);
    expect(await kept()).toEqual(["user: do it", "assistant: said"]);
  });

  it("that never began is no round", async () => {
    const { journal, refused, afterFailure } = await journalOf();
    await refused("chat_partials", () => journal.calling({ asked, answers: [], begun: 1 }));
    expect(await afterFailure()).toEqual(["user: do it", "assistant: I write (partial)"]);
  });
});

describe("what a turn left because its end could not be stored", () => {
  const leave = "INSERT INTO chat_partials (turn, session, text, model) VALUES (?, ?, '\"left\"', 'm')";

  it("goes with its session", async () => {
    const { host, run, sessions } = await chatHost();
    await run({ session: "gone" }).done;
    await host.service(storeService).run(leave, "t", "gone");
    await sessions.remove("gone");
    await host.plugins.reload("chat");
    expect(await sessions.list()).toEqual([]);
  });

  it("moves with its session", async () => {
    const { host, run, sessions, history } = await chatHost();
    await run({ session: "old" }).done;
    await host.service(storeService).run(leave, "t", "old");
    await sessions.rename("old", "new");
    await host.plugins.reload("chat");
    expect((await sessions.list()).map(({ key }) => key)).toEqual(["new"]);
    expect((await history("new")).at(-1)).toBe("assistant: left (partial)");
  });
});

describe("the time of last use", () => {
  it("is no earlier session's of the same key", async () => {
    let now = 1_000_000;
    const { sessions } = await openTables(() => now);
    await sessions.append("a", [{ role: "user", content: "1" }]);
    now += 5_000;
    await sessions.append("a", [{ role: "user", content: "2" }]);
    now += 3_600_000;
    await sessions.remove("a");
    await sessions.append("a", [{ role: "user", content: "3" }]);
    expect(await sessions.list()).toMatchObject([{ key: "a", messages: 1, updatedAt: now }]);
  });

  it("that cannot be told fails no message that is stored", async () => {
    let now = 1_000_000;
    const { store, sessions } = await openTables(() => now);
    await sessions.append("a", [{ role: "user", content: "1" }]);
    const trigger =
      "CREATE TRIGGER no BEFORE UPDATE OF used_at ON chat_sessions BEGIN SELECT RAISE(ABORT, 'full'); END";
    await store.run(trigger);
    now += 60_000;
    expect(await sessions.append("a", [{ role: "user", content: "2" }])).toBe(2);
    expect((await sessions.history("a")).map(({ content }) => content)).toEqual(["1", "2"]);
    expect((await sessions.list()).map(({ key, messages }) => `${key} ${messages}`)).toEqual(["a 2"]);
    await store.run("DROP TRIGGER no");
    expect(await sessions.list()).toMatchObject([{ key: "a", updatedAt: now }]);
  });
});

describe("a time of last use that cannot be told", () => {
  it("is not told over a newer one later", async () => {
    const { store } = await openTables();
    let fail: ((error: Error) => void) | undefined;
    const run: Store["run"] = (sql, ...values) => {
      if (fail || !sql.includes("SET used_at")) return store.run(sql, ...values);
      return new Promise((_, reject) => {
        fail = reject;
      });
    };
    let now = 1_000_000;
    const sessions = new SessionTable(withOther(store, { run }), { now: () => now });
    for (const wait of [0, 5_000]) {
      now += wait;
      await sessions.append("a", [{ role: "user", content: "x" }]);
    }
    const listed = sessions.list();
    now += 60_000;
    await sessions.append("a", [{ role: "user", content: "newest" }]);
    fail?.(new Error("no space"));
    await listed;
    expect(await sessions.list()).toMatchObject([{ key: "a", updatedAt: now }]);
  });
});

describe("a session that goes while it is indexed", () => {
  it("is found no more, nor by the words of the one before it", async () => {
    const { store } = await openTables();
    const index = await store.textIndex("chat_messages");
    const held: (() => void)[] = [];
    const slow: TextIndex = {
      put: async (texts) => {
        await new Promise<void>((resolve) => held.push(resolve));
        await index.put(texts);
      },
      remove: (group, from) => index.remove(group, from),
      search: (words, options) => index.search(words, options),
    };
    const sessions = new SessionService({
      store: withOther(store, { textIndex: async () => slow }),
      log: { warn: () => {} },
      alone: (_, work) => work(),
    });
    await sessions.append("a", [{ role: "user", content: "secret" }]);
    const found = sessions.search({ words: "secret" });
    await until(() => held.length === 1);
    const begun = sessions.remove("a").then(() => sessions.append("a", [{ role: "user", content: "fresh" }]));
    await loops(100);
    held[0]?.();
    await Promise.all([found, begun]);
    const again = sessions.search({ words: "fresh" });
    await until(() => held.length === 2);
    held[1]?.();
    expect((await again).map(({ session }) => session.key)).toEqual(["a"]);
    expect(await sessions.search({ words: "secret" })).toEqual([]);
    await sessions.close();
  });
});

describe("a log that is emptied by two at once", () => {
  it("loses nothing of a session that takes its name at once", async () => {
    const { store } = await openTables();
    const held: (() => void)[] = [];
    const run: Store["run"] = async (sql, ...values) => {
      if (sql.startsWith("DELETE FROM chat_messages")) await new Promise<void>((resolve) => held.push(resolve));
      return store.run(sql, ...values);
    };
    const sessions = new SessionTable(withOther(store, { run }));
    await sessions.append("a", [{ role: "user", content: "before" }]);
    const removed = sessions.remove("a");
    await until(() => held.length === 1);
    const swept = sessions.logs.sweep();
    await loops(100);
    held[0]?.();
    await removed;
    await sessions.append("a", [{ role: "user", content: "after" }]);
    held[1]?.();
    await swept;
    expect((await sessions.history("a")).map(({ content }) => content)).toEqual(["after"]);
  });
});
