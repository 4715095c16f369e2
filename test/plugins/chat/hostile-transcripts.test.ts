/** Transcripts as they come from broken disks, other programs, other times and ill will: what can be read is, the rest is named. */
import { describe, expect, it } from "vitest";
import type { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { importSession } from "../../../plugins/chat/sessions/transcript/import.ts";
import { chatHost } from "./kit.ts";
import { openSessions } from "./session-service.ts";

const signal = new AbortController().signal;

async function service() {
  const { sessions } = await openSessions();
  const take = (bytes: Uint8Array | string) => takeAll([Buffer.from(bytes as string)]);
  const takeAll = (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
    importSession(sessions.table, { key: "s", files: [{ name: "f", bytes: () => chunks }] }, { dryRun: false, signal });
  const texts = async () => (await sessions.history("s", { limit: 2_000 })).map(({ content }) => content);
  return { sessions, take, takeAll, texts };
}

const line = (text: string, more: object = {}) => `${JSON.stringify({ role: "user", content: text, ...more })}\n`;
const bytes = (...parts: (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));

describe("a line that is no UTF-8", () => {
  it.each([
    ["GBK", bytes('{"role":"user","content":"', [0xc4, 0xe3, 0xba, 0xc3], '"}\n')],
    ["Latin-1", bytes('{"role":"user","content":"caf', [0xe9], '"}\n')],
    ["an encoded half of a pair", bytes('{"role":"user","content":"', [0xed, 0xa0, 0x80], '"}\n')],
    ["an overlong slash", bytes('{"role":"user","content":"', [0xc0, 0xaf], '"}\n')],
  ])("as %s is named, and harms no other", async (_, middle) => {
    const { take, texts } = await service();
    const report = await take(Buffer.concat([Buffer.from(line("before")), middle, Buffer.from(line("after 好"))]));
    expect(report).toMatchObject({
      imported: 2,
      broken: 1,
      problems: [{ file: "f", line: 2, error: "it is no UTF-8" }],
    });
    expect(await texts()).toEqual(["before", "after 好"]);
  });

  it.each(["utf16le", "utf16be"])("in a whole file of %s: every line is", async (encoding) => {
    const { take, texts } = await service();
    const file = Buffer.from(`\ufeff${line("one")}${line("two 好")}`, "utf16le");
    const report = await take(encoding === "utf16le" ? file : file.swap16());
    expect(report.imported).toBe(0);
    expect(report.broken).toBeGreaterThan(1);
    expect(await texts()).toEqual([]);
  });
});

describe("a damaged transcript", () => {
  it("that ends anywhere gives what came before", async () => {
    const whole = Buffer.from(line("one") + line("你好 👩‍🚀", { seq: 2, future: { deep: [1] } }));
    const first = Buffer.byteLength(line("one"));
    for (let length = 0; length <= whole.length; length += 3) {
      const { take, texts } = await service();
      const report = await take(whole.subarray(0, length));
      const kept = await texts();
      expect(kept).toEqual(["one", "你好 👩‍🚀"].slice(0, kept.length));
      expect(kept.length >= 1).toBe(length >= first - 1);
      expect(report.broken, String(length)).toBeLessThanOrEqual(1);
    }
  });

  it("with holes of zeros, torn lines and two lines in one goes on behind them", async () => {
    const { take, texts } = await service();
    const torn = line("torn").slice(0, 12);
    const report = await take(
      bytes(
        line("a"),
        new Array(5_000).fill(0),
        "\n",
        line("b"),
        torn,
        line("c"),
        line("d").trim(),
        line("e"),
        line("f"),
      ),
    );
    expect(await texts()).toEqual(["a", "b", "f"]);
    expect(report).toMatchObject({ imported: 3, broken: 3 });
    expect(report.problems.map(({ line: number }) => number)).toEqual([2, 4, 5]);
  });

  it("of nested ill will breaks nothing but its line", async () => {
    const { take, texts } = await service();
    const deep = (open: string, close: string) => open.repeat(200_000) + close.repeat(200_000);
    const evil = [
      deep("[", "]"),
      `{"role":"user","content":${deep("[", "]")}}`,
      `{"role":"assistant","content":"","tool_calls":[{"id":"1","name":"f","arguments":${deep('{"a":', "")}1${"}".repeat(200_000)}}]}`,
      `{"role":"assistant","content":"","tool_calls":[{"id":"1","name":"f","arguments":${deep("[", "]")}}]}`,
      '{"role":"__proto__","content":"x"}',
      '{"role":"constructor","content":"x"}',
      '{"role":{"toLowerCase":1},"content":"x"}',
      '{"__proto__":{"role":"user"},"content":"x"}',
      '{"role":"user","content":{"length":1e9}}',
      '{"role":"user","content":"x","timestamp":1e308,"usage":{"input":-1,"output":1e999}}',
      '{"role":"user","content":"y","at":8640000000000001}',
    ];
    const report = await take(`${line("before")}${evil.join("\n")}\n${line("after")}`);
    const kept = await texts();
    expect(kept.at(0)).toBe("before");
    expect(kept.at(-1)).toBe("after");
    expect(kept).toEqual(expect.arrayContaining(["x", "y"]));
    expect(report.imported + report.broken + report.other).toBe(evil.length + 2);
    expect(report.broken).toBeGreaterThanOrEqual(6);
  });

  it("keeps NUL, halves of pairs and marks of direction as they are, and comes out and in again the same", async () => {
    const { take, texts, sessions } = await service();
    const odd = ["a\u0000b", "\ud83d", "\u202eabc\u202c", "\u2028\u2029", "\ufeff", "שלום عالم", "\\u0000", "\"'`"];
    expect(await take(odd.map((text) => line(text)).join(""))).toMatchObject({ imported: odd.length, broken: 0 });
    expect(await texts()).toEqual(odd);
    const { exportSession } = await import("../../../plugins/chat/sessions/transcript/export.ts");
    let text = "";
    for await (const part of await exportSession(sessions.table, "s", "jsonl")) text += part;
    expect(await take(Buffer.from(text))).toMatchObject({ imported: 0, duplicates: odd.length });
    let markdown = "";
    for await (const part of await exportSession(sessions.table, "s", "markdown")) markdown += part;
    expect(markdown).toContain("שלום عالم");
  });

  it("of 100 MB is read in bounded memory, lines beyond measure are passed over", { timeout: 180_000 }, async () => {
    const { takeAll, sessions } = await service();
    const body = "x".repeat(4_000);
    const megabyte = Buffer.alloc(1024 * 1024, 120);
    let most = 0;
    const chunks = async function* (): AsyncIterable<Uint8Array> {
      for (let n = 0; n < 50; n++) {
        yield Buffer.from(Array.from({ length: 125 }, (_, m) => line(`${n}-${m} ${body}`)).join(""));
        most = Math.max(most, process.memoryUsage().external + process.memoryUsage().arrayBuffers);
      }
      // One line of 80 MB that never becomes one string.
      for (let n = 0; n < 80; n++) {
        yield megabyte;
        most = Math.max(most, process.memoryUsage().external + process.memoryUsage().arrayBuffers);
      }
      yield Buffer.from(`\n${line("the end")}`);
    };
    const before = process.memoryUsage().external + process.memoryUsage().arrayBuffers;
    const report = await takeAll(chunks());
    expect(report).toMatchObject({ imported: 50 * 125 + 1, broken: 1, duplicates: 0 });
    expect((await sessions.history("s", { limit: 1 }))[0]?.content).toBe("the end");
    expect((most - before) / 1024 / 1024).toBeLessThan(64);
  });
});

describe("an export", () => {
  it("of an empty session, of one message of megabytes, of cut and failed ones comes, and goes in again", async () => {
    const { host, sessions } = await chatHost();
    const { table } = sessions as SessionService;
    await table.append("empty", [], async () => {});
    await sessions.append("odd", [
      { role: "user", content: "字".repeat(2_000_000) },
      { role: "user", content: [] },
      { role: "assistant", content: "", state: "partial" },
      { role: "tool", content: "````\n```", toolCallId: "c`1`\n", state: "failed" },
      { role: "assistant", content: "", toolCalls: [{ id: "", name: "", arguments: "" }], reasoning: "\u0000" },
      { role: "user", content: [{ type: "image", url: "javascript:alert(1)>" }] },
      { role: "user", content: "late", at: 8.64e15 } as never,
    ]);
    const out = (key: string, format: string) => host.request(`/api/sessions/export?key=${key}&format=${format}`);
    expect(await out("empty", "jsonl")).toMatchObject({ status: 200, text: "" });
    expect((await out("empty", "markdown")).text).toBe("# empty\n\n");
    expect((await out("odd", "markdown")).status).toBe(200);
    const { text } = await out("odd", "jsonl");
    const again = await host.request("/api/sessions/import?key=copy", {
      method: "POST",
      body: Buffer.from(text),
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(again.json()).toMatchObject({ imported: 7, broken: 0 });
    const states = async (key: string) => (await sessions.history(key)).map(({ role, state, at }) => [role, state, at]);
    expect(await states("copy")).toEqual(await states("odd"));
    expect((await host.request("/api/chat/history?session=odd")).status).toBe(200);
  });
});

it("a tool's answer of three million backticks goes into a block of Markdown", async () => {
  const { sessions } = await openSessions();
  const ticks = "` ".repeat(3_000_000);
  await sessions.append("s", [{ role: "tool", content: ticks, toolCallId: "1" }]);
  const { exportSession } = await import("../../../plugins/chat/sessions/transcript/export.ts");
  let markdown = "";
  for await (const part of await exportSession(sessions.table, "s", "markdown")) markdown += part;
  expect(markdown).toContain(`\n\`\`\`\n${ticks}\n\`\`\`\n`);
});

describe("POST /api/sessions/import", () => {
  const form = (files: Readonly<Record<string, string>>) => {
    const boundary = "----odd";
    const parts = Object.entries(files).map(
      ([name, text]) =>
        `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n${text}\r\n`,
    );
    return {
      method: "POST",
      body: Buffer.from(`${parts.join("")}--${boundary}--\r\n`),
      headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    };
  };

  it.each([`${"x".repeat(230)}.jsonl`, "a%00b.jsonl", "a%0Ab.jsonl"])(
    "says which file has a name that is no session's: %s",
    async (name) => {
      const { host } = await chatHost();
      const answer = await host.request("/api/sessions/import", form({ "good.jsonl": line("x"), [name]: line("y") }));
      expect(answer.status).toBe(400);
      expect(answer.text).toContain(name.slice(0, 90));
      expect(answer.text).toContain("names no session");
    },
  );

  it.each([
    ["..%2F..%2Fetc%2Fpasswd.jsonl", "../../etc/passwd"],
    ["a%22b%27c.jsonl", "a\"b'c"],
    ["%E4%BD%A0%E5%A5%BD%F0%9F%A6%80.jsonl", "你好🦀"],
    ["%zz.jsonl", "%zz"],
    ["__proto__.jsonl", "__proto__"],
  ])("takes %s as the session %s, a name and never a path", async (name, key) => {
    const { host, sessions } = await chatHost();
    const answer = await host.request("/api/sessions/import", form({ [name]: line("hello") }));
    expect(answer.json()).toMatchObject({ ok: true, imported: 1, sessions: [{ key }] });
    expect((await sessions.history(key)).map(({ content }) => content)).toEqual(["hello"]);
    const out = await host.request(`/api/sessions/export?key=${encodeURIComponent(key)}`);
    expect(out.status).toBe(200);
    expect(out.headers["content-disposition"]).toMatch(/^attachment; filename="[\w.-]+\.jsonl"$/);
  });

  it.each([
    ["{", 400],
    ["[]", 200],
    ['{"__proto__":{"sessionId":"f"},"k":{"sessionId":"f"}}', 200],
    ["\u0000", 400],
  ])("with the index %j answers %d", async (index, status) => {
    const { host } = await chatHost();
    const answer = await host.request("/api/sessions/import", form({ "sessions.json": index, "f.jsonl": line("x") }));
    expect(answer.status).toBe(status);
  });
});
