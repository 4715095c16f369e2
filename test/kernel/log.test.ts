import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { GatewayError, type LogLine } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { createLog, type LogOptions } from "../../kernel/log.ts";
import { tempDir } from "../kit/temp.ts";

/** A log whose lines land in an array, raw and parsed. */
function capture(options: Partial<LogOptions> = {}) {
  const raw: string[] = [];
  const log = createLog({ level: "info", destination: { write: (line) => void raw.push(line) }, ...options });
  const entries = () => raw.map((line) => JSON.parse(line) as LogLine);
  const last = () => entries().at(-1) as LogLine;
  return { log, raw, entries, last };
}

describe("a line", () => {
  test("carries both names of time and message, an upper-case level, and ends with one line feed", () => {
    const { log, raw, last } = capture();
    log.logger.warn({ port: 18790 }, "listening");
    expect(last()).toMatchObject({ level: "WARN", msg: "listening", message: "listening", port: 18790 });
    expect(last().time).toBe(last().timestamp);
    expect(last().time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(raw[0]?.indexOf("\n")).toBe((raw[0]?.length ?? 0) - 1);
  });

  test("of a plugin names it; a message alone is enough", () => {
    const { log, last } = capture();
    log.child("chat").info("hello");
    expect(last()).toMatchObject({ plugin: "chat", msg: "hello" });
  });

  test("fields cannot replace the line's own keys", () => {
    const { log, last } = capture();
    log.child("chat").error({ level: "INFO", time: "never", plugin: "store", msg: "forged" }, "real");
    expect(last()).toMatchObject({
      level: "ERROR",
      plugin: "chat",
      msg: "real",
      level_: "INFO",
      time_: "never",
      plugin_: "store",
      msg_: "forged",
    });
    expect(last().time).not.toBe("never");
  });

  test("below the level costs nothing and says nothing; the level changes live and goes back", () => {
    const { log, entries } = capture();
    let read = 0;
    const spy = {
      get field() {
        return ++read;
      },
    };
    log.logger.debug(spy, "quiet");
    log.source.setLevel("debug");
    log.logger.debug(spy, "loud");
    log.source.setLevel("error");
    log.logger.warn("quiet");
    log.source.setLevel(undefined);
    log.logger.info("loud again");
    expect(entries().map(({ msg }) => msg)).toEqual(["loud", "loud again"]);
    expect(read).toBe(1);
  });
});

describe("what a caller hands over", () => {
  test("an error keeps type, code, message, details, cause and a bounded stack", () => {
    const { log, last } = capture();
    const error = new GatewayError(
      "CONFIG_INVALID",
      400,
      "port must be a number",
      { path: "gateway.port" },
      { cause: new TypeError("inner") },
    );
    error.stack = `${error.stack}\n${"    at deep (file.ts:1:1)\n".repeat(2000)}`;
    log.logger.error({ err: error }, "refused");
    const err = last().err as { cause: unknown; stack: string };
    expect(err).toMatchObject({
      type: "GatewayError",
      code: "CONFIG_INVALID",
      status: 400,
      details: { path: "gateway.port" },
    });
    expect(err.cause).toMatchObject({ type: "TypeError", message: "inner" });
    expect(err.stack.length).toBeLessThan(4200);
    log.logger.error(error as never, "bare");
    expect(last().err).toMatchObject({ code: "CONFIG_INVALID" });
  });

  test("cycles, depth, width, bytes, big integers and hostile objects are survived", () => {
    const { log, last } = capture();
    const cycle: Record<string, unknown> = { name: "a" };
    cycle.self = cycle;
    const thrower = {
      get bad() {
        throw new Error("no");
      },
      good: 1,
    };
    const proxy = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("no");
        },
      },
    );
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]));
    log.logger.info({
      cycle,
      thrower,
      wide,
      big: 10n,
      nan: Number.NaN,
      bytes: new Uint8Array(9),
      fn: () => 1,
      when: new Date(0),
      bad: new Date(Number.NaN),
      map: new Map([["a", 1]]),
    });
    expect(last()).toMatchObject({
      big: "10",
      nan: "NaN",
      bytes: "[9 bytes]",
      when: "1970-01-01T00:00:00.000Z",
      map: { a: 1 },
      thrower: { bad: "[unreadable]", good: 1 },
      msg: "",
    });
    expect(last()).not.toHaveProperty("fn");
    expect(Object.keys(last().wide as object).length).toBeLessThan(80);
    log.logger.info({ proxy } as never, "still here");
    expect(last().msg).toBe("still here");
    log.logger.info(proxy as never, "and here");
    expect(last().msg).toBe("and here");
  });

  test("control characters, ANSI, line separators, direction marks and lone surrogates are written out", () => {
    const { log, raw, last } = capture();
    log.logger.info(
      { agent: 'curl\r\n{"level":"ERROR"}\u001b[2K\u2028\u202e\ud800\u0085' },
      "one\ntwo\u001b]0;title\u0007",
    );
    expect(raw[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u202e]/u);
    expect(last().msg).toBe("one\\ntwo\\u001b]0;title\\u0007");
    expect(last().agent).toBe('curl\\r\\n{"level":"ERROR"}\\u001b[2K\\u2028\\u202e\\ud800\\u0085');
  });

  test("texts stop at 8 KB and lines at 64 KB", () => {
    const { log, raw, last } = capture();
    log.logger.info({ long: "x".repeat(100_000) }, "m");
    expect(last().long).toBe(`${"x".repeat(8192)}… [100000 characters]`);
    const heavy = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, "龍\\".repeat(5000)]));
    log.logger.info(heavy, "\\".repeat(9000));
    log.logger.info(heavy, "龍".repeat(9000));
    log.logger.info({}, "\ud800".repeat(9000));
    for (const line of raw) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(65_536);
    expect(last().level).toBe("INFO");
  });
});

describe("secrets", () => {
  const canary = 'c4n"ary/ß-secret';

  test("a registered one appears nowhere, in no spelling, also across the cut", () => {
    const { log, raw } = capture({ level: "debug" });
    log.logger.info(`before ${canary.length}`);
    log.redact([canary, "", "abc", "s3cret-s3cret-s3cret"]);
    log.logger.info(
      { a: `x${canary}y`, deep: { list: [canary] }, [canary]: 1, err: new Error(`bad ${canary}`) },
      `m ${canary}`,
    );
    log.logger.info({ json: JSON.stringify({ token_: canary }), url: `https://x/?q=${encodeURIComponent(canary)}` });
    log.logger.info("s3cret-s3cret-s3cret".repeat(5000));
    for (let pad = 8150; pad < 8200; pad += 1) log.logger.info("p".repeat(pad) + canary);
    for (let pad = 65_500; pad < 65_540; pad += 1) log.logger.info("p".repeat(pad) + canary);
    const all = raw.join("");
    expect(all).not.toContain("ary/ß-secret");
    expect(all).not.toContain(encodeURIComponent(canary));
    expect(all).not.toContain("s3cret-s");
    expect(all).toContain("[redacted]");
  });

  test("an old secret stays masked after a new one was registered", () => {
    const { log, last } = capture();
    log.redact(["old-token-1"]);
    log.redact(["new-token-2"]);
    log.logger.info("old-token-1 new-token-2");
    expect(last().msg).toBe("[redacted] [redacted]");
  });

  test("tokens in URLs, bearer headers and fields named like secrets are masked without being known", () => {
    const { log, last } = capture();
    log.logger.info(
      {
        url: "/api/chat?session=main&token=abcdef&x=1",
        referer: "http://h/cb?next=%2Fa%3Ftoken%3Dabcdef%26b",
        headers: { authorization: "Bearer abcdef", "x-api-key": "abcdef", cookie: "a=abcdef", accept: "*/*" },
        bot_token: "abcdef",
        env: { OPENAI_API_KEY: "abcdef", accessToken: "abcdef", clientSecret: "abcdef", privateKey: "abcdef" },
        wrapped: { "set-cookie": ["a=abcdef"], token: { value: "abcdef" }, credentials: new Map([["k", "abcdef"]]) },
        proxy: "http://me:abcdef@proxy:8080/x",
        err: new Error("failed", { cause: Object.assign(new Error("https://u:abcdef@host"), { apiKey: "abcdef" }) }),
        empty: { password: "" },
        usage: { tokens: 300 },
      },
      "sent Authorization: Bearer abcdef-abcdef to it",
    );
    expect(JSON.stringify(last())).not.toContain("abcdef");
    expect(last()).toMatchObject({
      url: "/api/chat?session=main&token=[redacted]&x=1",
      headers: { accept: "*/*" },
      usage: { tokens: 300 },
      proxy: "http://me:[redacted]@proxy:8080/x",
      empty: { password: "" },
    });
  });
});

describe("subscribers", () => {
  test("get line and entry; one that throws or logs hurts nobody; the undo works", () => {
    const { log, entries } = capture();
    const seen: string[] = [];
    log.source.subscribe(() => {
      throw new Error("broken");
    });
    log.source.subscribe(() => log.logger.info("echo"));
    const stop = log.source.subscribe((line, entry) => {
      expect(JSON.parse(line)).toEqual(entry);
      seen.push(entry.msg);
    });
    log.logger.info("a");
    stop();
    log.logger.info("b");
    expect(seen).toEqual(["a"]);
    expect(entries().map(({ msg }) => msg)).toEqual(["a", "echo", "b", "echo"]);
  });

  test("the memory holds the last 1,000 lines", () => {
    const { log } = capture();
    for (let i = 0; i < 1100; i += 1) log.logger.info(`n${i}`);
    const recent = log.source.recent();
    expect(recent).toHaveLength(1000);
    expect(recent[0]?.msg).toBe("n100");
    expect(recent.at(-1)?.msg).toBe("n1099");
  });

  test("a named one resumes where its predecessor stopped", () => {
    const { log } = capture();
    const seen: string[] = [];
    const take = (_: string, entry: LogLine) => void seen.push(entry.msg);
    log.logger.info("before");
    const stop = log.source.subscribe(take, "file");
    log.logger.info("first");
    stop();
    log.logger.info("between");
    const other = log.source.subscribe(() => undefined, "other");
    other();
    log.source.subscribe(take, "file");
    log.logger.info("second");
    expect(seen).toEqual(["before", "first", "between", "second"]);
  });

  test("two logs in one process know nothing of each other", () => {
    const [a, b] = [capture(), capture()];
    a.log.redact(["only-in-a"]);
    b.log.logger.info("only-in-a");
    expect(b.last().msg).toBe("only-in-a");
    expect(a.raw).toEqual([]);
  });
});

describe("the destination", () => {
  test("for people: one line, escaped, with the fields", () => {
    const { log, raw } = capture({ pretty: true });
    log.child("chat").warn({ session: "main", note: "two words" }, "slow\nturn");
    expect(raw[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}\[chat\] slow\\nturn session=main note="two words"\n$/);
  });

  test("one that throws does not reach the caller", async () => {
    const log = createLog({
      level: "info",
      destination: {
        write: () => {
          throw new Error("gone");
        },
      },
    });
    log.logger.info("kept");
    expect(log.source.recent().map(({ msg }) => msg)).toEqual(["kept"]);
    await log.flush();
  });

  test("a file descriptor has every line after a flush, and is left open", async () => {
    const file = join(tempDir("log"), "out");
    const fd = openSync(file, "a");
    const log = createLog({ level: "info", destination: fd });
    for (let i = 0; i < 500; i += 1) log.logger.info({ i }, "line");
    await log.flush();
    writeSync(fd, "after");
    closeSync(fd);
    const lines = readFileSync(file, "utf8").split("\n");
    expect(lines).toHaveLength(501);
    expect(lines.at(-1)).toBe("after");
    expect(lines.slice(0, -1).map((line) => (JSON.parse(line) as { i: number }).i)).toEqual([...Array(500).keys()]);
  });

  test("a descriptor that cannot be written loses lines and nothing else", async () => {
    const fd = openSync(join(tempDir("log"), "out"), "a");
    closeSync(fd);
    const log = createLog({ level: "info", destination: fd });
    log.logger.info("into the void");
    await log.flush(500);
    log.logger.info("again");
    expect(log.source.recent()).toHaveLength(2);
  });
});
