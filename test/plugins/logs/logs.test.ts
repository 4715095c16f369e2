import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { definePlugin, type Logger, logSource } from "@chela/sdk";
import { startHost, type TestHost, type TestSocket } from "@chela/sdk/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import logs from "../../../plugins/logs/index.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";

async function open(logging: Record<string, unknown> = {}, stateDir?: string) {
  let log: Logger | undefined;
  const writer = definePlugin({
    id: "writer",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      log = ctx.log;
    },
  });
  const host = await startHost({ plugins: [apiConfig, logs, writer], config: { logging }, stateDir });
  onTestFinished(() => host.stop());
  const path = join(host.stateDir, "logs", "chela.log");
  const lines = () => (existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : []);
  const messages = () => lines().map((line) => (JSON.parse(line) as { msg: string }).msg);
  return { host, log: log as Logger, path, lines, messages };
}

const call = async (host: TestHost, method: string, params: unknown) =>
  (
    (await host.request("/api/call", { body: { method, params } })).json() as {
      result: { logs: Record<string, unknown>[] };
    }
  ).result;

async function entryWith(socket: TestSocket, msg: string): Promise<Record<string, unknown>> {
  for (;;) {
    const frame = (await socket.next()) as { ok: boolean; type: string; entry: Record<string, unknown> };
    expect(frame).toMatchObject({ ok: true, type: "log_entry" });
    if (frame.entry.msg === msg) return frame.entry;
  }
}

describe("the file", () => {
  test("has every line since the host began, 0600, as JSON with both names of time and message", async () => {
    const { host, log, path, lines, messages } = await open();
    log.warn({ session: "main" }, "slow turn");
    await until(() => messages().includes("slow turn"));
    const line = JSON.parse(lines().find((text) => text.includes("slow turn")) as string) as Record<string, string>;
    expect(line).toMatchObject({
      level: "WARN",
      plugin: "writer",
      msg: "slow turn",
      message: "slow turn",
      session: "main",
    });
    expect(line.time).toBe(line.timestamp);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lines().length).toBeGreaterThanOrEqual(host.logs().length - 1);
  });

  test("loses no line and repeats none while the plugin restarts", async () => {
    const { host, log, messages } = await open();
    let count = 0;
    for (let round = 0; round < 3; round += 1) {
      let restarting = true;
      const done = host.plugins.reload("logs").finally(() => {
        restarting = false;
      });
      for (let lines = 0; restarting; lines += 1) {
        if (lines < 300) log.info(`n${count++}`); // The host remembers 1,000 for a writer that is away.
        await new Promise(setImmediate);
      }
      await done;
    }
    log.info("last");
    await until(() => messages().includes("last"));
    expect(count).toBeGreaterThan(3);
    expect(messages().filter((msg) => /^n\d+$/.test(msg))).toEqual([...Array(count).keys()].map((i) => `n${i}`));
  });

  test("is where the config says; a place that cannot be written is told, and the gateway runs", async () => {
    const dir = tempDir("logs");
    const { host } = await open({ dir, filename: "own.log" });
    await until(() => existsSync(join(dir, "own.log")));
    writeFileSync(join(dir, "in-the-way"), "");
    await host.config.write([{ path: "logging.dir", value: join(dir, "in-the-way") }], { who: "test" });
    await until(() => host.logs().some(({ msg }) => msg.includes("log file cannot be written")));
    expect((await host.request("/api/version")).status).toBe(200);
    expect(await host.gateway.health()).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([expect.objectContaining({ plugin: "logs", name: "file", ok: false })]),
    });
    expect((await host.request("/api/logs/recent")).status).toBe(500);
    expect((await call(host, "logs.recent", { limit: 5 })).logs).toHaveLength(5);
  });

  test("level, size and retention apply live; sockets stay", async () => {
    const { host, log, path, messages } = await open();
    const socket = await host.connect("/api/logs/live");
    log.debug("visible: the test host starts at debug");
    await host.request("/api/config", { body: { logging: { level: "warn" } } });
    log.info("too quiet");
    const { restarted } = (
      await host.request("/api/config", {
        body: { logging: { level: "info", max_size_mb: 1, retention_days: 1, max_total_mb: 2 } },
      })
    ).json() as { restarted: string[] };
    expect(restarted).toEqual([]);
    for (let i = 0; i < 300; i += 1) log.info({ fill: "x".repeat(8000) }, `fill ${i}`);
    await until(() => readdirSync(join(path, "..")).length > 1);
    log.info("the end");
    // However often the file was rotated meanwhile, and the oldest deleted.
    for (let i = 0; i < 300; i += 1) await entryWith(socket, `fill ${i}`);
    await entryWith(socket, "the end");
    expect(messages()).not.toContain("too quiet");
    const rotated = readdirSync(join(path, "..")).filter((name) => /^chela\.log\.\d{8}-\d{6}/.test(name));
    expect(rotated.length).toBeGreaterThan(0);
  });

  test("of yesterday and beyond the total is deleted", async () => {
    const stateDir = tempDir("logs-state");
    mkdirSync(join(stateDir, "logs"));
    const old = join(stateDir, "logs", "chela.log.20200101-000000");
    writeFileSync(old, "x".repeat(2_000_000));
    await open({ max_total_mb: 1 }, stateDir);
    await until(() => !existsSync(old));
  });

  test("holds no token of a URL and no secret of the config, old or new", async () => {
    const { host, log, lines } = await open();
    const secret = (n: number) => `canary-in-config-${n}`;
    for (const n of [1, 2]) {
      await host.config.write([{ path: "gateway.auth.password", value: secret(n) }], { who: "test" });
    }
    await host.request("/api/version?token=canary-in-url-1", { token: null });
    log.info(
      { url: "/x?token=canary-in-url-2", headers: { authorization: "Bearer canary-in-url-3" } },
      "asked with Bearer canary-in-url-4",
    );
    log.error({ err: new Error(`upstream said ${secret(1)}`), [secret(2)]: [secret(2)] }, `bad ${secret(1)}`);
    log.info("last");
    await until(() => lines().some((line) => line.includes('"last"')));
    expect(lines().join("\n")).not.toContain("canary-in");
  });
});

describe("GET /api/logs/recent", () => {
  test("gives the last lines: objects as they are, text wrapped, by ClawGo's rule for the limit", async () => {
    const { host, path, lines } = await open({ level: "error" });
    await until(() => lines().length === host.logs().length);
    appendFileSync(path, `${Array.from({ length: 250 }, (_, i) => `{"n":${i}}`).join("\n")}\nplain\n`);
    const ask = async (query: string) =>
      ((await host.request(`/api/logs/recent${query}`)).json() as { ok: boolean; logs: Record<string, unknown>[] })
        .logs;
    const ten = await ask("");
    expect(ten).toHaveLength(10);
    expect(ten.slice(0, 9)).toEqual(Array.from({ length: 9 }, (_, i) => ({ n: 241 + i })));
    expect(ten[9]).toEqual({ time: expect.stringMatching(/Z$/), level: "INFO", msg: "plain" });
    for (const [query, count] of [
      ["?limit=3", 3],
      ["?limit=0", 10],
      ["?limit=-3", 10],
      ["?limit=abc", 10],
      ["?limit=2.5", 10],
      ["?limit=1000", 200],
    ] as const) {
      expect(await ask(query)).toHaveLength(count);
    }
    appendFileSync(path, '{"level":"ERROR","msg":"bad"}\nnoise\nnoise\n');
    expect(await ask("?limit=1&level=warn")).toEqual([{ level: "ERROR", msg: "bad" }]);
    appendFileSync(path, '{"msg":"Ada came"}\n{"msg":"noise"}\n{"msg":"Ada went"}\n');
    const page = async (query: string) =>
      (await host.request(`/api/logs/recent?query=ada&limit=1${query}`)).json() as { logs: unknown; before: string };
    const newest = await page("");
    expect(newest.logs).toEqual([{ msg: "Ada went" }]);
    expect((await page(`&before=${newest.before}`)).logs).toEqual([{ msg: "Ada came" }]);
    expect(await call(host, "logs.recent", { query: "ADA W", limit: 5 })).toMatchObject({ logs: newest.logs });
    appendFileSync(path, '{"plugin":"mcp","msg":"Ada called"}\n');
    expect(await ask("?plugin=mcp")).toEqual([{ plugin: "mcp", msg: "Ada called" }]);
    expect(await call(host, "logs.recent", { query: "ada", plugin: "kernel", limit: 1 })).toMatchObject({
      logs: newest.logs,
    });
    expect((await host.request("/api/logs/recent?before=7")).status).toBe(400);
    expect((await host.request("/api/logs/recent?level=loud")).text).toBe(
      "unknown level: loud; use debug, info, warn or error\n",
    );
    expect((await host.request("/api/logs/recent", { token: null })).status).toBe(401);
  });

  test("without a file says so in ClawGo's words; the method answers from memory", async () => {
    const { host, log } = await open({ enabled: false });
    log.error("remembered");
    const reply = await host.request("/api/logs/recent");
    expect([reply.status, reply.text]).toEqual([500, "log path not configured\n"]);
    expect((await call(host, "logs.recent", { limit: 5, level: "error" })).logs[0]).toMatchObject({
      msg: "remembered",
    });
    expect(await call(host, "logs.recent", { limit: 5, query: "REMEM" })).toMatchObject({ before: null, logs: [{}] });
    expect((await call(host, "logs.recent", { limit: 5, query: "no such words" })).logs).toEqual([]);
    expect((await call(host, "logs.recent", { limit: 5, plugin: "nobody" })).logs).toEqual([]);
    const socket = await host.connect("/api/logs/live");
    expect(await socket.next()).toEqual({ ok: false, error: "log path not configured" });
    await socket.closed;
    expect(existsSync(join(host.stateDir, "logs"))).toBe(false);
  });
});

describe("/api/logs/live", () => {
  test("tells a line that anyone appended within 3 s (A16)", async () => {
    const { host, path } = await open();
    await until(() => existsSync(path));
    const socket = await host.connect("/api/logs/live");
    appendFileSync(path, '{"msg":"from outside"}\nplain text\n');
    const from = performance.now();
    expect(await entryWith(socket, "from outside")).toEqual({ msg: "from outside" });
    expect(performance.now() - from).toBeLessThan(3000);
    expect(await entryWith(socket, "plain text")).toMatchObject({ level: "INFO" });
  });

  test("follows a rotation, filters by level, plugin and text, and ignores what the client sends", async () => {
    const { host, log, path } = await open();
    await until(() => existsSync(path));
    const socket = await host.connect("/api/logs/live?level=warn&plugin=mcp&query=NEW%20file");
    socket.send("garbage");
    socket.send({ any: 1 });
    renameSync(path, `${path}.20251121-093000`);
    writeFileSync(path, "");
    log.info("too quiet");
    const wanted = { level: "WARN", plugin: "mcp", msg: "in the new file" };
    const others = [{ level: "INFO" }, { plugin: "chat" }, { msg: "elsewhere" }].map((part) => ({
      ...wanted,
      ...part,
    }));
    appendFileSync(path, [...others, wanted].map((entry) => `${JSON.stringify(entry)}\n`).join(""));
    const frame = (await socket.next()) as { entry: Record<string, unknown> };
    expect(frame.entry).toEqual(wanted);
  });

  test("says why it cannot be opened, and closes", async () => {
    const stateDir = tempDir("logs-state");
    writeFileSync(join(stateDir, "logs"), "a file in the way");
    const { host } = await open({}, stateDir);
    const socket = await host.connect("/api/logs/live");
    expect(await socket.next()).toEqual({
      ok: false,
      error: `open ${join(stateDir, "logs", "chela.log")}: not a directory`,
    });
    expect((await socket.closed).code).toBe(1011);
  });

  test("leaves nothing behind when it and the plugin go", async () => {
    const { host } = await open();
    await host.plugins.disable("logs", "test");
    const without = host.census();
    await host.plugins.enable("logs", "test");
    const socket = await host.connect("/api/logs/live");
    await host.plugins.disable("logs", "test");
    expect((await socket.closed).code).toBe(1012);
    expect(host.census()).toEqual(without);
    const source = host.service(logSource);
    expect(source.recent().length).toBeGreaterThan(0);
  });
});
