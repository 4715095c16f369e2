/** A session ends with the credential that carries it: when the gateway, and not the client, cuts its stream off. */
import { definePlugin, GatewayError, type Identity, type Reply, type RouteRequest } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import keys from "../../../plugins/keys/index.ts";
import { needs } from "../../../plugins/mcp/needs.ts";
import { Face } from "../../../plugins/mcp/server/face.ts";
import { McpSection } from "../../../plugins/mcp/settings.ts";
import { accept, admin, handshake, manage, mcpHost, newKey, rpc, slow } from "./kit.ts";

async function face(): Promise<Face> {
  let made: Face | undefined;
  const holder = definePlugin({
    id: "holder",
    version: "1.0.0",
    host: "^1.0.0",
    config: McpSection,
    needs,
    setup(ctx) {
      const opened = new Face(ctx, { opened: () => undefined, open: () => Promise.reject(new Error("not used")) });
      ctx.own("face", () => opened.close());
      made = opened;
    },
  });
  const host = await startHost({ plugins: [holder] });
  onTestFinished(() => host.stop());
  return made as Face;
}

const bob: Identity = { id: "key:bob", name: "bob", kind: "key", scopes: ["read"] };

function request(method: string, { body, session, identity = bob, signal }: Asked): RouteRequest {
  const headers = {
    ...accept,
    "content-type": "application/json",
    ...(session ? { "mcp-session-id": session } : {}),
  };
  const facts = { id: "1", path: "/mcp", params: {}, query: {}, address: "127.0.0.1", files: [] };
  return { ...facts, method, headers, body, identity, signal: signal ?? new AbortController().signal };
}

interface Asked {
  readonly body?: unknown;
  readonly session?: string;
  readonly identity?: Identity;
  readonly signal?: AbortSignal;
}

const ping = rpc("ping", {}, 2);

async function sessionOf(made: Face, identity: Identity): Promise<string> {
  const reply = await made.answer(request("POST", { body: handshake, identity }));
  await drained(reply);
  return String(reply.headers["mcp-session-id"]);
}

async function drained({ body }: Reply): Promise<void> {
  for await (const _ of body as AsyncIterable<unknown>);
}

/** What the host does with a reply whose request is over. */
async function left({ body }: Reply): Promise<void> {
  await (body as AsyncIterable<unknown>)[Symbol.asyncIterator]().return?.();
}

it.each([
  ["gone", new GatewayError("UNAUTHORIZED", 401, "the credential was replaced"), 404],
  ["there", new GatewayError("CLIENT_GONE", 499, "the client closed the connection"), 200],
])("is %s after its stream was cut off: %s", async (_what, reason, status) => {
  const made = await face();
  const [first, second] = [await sessionOf(made, bob), await sessionOf(made, bob)];
  const other = await sessionOf(made, admin);
  const cut = new AbortController();
  const stream = await made.answer(request("GET", { session: first, signal: cut.signal }));
  expect(stream.status).toBe(200);
  cut.abort(reason);
  await left(stream);
  for (const session of [first, second])
    expect((await made.answer(request("POST", { body: ping, session }))).status).toBe(status);
  expect((await made.answer(request("POST", { body: ping, session: other, identity: admin }))).status).toBe(200);
});

it("stops telling a key that was revoked, in both protocols, and goes on telling others", {
  timeout: slow,
}, async () => {
  const { host } = await mcpHost({}, { port: 0, beside: [keys] });
  const key = await newKey(host, "bob");
  const ask = (token: string, method: string, body?: object, more: Record<string, string> = {}) =>
    fetch(`${host.url}/mcp`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...accept,
        "content-type": "application/json",
        ...more,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const listening = async (token: string) => {
    const begun = await ask(token, "POST", handshake);
    const stream = await ask(token, "GET", undefined, {
      "mcp-session-id": String(begun.headers.get("mcp-session-id")),
    });
    expect(stream.status).toBe(200);
    return stream;
  };
  const version = "2026-07-28";
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "hand", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const listen = { notifications: { toolsListChanged: true }, _meta: meta };
  const subscribed = await ask(key, "POST", rpc("subscriptions/listen", listen, 3), {
    "mcp-protocol-version": version,
    "mcp-method": "subscriptions/listen",
  });
  expect(subscribed.status).toBe(200);
  const [his, mine] = [await listening(key), await listening(host.token)];
  await manage(host, "keys.revoke", { id: "bob" });
  const ended = await Promise.allSettled([his.text(), subscribed.text()]);
  await host.plugins.reload("keys");
  const reader = mine.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  await reader?.cancel();
  expect(first).toContain("list_changed");
  for (const end of ended) expect(JSON.stringify(end)).not.toContain("tools/list_changed");
  expect((await ask(key, "POST", handshake)).status).toBe(401);
});
