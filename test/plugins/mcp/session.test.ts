/** A session ends with the credential it was begun with; there is room for everybody's. */
import { expect, it } from "vitest";
import keys from "../../../plugins/keys/index.ts";
import { until } from "../../kit/until.ts";
import { accept, handshake, manage, mcpHost, newKey, rpc, slow } from "./kit.ts";

async function served(names: readonly string[]) {
  const { host } = await mcpHost({}, { port: 0, beside: [keys] });
  const tokens = new Map<string, string>();
  for (const name of names) tokens.set(name, await newKey(host, name));
  const ask = (name: string, body: object, more: Record<string, string> = {}) =>
    host.request("/mcp", {
      method: "POST",
      headers: { ...accept, ...more },
      body,
      token: tokens.get(name) ?? host.token,
    });
  return {
    host,
    ask,
    begin: async (name: string) => String((await ask(name, handshake)).headers["mcp-session-id"]),
    isThere: async (name: string, session: string) =>
      (await ask(name, rpc("ping", {}, 2), { "mcp-session-id": session })).status === 200,
    /** Until the connection is left. */
    listen: async (name: string, session: string) => {
      const authorization = `Bearer ${tokens.get(name) ?? host.token}`;
      const stream = await fetch(`${host.url}/mcp`, {
        headers: { ...accept, authorization, "mcp-session-id": session },
      });
      expect(stream.status).toBe(200);
      return stream;
    },
  };
}

it("ends with the key it was begun with, at once: it takes nobody's place any more", { timeout: slow }, async () => {
  const { host, begin, isThere } = await served(["ann", "bob", "eve"]);
  const first = await begin("ann");
  const { subscription = 0 } = host.census();
  for (let count = 0; count < 50; count += 1) await begin("bob");
  expect(host.census().subscription).toBe(subscription + 50);
  await manage(host, "keys.revoke", { id: "bob" });
  expect(host.census().subscription).toBe(subscription);
  expect(await isThere("ann", first)).toBe(true);
});

it("ends with the token it was begun with, though the next one is the same owner's", { timeout: slow }, async () => {
  const { host, begin, ask } = await served([]);
  const session = await begin("owner");
  await host.config.write([{ path: "gateway.auth.token", value: "another-token-of-good-length" }], { who: "test" });
  const asked = await host.request("/mcp", {
    method: "POST",
    headers: { ...accept, "mcp-session-id": session },
    body: rpc("ping", {}, 2),
    token: "another-token-of-good-length",
  });
  expect(asked.status).toBe(404);
  expect((await ask("owner", handshake)).status).toBe(401);
});

it("gives way when its owner has too many: the one that nobody uses, before those that listen", {
  timeout: slow,
}, async () => {
  const { begin, isThere, listen } = await served([]);
  const listening = await begin("owner");
  const stream = await listen("owner", listening);
  const idle = await begin("owner");
  for (let count = 0; count < 49; count += 1) await begin("owner");
  expect(await isThere("owner", listening)).toBe(true);
  expect(await isThere("owner", idle)).toBe(false);
  await stream.body?.cancel();
});

it("gives way to others only where somebody has most", { timeout: slow * 2 }, async () => {
  const names = ["bob", "cat", "dan"];
  const { begin, isThere } = await served(["ann", "eve", ...names]);
  const only = await begin("ann");
  const first = await begin("eve");
  for (const name of [...names, "eve"])
    for (let count = name === "eve" ? 1 : 0; count < 50; count += 1) await begin(name);
  expect(await isThere("ann", only)).toBe(true);
  expect(await isThere("eve", first)).toBe(false);
});

it("is never one too many, however many begin at once", { timeout: slow }, async () => {
  const { begin, isThere } = await served([]);
  const begun = await Promise.all(Array.from({ length: 80 }, () => begin("owner")));
  const there = await Promise.all(begun.map((session) => isThere("owner", session)));
  expect(there.filter(Boolean)).toHaveLength(50);
});

const version = "2026-07-28";
const listenBody = rpc(
  "subscriptions/listen",
  {
    notifications: { toolsListChanged: true },
    _meta: {
      "io.modelcontextprotocol/protocolVersion": version,
      "io.modelcontextprotocol/clientInfo": { name: "hand", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
  3,
);
const listenHeaders = { "mcp-protocol-version": version, "mcp-method": "subscriptions/listen" };

it("leaves room for the streams of others, in the newest protocol", { timeout: slow }, async () => {
  const { host } = await mcpHost({}, { port: 0, beside: [keys] });
  const key = await newKey(host, "bob");
  const leave = new AbortController();
  const headers = { ...accept, "content-type": "application/json", ...listenHeaders };
  const body = JSON.stringify(listenBody);
  const listen = (token: string, signal = leave.signal) =>
    fetch(`${host.url}/mcp`, {
      method: "POST",
      headers: { ...headers, authorization: `Bearer ${token}` },
      body,
      signal,
    });
  const one = new AbortController();
  expect((await listen(key, one.signal)).status).toBe(200);
  for (let count = 1; count < 16; count += 1) expect((await listen(key)).status).toBe(200);
  expect((await listen(key)).status).toBe(429);
  for (let count = 0; count < 16; count += 1) expect((await listen(host.token)).status).toBe(200);
  one.abort();
  await until(async () => (await listen(key)).status === 200, slow);
  leave.abort();
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
  const subscribed = await ask(key, "POST", listenBody, listenHeaders);
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
