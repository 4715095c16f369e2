/** Search in the history: what is found, that it follows every change, and that it costs the writing nothing. */
import type { NewMessage, SessionQuery } from "@chela/sdk";
import { describe, expect, it, onTestFinished } from "vitest";
import { passage } from "../../../plugins/chat/sessions/search/passage.ts";
import { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { migrations } from "../../../plugins/chat/sessions/tables.ts";
import { until } from "../../kit/until.ts";
import { openStore, rejection } from "../store/kit.ts";

const said = (content: string, role: NewMessage["role"] = "user"): NewMessage => ({ role, content });

async function service(options: { file?: string } = {}) {
  const { store, file, database } = await openStore(options);
  await store.migrate("chat", migrations);
  const warnings: unknown[] = [];
  const sessions = new SessionService({
    store,
    log: { warn: (...line: unknown[]) => void warnings.push(line) },
    alone: (_, work) => work(),
    restMs: 0,
  });
  onTestFinished(() => sessions.close());
  const keys = async (query: Partial<SessionQuery> & { words: string }) =>
    (await sessions.search({ limit: 100, ...query })).map(({ session }) => session.key);
  return { store, file, database, sessions, warnings, keys };
}

describe("a search", () => {
  it("finds sessions with their passages, the best first", async () => {
    const { sessions } = await service();
    await sessions.append("a", [said("how do I deploy the gateway?"), said("Deploy it with deploy.sh", "assistant")]);
    await sessions.append("cron:b", [said("deploy")]);
    await sessions.append("c", [said("nothing of the kind")]);
    const hits = await sessions.search({ words: "deploy" });
    expect(hits.map(({ session }) => session.key).sort()).toEqual(["a", "cron:b"]);
    const hit = hits.find(({ session }) => session.key === "a");
    expect(hit?.snippets).toHaveLength(2);
    expect(hit?.snippets).toContainEqual({ seq: 2, role: "assistant", text: "Deploy it with deploy.sh" });
    expect(hits[0]?.score).toBeGreaterThanOrEqual(hits[1]?.score as number);
  });

  it("finds Chinese, Japanese and Korean by any run, single characters included", async () => {
    const { sessions, keys } = await service();
    await sessions.append("zh", [said("请把网关部署到生产环境")]);
    await sessions.append("ja", [said("ゲートウェイを本番環境に")]);
    await sessions.append("ko", [said("게이트웨이를 배포하세요")]);
    expect(await keys({ words: "部署" })).toEqual(["zh"]);
    expect(await keys({ words: "署" })).toEqual(["zh"]);
    expect((await keys({ words: "環境" })).sort()).toEqual(["ja"]);
    expect(await keys({ words: "ｹﾞｰﾄ" })).toEqual(["ja"]);
    expect(await keys({ words: "웨이" })).toEqual(["ko"]);
    const [hit] = await sessions.search({ words: "生产" });
    expect(hit?.snippets[0]?.text).toBe("请把网关部署到生产环境");
  });

  it("knows kinds, leaves out one session and is bounded", async () => {
    const { sessions, keys } = await service();
    for (let n = 0; n < 12; n++) await sessions.append(`s${n}`, [said("common words")]);
    await sessions.append("cron:x", [said("common words")]);
    expect(await keys({ words: "common", kinds: ["cron"] })).toEqual(["cron:x"]);
    expect(await keys({ words: "common", kinds: ["cron", "subagent"] })).toEqual(["cron:x"]);
    expect(await keys({ words: "common", kinds: ["nothing"] })).toEqual([]);
    expect(await keys({ words: "common", kinds: [] })).toEqual([]);
    expect(await keys({ words: "common", except: "s3" })).not.toContain("s3");
    expect(await sessions.search({ words: "common" })).toHaveLength(5);
    expect(await keys({ words: "common", limit: 2 })).toHaveLength(2);
    expect(await keys({ words: "common", limit: 10_000 })).toHaveLength(13);
    expect(await keys({ words: "common", limit: Number.NaN })).toHaveLength(5);
  });

  it("is not filled by one loud session", { timeout: 30_000 }, async () => {
    const { sessions, keys } = await service();
    await sessions.append("quiet", [said("zebra")]);
    await sessions.append(
      "loud",
      Array.from({ length: 1_500 }, (_, n) => said(`zebra ${n}`)),
    );
    expect((await keys({ words: "zebra" })).sort()).toEqual(["loud", "quiet"]);
    expect(await keys({ words: "zebra", except: "loud" })).toEqual(["quiet"]);
  });

  it("finds the end of a long message, and shows the place", async () => {
    const { sessions } = await service();
    const long = `${"lorem ipsum ".repeat(3_000)} the needle is here ${"dolor ".repeat(100)}`;
    await sessions.append("a", [said(long), said("x".repeat(2 * 1024 * 1024)), said("after it")]);
    const [hit] = await sessions.search({ words: "needle" });
    expect(hit?.snippets).toHaveLength(1);
    expect(hit?.snippets[0]?.text).toContain("the needle is here");
    expect(hit?.snippets[0]?.text.length).toBeLessThan(300);
    // On a slow machine it answers before all of the long one is indexed.
    await until(async () => (await sessions.search({ words: "after" })).length === 1, 10_000);
  });

  it("of nothing, of signs and of hostile words finds nothing", async () => {
    const { sessions, keys } = await service();
    await sessions.append("a", [said("hello")]);
    for (const words of ["", "  ", '"', "*", "a:b OR", "\u0000", "(".repeat(10_000)])
      expect(await keys({ words })).toEqual([]);
  });
});

describe("the index", () => {
  it("follows new messages, renames and removals", async () => {
    const { sessions, keys, store } = await service();
    await sessions.append("a", [said("alpha")]);
    expect(await keys({ words: "alpha" })).toEqual(["a"]);
    await sessions.append("a", [said("beta")]);
    expect(await keys({ words: "beta" })).toEqual(["a"]);
    await sessions.rename("a", "team:b");
    expect(await keys({ words: "alpha" })).toEqual(["team:b"]);
    expect(await keys({ words: "alpha", kinds: ["main"] })).toEqual(["team:b"]);
    await sessions.append("a", [said("gamma")]);
    expect(await keys({ words: "gamma" })).toEqual(["a"]);
    await sessions.remove("team:b");
    expect(await keys({ words: "alpha" })).toEqual([]);
    expect(await store.get("SELECT count(*) AS n FROM text_chat_messages_rows")).toEqual({ n: 1 });
    await sessions.append("team:b", [said("delta")]);
    expect(await keys({ words: "alpha" })).toEqual([]);
    expect(await keys({ words: "delta" })).toEqual(["team:b"]);
  });

  it("is brought up to date by itself, without a search", async () => {
    const { sessions, store } = await service();
    await sessions.append(
      "a",
      Array.from({ length: 100 }, (_, n) => said(`m${n}`)),
    );
    await sessions.append("b", [said("one")]);
    // The first ones find the sessions, each of the others one batch: somebody has just written.
    for (let round = 0; round < 5; round++) await sessions.round();
    expect(await store.get("SELECT count(*) AS n FROM text_chat_messages_rows")).toEqual({ n: 101 });
    expect(await store.all("SELECT key, indexed FROM chat_sessions ORDER BY key")).toEqual([
      { key: "a", indexed: 100 },
      { key: "b", indexed: 1 },
    ]);
  });

  it("is made for what an older version had stored, in the background", async () => {
    const { store, file } = await openStore();
    await store.migrate("chat", migrations.slice(0, 1));
    await store.run("INSERT INTO chat_sessions (key, kind, created_at) VALUES ('old', 'other', 1)");
    const insert =
      "INSERT INTO chat_messages (session, seq, at, role, content, state) VALUES ('old', ?, 1, 'user', ?, 'complete')";
    await Promise.all(
      Array.from({ length: 300 }, (_, n) => store.run(insert, n + 1, JSON.stringify(`message ${n} 旧消息`))),
    );
    await store.close();
    const { sessions, keys } = await service({ file });
    expect((await sessions.history("old", { limit: 1 }))[0]?.content).toBe("message 299 旧消息");
    expect(await keys({ words: "旧消息" })).toEqual(["old"]);
    expect(await keys({ words: "message 299" })).toEqual(["old"]);
  });

  it("says what is missing instead of waiting for all of it", { timeout: 60_000 }, async () => {
    const { sessions, store } = await service();
    await sessions.append("big", [said("first")]);
    await store.run(
      `INSERT INTO chat_messages (session, seq, at, role, content, state)
       WITH RECURSIVE n(seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < 60000)
       SELECT 'big', seq, 1, 'user', '"word' || seq || ' of some text that has to be read"', 'complete' FROM n`,
    );
    const from = performance.now();
    const found = await sessions.find({ words: "first" });
    expect(performance.now() - from).toBeLessThan(3_000);
    expect(found.hits).toHaveLength(1);
    expect(found.missing).toBeGreaterThan(0);
    expect(found.missing).toBeLessThanOrEqual(60_000);
    for (let left = found.missing; left > 0; ) {
      const next = (await sessions.find({ words: "word60000" })).missing;
      expect(next).toBeLessThan(left);
      left = next;
    }
    expect((await sessions.search({ words: "word60000" })).length).toBe(1);
  });

  it("lets those who ask at once wait together, and each finds what he wrote", { timeout: 60_000 }, async () => {
    const { sessions, store } = await service();
    await sessions.append("big", [said("first")]);
    await store.run(
      `INSERT INTO chat_messages (session, seq, at, role, content, state)
       WITH RECURSIVE n(seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < 40000)
       SELECT 'big', seq, 1, 'user', '"word' || seq || ' of some text that has to be read"', 'complete' FROM n`,
    );
    const from = performance.now();
    const all = await Promise.all(Array.from({ length: 30 }, () => sessions.find({ words: "first" })));
    // Thirty times 300 ms, one after the other, would be nine seconds.
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(all.every(({ hits }) => hits.length === 1)).toBe(true);
    while ((await sessions.find({ words: "first" })).missing > 0);
    const own = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await sessions.append(`own:${n}`, [said(`mine${n}x`)]);
        return (await sessions.search({ words: `mine${n}x` })).length;
      }),
    );
    expect(own).toEqual(Array.from({ length: 50 }, () => 1));
  });

  it("goes on where a process that died had come to", async () => {
    const first = await service();
    await first.sessions.append("a", [said("alpha one")]);
    expect(await first.keys({ words: "alpha" })).toEqual(["a"]);
    await first.sessions.append("a", [said("alpha two")]);
    // Put into the index, and the note of it lost: it is put again, not twice.
    const index = await first.store.textIndex("chat_messages");
    await index.put([{ group: "a", id: 2 * 64, text: "alpha two" }]);
    await first.sessions.close();
    await first.store.close();
    const second = await service({ file: first.file });
    const [hit] = await second.sessions.search({ words: "alpha" });
    expect(hit?.snippets.map(({ seq }) => seq).sort()).toEqual([1, 2]);
    expect(await second.store.get("SELECT count(*) AS n FROM text_chat_messages_rows")).toEqual({ n: 2 });
    expect(await second.store.integrity()).toEqual([]);
  });

  it("made anew adds and takes nothing away", async () => {
    const { sessions, store, keys } = await service();
    await sessions.append(
      "a",
      Array.from({ length: 200 }, (_, n) => said(`alpha ${n}`)),
    );
    expect(await keys({ words: "alpha 150" })).toEqual(["a"]);
    await sessions.reindex();
    expect(await store.get("SELECT count(*) AS n FROM text_chat_messages_rows")).toEqual({ n: 200 });
    expect(await keys({ words: "alpha 150" })).toEqual(["a"]);
    expect(await store.get("SELECT count(*) AS n FROM text_chat_messages_rows")).toEqual({ n: 200 });
  });

  it("is touched by no append", async () => {
    const { sessions, store, database } = await service();
    await sessions.append("a", [said("warm")]);
    expect(await sessions.search({ words: "warm" })).toHaveLength(1);
    const statements: string[] = [];
    for (const name of ["run", "get", "all"] as const) {
      const own = database[name].bind(database) as (sql: string, values: never) => never;
      database[name] = (sql: string, values: unknown) => {
        statements.push(sql);
        return own(sql, values as never);
      };
    }
    await sessions.append("a", [said("one"), said("two", "assistant")]);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatch(/^INSERT INTO chat_messages/);
    expect(store.waiting).toBe(0);
  });

  it("that cannot be written is tried again later, and said once", async () => {
    const { sessions, store, warnings } = await service();
    await sessions.append("a", [said("alpha")]);
    expect(await sessions.search({ words: "alpha" })).toHaveLength(1);
    await sessions.append("a", [said("beta")]);
    await store.run("ALTER TABLE chat_sessions RENAME TO away");
    for (let round = 0; round < 3; round++) await sessions.round();
    expect(warnings).toHaveLength(1);
    await store.run("ALTER TABLE away RENAME TO chat_sessions");
    expect(await sessions.search({ words: "beta" })).toHaveLength(1);
  });
});

describe("a session", () => {
  it("is renamed with everything in it, at once", async () => {
    const { sessions, store } = await service();
    await sessions.append(
      "a",
      Array.from({ length: 3_000 }, (_, n) => said(`m${n + 1}`)),
    );
    await store.run("INSERT INTO chat_requests VALUES ('a', 'me', 'k', 'd', 't', 1, NULL, 1)");
    await sessions.rename("a", "cron:b");
    expect(await sessions.history("a")).toEqual([]);
    expect((await sessions.history("cron:b", { limit: 1 }))[0]).toMatchObject({ seq: 3_000, content: "m3000" });
    expect(await sessions.list()).toMatchObject([{ key: "cron:b", kind: "cron", messages: 3_000 }]);
    expect(await store.get("SELECT session FROM chat_requests")).toEqual({ session: "cron:b" });
    expect(await sessions.append("cron:b", [said("next")])).toBe(3_001);
    // The old key begins anew, beside it, and both keep apart over another rename.
    expect(await sessions.append("a", [said("fresh")])).toBe(1);
    await sessions.rename("cron:b", "c");
    await sessions.rename("a", "cron:b");
    await sessions.rename("c", "a");
    expect((await sessions.history("a", { limit: 1 }))[0]?.content).toBe("next");
    expect((await sessions.history("cron:b"))[0]?.content).toBe("fresh");
  });

  it("is renamed to a free key only", async () => {
    const { sessions } = await service();
    await sessions.append("a", [said("1")]);
    await sessions.append("b", [said("2")]);
    expect(await rejection(sessions.rename("a", "b"))).toMatchObject({ code: "SESSION_EXISTS", status: 409 });
    expect(await rejection(sessions.rename("nobody", "c"))).toMatchObject({ code: "SESSION_UNKNOWN", status: 404 });
    await expect(async () => sessions.rename("a", "")).rejects.toMatchObject({ code: "SESSION_KEY" });
    await sessions.rename("a", "a");
    expect((await sessions.list()).map(({ key }) => key).sort()).toEqual(["a", "b"]);
    await Promise.all([sessions.rename("a", "x"), sessions.rename("b", "y")]);
    expect((await sessions.history("x"))[0]?.content).toBe("1");
    const crossed = await Promise.allSettled([sessions.rename("x", "y"), sessions.rename("y", "x")]);
    expect(crossed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("has a title on one line", async () => {
    const { sessions } = await service();
    await sessions.append("a", [said("1")]);
    expect(await sessions.table.title("a", "  The\n\u0007 plan 🦀 ")).toBe("The plan 🦀");
    expect((await sessions.list())[0]?.title).toBe("The plan 🦀");
    expect(await sessions.table.title("a", "字".repeat(500))).toBe("字".repeat(200));
    expect(await sessions.table.title("a", "")).toBe("");
    expect(await rejection(sessions.table.title("b", "x"))).toMatchObject({ code: "SESSION_UNKNOWN" });
  });

  it("whose removal was cut short is gone, and is emptied with the next start", async () => {
    const { sessions, store } = await service();
    await sessions.append("a", [said("alpha")]);
    await store.run("DELETE FROM chat_sessions WHERE key = 'a'");
    await store.run("INSERT INTO chat_removed (log) VALUES ('a')");
    const next = new SessionService({ store, log: { warn: () => {} }, alone: (_, work) => work() });
    expect(await next.append("a", [said("beta")])).toBe(1);
    await next.table.logs.sweep();
    expect((await next.history("a")).map(({ content }) => content)).toEqual(["beta"]);
    expect(await store.get("SELECT count(*) AS n FROM chat_messages")).toEqual({ n: 1 });
    expect(await store.get("SELECT count(*) AS n FROM chat_removed")).toEqual({ n: 0 });
  });
});

describe("a passage", () => {
  it.each([
    ["short text", "text", "short text"],
    [`${"a ".repeat(200)}here it is${" b".repeat(300)}`, "here", /^…a .*here it is b.*…$/],
    [`${"字".repeat(500)}目标${"尾".repeat(500)}`, "目标", /^…字+目标尾+…$/],
    [`${"🦀".repeat(100)}needle${"🦀".repeat(300)}`, "NEEDLE", /needle/],
    ["ＦＵＬＬ ＷＩＤＴＨ", "full", "ＦＵＬＬ ＷＩＤＴＨ"],
    ["no such word", "absent", "no such word"],
    ["line\n\n  breaks\tand tabs", "breaks", "line breaks and tabs"],
    ["", "x", ""],
  ])("of %s around %s", (text, words, expected) => {
    const found = passage(text, words);
    if (expected instanceof RegExp) expect(found).toMatch(expected);
    else expect(found).toBe(expected);
    expect(found).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
  });
});

describe("a hit", () => {
  it("says what its session is about: the summary of its older part, else how it begins", async () => {
    const summaries: Record<string, string> = { "web:long": "Key Facts\n- the port is 18790\n".repeat(40) };
    const { store } = await openStore();
    await store.migrate("chat", migrations);
    const sessions = new SessionService({
      store,
      log: { warn: () => {} },
      alone: (_, work) => work(),
      summary: async (log) => summaries[log],
    });
    onTestFinished(() => sessions.close());
    const lines = `first line\nsecond line 👩‍🚀 ${"and so on ".repeat(500)}`;
    await sessions.append("web:long", [said("zebra")]);
    await sessions.append("web:short", [said("hello there", "assistant"), said(lines), said("zebra")]);
    await sessions.append("web:reply", [said("zebra alone", "assistant")]);
    const picture = { type: "image", url: `data:image/png;base64,${"iVBORw0KGgo".repeat(70_000)}` } as const;
    await sessions.append("web:image", [{ role: "user", content: [picture] }, said("zebra")]);
    const question = { type: "text", text: 'What is "this"?' } as const;
    await sessions.append("web:asked", [{ role: "user", content: [question, picture] }, said("zebra")]);
    await sessions.table.title("web:short", "A title");
    await until(async () => (await sessions.find({ words: "zebra" })).missing === 0, 10_000);
    const hits = await sessions.search({ words: "zebra", limit: 10 });
    const about = Object.fromEntries(hits.map(({ session, summary }) => [session.key, summary]));
    expect(about["web:long"]).toMatch(/^Key Facts - the port is 18790 Key Facts .*…$/);
    expect(about["web:short"]).toMatch(/^first line second line 👩‍🚀 and so on .*…$/);
    expect(about["web:reply"]).toBe("zebra alone");
    expect(about["web:image"]).toBe("");
    expect(about["web:asked"]).toBe("What is this ?");
    // Nor is a picture that is too large to be read whole taken for words.
    expect(await sessions.search({ words: "iVBORw0KGgoiVBORw0KGgo" })).toEqual([]);
    expect(Math.max(...Object.values(about).map((text) => text.length))).toBeLessThan(250);
  });
});
