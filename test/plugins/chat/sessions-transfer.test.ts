/** Export and import: transcripts of three programs, broken ones, doubled ones, and the way round. */
import type { NewMessage } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { decodeLine } from "../../../plugins/chat/sessions/transcript/decode.ts";
import { exportFormat, exportName, exportSession } from "../../../plugins/chat/sessions/transcript/export.ts";
import { importSession } from "../../../plugins/chat/sessions/transcript/import.ts";
import { linesOf, maxLineBytes } from "../../../plugins/chat/sessions/transcript/lines.ts";
import { keysById, transcriptName } from "../../../plugins/chat/sessions/transcript/names.ts";
import { rejection } from "../store/kit.ts";
import { openSessions } from "./session-service.ts";

const signal = new AbortController().signal;

async function service() {
  const { store, sessions } = await openSessions();
  const take = (key: string, ...files: (string | Uint8Array)[]) =>
    importSession(
      sessions.table,
      { key, files: files.map((text, n) => ({ name: `f${n}`, bytes: () => [Buffer.from(text)] })) },
      { dryRun: false, signal },
    );
  const out = async (key: string, format: "jsonl" | "markdown" = "jsonl") => {
    let text = "";
    for await (const piece of await exportSession(sessions.table, key, format)) text += piece;
    return text;
  };
  return { store, sessions, take, out };
}

const line = (role: string, text: string, more: object = {}) =>
  `${JSON.stringify({ type: "message", timestamp: "2026-01-02T03:04:05Z", message: { role, content: [{ type: "text", text }] }, ...more })}\n`;

const conversation: NewMessage[] = [
  { role: "user", content: "你好 🦀\nsecond line" },
  { role: "user", content: "" },
  {
    role: "user",
    content: [
      { type: "text", text: "see" },
      { type: "image", url: "data:image/png;base64,AAEC" },
      { type: "image", url: "https://example.com/a.png" },
    ],
  },
  { role: "user", content: [{ type: "text", text: "in parts" }] },
  {
    role: "assistant",
    content: "",
    toolCalls: [
      { id: "c1", name: "clock", arguments: '{"zone":"UTC"}' },
      { id: "c2", name: "broken", arguments: "{not json" },
    ],
    reasoning: "hm",
    model: "a/b",
    usage: { inputTokens: 3, outputTokens: 4, cachedTokens: 1 },
  },
  { role: "tool", content: "12:00", toolCallId: "c1" },
  { role: "assistant", content: "cut", state: "partial" },
  { role: "system", content: "note ```fenced``` text" },
];

describe("the way round", () => {
  it("gives the same history, times and states included", async () => {
    const { sessions, take, out } = await service();
    await sessions.append("a", conversation);
    const before = await sessions.history("a");
    const text = await out("a");
    expect(text.split("\n")).toHaveLength(conversation.length + 1);
    expect(await take("b", text)).toMatchObject({ imported: 8, duplicates: 0, broken: 0 });
    expect(await sessions.history("b")).toEqual(before);
    expect(await out("b")).toBe(text);
  });

  it("is in the form that ClawGo and OpenClaw read", async () => {
    const { sessions, out } = await service();
    await sessions.append("a", conversation);
    const lines = (await out("a"))
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(lines[0]).toMatchObject({
      type: "message",
      timestamp: expect.stringMatching(/^\d{4}-/),
      message: { role: "user", content: [{ type: "text", text: "你好 🦀\nsecond line" }] },
      seq: 1,
      state: "complete",
    });
    expect(lines[5]).toMatchObject({ message: { role: "toolResult", toolCallId: "c1" } });
    expect(lines[4].message.toolCalls[0]).toEqual({
      id: "c1",
      type: "function",
      function: { name: "clock", arguments: '{"zone":"UTC"}' },
    });
  });

  it("of a long session goes page by page", { timeout: 30_000 }, async () => {
    const { sessions, take, out } = await service();
    const big = "x".repeat(700_000);
    await sessions.append(
      "a",
      Array.from({ length: 1_000 }, (_, n) => ({ role: "user" as const, content: `m${n}` })),
    );
    await sessions.append(
      "a",
      Array.from({ length: 5 }, () => ({ role: "user" as const, content: big })),
    );
    let largest = 0;
    let text = "";
    for await (const piece of await exportSession(sessions.table, "a", "jsonl")) {
      largest = Math.max(largest, piece.length);
      text += piece;
    }
    expect(largest).toBeLessThan(2_000_000);
    expect(await take("b", text)).toMatchObject({ imported: 1_005, broken: 0 });
    expect(await out("b")).toBe(text);
  });

  it("of a session that does not exist is refused", async () => {
    const { sessions } = await service();
    expect(await rejection(exportSession(sessions.table, "nobody", "jsonl"))).toMatchObject({
      code: "SESSION_UNKNOWN",
    });
    expect(() => exportFormat("pdf")).toThrow("jsonl or markdown");
    expect(exportFormat(" Markdown ")).toBe("markdown");
    expect(exportName('../../a"\r\n:b/字', "jsonl")).toMatch(/^[A-Za-z0-9._-]+\.jsonl$/);
  });
});

describe("Markdown", () => {
  it("is a heading for each message, with calls, results and pictures", async () => {
    const { sessions, out } = await service();
    await sessions.append("a", conversation);
    await sessions.table.title("a", "The *plan*");
    const text = await out("a", "markdown");
    expect(text.startsWith("# The *plan*\n\n## User\n\n")).toBe(true);
    expect(text).toContain("你好 🦀\nsecond line");
    expect(text).toContain("*[image]*\n\n![image](<https://example.com/a.png>)");
    expect(text).toContain('`clock (c1)`\n\n```\n{"zone":"UTC"}\n```');
    expect(text).toContain("`result of c1`\n\n```\n12:00\n```");
    expect(text).toContain("· partial");
    expect(text).not.toContain("AAEC");
  });
});

describe("an import", () => {
  it("stores nothing twice, also when it is repeated or was cut short", async () => {
    const { sessions, take } = await service();
    const all = [
      line("user", "one"),
      line("assistant", "two"),
      line("user", "one"),
      line("user", "three", { timestamp: "2026-01-03T00:00:00Z" }),
    ];
    expect(await take("a", all.slice(0, 2).join(""))).toMatchObject({ imported: 2 });
    expect(await take("a", all.join(""))).toMatchObject({ imported: 2, duplicates: 2 });
    expect(await take("a", all.join(""))).toMatchObject({ imported: 0, duplicates: 4 });
    await sessions.append("a", [{ role: "user", content: "live" }]);
    expect(await take("a", all.join(""))).toMatchObject({ imported: 0, duplicates: 4 });
    expect((await sessions.history("a")).map(({ content }) => content)).toEqual(["one", "two", "one", "three", "live"]);
  });

  it("takes parts of one transcript that overlap once", async () => {
    const { sessions, take } = await service();
    const [one, two, three] = ["1", "2", "3"].map((n) => line("user", n, { timestamp: `2026-01-0${n}T00:00:00Z` })) as [
      string,
      string,
      string,
    ];
    expect(await take("a", one + two, two + three)).toMatchObject({ imported: 3, duplicates: 1 });
    expect((await sessions.history("a")).map(({ content }) => content)).toEqual(["1", "2", "3"]);
    expect(await take("a", one + two, two + three)).toMatchObject({ imported: 0, duplicates: 4 });
  });

  it("of lines without a time counts how often they are there", async () => {
    const { sessions, take } = await service();
    const flat = '{"role":"user","content":"ok"}\n'.repeat(3);
    expect(await take("a", flat)).toMatchObject({ imported: 3 });
    expect(await take("a", flat)).toMatchObject({ imported: 0, duplicates: 3 });
    expect(await take("a", flat.repeat(2))).toMatchObject({ imported: 3, duplicates: 3 });
    expect((await sessions.list())[0]?.messages).toBe(6);
  });

  it("passes over broken lines and names them", async () => {
    const { sessions, take } = await service();
    const text = `${line("user", "good")}{"type":"mess\n\n[]\n7\n{"role":"wizard","content":"x"}\n{"a":1}\n{"type":"message"}\n{"role":"user","content":7}\n\u0000\n${line("user", "after")}`;
    const report = await take("a", text);
    expect(report).toMatchObject({ imported: 2, broken: 8 });
    expect(report.problems.map(({ line: number }) => number)).toEqual([2, 4, 5, 6, 7, 8, 9, 10]);
    expect(report.problems[0]).toEqual({ file: "f0", line: 2, error: "it is no JSON" });
    expect((await sessions.history("a")).map(({ content }) => content)).toEqual(["good", "after"]);
  });

  it("reads lines of megabytes, and none that is beyond measure", { timeout: 30_000 }, async () => {
    const { sessions, take } = await service();
    const long = "字".repeat(700_000);
    const report = await take("a", line("user", long) + line("user", "y".repeat(maxLineBytes)) + line("user", "after"));
    expect(report).toMatchObject({ imported: 2, broken: 1, problems: [{ line: 2 }] });
    expect((await sessions.history("a"))[0]?.content).toBe(long);
  });

  it("names at most fifty of very many broken lines", async () => {
    const { take } = await service();
    const report = await take("a", "x\n".repeat(3_000));
    expect(report).toMatchObject({ imported: 0, broken: 3_000 });
    expect(report.problems).toHaveLength(50);
  });

  it("with a dry run stores nothing and counts the same", async () => {
    const { sessions } = await service();
    const source = { key: "a", files: [{ name: "f", bytes: () => [Buffer.from(line("user", "one"))] }] };
    expect(await importSession(sessions.table, source, { dryRun: true, signal })).toMatchObject({ imported: 1 });
    expect(await sessions.list()).toEqual([]);
  });

  it("ends when it is told to, and what it had stored stays", async () => {
    const { sessions } = await service();
    const over = new AbortController();
    const bytes = async function* () {
      for (let n = 0; n < 500; n++) yield Buffer.from(line("user", `m${n}`, { timestamp: 1_700_000_000_000 + n }));
      over.abort(new Error("enough"));
      yield Buffer.from(line("user", "never"));
    };
    const source = { key: "a", files: [{ name: "f", bytes }] };
    await expect(importSession(sessions.table, source, { dryRun: false, signal: over.signal })).rejects.toThrow(
      "enough",
    );
    expect((await sessions.list())[0]?.messages).toBe(500);
  });

  it("of the same transcript twice at once stores it once", async () => {
    const { sessions } = await service();
    const source = {
      key: "a",
      files: [{ name: "f", bytes: () => [Buffer.from(line("user", "one") + line("user", "two"))] }],
    };
    const both = await Promise.all([1, 2].map(() => sessions.import(source, { dryRun: false, signal })));
    expect(both.map(({ imported, duplicates }) => [imported, duplicates])).toEqual([
      [2, 0],
      [0, 2],
    ]);
  });

  it("can be found at once", async () => {
    const { sessions, take } = await service();
    await take("a", line("user", "einhorn 独角兽"));
    expect((await sessions.search({ words: "独角兽" })).map(({ session }) => session.key)).toEqual(["a"]);
  });
});

describe("a line", () => {
  const message = (text: string) => {
    const found = decodeLine(text);
    return "message" in found ? found.message : found;
  };
  it.each([
    ['{"role":"user","content":"hi"}', { role: "user", content: "hi", state: "complete" }],
    ['{"role":"tool","content":"r","tool_call_id":"c1"}', { role: "tool", content: "r", toolCallId: "c1" }],
    [
      '{"type":"message","timestamp":"2026-01-02T03:04:05Z","message":{"role":"toolResult","content":[{"type":"text","text":"r"}],"toolCallId":"c1"}}',
      { role: "tool", content: "r", toolCallId: "c1", at: Date.parse("2026-01-02T03:04:05Z") },
    ],
    [
      '{"role":"assistant","content":null,"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{}"}}]}',
      { role: "assistant", content: "", toolCalls: [{ id: "x", name: "f", arguments: "{}" }] },
    ],
    [
      '{"type":"message","message":{"role":"assistant","content":[],"toolCalls":[{"id":"x","name":"f","arguments":{"a":1}}],"reasoning_content":"why"}}',
      { toolCalls: [{ id: "x", name: "f", arguments: '{"a":1}' }], reasoning: "why" },
    ],
    [
      '{"type":"message","id":"1","parentId":null,"timestamp":"2026-01-02T03:04:05.678Z","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"yes"},{"type":"toolCall","id":"t","name":"read","arguments":{"path":"a"}}],"provider":"anthropic","model":"claude","usage":{"input":5,"output":7,"cacheRead":3,"cacheWrite":0,"totalTokens":15},"stopReason":"toolUse","timestamp":1767323045678}}',
      {
        content: "yes",
        reasoning: "hm",
        toolCalls: [{ id: "t", name: "read", arguments: '{"path":"a"}' }],
        model: "anthropic/claude",
        usage: { inputTokens: 8, outputTokens: 7, cachedTokens: 3 },
        at: 1767323045678,
      },
    ],
    [
      '{"role":"user","content":[{"type":"image","data":"AA==","mimeType":"image/jpeg"},"text"]}',
      {
        content: [
          { type: "image", url: "data:image/jpeg;base64,AA==" },
          { type: "text", text: "text" },
        ],
      },
    ],
    ['{"role":"user","content":"x","timestamp":1700000000}', { at: 1_700_000_000_000 }],
    ['{"role":"user","content":"x","timestamp":"nonsense"}', { content: "x" }],
    ['{"type":"session","version":3,"id":"abc","cwd":"/x"}', { other: true }],
    ['{"type":"session_info","name":"My title"}', { other: true, title: "My title" }],
    ['{"type":"compaction","summary":"s"}', { other: true }],
  ])("%s", (text, expected) => {
    expect(message(text)).toMatchObject(expected);
  });

  it("is cut at line ends wherever the chunks end", async () => {
    const text = "\ufeffone\r\n\r\ntwo 字\nthree";
    const bytes = Buffer.from(text);
    for (let size = 1; size < bytes.length; size++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      const found: string[] = [];
      for await (const line of linesOf(chunks)) found.push(`${line.number} ${"text" in line && line.text}`);
      expect(found).toEqual(["1 one", "3 two 字", "4 three"]);
    }
  });
});

describe("the name of a transcript", () => {
  it.each([
    ["main.jsonl", { key: "main", part: 0 }],
    ["main.active.jsonl", { key: "main", part: Number.MAX_SAFE_INTEGER }],
    ["main.0001.jsonl", { key: "main", part: 1 }],
    ["weixin%3Abot%3Ax%2Fy.0012.jsonl", { key: "weixin:bot:x/y", part: 12 }],
    ["100%.jsonl", { key: "100%", part: 0 }],
    ["a.b.c.jsonl", { key: "a.b.c", part: 0 }],
    ["0b8f-id.jsonl", { key: "agent:main:main", part: 0 }],
    ["main.meta.json", undefined],
    ["main.index.json", undefined],
    ["sessions.json", undefined],
    [".jsonl", undefined],
    ["x.jsonl.deleted.2026", undefined],
  ])("%s", (name, expected) => {
    const keys = keysById({ "agent:main:main": { sessionId: "0b8f-id" }, bad: 7, worse: { sessionId: "" } });
    expect(transcriptName(name, keys)).toEqual(expected);
  });
});
