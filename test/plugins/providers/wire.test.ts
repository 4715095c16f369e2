/** What servers really send: every lawful way to write a stream, and the unlawful ones that are seen in the wild. */

import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpServer, type TestServer } from "../../kit/http-server.ts";
import { ask, bytes, fails, hear, makeUpstreams, never } from "./kit.ts";

type Pieces = readonly (string | Uint8Array)[];

async function answering(pieces: Pieces, headers: Record<string, string> = {}, status = 200): Promise<TestServer> {
  return httpServer((_request, reply) => {
    reply.writeHead(status, { "content-type": "text/event-stream", ...headers });
    for (const piece of pieces) reply.write(piece);
    reply.end();
  });
}

function upstreamsAt(server: TestServer, more: Record<string, unknown> = {}) {
  return makeUpstreams({ sim: { api_base: `${server.origin}/v1`, ...more } });
}

const delta = (content: unknown, finish: unknown = null) =>
  JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
const data = (text: string) => `data: ${text}\n\n`;
const done = data("[DONE]");

describe("a stream", () => {
  test.each<[string, Pieces]>([
    ["CRLF", [`data: ${delta("hi")}\r\n\r\ndata: ${delta("", "stop")}\r\n\r\ndata: [DONE]\r\n\r\n`]],
    ["lone CR", [`data: ${delta("hi")}\r\rdata: ${delta("", "stop")}\r\rdata: [DONE]\r\r`]],
    ["a byte order mark", [`\ufeff${data(delta("hi", "stop"))}`, done]],
    ["comments, ids and retry times", [": hello\n\nid: 7\nretry: 10\n", data(delta("hi", "stop")), ": bye\n\n", done]],
    ["no space after the colon", [`data:${delta("hi", "stop")}\n\ndata:[DONE]\n\n`]],
    ["data over several lines", [`data: {"choices":[{"delta":\ndata: {"content":"hi"},"finish_reason":"stop"}]}\n\n`]],
    ["no [DONE]", [data(delta("hi", "stop"))]],
    ["no finish reason, only [DONE]", [data(delta("hi")), done]],
    ["blanks around [DONE]", [data(delta("hi", "stop")), "data:  [DONE] \n\n"]],
    ["more after [DONE]", [data(delta("hi", "stop")), done, data(delta(" there")), "data: {broken\n\n"]],
    ["no blank line at its end", [data(delta("hi")), `data: ${delta("", "stop")}`]],
    ["empty choices and null content", [data('{"choices":[]}'), data(delta(null)), data(delta("hi", "stop")), done]],
    [
      "a null choice, delta and message",
      [data('{"choices":[null]}'), data('{"choices":[{"delta":null}]}'), data(delta("hi", "stop"))],
    ],
    ["content in parts", [data(delta([{ type: "text", text: "h" }, null, { type: "text", text: "i" }], "stop")), done]],
    ["one byte at a time", [...Buffer.from(data(delta("hi", "stop")) + done)].map((byte) => Uint8Array.of(byte))],
  ])("with %s is understood", async (_, pieces) => {
    const { text, reply } = await hear(upstreamsAt(await answering(pieces)).stream(ask("sim/m"), never));
    expect({ text, stop: reply.stop }).toEqual({ text: "hi", stop: "stop" });
  });

  test("of one ten-megabyte line arrives, in time that grows with its length only", { timeout: 30_000 }, async () => {
    const long = "x".repeat(10 * 1024 * 1024);
    const server = await answering([data(delta(long, "stop")), done]);
    expect((await hear(upstreamsAt(server).stream(ask("sim/m"), never))).text.length).toBe(long.length);
  });

  test("whose type is written in capitals is one too", async () => {
    const server = await answering([data(delta("hi", "stop"))], { "content-type": "Text/Event-Stream; Charset=UTF-8" });
    expect((await hear(upstreamsAt(server).stream(ask("sim/m"), never))).text).toBe("hi");
  });

  test.each([
    ["stop", "stop"],
    ["eos", "stop"],
    ["end_turn", "stop"],
    ["length", "length"],
    ["max_tokens", "length"],
    ["MAX_TOKENS", "length"],
    ["model_length", "length"],
    ["content_filter", "content_filter"],
    ["SAFETY", "content_filter"],
    ["sensitive", "content_filter"],
    ["model_context_window_exceeded", "length"],
    ["repetition_truncation", "length"],
    ["function_call", "tool_calls"],
  ])("that ends with %s ends for %s", async (finish, stop) => {
    const server = await answering([data(delta("hi", finish)), done]);
    expect((await hear(upstreamsAt(server).stream(ask("sim/m"), never))).reply.stop).toBe(stop);
  });

  test.each(["error", "abort", "network_error", "insufficient_system_resource"])(
    "that ends with %s was cut, and is never called complete",
    async (finish) => {
      const server = await answering([data(delta("hi")), data(delta("", finish)), done]);
      const { heard, error } = await fails(upstreamsAt(server).stream(ask("sim/m"), never));
      expect(heard.map(({ type }) => type)).toEqual(["start", "text"]);
      expect(error).toMatchObject({ code: "UPSTREAM_CUT", message: expect.stringContaining(finish) });
    },
  );

  test("that says nothing but [DONE] was cut, and is no empty reply", async () => {
    const { error } = await fails(upstreamsAt(await answering([done])).stream(ask("sim/m"), never));
    expect(error.code).toBe("UPSTREAM_CUT");
  });

  test.each(["", "\n"])("that is no stream but JSON all the same is read (ends in %j)", async (end) => {
    const message = { role: "assistant", content: "hi" };
    const whole = await answering([JSON.stringify({ choices: [{ message, finish_reason: "stop" }] }) + end]);
    expect((await hear(upstreamsAt(whole).stream(ask("sim/m"), never))).text).toBe("hi");
    const refusal = await answering([
      JSON.stringify({ error: { message: "no more", type: "insufficient_quota" } }) + end,
    ]);
    const { error } = await fails(upstreamsAt(refusal).stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code: "UPSTREAM_RATE", message: expect.stringContaining("no more") });
  });

  test("that says `event: error` failed, in the words of the upstream", async () => {
    const server = await answering([data(delta("hi")), 'event: error\ndata: {"message":"out of memory"}\n\n']);
    const { error } = await fails(upstreamsAt(server).stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code: "UPSTREAM_FAULT", message: expect.stringContaining("out of memory") });
  });

  test("with gaps, nulls and objects among its tool calls is put together", async () => {
    const calls = (list: unknown) => data(JSON.stringify({ choices: [{ delta: { tool_calls: list } }] }));
    const server = await answering([
      calls([null, { index: 3, id: "a", function: { name: "one", arguments: '{"x":' } }]),
      calls([{ index: 7, id: "b", function: { name: "two", arguments: { y: 2 } } }]),
      calls([
        { index: 3, id: null, function: { arguments: "1}" } },
        { index: 7, function: null },
      ]),
      data(delta("", "tool_calls")),
      data('{"choices":[],"usage":{"prompt_tokens":"12","completion_tokens":null,"prompt_tokens_details":null}}'),
      done,
    ]);
    const { reply } = await hear(upstreamsAt(server).stream(ask("sim/m"), never));
    expect(reply.toolCalls).toEqual([
      { id: "a", name: "one", arguments: '{"x":1}' },
      { id: "b", name: "two", arguments: '{"y":2}' },
    ]);
    expect(reply.usage).toEqual({ inputTokens: 12, outputTokens: 0 });
  });
});

describe("a compressed reply", () => {
  const zipped = gzipSync(JSON.stringify({ error: { message: "x" }, choices: [] }));
  const type = { "content-type": "application/json", "content-encoding": "gzip" };

  test("was not asked for, and is named instead of garbled, through both doors", async () => {
    const server = await answering([zipped], type);
    const upstreams = upstreamsAt(server);
    const { error } = await fails(upstreams.stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code: "UPSTREAM_PROTOCOL", message: expect.stringContaining("gzip") });
    const request = { model: "sim/m", path: "/chat/completions", body: {}, signal: never };
    await expect(upstreams.forward(request)).rejects.toMatchObject({ code: "UPSTREAM_PROTOCOL" });
    expect(server.seen.map(({ headers }) => headers["accept-encoding"])).toEqual(["identity", "identity"]);
  });

  test("with an error status keeps the status", async () => {
    const upstreams = upstreamsAt(await answering([zipped], type, 429));
    const { error } = await fails(upstreams.stream(ask("sim/m"), never));
    expect(error).toMatchObject({
      code: "UPSTREAM_RATE",
      message: "sim/m answered 429: HTTP status 429 without a message",
    });
    const reply = await upstreams.forward({ model: "sim/m", path: "/chat/completions", body: {}, signal: never });
    expect(JSON.parse(await bytes(reply.body))).toMatchObject({
      error: { message: "HTTP status 429 without a message" },
    });
  });
});

describe("a kept connection that the server has just closed", () => {
  const whole = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n`;
  const body = JSON.stringify({ choices: [{ message: { content: "hi" }, finish_reason: "stop" }] });
  const ok = `${whole}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  /** Answers the first request of every connection, hangs up at the second. */
  async function tired(first: (socket: Socket) => void): Promise<{ base: string; asked(): number }> {
    let asked = 0;
    const server = createServer((socket) => {
      let mine = 0;
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => {
        if (!bytes.toString("latin1").startsWith("POST")) return;
        asked += 1;
        mine += 1;
        if (mine === 1) first(socket);
        else socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked: () => asked };
  }

  test("is replaced by a fresh one, through both doors", async () => {
    const { base, asked } = await tired((socket) => socket.write(ok));
    const upstreams = makeUpstreams({ sim: { api_base: base } });
    for (let round = 0; round < 3; round++) {
      expect((await hear(upstreams.stream(ask("sim/m"), never))).text).toBe("hi");
      const request = { model: "sim/m", path: "/chat/completions", body: {}, signal: never };
      expect(await bytes((await upstreams.forward(request)).body)).toBe(body);
    }
    // Six calls, and one reply per connection: the kept ones were asked in vain.
    expect(asked()).toBeGreaterThan(6);
  });

  test("is asked again once: a fresh connection that ends the same way is the upstream's fault", async () => {
    let answered = false;
    const { base, asked } = await tired((socket) => {
      if (answered) return socket.destroy();
      answered = true;
      return socket.write(ok);
    });
    const upstreams = makeUpstreams({ sim: { api_base: base } });
    await hear(upstreams.stream(ask("sim/m"), never));
    const { error } = await fails(upstreams.stream(ask("sim/m"), never));
    expect(error).toMatchObject({ code: "UPSTREAM_UNREACHABLE" });
    expect(asked()).toBeLessThanOrEqual(3);
  });
});

describe("what is sent", () => {
  async function sent(section: Record<string, unknown>): Promise<{ path: string; headers: IncomingHttpHeaders }> {
    const server = await answering([data(delta("hi", "stop"))]);
    const upstreams = makeUpstreams({ sim: { ...section, api_base: `${server.origin}${section.path ?? "/v1"}` } });
    await hear(upstreams.stream(ask("sim/m"), never));
    return server.seen[0] as { path: string; headers: IncomingHttpHeaders };
  }

  test.each([
    ["", "/chat/completions"],
    ["/", "/chat/completions"],
    ["/v1", "/v1/chat/completions"],
    ["/v1/", "/v1/chat/completions"],
    ["/v1//", "/v1/chat/completions"],
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/api/openai/v1/chat/completions/", "/api/openai/v1/chat/completions"],
  ])("to an api_base that ends in %j goes to %s", async (path, expected) => {
    expect((await sent({ path })).path).toBe(expected);
  });

  test("has one credential: a header of the config stands in the place of ours", async () => {
    const headers = { Authorization: "Token mine", "User-Agent": "me" };
    const { headers: seen } = await sent({ api_key: "sk-unused-0123456789", headers });
    expect(seen).toMatchObject({ authorization: "Token mine", "user-agent": "me" });
  });

  test("in a secret header never comes back in a message", async () => {
    const secret = "header-secret-0123456789";
    const server = await answering([`the key ${secret} is wrong`], { "content-type": "text/plain" }, 401);
    const upstreams = upstreamsAt(server, { headers: { "x-api-key": secret } });
    const { error } = await fails(upstreams.stream(ask("sim/m"), never));
    expect(error.message).toBe("sim/m answered 401: the key *** is wrong");
    const reply = await upstreams.forward({ model: "sim/m", path: "/chat/completions", body: {}, signal: never });
    expect(await bytes(reply.body)).not.toContain(secret);
  });
});

test("a 404 that is nobody's JSON asks whether api_base is right", async () => {
  const server = await answering(["404 page not found"], { "content-type": "text/plain" }, 404);
  const { error } = await fails(upstreamsAt(server).stream(ask("sim/m"), never));
  expect(error).toMatchObject({ code: "UPSTREAM_REQUEST", message: expect.stringMatching(/api_base.*\/v1/) });
});

test("a time-out of a million days is no time-out of a millisecond", async () => {
  const server = await answering([data(delta("hi", "stop"))]);
  const providers = { sim: { api_base: `${server.origin}/v1`, timeout_sec: 86_400_000_000 } };
  const upstreams = makeUpstreams(providers, { request_timeout_sec: 86_400_000_000 });
  expect((await hear(upstreams.stream(ask("sim/m"), never))).text).toBe("hi");
  const reply = await upstreams.forward({ model: "sim/m", path: "/chat/completions", body: {}, signal: never });
  expect(await bytes(reply.body)).toContain("hi");
});
