/** A reply that goes on ends with its key, as a socket does: at the same moment, its own alone. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { definePlugin, Reply, type RouteRequest } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import mcp from "../../../plugins/mcp/index.ts";
import { until } from "../../kit/until.ts";

/** Streams without an end, one that begins when the test says so, and what became of them. */
function talker() {
  const state = { left: [] as string[], begin: () => undefined as unknown, asked: 0, upgrades: 0 };
  const endless = ({ identity, signal }: RouteRequest) => {
    async function* words() {
      try {
        yield "data: hello\n\n";
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
      } finally {
        state.left.push(`${identity.name}: ${signal.reason?.code}`);
      }
    }
    return Reply.sse(words());
  };
  const plugin = definePlugin({
    id: "talker",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      const gate = new Promise((resolve) => {
        state.begin = () => resolve(undefined);
      });
      ctx.route({ method: "GET", path: "/talk", access: "read", handler: (request) => endless(request) });
      ctx.route({
        method: "POST",
        path: "/talk",
        access: "read",
        handler: (request) => {
          state.asked += 1;
          return endless(request);
        },
      });
      ctx.stream({ path: "/slow", access: "read", open: () => void state.left.push("socket opened") });
      ctx.on("ws:upgrade", async () => {
        state.upgrades += 1;
        await gate;
      });
      ctx.route({
        method: "GET",
        path: "/late",
        access: "read",
        handler: async (request) => {
          state.asked += 1;
          await gate;
          return endless(request);
        },
      });
      ctx.route({
        method: "GET",
        path: "/whole",
        access: "read",
        handler: async () => {
          state.asked += 1;
          await gate;
          return { whole: true };
        },
      });
    },
  });
  return { plugin, state };
}

async function world() {
  const { plugin, state } = talker();
  const host = await startHost({
    plugins: [apiConfig, keys, plugin, mcp],
    port: 0,
    config: { tools: { mcp: { enabled: true } } },
  });
  onTestFinished(() => host.stop());
  return { host, state };
}

async function rpc(host: TestHost, method: string, params: object, token = host.token) {
  const reply = await host.request("/api/call", { body: { method, params }, token });
  return { status: reply.status, result: (reply.json() as { result?: Record<string, unknown> }).result ?? {} };
}

const made = async (host: TestHost, name: string, scopes = ["read"]) =>
  String((await rpc(host, "keys.add", { name, scopes })).result.key);

function open(host: TestHost, path: string, token: string, headers: Record<string, string> = {}) {
  return fetch(`${host.url}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } });
}

/** Resolves to what arrived before it was cut; rejects when it ended well. */
async function cut(reply: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of reply.body ?? []) text += decoder.decode(chunk as Uint8Array);
  } catch {
    return text;
  }
  throw new Error(`the stream ended as if it were complete: ${text}`);
}

describe("a revoked key", () => {
  it("ends its streams and nobody else's", async () => {
    const { host, state } = await world();
    const [a, b] = [await made(host, "a"), await made(host, "b")];
    const [ofA, ofB] = [await open(host, "/talk", a), await open(host, "/talk", b)];
    expect((await rpc(host, "keys.revoke", { name: "a" })).result).toMatchObject({ changed: true, socketsClosed: 1 });
    expect(await cut(ofA)).toBe("data: hello\n\n");
    await until(() => state.left.length === 1);
    expect(state.left).toEqual(["a: UNAUTHORIZED"]);
    await ofB.body?.cancel();
    await until(() => state.left.length === 2);
    expect(state.left[1]).toBe("b: CLIENT_GONE");
  });

  it("gets no stream that begins later; what is whole is still its own", async () => {
    const { host, state } = await world();
    const a = await made(host, "a");
    const late = open(host, "/late", a);
    const whole = open(host, "/whole", a);
    await until(() => state.asked === 2);
    await rpc(host, "keys.revoke", { name: "a" });
    state.begin();
    await expect(late).rejects.toThrow();
    expect(await (await whole).json()).toEqual({ whole: true });
  });

  it("begins nothing with a request that it was let in for but that was not complete yet", async () => {
    const { host, state } = await world();
    const a = await made(host, "a");
    const headers = { authorization: `Bearer ${a}`, "content-type": "application/json", expect: "100-continue" };
    const slow = httpRequest(`${host.url}/talk`, { method: "POST", headers });
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      slow.on("response", resolve).on("error", reject),
    );
    slow.write('{"so":');
    await new Promise((resolve) => slow.once("continue", resolve));
    await rpc(host, "keys.revoke", { name: "a" });
    slow.end('"far"}');
    const reply = await answered;
    reply.resume();
    expect({ status: reply.statusCode, asked: state.asked }).toEqual({ status: 401, asked: 0 });
  });

  it("opens no socket that was on its way", async () => {
    const { host, state } = await world();
    const a = await made(host, "a");
    const socket = new WebSocket(`${host.url.replace("http", "ws")}/slow`, {
      headers: { authorization: `Bearer ${a}` },
    });
    const refused = new Promise<number | undefined>((resolve, reject) => {
      socket.on("unexpected-response", (_, reply) => resolve(reply.statusCode));
      socket.on("open", () => reject(new Error("it was opened")));
    });
    await until(() => state.upgrades === 1);
    await rpc(host, "keys.revoke", { name: "a" });
    state.begin();
    expect(await refused).toBe(401);
    expect(state.left).toEqual([]);
  });

  it("may end itself: the answer to that arrives", async () => {
    const { host } = await world();
    const own = await made(host, "own", ["admin"]);
    expect(await rpc(host, "keys.revoke", { name: "own" }, own)).toMatchObject({
      status: 200,
      result: { changed: true },
    });
    expect((await host.request("/talk", { token: own })).status).toBe(401);
  });

  it("ends what an MCP client listens to", async () => {
    const { host } = await world();
    const key = await made(host, "client", ["write"]);
    const accept = { accept: "application/json, text/event-stream", "content-type": "application/json" };
    const begin = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
    };
    const first = await fetch(`${host.url}/mcp`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, ...accept },
      body: JSON.stringify(begin),
    });
    const session = first.headers.get("mcp-session-id") ?? "";
    await first.text();
    const listening = await open(host, "/mcp", key, { accept: "text/event-stream", "mcp-session-id": session });
    expect(listening.status).toBe(200);
    await rpc(host, "keys.revoke", { name: "client" });
    expect(await cut(listening)).not.toContain("error");
  });
});

it("a rotated token ends its streams; the change that rotated it is answered", async () => {
  const { host, state } = await world();
  const stream = await open(host, "/talk", host.token);
  const changed = await rpc(host, "config.set", {
    path: "gateway.auth.token",
    value: "another-token-0123456789abcdef",
  });
  expect(changed.status).toBe(200);
  expect(await cut(stream)).toBe("data: hello\n\n");
  await until(() => state.left.length === 1);
  expect((await host.request("/talk", {})).status).toBe(401);
});
