/** S-90 for what works for others: a few bytes of input may not become much memory, much time, or work without an end. */
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { bearer, call, gatewayWith, keyWith, send } from "./kit.ts";

let host: TestHost;
let writer: string;
beforeAll(async () => {
  host = await gatewayWith([], {
    config: {
      workspace: { bootstrap: false },
      tools: { mcp: { enabled: true } },
      plugins: { quarantine: { faults: 2, windowSec: 3_600 } },
    },
  });
  writer = await keyWith(host, ["write"]);
});
afterAll(() => host.stop());

const json = () => ({ ...bearer(writer), "content-type": "application/json" });
const tool = (name: string, args: unknown) =>
  send(host, "/v1/tools/invoke", { headers: json(), body: JSON.stringify({ tool: name, args }) });
const faults = () =>
  host.plugins.list().filter(({ id, state }) => state !== "running" || host.plugins.info(id).faults > 0);

it("an edit that would make a giant of a file is refused before it is made", async () => {
  const made = await tool("write_file", { path: "big.txt", content: "a".repeat(1_000_000) });
  expect(made.status, made.text).toBe(200);
  const before = process.memoryUsage().rss;
  for (const times of [500, 100_000]) {
    const { text } = await tool("edit_file", {
      path: "big.txt",
      old_text: "a",
      new_text: "b".repeat(times),
      replace_all: true,
    });
    expect(text).toContain("at most");
  }
  const edits = Array.from({ length: 20 }, (_, i) => ({
    old_text: i % 2 ? "b" : "a",
    new_text: i % 2 ? "aa" : "bb",
    replace_all: true,
  }));
  expect((await tool("edit_file", { path: "big.txt", edits })).text).toContain("at most");
  expect(process.memoryUsage().rss - before).toBeLessThan(400e6);
  expect(faults()).toEqual([]);
});

it("sessions that send each other messages come to an end", async () => {
  /** Each asks the next one. */
  const chain = (left: number): string =>
    left === 0
      ? "/echo the end"
      : `/tool sessions ${JSON.stringify({ action: "send", session: `chain-${left}`, content: chain(left - 1), wait_sec: 20 })}`;
  const { body } = await call(host, "chat.send", { session: "chain", message: chain(6) }, writer);
  expect(body.ok).toBe(true);
  const list = await call(host, "sessions.list", { includeInternal: true });
  expect(list.text).toContain("chain-5");
  expect(list.text).not.toContain("chain-3");
  const said = await call(host, "chat.history", { session: "chain-5" });
  expect(said.text).toContain("may not hand work on");
});

it("no body is unpacked, and none is nested or repeated without a bound", async () => {
  const packed = gzipSync(Buffer.alloc(10_000_000, 0x20));
  for (const path of [
    "/mcp",
    "/api/chat",
    "/v1/responses",
    "/v1/embeddings",
    "/api/memory",
    "/api/call",
    "/v1/tools/invoke",
  ]) {
    const answer = await send(host, path, { headers: { ...json(), "content-encoding": "gzip" }, body: packed });
    expect(answer.status, path).toBe(415);
    const deep = await send(host, path, { headers: json(), body: `${"[".repeat(100_000)}${"]".repeat(100_000)}` });
    expect(deep.status, path).toBe(400);
  }
  const one = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "system_info", arguments: {} } };
  const batch = await send(host, "/mcp", {
    headers: { ...json(), accept: "application/json, text/event-stream" },
    body: JSON.stringify(Array.from({ length: 17 }, () => one)),
  });
  expect(batch.status).toBe(400);
  const text = JSON.stringify("[".repeat(50_000));
  expect(
    (await send(host, "/v1/tools/invoke", { headers: json(), body: `{"tool":"system_info","args":${text}}` })).status,
  ).toBe(400);
  expect(faults()).toEqual([]);
});

it("queries of a search cost what they find", { timeout: 60_000 }, async () => {
  await tool("memory_write", { content: `${"aa ".repeat(20_000)}\n${"的".repeat(20_000)}` });
  await call(host, "chat.send", { session: "long", message: `/echo ${"aaaa ".repeat(20_000)}` }, writer);
  const queries = [
    "a*".repeat(150),
    '"'.repeat(399),
    "a ".repeat(199),
    "的".repeat(400),
    "NEAR(a a, 1000000)",
    "a AND ".repeat(60),
    "(".repeat(399),
    "-".repeat(399),
    "{a}:b",
    "^a",
    "*",
  ];
  for (const query of queries) {
    const from = performance.now();
    expect((await tool("memory_search", { query })).status, query).toBe(200);
    expect((await tool("session_search", { query })).status, query).toBe(200);
    expect((await call(host, "sessions.search", { query })).body.ok, query).toBe(true);
    expect(
      (await send(host, `/api/sessions/search?q=${encodeURIComponent(query)}`, { headers: bearer(host.token) })).status,
      query,
    ).toBeLessThan(500);
    expect(performance.now() - from, query).toBeLessThan(10_000);
  }
  expect(faults()).toEqual([]);
});

it("processes and sessions of MCP clients are bounded for each", async () => {
  const headers = { ...json(), accept: "application/json, text/event-stream" };
  const hello = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } },
  };
  const ids: string[] = [];
  for (let i = 0; i < 60; i += 1) {
    const answer = await send(host, "/mcp", { headers, body: JSON.stringify(hello) });
    ids.push(String(answer.headers["mcp-session-id"]));
  }
  const ping = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "ping" });
  const use = (id: string, who: Record<string, string>) =>
    send(host, "/mcp", { headers: { ...who, "mcp-session-id": id, "mcp-protocol-version": "2025-06-18" }, body: ping });
  expect((await use(ids[0] as string, headers)).status).toBe(404);
  expect((await use(ids[59] as string, headers)).status).toBe(200);
  const other = { ...headers, ...bearer(host.token) };
  expect((await use(ids[59] as string, other)).status, "somebody else's session").toBe(404);
  const bye = await send(host, "/mcp", {
    method: "DELETE",
    headers: { ...other, "mcp-session-id": ids[59] as string },
  });
  expect(bye.status).toBe(404);
  expect((await use(ids[59] as string, headers)).status).toBe(200);
  await until(() => faults().length === 0);
});

it("uploads on their way are few for each key, and leave room for others", async () => {
  const other = await keyWith(host, ["write"], { name: "other" });
  const head = (token: string) =>
    `POST /api/upload HTTP/1.1\r\nhost: ${new URL(host.url).host}\r\nauthorization: Bearer ${token}\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 1000\r\n\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n`;
  const begin = (token: string) => {
    const { hostname, port } = new URL(host.url);
    const socket = connect(Number(port), hostname, () => socket.write(head(token)));
    const heard = { socket, text: "" };
    socket.on("data", (part) => {
      heard.text += part.toString();
    });
    socket.on("error", () => undefined);
    return heard;
  };
  const many = Array.from({ length: 20 }, () => begin(writer));
  await until(() => many.filter(({ text }) => text.startsWith("HTTP/1.1 429")).length === 4, 20_000);
  const form = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhello\r\n--x--\r\n';
  const upload = (token: string) =>
    send(host, "/api/upload", {
      headers: { ...bearer(token), "content-type": "multipart/form-data; boundary=x" },
      body: form,
    });
  expect((await upload(other)).status).toBe(200);
  expect((await upload(writer)).status).toBe(429);
  for (const { socket } of many) socket.destroy();
  await until(async () => (await upload(writer)).status === 200, 20_000);
});
