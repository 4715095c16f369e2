/** `/mcp` with the official clients of both generations, and by hand. */

import { definePlugin, type Identity, Type } from "@chela/sdk";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect, it, onTestFinished } from "vitest";
import keys from "../../../plugins/keys/index.ts";
import store from "../../../plugins/store/index.ts";
import toolsPlugin from "../../../plugins/tools/index.ts";
import workspace from "../../../plugins/workspace/index.ts";
import { until } from "../../kit/until.ts";
import { accept, handshake, hostileServer, mcpHost, newKey, rpc, slow, stdio } from "./kit.ts";

const turns: { identity: Identity; origin?: string; channel?: string }[] = [];

/** Tools as the tools plugin has them, and one that lasts until it is cancelled. */
function toolbox() {
  const state = { aborted: 0, running: 0 };
  const plugin = definePlugin({
    id: "toolbox",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      ctx.tool({
        name: "system_info",
        about: "About this system.",
        input: Type.Object({}),
        risk: "read",
        access: "read",
        run: (_input, turn) => {
          turns.push(turn as never);
          return `asked by ${turn.identity.id} (${turn.origin}, ${turn.channel})`;
        },
      });
      ctx.tool({
        name: "write_file",
        about: "Writes.",
        input: Type.Object({ path: Type.String(), content: Type.String() }),
        risk: "write",
        access: "write",
        run: ({ path }) => `wrote ${path}`,
      });
      ctx.tool({
        name: "sleep",
        about: "Lasts.",
        input: Type.Object({}),
        risk: "read",
        access: "read",
        run: (_input, { signal }) =>
          new Promise((_, reject) => {
            state.running += 1;
            signal.addEventListener("abort", () => {
              state.aborted += 1;
              reject(new Error("aborted"));
            });
          }),
      });
    },
  });
  return { state, plugin };
}

function headers(token: string) {
  return { requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

async function served() {
  const box = toolbox();
  const made = await mcpHost({}, { port: 0, beside: [box.plugin] });
  return { ...made, ...box, url: new URL(`${made.host.url}/mcp`) };
}

it("serves the current client", { timeout: slow }, async () => {
  const { host, url } = await served();
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(url, headers(host.token)));
  onTestFinished(() => client.close());
  expect(client.getServerVersion()).toMatchObject({ name: "chela" });
  expect(client.getNegotiatedProtocolVersion()).toBe("2025-11-25");
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
    "mcp",
    "sleep",
    "system_info",
    "write_file",
  ]);
  const info = await client.callTool({ name: "system_info", arguments: {} });
  expect(info).toMatchObject({ isError: false, content: [{ type: "text", text: "asked by token (direct, mcp)" }] });
  const bad = await client.callTool({ name: "write_file", arguments: { path: 1 } });
  expect(bad).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("input of write_file") }] });
  await expect(client.callTool({ name: "nothing", arguments: {} })).rejects.toThrow("Unknown tool: nothing");
});

it("serves the current client in the newest protocol", { timeout: slow }, async () => {
  const { host, url } = await served();
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(url, headers(host.token)));
  onTestFinished(() => client.close());
  expect(client.getProtocolEra()).toBe("modern");
  const info = await client.callTool({ name: "system_info", arguments: {} });
  expect(info).toMatchObject({ content: [{ text: "asked by token (direct, mcp)" }] });
});

it("serves the client of the previous generation", { timeout: slow }, async () => {
  const { host, url } = await served();
  const client = new OldClient({ name: "test", version: "1.0.0" });
  const transport = new OldTransport(url, headers(host.token));
  await client.connect(transport as never);
  onTestFinished(() => client.close());
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain("system_info");
  expect(await client.callTool({ name: "system_info", arguments: {} })).toMatchObject({
    content: [{ type: "text", text: "asked by token (direct, mcp)" }],
  });
  await transport.terminateSession();
});

it("cancels the call that a client cancels", { timeout: slow }, async () => {
  const { host, url, state } = await served();
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(url, headers(host.token)));
  onTestFinished(() => client.close());
  const stop = new AbortController();
  const call = client.callTool({ name: "sleep", arguments: {} }, { signal: stop.signal });
  const ended = expect(call).rejects.toThrow();
  await until(() => state.running === 1);
  stop.abort();
  await ended;
  await until(() => state.aborted === 1, slow);
});

it("tells clients that the tools have changed", { timeout: slow }, async () => {
  const { host, url } = await served();
  const client = new Client({ name: "test", version: "1.0.0" });
  let told = 0;
  client.setNotificationHandler("notifications/tools/list_changed", () => {
    told += 1;
  });
  await client.connect(new StreamableHTTPClientTransport(url, headers(host.token)));
  onTestFinished(() => client.close());
  // The stream for such messages is opened after the handshake.
  await until(async () => {
    await host.plugins.reload("toolbox");
    return told > 0;
  }, slow);
});

it("answers 401 to every method without a credential, and with a wrong one", { timeout: slow }, async () => {
  const { host } = await served();
  for (const token of [null, "wrong-token"]) {
    for (const method of ["POST", "GET", "DELETE", "PUT", "PATCH", "HEAD"]) {
      const reply = await host.request("/mcp", { method, token, headers: accept });
      expect({ method, status: reply.status, challenge: reply.headers["www-authenticate"] }).toEqual({
        method,
        status: 401,
        challenge: "Bearer",
      });
    }
  }
});

it("is off while tools.mcp.enabled is", { timeout: slow }, async () => {
  const { host, url, configure } = await served();
  const ask = () => host.request("/mcp", { method: "POST", headers: accept, body: rpc("tools/list") });
  expect((await ask()).status).toBe(200);
  await configure({}, { enabled: false });
  expect((await ask()).status).toBe(404);
  expect((await host.request("/mcp", { method: "POST", token: null, body: {} })).status).toBe(401);
  await configure({}, { enabled: true });
  expect((await ask()).status).toBe(200);
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(url, headers(host.token)));
  onTestFinished(() => client.close());
  const listening = await client.listen({ toolsListChanged: true });
  let told = 0;
  client.setNotificationHandler("notifications/tools/list_changed", () => {
    told += 1;
  });
  await host.plugins.reload("toolbox");
  await until(() => told > 0, slow);
  await listening.close();
});

it("serves a request without a session, by hand", { timeout: slow }, async () => {
  const { host } = await served();
  const reply = await host.request("/mcp", {
    method: "POST",
    headers: accept,
    body: rpc("tools/call", { name: "system_info" }),
  });
  expect(reply.text).toContain("asked by token (direct, mcp)");
  expect((await host.request("/mcp", { method: "GET", headers: accept })).status).toBe(405);
  expect(
    (
      await host.request("/mcp", {
        method: "POST",
        headers: { ...accept, "mcp-session-id": "made-up" },
        body: rpc("tools/list"),
      })
    ).status,
  ).toBe(404);
  for (const body of [
    '"text"',
    "[]",
    "7",
    "null",
    '{"jsonrpc":"1.0"}',
    `[${Array.from({ length: 17 }, () => '{"jsonrpc":"2.0","id":1,"method":"ping"}').join()}]`,
  ]) {
    const { status } = await host.request("/mcp", {
      method: "POST",
      headers: { ...accept, "content-type": "application/json" },
      body,
    });
    expect({ body: body.slice(0, 20), status }).toEqual({ body: body.slice(0, 20), status: 400 });
  }
});

it("shows and runs what the identity may, and keeps sessions apart", { timeout: slow }, async () => {
  const box = toolbox();
  const { host } = await mcpHost({}, { beside: [box.plugin, keys] });
  const token = await newKey(host, "reader");
  const ask = (body: object, as?: string, session?: string) =>
    host.request("/mcp", {
      method: "POST",
      headers: { ...accept, ...(session ? { "mcp-session-id": session } : {}) },
      body,
      ...(as ? { token: as } : {}),
    });
  expect((await ask(rpc("tools/list"), token)).text).not.toContain("write_file");
  expect((await ask(rpc("tools/list"))).text).toContain("write_file");
  const denied = await ask(rpc("tools/call", { name: "write_file", arguments: { path: "x", content: "" } }), token);
  expect(denied.text).toContain('"isError":true');
  const mine = String((await ask(handshake)).headers["mcp-session-id"]);
  expect((await ask(rpc("tools/list"), undefined, mine)).status).toBe(200);
  expect((await ask(rpc("tools/list"), token, mine)).status).toBe(404);
});

it("keeps a bounded number of sessions", { timeout: slow }, async () => {
  const { host } = await served();
  const begin = async () =>
    String(
      (await host.request("/mcp", { method: "POST", headers: accept, body: handshake })).headers["mcp-session-id"],
    );
  const first = await begin();
  for (let count = 0; count < 50; count += 1) await begin();
  const ask = (session: string) =>
    host.request("/mcp", { method: "POST", headers: { ...accept, "mcp-session-id": session }, body: rpc("ping") });
  expect((await ask(first)).status).toBe(404);
  const last = await begin();
  expect((await ask(last)).status).toBe(200);
  const end = () => host.request("/mcp", { method: "DELETE", headers: { ...accept, "mcp-session-id": last } });
  expect((await end()).status).toBe(200);
  expect((await end()).status).toBe(404);
});

it("does not hold up the plugin's end with an open stream", { timeout: slow }, async () => {
  const { host, url } = await served();
  const begun = await host.request("/mcp", { method: "POST", headers: accept, body: handshake });
  const session = {
    ...accept,
    "mcp-session-id": String(begun.headers["mcp-session-id"]),
    authorization: `Bearer ${host.token}`,
  };
  const stream = await fetch(url, { headers: session });
  expect(stream.status).toBe(200);
  const from = performance.now();
  await host.plugins.disable("mcp", "test");
  expect(performance.now() - from).toBeLessThan(3000);
  await stream.text();
  expect(host.logs().filter(({ msg }) => String(msg).includes("fault"))).toEqual([]);
});

it("does not pass on what another Chela gave it, itself included", { timeout: slow }, async () => {
  const { host, url, configure, tool } = await served();
  const authorization = `Bearer ${host.token}`;
  await configure({ self: { enabled: true, transport: "http", url: url.href, headers: { authorization } } });
  await tool("mcp__self__system_info");
  const { text } = await host.request("/mcp", { method: "POST", headers: accept, body: rpc("tools/list") });
  expect(text).toContain("system_info");
  expect(text).not.toContain("mcp__self__");
});

it("shows the tools of the gateway, and runs them under its policy", { timeout: slow }, async () => {
  const { host, url } = await mcpHost(
    { plain: stdio(hostileServer, ["plain"]) },
    { port: 0, beside: [store, workspace, toolsPlugin] },
  ).then((made) => ({ ...made, url: new URL(`${made.host.url}/mcp`) }));
  await until(() => host.plugins.list().every(({ state }) => state === "running"), slow);
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(url, headers(host.token)));
  onTestFinished(() => client.close());
  const names = async () => (await client.listTools()).tools.map(({ name }) => name);
  await until(async () => (await names()).includes("mcp__plain__work"), slow);
  expect(await names()).toEqual(expect.arrayContaining(["read_file", "system_info", "write_file", "mcp"]));
  const write = { path: "note.txt", content: "from an MCP client" };
  expect(await client.callTool({ name: "write_file", arguments: write })).toMatchObject({ isError: false });
  const read = await client.callTool({ name: "read_file", arguments: { path: "note.txt" } });
  expect(JSON.stringify(read)).toContain("from an MCP client");
  expect(await client.callTool({ name: "read_file", arguments: { path: "../config.json" } })).toMatchObject({
    isError: true,
  });
  const listed = (await host.request("/api/tools")).json() as Record<string, { name: string }[]>;
  expect(listed.mcp_tools?.map(({ name }) => name)).toContain("mcp__plain__work");
  expect(listed.mcp_server_checks).toMatchObject([{ name: "plain", status: "ok", command: process.execPath }]);
});
