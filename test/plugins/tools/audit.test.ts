/** The audit: what a row holds and hides, that it survives, and that its size is bounded. */
import { join } from "node:path";
import { definePlugin, type Store, store as storeService, type ToolRecord, Type } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import keys from "../../../plugins/keys/index.ts";
import { AuditBook } from "../../../plugins/tools/audit/audit-book.ts";
import { keptArguments } from "../../../plugins/tools/audit/mask.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { admin, bench } from "./kit.ts";

type Calls = { calls: Record<string, unknown>[] };

describe("what is kept of arguments", () => {
  it.each([
    [{ password: "CANARY" }],
    [{ db: { user: "me", db_password: "CANARY" } }],
    [{ headers: [{ Authorization: "Bearer CANARY" }] }],
    [{ api_key: "CANARY", "x-api-key": "CANARY", apiKey: "CANARY" }],
    [{ access_token: { value: "CANARY" }, client_secret: ["CANARY"], cookie: "CANARY" }],
    [{ command: "curl -H 'Authorization: Bearer CANARY' https://x" }],
    [{ command: "PGPASSWORD=CANARY psql; mysql --password=CANARY; TOKEN='CANARY' x" }],
    [{ url: "https://user:CANARY@example.org/?token=CANARY&x=1" }],
  ])("masks %j", (input) => {
    const { text, hash } = keptArguments(JSON.stringify(input));
    expect(text).not.toContain("CANARY");
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("leaves what is no secret, cuts what is long, and survives what is no JSON", () => {
    const plain = JSON.stringify({ path: "a/token.txt", n: 1, ok: true, list: [null] });
    expect(keptArguments(plain)).toEqual({ text: plain, hash: "" });
    expect(keptArguments('{"max_tokens":5,"token":5}').text).toBe('{"max_tokens":5,"token":"***"}');
    const { text, hash } = keptArguments(JSON.stringify({ content: "你".repeat(10_000) }));
    expect(text.length).toBeLessThanOrEqual(4_001);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(keptArguments('{"password": "CANARY').text).not.toContain("CANARY");
    expect(keptArguments("").text).toBe("");
    const deep = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;
    expect(keptArguments(deep).text.length).toBeLessThan(5_000);
    const from = performance.now();
    keptArguments(JSON.stringify({ content: "token".repeat(100_000) + "a://".repeat(100_000) }));
    expect(performance.now() - from).toBeLessThan(3_000);
  });

  it("of what is long nothing is told that a mask would have hidden", () => {
    for (let before = 7_400; before < 8_100; before += 1) {
      const content = `${"token=abcdef ".repeat(300)}${"x".repeat(before - 3_900)} https://user:CANARY@example.org/`;
      expect(keptArguments(JSON.stringify({ content })).text).not.toMatch(/CAN/);
    }
  });

  it("looks at no more of many values than it keeps", () => {
    const many = JSON.stringify(Array.from({ length: 500 }, () => Array(1_000).fill("a.b")));
    const { user } = process.cpuUsage();
    JSON.parse(many);
    const parsed = process.cpuUsage().user - user;
    const from = process.cpuUsage().user;
    expect(keptArguments(many).text.length).toBeLessThanOrEqual(4_001);
    expect(process.cpuUsage().user - from).toBeLessThan(parsed * 4 + 50_000);
  });
});

describe("rows", () => {
  it("tell who, what, with what and what came of it; they outlive the gateway", async () => {
    const stateDir = tempDir("audit");
    {
      await using one = await bench({ stateDir, tools: {} });
      await one.run("read_file", { path: "nothing" }, { session: "a" });
      await one.run("exec", { command: "id" }, { session: "b", agent: "coder" });
      await one.run("system_info", {}, { session: null, origin: "direct" });
      // What waits is written when the gateway stops.
    }
    await using one = await bench({ stateDir, tools: {} });
    const get = async (query = "") => ((await one.host.request(`/api/tools/audit${query}`)).json() as Calls).calls;
    const [third, second, first] = await get();
    expect(first).toMatchObject({
      tool: "read_file",
      risk: "read",
      outcome: "failed",
      identity: "token",
      session: "a",
      arguments: '{"path":"nothing"}',
      argumentsHash: "",
      origin: "agent",
      owner: "tools",
    });
    expect(first?.detail).toContain("there is no file");
    expect(second).toMatchObject({ tool: "exec", outcome: "denied", agent: "coder", session: "b" });
    expect(third).toMatchObject({ tool: "system_info", outcome: "ok", detail: "", session: null, origin: "direct" });
    expect((await get("?outcome=denied")).map(({ tool }) => tool)).toEqual(["exec"]);
    expect((await get("?session=a")).map(({ tool }) => tool)).toEqual(["read_file"]);
    expect((await get("?limit=1")).map(({ tool }) => tool)).toEqual(["system_info"]);
    expect((await get(`?before=${third?.id}&tool=exec`)).map(({ tool }) => tool)).toEqual(["exec"]);
    expect(await get("?tool=x'%20OR%201=1--")).toEqual([]);
    for (const bad of ["?limit=0", "?limit=x", "?outcome=odd", "?before=-1"])
      expect((await one.host.request(`/api/tools/audit${bad}`)).status, bad).toBe(400);
  });

  it("are for admins only", async () => {
    await using one = await bench({ plugins: [keys] });
    const call = { identity: admin, id: "1", signal: new AbortController().signal };
    const made = (await one.host.gateway.call("keys.add", { name: "w", scopes: ["write"] }, call)) as { key: string };
    expect((await one.host.request("/api/tools/audit", { token: made.key })).status).toBe(403);
    expect((await one.host.request("/api/tools/audit", { token: null })).status).toBe(401);
  });

  it("a call does not wait for the disk: a thousand calls are a few writes", async () => {
    let transactions = 0;
    const one = await bench({ without: ["store"], plugins: [countingStore(() => (transactions += 1))] });
    await Promise.all(Array.from({ length: 1_000 }, () => one.ok("system_info")));
    const { calls } = (await one.host.request("/api/tools/audit?limit=1000")).json() as Calls;
    expect(calls).toHaveLength(1_000);
    expect(transactions).toBeLessThan(30);
    await one[Symbol.asyncDispose]();
  });
});

/** The real database behind a count. */
function countingStore(count: () => void) {
  return definePlugin({
    id: "counting-store",
    version: "1.0.0",
    host: "^1.0.0",
    config: Type.Object({}),
    provides: [storeService],
    async setup(ctx) {
      const inner = await openMemory(join(ctx.dataDir, "x.db"));
      ctx.own("db", () => inner.close());
      const counted = Object.create(inner.store) as Store;
      counted.transaction = (work) => {
        count();
        return inner.store.transaction(work);
      };
      ctx.provide(storeService, counted);
    },
  });
}

async function openMemory(file: string): Promise<{ store: Store; close(): Promise<void> }> {
  const { loadDriver } = await import("../../../plugins/store/driver.ts");
  const { openConnection } = await import("../../../plugins/store/open.ts");
  const { Database } = await import("../../../plugins/store/database.ts");
  const { SqliteStore } = await import("../../../plugins/store/sqlite-store.ts");
  const driver = await loadDriver();
  const connection = await openConnection(driver, file, { durability: "normal", busyMs: 1_000 });
  const sqlite = new SqliteStore({ database: new Database(connection), driver, file, busyMs: () => 1_000 });
  await sqlite.prepare();
  return {
    store: {
      run: (...given) => sqlite.run(...given),
      get: (...given) => sqlite.get(...given),
      all: (...given) => sqlite.all(...given),
      migrate: (...given) => sqlite.migrate(...given),
      transaction: (work) => sqlite.transaction(work),
      backup: (path) => sqlite.backup(path),
      integrity: () => sqlite.integrity(),
      textIndex: (name) => sqlite.textIndex(name),
    },
    close: () => sqlite.close(),
  };
}

describe("the book", () => {
  const record = (tool: string): ToolRecord => ({
    id: "c",
    tool,
    owner: "tools",
    risk: "read",
    arguments: "{}",
    turn: { id: "t", session: null, agent: "main", identity: admin, signal: new AbortController().signal },
    outcome: "ok",
    output: "",
    ms: 1,
  });

  it("keeps what could not be written for the next time, and a bounded number of it", async () => {
    const { store, close } = await openMemory(join(tempDir("book"), "x.db"));
    let broken = true;
    const flaky: Store = {
      ...store,
      transaction: (work) => (broken ? Promise.reject(new Error("disk full")) : store.transaction(work)),
    };
    const warned: string[] = [];
    const book = new AuditBook(
      () => flaky,
      (_, message) => warned.push(message),
    );
    for (let i = 0; i < 10_050; i += 1) book.add(record(`t${i}`));
    for (let i = 0; i < 3; i += 1) await expect(book.flush()).rejects.toThrow("disk full");
    expect(book.state()).toEqual({ waiting: 10_000, lost: 50, reason: "disk full" });
    broken = false;
    await book.flush();
    expect(book.state()).toEqual({ waiting: 0, lost: 50, reason: "" });
    const rows = await book.list({ limit: 1 });
    expect(rows[0]?.tool).toBe("t10049");
    expect(await store.get("SELECT COUNT(*) AS n FROM tool_audit")).toEqual({ n: 10_000 });
    expect(warned).toEqual(["the audit of tool calls cannot be written; it is tried again and again"]);
    await close();
  });

  it("forgets what is too old or too much", async () => {
    const { store, close } = await openMemory(join(tempDir("book"), "x.db"));
    const book = new AuditBook(
      () => store,
      () => undefined,
    );
    const day = 86_400_000;
    const now = 1_000 * day;
    for (const age of [40, 31, 29, 2, 1, 0]) book.add(record(`age${age}`), now - age * day);
    await book.flush();
    await book.prune(30, 1_000, now);
    expect((await book.list({})).map(({ tool }) => tool)).toEqual(["age0", "age1", "age2", "age29"]);
    await book.prune(30, 2, now);
    expect((await book.list({})).map(({ tool }) => tool)).toEqual(["age0", "age1"]);
    await close();
  });

  it("writes by itself soon", async () => {
    await using one = await bench();
    await one.ok("system_info");
    const store = one.host.service(storeService);
    await until(async () => (await store.get<{ n: number }>("SELECT COUNT(*) AS n FROM tool_audit"))?.n === 1);
  });
});
