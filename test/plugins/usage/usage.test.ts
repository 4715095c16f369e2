/** The usage plugin through its doors: the hook, the service, HTTP, RPC, and what survives a restart. */
import { describe, expect, it } from "vitest";
import { Book } from "../../../plugins/usage/book.ts";
import { type CallRow, migrations } from "../../../plugins/usage/tables.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { openStore } from "../store/kit.ts";
import { identity, key, record, usageHost } from "./kit.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;

describe("a call that has ended", () => {
  it("is counted and priced, at once for budgets", async () => {
    const { ended, book } = await usageHost();
    await ended(record({ usage: { inputTokens: 1_000_000, outputTokens: 100_000, cachedTokens: 400_000 } }));
    // 600,000 fresh at 2.5, 400,000 cached at 1.25, 100,000 out at 10.
    const cost = 1.5 + 0.5 + 1;
    expect(book.spent("token", Date.now() - 60_000)).toEqual({ tokens: 1_100_000, cost, calls: 1 });
    expect(await book.totals({ by: "model" })).toEqual([
      {
        name: "openai/gpt-4o",
        calls: 1,
        failed: 0,
        inputTokens: 1_000_000,
        outputTokens: 100_000,
        cachedTokens: 400_000,
        cost,
        unpriced: 0,
      },
    ]);
  });

  it("badly, silently or of an unknown model is kept too, and its cost is null and never 0", async () => {
    const { ended, book } = await usageHost();
    await ended(
      record({ usage: null, error: "UPSTREAM_TIMEOUT", firstTokenMs: null, failed: 3 }),
      record({ model: "mine/unheard-of", provider: "mine" }),
    );
    const rows = await book.totals({ by: "model" });
    expect(rows).toMatchObject([
      { name: "mine/unheard-of", calls: 1, failed: 0, inputTokens: 1_000, cost: null, unpriced: 1 },
      { name: "openai/gpt-4o", calls: 1, failed: 1, inputTokens: 0, cost: null, unpriced: 1 },
    ]);
    await ended(record());
    expect((await book.totals({ by: "model", model: "openai/gpt-4o" }))[0]).toMatchObject({
      calls: 2,
      cost: 0.0035,
      unpriced: 1,
    });
  });

  it("is summed by everything that is known of it", async () => {
    const { ended, book } = await usageHost();
    await ended(
      record({ identity: key("k_a"), session: "s1", agent: "main", purpose: "turn" }),
      record({ identity: key("k_b"), session: "s2", agent: "coder", purpose: "summary" }),
      record({ identity: key("k_b"), session: null, agent: undefined, purpose: "straight" }),
      record({ identity: undefined, session: "s2", model: "anthropic/claude-opus-5", provider: "anthropic" }),
    );
    const names = async (by: Parameters<typeof book.totals>[0]["by"], more = {}) =>
      Object.fromEntries((await book.totals({ by, ...more })).map(({ name, calls }) => [name, calls]));
    expect(await names("identity")).toEqual({ "key:k_a": 1, "key:k_b": 2, "": 1 });
    expect(await names("session")).toEqual({ s1: 1, s2: 2, "": 1 });
    expect(await names("agent")).toEqual({ main: 2, coder: 1, "": 1 });
    expect(await names("purpose")).toEqual({ turn: 2, summary: 1, straight: 1 });
    expect(await names("provider")).toEqual({ openai: 3, anthropic: 1 });
    expect(await names("model", { identity: "key:k_b" })).toEqual({ "openai/gpt-4o": 2 });
    expect(await names("model", { session: "s2" })).toEqual({ "openai/gpt-4o": 1, "anthropic/claude-opus-5": 1 });
    expect(await names("session", { model: "anthropic/claude-opus-5" })).toEqual({ s2: 1 });
    const [day] = await book.totals({ by: "day" });
    expect(day).toMatchObject({ name: new Date().toISOString().slice(0, 10), calls: 4 });
    expect((await book.totals({ by: "model", limit: 1 })).map(({ name }) => name)).toEqual(["openai/gpt-4o"]);
  });

  it("of a provider on this machine has no price unless one is written", async () => {
    const { ended, book, host } = await usageHost({
      config: {
        models: { providers: { here: { api_base: "http://127.0.0.1:11434/v1", api_key: "k", models: ["gpt-4o"] } } },
      },
    });
    await ended(record({ provider: "here", model: "here/gpt-4o" }));
    expect((await book.totals({ by: "provider" }))[0]).toMatchObject({ cost: null });
    await host.config.write([{ path: "usage.prices", value: { "here/gpt-4o": { input: 1, output: 2 } } }], {
      who: "test",
    });
    await ended(record({ provider: "here", model: "here/gpt-4o" }));
    expect((await book.totals({ by: "provider" }))[0]).toMatchObject({ cost: 0.0012, calls: 2, unpriced: 1 });
    await host.config.write([{ path: "models.providers.here.api_base", value: "https://api.example.com/v1" }], {
      who: "test",
    });
    await host.config.write([{ path: "usage.prices", value: {} }], { who: "test" });
    await ended(record({ provider: "here", model: "here/gpt-4o" }));
    expect((await book.totals({ by: "provider" }))[0]).toMatchObject({ unpriced: 1, calls: 3 });
  });
});

describe("the records", () => {
  it("are written in batches, and all of them when the gateway stops", async () => {
    const stateDir = tempDir("usage");
    const first = await usageHost({ stateDir });
    await first.ended(...Array.from({ length: 1_234 }, (_, n) => record({ identity: key(`k_${n % 3}`) })));
    await first.host.stop();
    const second = await usageHost({ stateDir });
    expect((await second.book.totals({ by: "purpose" }))[0]).toMatchObject({ calls: 1_234 });
    await until(() => second.book.spent("key:k_0", Date.now() - hourMs).calls === 412, 5_000, "what was spent before");
    await second.ended(record({ identity: key("k_0") }));
    expect(second.book.spent("key:k_0", Date.now() - 25 * hourMs)).toMatchObject({ calls: 413, tokens: 413 * 1_100 });
    expect(second.book.spent("key:nobody", 0)).toEqual({ tokens: 0, cost: 0, calls: 0 });
  });

  it("are durable within a second or so, without anybody asking", async () => {
    const stateDir = tempDir("usage");
    const { ended, host } = await usageHost({ stateDir });
    await ended(record());
    await until(async () => {
      const health = await host.gateway.health();
      return JSON.stringify(health).includes('"waiting":0');
    }, 10_000);
  });

  it("wait while the database refuses, and nothing is counted twice", async () => {
    const { store, database } = await openStore();
    await store.migrate("usage", migrations);
    const book = new Book({
      store,
      settings: () => ({ retention_days: 90, rollup_days: 1_095, prices: {} }),
      isLocal: () => false,
    });
    await book.restore();
    const run = database.run.bind(database);
    let broken = true;
    database.run = (sql, values) => {
      if (broken && sql.includes("usage_days")) throw new Error("disk is on fire");
      return run(sql, values);
    };
    for (let n = 0; n < 500; n++) book.record(record());
    await expect(book.flush()).rejects.toThrow("disk is on fire");
    expect(book.writer.waiting).toBe(500);
    broken = false;
    expect((await book.totals({ by: "purpose" }))[0]).toMatchObject({ calls: 500 });
    expect((await store.all("SELECT * FROM usage_calls")).length).toBe(500);
    expect(book.spent("token", Date.now() - hourMs).calls).toBe(500);
  });

  it("beyond a bound are given up and counted", async () => {
    const { store } = await openStore();
    await store.migrate("usage", migrations);
    await store.run("ALTER TABLE usage_calls RENAME TO away");
    const book = new Book({
      store,
      settings: () => ({ retention_days: 90, rollup_days: 1_095, prices: {} }),
      isLocal: () => false,
    });
    for (let n = 0; n < 50_010; n++) book.record(record());
    expect(book.writer.waiting).toBe(50_000);
    expect(book.writer.dropped).toBe(10);
    await expect(book.flush()).rejects.toThrow();
  });
});

describe("a range", () => {
  const start = Date.UTC(2026, 5, 10);

  /** One call every 20 minutes for twelve days, 200 days after the first ones. */
  async function filled() {
    const { store } = await openStore();
    await store.migrate("usage", migrations);
    let clock = start + 12 * dayMs;
    const settings = { retention_days: 5, rollup_days: 1_095, prices: {} };
    const book = new Book({ store, settings: () => settings, isLocal: () => false, now: () => clock });
    const rows: CallRow["at"][] = [];
    for (let at = start; at < clock; at += 20 * 60_000) {
      rows.push(at);
      book.record(record({ at, session: `s${at % 7}` }));
    }
    await book.flush();
    const truth = (since: number, until: number) => rows.filter((at) => at >= since && at < until).length;
    return { book, store, truth, move: (to: number) => (clock = to), settings };
  }

  it("is exact wherever it is cut", async () => {
    const { book, truth } = await filled();
    const end = start + 12 * dayMs;
    const cuts = [0, 1, 59_000, hourMs, hourMs + 1, 90 * 60_000, 7 * hourMs + 1_234_567, dayMs, dayMs + 5];
    for (const before of cuts) {
      for (const length of [1, 60_000, hourMs, hourMs + 7, dayMs, 2 * dayMs + 99]) {
        const since = end - before - length;
        const until = end - before;
        for (const by of ["model", "session", "hour", "day"] as const) {
          const rows = await book.totals({ by, since, until, limit: 1_000 });
          expect(
            rows.reduce((sum, { calls }) => sum + calls, 0),
            `${by} ${before} ${length}`,
          ).toBe(truth(since, until));
        }
      }
    }
    expect(await book.totals({ by: "model", since: end, until: start })).toEqual([]);
  });

  it("beyond what is kept is answered by the day", async () => {
    const { book, store, truth } = await filled();
    await book.purge();
    const kept = start + 7 * dayMs;
    expect(await store.get("SELECT MIN(at) AS at FROM usage_calls")).toEqual({ at: kept });
    expect(await store.get("SELECT MIN(start) AS start FROM usage_hours")).toEqual({ start: kept });
    const all = await book.totals({ by: "model" });
    expect(all[0]?.calls).toBe(truth(0, Number.MAX_SAFE_INTEGER));
    const days = await book.totals({ by: "day" });
    expect(days.map(({ calls }) => calls)).toEqual(Array.from({ length: 12 }, () => 72));
    expect(days[0]?.name).toBe("2026-06-10");
    expect(await book.totals({ by: "day", since: start + dayMs, until: start + 2 * dayMs })).toMatchObject([
      { name: "2026-06-11", calls: 72 },
    ]);
    expect((await book.totals({ by: "session", since: 0 })).reduce((sum, { calls }) => sum + calls, 0)).toBe(5 * 72);
  });

  it("of sums ends as well", async () => {
    const { book, store, move, settings } = await filled();
    settings.rollup_days = 30;
    move(start + 40 * dayMs);
    await book.purge();
    expect(await store.get("SELECT COUNT(*) AS n, MIN(start) AS start FROM usage_days")).toEqual({
      n: 2,
      start: start + 10 * dayMs,
    });
    expect(await store.get("SELECT COUNT(*) AS n FROM usage_calls")).toEqual({ n: 0 });
  });
});

describe("GET /api/usage and usage.totals", () => {
  it("answer in ClawGo's and in our spelling", async () => {
    const { host, ended } = await usageHost();
    await ended(record(), record({ identity: key("k_1"), model: "x/y", provider: "x" }));
    const answer = (await host.request("/api/usage?by=model")).json() as Record<string, unknown>;
    expect(answer).toEqual({
      ok: true,
      by: "model",
      since: expect.closeTo(Date.now() - 7 * dayMs, -5),
      until: expect.closeTo(Date.now(), -5),
      total: {
        calls: 2,
        failed: 0,
        input_tokens: 2_000,
        output_tokens: 200,
        cached_tokens: 0,
        cost: 0.0035,
        unpriced: 1,
      },
      rows: [
        {
          name: "openai/gpt-4o",
          calls: 1,
          failed: 0,
          input_tokens: 1_000,
          output_tokens: 100,
          cached_tokens: 0,
          cost: 0.0035,
          unpriced: 0,
        },
        {
          name: "x/y",
          calls: 1,
          failed: 0,
          input_tokens: 1_000,
          output_tokens: 100,
          cached_tokens: 0,
          cost: null,
          unpriced: 1,
        },
      ],
    });
    const rows = async (query: string) =>
      ((await host.request(`/api/usage?${query}`)).json() as { rows: { name: string }[] }).rows;
    expect(await rows("by=key")).toMatchObject([{ name: "token" }, { name: "key:k_1" }]);
    expect(await rows("by=session&key=k_1")).toMatchObject([{ name: "main", calls: 1 }]);
    for (const since of ["1h", "60m%20ago"]) expect(await rows(`by=model&model=x/y&since=${since}`)).toHaveLength(1);
    expect(await rows(`since=2000-01-01&until=${Date.now() - dayMs}`)).toEqual([]);
    const by = { identity, id: "1", signal: new AbortController().signal };
    expect(await host.gateway.call("usage.totals", { by: "model", limit: 1 }, by)).toMatchObject({
      by: "model",
      total: { calls: 2, unpriced: 1 },
      rows: [{ name: "openai/gpt-4o", inputTokens: 1_000 }],
    });
  });

  it.each(["by=colour", "since=yesterday", "until=-1", "since=99999999999999999999"])("%s is 400", async (query) => {
    const { host } = await usageHost();
    const answer = await host.request(`/api/usage?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/by must be one of|is no time/);
  });

  it("need a credential", async () => {
    const { host } = await usageHost();
    expect((await host.request("/api/usage", { token: null })).status).toBe(401);
  });
});
