/** Servers over HTTP that are not as the others: of the newest protocol only, too talkative, or closed to us. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createMcpHandler, inputRequired, McpServer } from "@modelcontextprotocol/server";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../../kit/until.ts";
import { mcpHost, rowOf, slow } from "./kit.ts";

const options = { timeout: slow };

async function serve(handler: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

const http = (url: string, more: object = {}) => ({ enabled: true, transport: "http", url, ...more });

/** Knows the newest protocol only; `instead` may give another result of a method. */
function newest(make: (server: McpServer) => void, instead: (method: string) => object | undefined = () => undefined) {
  const modern = createMcpHandler(
    () => {
      const server = new McpServer({ name: "modern", version: "1" });
      make(server);
      return server;
    },
    { legacy: "reject" },
  );
  return serve(async (req, res) => {
    const body = req.method === "POST" ? await new Response(Readable.toWeb(req) as never).text() : undefined;
    const { id, method = "" } = JSON.parse(body ?? "{}") as { id?: number; method?: string };
    const result = instead(method);
    if (result) return void json(res, { jsonrpc: "2.0", id, result });
    const init = { method: req.method, headers: req.headers as never, ...(body === undefined ? {} : { body }) };
    const response = await modern.fetch(new Request(`http://x${req.url}`, init as never));
    res.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body) Readable.fromWeb(response.body as never).pipe(res);
    else res.end();
  });
}

function json(res: ServerResponse, value: unknown): void {
  res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

const done = { content: [{ type: "text" as const, text: "done" }] };

it("speaks the newest protocol with a server that knows no other", options, async () => {
  const url = await newest((server) => void server.registerTool("work", { description: "Works." }, () => done));
  const { call, tool, row } = await mcpHost({ modern: http(url) });
  await tool("mcp__modern__work");
  expect(await call("mcp__modern__work")).toEqual({ ok: true, output: "done" });
  expect((await row("modern")).protocol).toBe("2026-07-28");
});

it.each([
  ["the user", () => inputRequired.elicit({ message: "who?", requestedSchema: { type: "object", properties: {} } })],
  ["a model", () => inputRequired.createMessage({ messages: [], maxTokens: 1 })],
] as const)("refuses in the newest protocol to ask %s for a server", options, async (_whom, asked) => {
  const ask = () => inputRequired({ inputRequests: { first: asked() } });
  const url = await newest((server) => {
    server.registerTool("ask", { description: "Asks." }, ask as never);
    server.registerTool("work", { description: "Works." }, () => done);
  });
  const { call, tool, row } = await mcpHost({ modern: http(url) });
  await tool("mcp__modern__ask");
  expect(await call("mcp__modern__ask")).toMatchObject({
    ok: false,
    output: expect.stringContaining("client capabilities do not declare the required capability"),
  });
  expect(await call("mcp__modern__work")).toEqual({ ok: true, output: "done" });
  expect(await row("modern")).toMatchObject({ state: "up", restarts: 0 });
});

it("goes on with a server that asks in place of an answer, uninvited", options, async () => {
  const asked = { method: "elicitation/create", params: { message: "who?", requestedSchema: { type: "object" } } };
  const asks = { resultType: "input_required", inputRequests: { first: asked } };
  const url = await newest(
    (server) => void server.registerTool("work", { description: "Works." }, () => done),
    (method) => (method === "tools/call" ? asks : undefined),
  );
  const { call, tool, row } = await mcpHost({ modern: http(url) });
  await tool("mcp__modern__work");
  const { ok, output } = await call("mcp__modern__work");
  expect({ ok, output }).toEqual({
    ok: false,
    output: "it asks for what it is not given (elicitation/create)",
  });
  expect(await row("modern")).toMatchObject({ state: "up", restarts: 0 });
});

/** Answers everything with `body`, once the handshake is done; `tools/call` with `answer`. */
function simple(answer: (res: ServerResponse, id: number) => void) {
  return serve(async (req, res) => {
    if (req.method !== "POST") return void res.writeHead(405).end();
    let text = "";
    for await (const chunk of req) text += chunk;
    const { id, method } = JSON.parse(text) as { id?: number; method: string };
    if (id === undefined) return void res.writeHead(202).end();
    if (method === "tools/call") return answer(res, id);
    const result =
      method === "initialize"
        ? { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "simple", version: "1" } }
        : { tools: [{ name: "work", inputSchema: { type: "object" } }] };
    json(res, { jsonrpc: "2.0", id, result });
  });
}

async function endless(res: ServerResponse, chunk: string): Promise<void> {
  res.setMaxListeners(0);
  while (!res.destroyed)
    if (!res.write(chunk)) await new Promise((resolve) => res.once("drain", resolve).once("close", resolve));
}

it.each([
  ["a JSON body", "application/json", "x".repeat(65_536)],
  ["an event", "text/event-stream", `data: ${"x".repeat(65_536)}\n`],
])("does not take %s without end", options, async (_what, type, chunk) => {
  const url = await simple((res) => void endless(res.writeHead(200, { "content-type": type }), chunk));
  const { call, tool } = await mcpHost({ big: http(url) }, { more: { request_timeout_sec: 5 } });
  await tool("mcp__big__work");
  expect(await call("mcp__big__work")).toMatchObject({ ok: false });
});

it("gives up a stream of events nobody asked for", options, async () => {
  const event = `data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x" } })}\n\n`;
  const url = await simple((res) => void endless(res.writeHead(200, { "content-type": "text/event-stream" }), event));
  const { call, tool, host } = await mcpHost({ flood: http(url) }, { more: { request_timeout_sec: 10 } });
  await tool("mcp__flood__work");
  expect(await call("mcp__flood__work")).toMatchObject({ ok: false });
  await until(() => rowOf(host, "flood")?.reason.includes("messages nobody asked for"), slow);
});

it(
  "goes on with a server that had trouble with one call, and begins anew with one that forgot the session",
  options,
  async () => {
    let status = 500;
    const url = await simple((res, id) => {
      if (status === 200) json(res, { jsonrpc: "2.0", id, result: { content: [] } });
      else res.writeHead(status).end("trouble");
    });
    const { call, tool, row } = await mcpHost({ one: http(url) });
    await tool("mcp__one__work");
    expect(await call("mcp__one__work")).toMatchObject({
      ok: false,
      output: expect.stringContaining("HTTP status 500"),
    });
    expect(await row("one")).toMatchObject({ state: "up", restarts: 0 });
    status = 404;
    expect(await call("mcp__one__work")).toMatchObject({
      ok: false,
      output: expect.stringContaining("HTTP status 404"),
    });
    status = 200;
    expect(await call("mcp__one__work")).toMatchObject({ ok: true });
    expect(await row("one")).toMatchObject({ state: "up", restarts: 1 });
  },
);

it.each([
  ["no JSON", "application/json", "<html>trouble</html>", "its answer is no JSON"],
  ["nothing", "application/json", "", "its answer is no JSON"],
  ["no message", "application/json", '"text"', "its answer is no message"],
  ["a page", "text/html", "<html>trouble</html>", "Unexpected content type: text/html"],
  ["no result", "application/json", '{"jsonrpc":"2.0","id":ID}', "its answer is no message"],
])("goes on with a server that answers one call with %s", options, async (_what, type, text, told) => {
  const url = await simple((res, id) => {
    res.writeHead(200, { "content-type": type }).end(text.replace("ID", String(id)));
  });
  const { call, tool, row } = await mcpHost({ odd: http(url) }, { more: { request_timeout_sec: 2 } });
  await tool("mcp__odd__work");
  expect(await call("mcp__odd__work")).toMatchObject({ ok: false, output: expect.stringContaining(told) });
  expect(await row("odd")).toMatchObject({ state: "up", restarts: 0 });
});

it("holds no connection for a call that was given up or not answered in time", options, async () => {
  const open = new Set<ServerResponse>();
  const url = await simple((res) => {
    open.add(res.writeHead(200, { "content-type": "text/event-stream" }));
    res.flushHeaders();
    res.on("close", () => open.delete(res));
  });
  const { call, tool, row } = await mcpHost({ mute: http(url) }, { more: { request_timeout_sec: 0.3 } });
  await tool("mcp__mute__work");
  for (let time = 0; time < 5; time += 1)
    expect((await call("mcp__mute__work")).output).toMatch(/did not answer within/);
  await until(() => open.size === 0, slow, "the end of the requests");
  const stop = new AbortController();
  const asked = call("mcp__mute__work", {}, stop.signal);
  await until(() => open.size === 1);
  stop.abort();
  await asked;
  await until(() => open.size === 0, slow, "the end of the request");
  expect(await row("mute")).toMatchObject({ state: "up", restarts: 0 });
});

it("says that a server wants another credential", options, async () => {
  const url = await serve((_req, res) => void res.writeHead(401, { "www-authenticate": "Bearer" }).end());
  const { row } = await mcpHost({ closed: http(url) });
  expect((await row("closed", ({ state }) => state === "waiting")).reason).toMatch(/HTTP status 401/);
});

it("takes leave of a session when the server is taken out", options, async () => {
  const methods: string[] = [];
  const inner = await simple((res, id) => json(res, { jsonrpc: "2.0", id, result: {} }));
  const url = await serve(async (req, res) => {
    methods.push(req.method ?? "");
    if (req.method === "DELETE") return void res.writeHead(204).end();
    const body = req.method === "POST" ? await new Response(Readable.toWeb(req) as never).text() : undefined;
    const answer = await fetch(inner, { method: req.method ?? "GET", ...(body === undefined ? {} : { body }) });
    res.writeHead(answer.status, {
      "content-type": answer.headers.get("content-type") ?? "text/plain",
      "mcp-session-id": "s1",
    });
    res.end(await answer.text());
  });
  const { tool, configure } = await mcpHost({ polite: http(url) });
  await tool("mcp__polite__work");
  await configure({});
  await until(() => methods.includes("DELETE"), slow);
});
