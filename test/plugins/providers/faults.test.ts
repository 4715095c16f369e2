/** Everything an upstream can do wrong has one code, keeps status and message, and names the attempt. */

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { retryAfterMs } from "../../../plugins/providers/failover/faults.ts";
import { ask, attempts, fails, hear, makeUpstreams, never, upstream } from "./kit.ts";

const table: readonly [model: string, code: string, status: number, message: RegExp][] = [
  ["bad", "UPSTREAM_REQUEST", 400, /^sim\/bad answered 400: max_tokens is too large$/],
  ["auth", "UPSTREAM_AUTH", 401, /Incorrect API key provided/],
  ["forbidden", "UPSTREAM_AUTH", 403, /not allowed to use this model/],
  ["missing", "UPSTREAM_REQUEST", 404, /The model does not exist/],
  ["large", "UPSTREAM_REQUEST", 413, /Request too large/],
  ["rate", "UPSTREAM_RATE", 429, /Rate limit reached/],
  ["fault", "UPSTREAM_FAULT", 502, /answered 500: The server had an error/],
  ["html", "UPSTREAM_FAULT", 502, /answered 502: Bad gateway/],
  ["redirect", "UPSTREAM_FAULT", 502, /redirect to http:\/\/127\.0\.0\.1:1\/elsewhere.*api_base/],
  ["page", "UPSTREAM_PROTOCOL", 502, /text\/html.*api_base/],
  ["hang", "UPSTREAM_TIMEOUT", 504, /did not answer in time/],
  ["hang-body", "UPSTREAM_TIMEOUT", 504, /stopped sending/],
  ["hang-stream", "UPSTREAM_TIMEOUT", 504, /stopped sending/],
  ["dead", "UPSTREAM_UNREACHABLE", 502, /cannot be reached/],
  ["cut", "UPSTREAM_CUT", 502, /closed the connection in the middle/],
  ["cut-clean", "UPSTREAM_CUT", 502, /without a finish reason/],
  ["broken", "UPSTREAM_PROTOCOL", 502, /not valid JSON.*this is not JSON/],
  ["stream-error", "UPSTREAM_FAULT", 502, /The model is overloaded/],
];

test.each(table)("%s is %s %i", async (model, code, status, message) => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base, timeout_sec: 0.4 } });
  const { error, heard } = await fails(upstreams.stream(ask(`sim/${model}`), never));
  expect({ code: error.code, status: error.status }).toEqual({ code, status });
  expect(error.message).toMatch(message);
  expect(attempts(error)).toEqual([
    { model: `sim/${model}`, ms: expect.any(Number), code, status, message: expect.any(String) },
  ]);
  expect(heard.some((event) => event.type === "done")).toBe(false);
});

test("what had arrived before a cut is delivered, and no end is invented", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { heard } = await fails(upstreams.stream(ask("sim/cut"), never));
  expect(heard.map((event) => (event.type === "text" ? event.text : event.type)).join("|")).toBe("start|echo: |hello ");
});

test("a 429 carries Retry-After as detail and header", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { error } = await fails(upstreams.stream(ask("sim/rate"), never));
  expect(error.details).toMatchObject({
    retryAfter: 7,
    upstreamStatus: 429,
    upstream: { code: "rate_limit_exceeded" },
  });
  expect(error.headers).toEqual({ "retry-after": "7" });
});

test("nobody listens: unreachable", async () => {
  const upstreams = makeUpstreams({ sim: { api_base: `http://127.0.0.1:${await closedPort()}/v1` } });
  const { error } = await fails(upstreams.stream(ask("sim/x"), never));
  expect(error).toMatchObject({ code: "UPSTREAM_UNREACHABLE", status: 502 });
  expect(error.message).toContain("ECONNREFUSED");
});

test("a server that speaks no HTTP is a protocol fault", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end("220 mail.example ESMTP\r\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const upstreams = makeUpstreams({
    sim: { api_base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` },
  });
  const { error } = await fails(upstreams.stream(ask("sim/x"), never));
  expect(error.code).toBe("UPSTREAM_PROTOCOL");
});

test("the provider's key never shows in a message", async () => {
  const server = await upstream({ key: "sk-other" });
  const upstreams = makeUpstreams({ sim: { api_base: server.base, api_key: "sk-secret-123" } });
  const { error } = await fails(upstreams.stream(ask("sim/echo"), never));
  expect(error.code).toBe("UPSTREAM_AUTH");
  expect(JSON.stringify([error.message, error.details])).not.toContain("sk-secret-123");
});

test("a reply whose end is cut after its finish reason is complete", async () => {
  const server = await upstream();
  server.script("late-cut", { fault: "cut-after-finish" });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const { reply } = await hear(upstreams.stream(ask("sim/late-cut"), never));
  expect(reply).toMatchObject({ text: "echo: hello there", stop: "stop", usage: null });
});

test.each([
  [{ "retry-after": "20" }, 20_000],
  [{ "retry-after": "0.5" }, 500],
  [{ "retry-after-ms": "150", "retry-after": "9" }, 150],
  [{ "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT" }, 30_000],
  [{ "retry-after": "Wed, 21 Oct 2020 07:28:30 GMT" }, 0],
  [{ "retry-after": "99999999" }, 86_400_000],
  [{ "retry-after": "soon" }, undefined],
  [{}, undefined],
])("Retry-After %j is %j ms", (headers, ms) => {
  expect(retryAfterMs(headers, Date.parse("2026-10-21T07:28:00Z"))).toBe(ms);
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
