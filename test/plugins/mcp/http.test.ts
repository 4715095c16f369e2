/** Servers over HTTP that are not as the others: of the newest protocol only, too talkative, or closed to us. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
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

it("speaks the newest protocol with a server that knows no other", options, async () => {
  const modern = createMcpHandler(
    () => {
      const server = new McpServer({ name: "modern", version: "1" });
      server.registerTool("work", { description: "Works." }, () => ({ content: [{ type: "text", text: "done" }] }));
      return server;
    },
    { legacy: "reject" },
  );
  const url = await serve(async (req, res) => {
    const body = req.method === "POST" ? { body: Readable.toWeb(req) as never, duplex: "half" } : {};
    const response = await modern.fetch(
      new Request(`http://x${req.url}`, { method: req.method, headers: req.headers as never, ...body } as never),
    );
    res.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body) Readable.fromWeb(response.body as never).pipe(res);
    else res.end();
  });
  const { call, tool, row } = await mcpHost({ modern: http(url) });
  await tool("mcp__modern__work");
  expect(await call("mcp__modern__work")).toEqual({ ok: true, output: "done" });
  expect((await row("modern")).protocol).toBe("2026-07-28");
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
    res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
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
      if (status === 200)
        res
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify({ jsonrpc: "2.0", id, result: { content: [] } }));
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

it("says that a server wants another credential", options, async () => {
  const url = await serve((_req, res) => void res.writeHead(401, { "www-authenticate": "Bearer" }).end());
  const { row } = await mcpHost({ closed: http(url) });
  expect((await row("closed", ({ state }) => state === "waiting")).reason).toMatch(/HTTP status 401/);
});

it("takes leave of a session when the server is taken out", options, async () => {
  const methods: string[] = [];
  const inner = await simple(
    (res, id) =>
      void res
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ jsonrpc: "2.0", id, result: {} })),
  );
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
