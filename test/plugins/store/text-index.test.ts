/** The full-text index: what is found, what never is, and what hostile words do to it. */
import type { IndexedText, TextIndex } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { openStore, rejection } from "./kit.ts";

async function index(texts: readonly string[] = []): Promise<TextIndex> {
  const { store } = await openStore();
  const made = await store.textIndex("notes");
  await made.put(texts.map((text, id) => ({ group: "g", id, text })));
  return made;
}

const ids = async (of: TextIndex, words: string, limit = 50) =>
  (await of.search(words, { limit })).map(({ id }) => id).sort((a, b) => a - b);

describe("words", () => {
  const texts = [
    "Deploy the gateway",
    "deployment notes",
    "Ein schöner Straßenname",
    "İstanbul",
    "ΑΒΓ Ελλάδα",
    "ＦＵＬＬ width ① 2nd",
  ];
  it.each([
    ["deploy", [0, 1]],
    ["DEPLOY", [0, 1]],
    ["deploy gateway", [0]],
    ["gateway deploy", [0]],
    ["deployment", [1]],
    ["deploym", [1]],
    ["eploy", []],
    ["de", []],
    ["schoner", [2]],
    ["SCHÖNER", [2]],
    ["straßenname", [2]],
    ["ελλαδα", [4]],
    ["full", [5]],
    ["1", [5]],
    ["deploy absent", []],
  ])("%j finds %j", async (words, found) => {
    expect(await ids(await index(texts), words)).toEqual(found);
  });

  it("a word that is finished is not a beginning", async () => {
    expect(await ids(await index(texts), "deploy ")).toEqual([0]);
    expect(await ids(await index(texts), "deploy!")).toEqual([0]);
  });
});

describe("Chinese, Japanese and Korean", () => {
  const texts = [
    "我们昨天讨论了数据库迁移的计划",
    "東京都に住んでいます。ひらがなとカタカナ",
    "서울에서 데이터베이스를 옮겼습니다",
    "數據庫 is written so elsewhere",
    "ﾃﾞｰﾀﾍﾞｰｽ と 𠮷野家",
    "第3章：部署 gateway",
    "ภาษาไทยไม่มีช่องว่าง",
  ];
  it.each([
    ["数据库", [0]],
    ["数", [0]],
    ["划", [0]],
    ["我", [0]],
    ["据库迁移的", [0]],
    ["数据库迁移的计划", [0]],
    ["计划数", []],
    ["迁移数据", []],
    ["东京", []],
    ["東京", [1]],
    ["京都に", [1]],
    ["カタカナ", [1]],
    ["ｶﾀｶﾅ", [1]],
    ["タカ", [1]],
    ["데이터", [2]],
    ["이터베", [2]],
    ["옮", [2]],
    ["數據庫", [3]],
    ["データベース", [4]],
    ["𠮷", [4]],
    ["𠮷野", [4]],
    ["部署 gateway", [5]],
    ["第3章", [5]],
    ["gateway部署", [5]],
    ["ไม่มี", [6]],
  ])("%s finds %j", async (words, found) => {
    expect(await ids(await index(texts), words)).toEqual(found);
  });

  it("every run of a text is found", async () => {
    const text = "人生若只如初见，何事秋风悲画扇";
    const one = await index([text, "别的内容"]);
    for (const run of text.split("，")) {
      for (let from = 0; from < run.length; from++) {
        for (let until = from + 1; until <= run.length; until++) {
          expect(await ids(one, run.slice(from, until)), run.slice(from, until)).toEqual([0]);
        }
      }
    }
  });
});

describe("what is no word", () => {
  const hostile = [
    "",
    "   ",
    '"',
    "'",
    '"unclosed',
    "a\u0000b",
    "\u0000",
    "words : x",
    "NEAR(alpha beta, 2)",
    "-alpha",
    "*",
    "alpha*",
    "^alpha",
    "{alpha} : beta",
    "(((((",
    ")))",
    "OR",
    "alpha OR",
    "NOT alpha AND",
    "\ud800\udfff\udfff",
    "; DROP TABLE text_notes; --",
    "%' OR '1'='1",
    "🦀".repeat(500),
    "(".repeat(10_000),
    "alpha ".repeat(2_000),
    "字".repeat(10_000),
    "x".repeat(10_240),
    '"*^:{}[]()+-'.repeat(900),
  ];
  it.each(hostile.map((words) => ({ shown: JSON.stringify(words).slice(0, 40), words })))(
    "$shown harms nothing",
    async ({ words }) => {
      const one = await index(["alpha beta", "gamma or not near"]);
      await one.put([{ group: "hostile", id: 1, text: words }]);
      const from = performance.now();
      expect(await one.search(words, { limit: 5 })).toBeInstanceOf(Array);
      expect(performance.now() - from).toBeLessThan(1_000);
      expect(await ids(one, "beta")).toContain(0);
    },
  );

  it("operators are words like others", async () => {
    const one = await index(["alpha beta", "gamma or not near"]);
    expect(await ids(one, "or")).toEqual([1]);
    expect(await ids(one, "alpha OR gamma")).toEqual([]);
    expect(await ids(one, "NOT gamma")).toEqual([1]);
    expect(await ids(one, "🦀 !!!")).toEqual([]);
  });

  it("a very long text is found by its beginning", async () => {
    const one = await index([`start ${"filler ".repeat(400_000)} end`]);
    expect(await ids(one, "start")).toEqual([0]);
  });
});

describe("texts", () => {
  it("are replaced, removed and put again", async () => {
    const one = await index(["first", "second", "third"]);
    await one.put([{ group: "g", id: 1, text: "changed" }]);
    expect(await ids(one, "second")).toEqual([]);
    expect(await ids(one, "changed")).toEqual([1]);
    await one.remove("g", 1);
    expect(await ids(one, "changed")).toEqual([]);
    expect(await ids(one, "third")).toEqual([]);
    expect(await ids(one, "first")).toEqual([0]);
    await one.put([{ group: "g", id: 2, text: "third" }]);
    expect(await ids(one, "third")).toEqual([2]);
    await one.remove("g");
    await one.remove("nobody");
    expect(await ids(one, "first")).toEqual([]);
  });

  it("of one put are there together or not at all", async () => {
    const one = await index(["before"]);
    const bad = [
      { group: "g", id: 7, text: "alpha" },
      { group: "g", id: Symbol("no") as unknown as number, text: "beta" },
    ];
    await expect(one.put(bad)).rejects.toThrow();
    expect(await ids(one, "alpha")).toEqual([]);
    expect(await ids(one, "before")).toEqual([0]);
  });

  it("of other groups can be left out, also where they are many", async () => {
    const one = await index();
    const many: IndexedText[] = Array.from({ length: 1_500 }, (_, id) => ({ group: "loud", id, text: "common word" }));
    await one.put([{ group: "quiet", id: 1, text: "common and old" }, ...many]);
    const found = await one.search("common", { limit: 5, groups: ["quiet", "nobody"] });
    expect(found).toEqual([{ group: "quiet", id: 1, score: expect.any(Number) }]);
    expect(await one.search("common", { limit: 5, groups: [] })).toEqual([]);
  });

  it("are ranked: rare words and short texts first, scores above nothing", async () => {
    const filler = Array.from(
      { length: 60 },
      (_, n) => `the usual text number ${n} about gateways and other things of the day`,
    );
    const one = await index([
      ...filler,
      "a zebra among a great many other animals that nobody asked for in this text",
      "zebra",
    ]);
    const found = await one.search("zebra", { limit: 5 });
    expect(found.map(({ id }) => id)).toEqual([61, 60]);
    expect(found[0]?.score).toBeGreaterThan(found[1]?.score as number);
    expect((await one.search("the usual", { limit: 3 })).every(({ score }) => score > 0)).toBe(true);
  });

  it("come exact first, then those that only begin so", async () => {
    const one = await index([
      "deployments deployments deployments",
      "a deploy in the midst of quite a lot of other words",
    ]);
    expect((await one.search("deploy", { limit: 5 })).map(({ id }) => id)).toEqual([1, 0]);
  });
});

describe("an index", () => {
  it("is the same after a restart, and has one object for one name", async () => {
    const first = await openStore();
    const made = await first.store.textIndex("notes");
    expect(await first.store.textIndex("notes")).toBe(made);
    await made.put([{ group: "g", id: 1, text: "remember 记住" }]);
    await first.store.close();
    const { store } = await openStore({ file: first.file });
    expect(await ids(await store.textIndex("notes"), "记住")).toEqual([1]);
    expect(await store.integrity()).toEqual([]);
  });

  it("does not know the texts of another one", async () => {
    const { store } = await openStore();
    await (await store.textIndex("a")).put([{ group: "g", id: 1, text: "alpha" }]);
    expect(await ids(await store.textIndex("b"), "alpha")).toEqual([]);
  });

  it("has a name in snake case", async () => {
    const { store } = await openStore();
    for (const name of ["", "A", "a b", "a;drop", "ä", "x".repeat(60)]) {
      expect(await rejection(store.textIndex(name))).toMatchObject({ code: "STORE_INDEX" });
    }
  });

  it("is written in steps that let others through", { timeout: 60_000 }, async () => {
    const { store } = await openStore();
    const made = await store.textIndex("notes");
    await store.migrate("t", [{ version: 1, statements: ["CREATE TABLE t (n INTEGER)"] }]);
    const words = (n: number) => Array.from({ length: 30 }, (_, i) => `w${(n * 31 + i * 17) % 5_000}`).join(" ");
    const waits: number[] = [];
    for (let batch = 0; batch < 150; batch++) {
      const put = made.put(
        Array.from({ length: 64 }, (_, n) => ({ group: "g", id: batch * 64 + n, text: words(batch * 64 + n) })),
      );
      const from = performance.now();
      await store.run("INSERT INTO t VALUES (?)", batch);
      waits.push(performance.now() - from);
      await put;
    }
    waits.sort((a, b) => a - b);
    // One batch and one merge, on a machine that is busy with other tests.
    expect(waits[Math.floor(waits.length / 2)]).toBeLessThan(60);
    expect((await made.search("w17", { limit: 100 })).length).toBeGreaterThan(10);
  });
});
