/**
 * A small MCP server over HTTP, by hand: JSON answers at `/mcp`, the old event stream at `/sse`. It remembers what it was
 * sent, and may answer with a redirect instead.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly message: { readonly id?: number; readonly method?: string } | undefined;
}

export interface SimulatedMcp {
  readonly url: string;
  readonly received: readonly Received[];
}

export async function simulatedMcp(options: { readonly redirectTo?: string } = {}): Promise<SimulatedMcp> {
  const received: Received[] = [];
  const streams = new Set<ServerResponse>();
  const server = createServer(async (req, res) => {
    const body = await textOf(req);
    const message = body ? (JSON.parse(body) as Received["message"]) : undefined;
    received.push({ method: req.method ?? "", path: req.url ?? "", headers: req.headers, message });
    if (options.redirectTo) return void res.writeHead(307, { location: options.redirectTo }).end();
    if (req.method === "GET" && req.url === "/sse") {
      streams.add(res);
      res.writeHead(200, { "content-type": "text/event-stream" });
      return void res.write("event: endpoint\ndata: /messages\n\n");
    }
    if (req.method !== "POST") return void res.writeHead(405).end();
    const answer = message?.id === undefined ? undefined : JSON.stringify(answerTo(message));
    if (req.url === "/mcp" && answer)
      return void res.writeHead(200, { "content-type": "application/json" }).end(answer);
    if (answer) for (const stream of streams) stream.write(`event: message\ndata: ${answer}\n\n`);
    res.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

function answerTo({ id, method }: { readonly id?: number; readonly method?: string }) {
  const results: Record<string, unknown> = {
    initialize: {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {} },
      serverInfo: { name: "simulated", version: "1" },
    },
    "tools/list": {
      tools: [{ name: "resolve-library.id", description: "Resolves.", inputSchema: { type: "object" } }],
    },
    "tools/call": {
      content: [
        { type: "text", text: "one" },
        { type: "text", text: "two" },
      ],
      structuredContent: { three: 3 },
    },
  };
  const result = results[method ?? ""];
  return { jsonrpc: "2.0", id, ...(result ? { result } : { error: { code: -32_601, message: "no such method" } }) };
}

async function textOf(req: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) text += chunk;
  return text;
}
