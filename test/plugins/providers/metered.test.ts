/** What an API key streams straight through is counted, also where its client asks for no usage; the client sees none. */
import type { Identity } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { withoutUsage } from "../../../plugins/providers/wire/metered.ts";
import { until } from "../../kit/until.ts";
import { makeUpstreams, never, recording, upstream } from "./kit.ts";

const key: Identity = { id: "key:k_1", name: "app", kind: "key", scopes: ["write"] };
const owner: Identity = { id: "token", name: "token", kind: "token", scopes: ["admin"] };
const messages = [{ role: "user", content: "hello there" }];

async function stream(identity: Identity, more: object = {}, entry: object = {}) {
  const server = await upstream();
  const { hooks, records } = recording();
  const providers = { sim: { api_base: server.base, api_key: "sk-key-123456", ...entry } };
  const upstreams = makeUpstreams(providers, { hooks });
  const body = { messages, stream: true, ...more };
  const caller = { purpose: "straight", identity };
  const reply = await upstreams.forward({ model: "sim/echo", path: "/chat/completions", body, signal: never, caller });
  let text = "";
  for await (const piece of reply.body) text += Buffer.from(piece).toString("utf8");
  const record = await until(() => records[0], 5000, "the record");
  return { text, record, asked: (await server.last()).body };
}

test("a key's stream is asked for its usage, which is recorded and taken out on the way", async () => {
  const { text, record, asked } = await stream(key);
  expect(asked.stream_options).toEqual({ include_usage: true });
  expect(record.usage).toMatchObject({ inputTokens: 9, outputTokens: 3 });
  expect(text).not.toContain('"usage"');
  expect(text).toContain('"finish_reason":"stop"');
  expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
});

const asks = { stream_options: { include_usage: true } };
const quiet = { responses: { stream_include_usage: false } };

test.each([
  { what: "the owner's is passed on as it is", identity: owner, more: {}, entry: {}, told: false },
  { what: "one that asks for it keeps it", identity: key, more: asks, entry: {}, told: true },
  { what: "an upstream that is not to be asked is not", identity: key, more: {}, entry: quiet, told: false },
])("$what", async ({ identity, more, entry, told }) => {
  const { text, asked } = await stream(identity, more, entry);
  expect(asked.stream_options).toEqual(told ? asks.stream_options : undefined);
  expect(text.includes('"usage"')).toBe(told);
});

describe("taking the event out", () => {
  const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
  const said = (content: string) => event({ choices: [{ index: 0, delta: { content } }] });
  const usage = event({ choices: [], usage: { prompt_tokens: 1 } });
  const end = "data: [DONE]\n\n";
  const strip = async (pieces: readonly Uint8Array[]) => {
    const parts: Uint8Array[] = [];
    for await (const part of withoutUsage(from(pieces))) parts.push(part);
    return Buffer.concat(parts).toString("utf8");
  };

  test("gives the same however the bytes are divided", async () => {
    const bytes = Buffer.from(said('say "usage": 你好 👋') + said("b") + usage + end);
    const want = said('say "usage": 你好 👋') + said("b") + end;
    for (let size = 1; size <= bytes.length; size++) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      expect(await strip(pieces)).toBe(want);
    }
  });

  test("takes it out where the end of a large chunk breaks it off", async () => {
    const text = said("x".repeat(70_000));
    for (const broken of [text + usage.slice(0, 20), `${text}data: {"ch`])
      expect(await strip([Buffer.from(broken), Buffer.from((text + usage + end).slice(broken.length))])).toBe(
        text + end,
      );
  });

  test("passes a whole event on at once and holds back none that has ended", async () => {
    let taken = 0;
    const source = (async function* () {
      for (const piece of [said("a"), said("b"), usage + end]) {
        taken += 1;
        yield Buffer.from(piece);
      }
    })();
    const stripped = withoutUsage(source);
    expect(Buffer.from((await stripped.next()).value).toString()).toBe(said("a"));
    expect(taken).toBe(1);
  });

  test("keeps usage beside choices, other line ends, a piece without an end, and what is too long to be held", async () => {
    const beside = event({ choices: [{ index: 0, delta: {} }], usage: { prompt_tokens: 1 } });
    expect(await strip([Buffer.from(beside + end)])).toBe(beside + end);
    const crlf = (text: string) => text.replaceAll("\n", "\r\n");
    expect(await strip([Buffer.from(crlf(said("a") + usage + end))])).toBe(crlf(said("a") + end));
    expect(await strip([Buffer.from("data: {")])).toBe("data: {");
    const long = `data: ${"x".repeat(100_000)}`;
    expect(await strip([Buffer.from(long), Buffer.from("\n\n")])).toBe(`${long}\n\n`);
  });
});

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
