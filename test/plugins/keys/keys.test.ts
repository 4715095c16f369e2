import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { type Keyring, parseKeyring, renderKeyring } from "../../../plugins/keys/keyring.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";

interface Made {
  readonly id: string;
  readonly key: string;
  readonly [field: string]: unknown;
}

/** Three routes, one per scope. */
const doors = definePlugin({
  id: "doors",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    for (const access of ["read", "write", "admin"] as const) {
      ctx.route({
        method: "GET",
        path: `/door/${access}`,
        access,
        handler: ({ identity }) => ({ who: identity.id, name: identity.name }),
      });
    }
    ctx.stream({ path: "/door/live", access: "write", open: () => undefined });
  },
});

async function open(stateDir?: string, clock?: "fake") {
  const host = await startHost({ plugins: [apiConfig, keys, doors], config: {}, stateDir, clock });
  onTestFinished(() => host.stop());
  return { host, file: join(host.stateDir, "data", "keys", "keys.json") };
}

async function call(host: TestHost, method: string, params: object = {}, token?: string) {
  const reply = await host.request("/api/call", { body: { method, params }, token });
  const body = reply.json() as { ok: boolean; result: never; error: { code: string; message: string } };
  return { status: reply.status, ...body };
}

const add = async (host: TestHost, name: string, scopes: readonly string[], more: object = {}) =>
  (await call(host, "keys.add", { name, scopes, ...more })).result as Made;
const statuses = (host: TestHost, token: string | null) =>
  Promise.all(
    ["read", "write", "admin"].map(async (access) => (await host.request(`/door/${access}`, { token })).status),
  );

describe("a key", () => {
  test("opens what its scopes allow, by every transport, and is who it says", async () => {
    const { host } = await open();
    const { key, id } = await add(host, "writer", ["write"]);
    expect(await statuses(host, key)).toEqual([200, 200, 403]);
    expect((await host.request("/door/read", { token: key })).json()).toEqual({ who: `key:${id}`, name: "writer" });
    expect((await host.request(`/door/read?token=${key}`, { token: null })).status).toBe(200);
    expect(
      (await host.request("/door/read", { token: null, headers: { cookie: `clawgo_webui_token=${key}` } })).status,
    ).toBe(200);
    expect(
      (await host.request("/door/read", { token: null, headers: { referer: `http://localhost/?token=${key}` } }))
        .status,
    ).toBe(401);
    expect(await statuses(host, host.token)).toEqual([200, 200, 200]);
    expect(await statuses(host, `${key}x`)).toEqual([401, 401, 401]);
  });

  test("is shown once and stored hashed; nothing that reads tells it", async () => {
    const { host, file } = await open();
    const made = await add(host, "once", ["read"], { expires: "30d" });
    expect(made).toMatchObject({
      name: "once",
      scopes: ["read"],
      state: "active",
      createdBy: "token",
      lastUsedAt: null,
    });
    expect(made.expiresAt).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    expect(made).not.toHaveProperty("hash");
    await host.request("/door/read", { token: made.key });
    const list = (await call(host, "keys.list")).result as Made[];
    expect(list).toEqual([{ ...made, key: undefined, lastUsedAt: expect.any(Number) }]);
    const secret = made.key.slice(-30);
    for (const text of [JSON.stringify(list), readFileSync(file, "utf8"), JSON.stringify(host.logs())])
      expect(text).not.toContain(secret);
    expect(JSON.stringify(list)).not.toContain(parseKeyring(readFileSync(file, "utf8")).keys[0]?.hash as string);
  });

  test("is known to the next process", async () => {
    const stateDir = tempDir("keys-state");
    const first = await startHost({ plugins: [apiConfig, keys, doors], config: {}, stateDir });
    const { key } = await add(first, "durable", ["read"]);
    await first.request("/door/read", { token: key });
    await first.stop();
    const { host } = await open(stateDir);
    expect(await statuses(host, key)).toEqual([200, 403, 403]);
    expect((await call(host, "keys.list")).result).toEqual([
      expect.objectContaining({ name: "durable", lastUsedAt: expect.any(Number) }),
    ]);
  });

  test("is for admins to make, list and revoke", async () => {
    const { host } = await open();
    const { key } = await add(host, "writer", ["read", "write"]);
    for (const method of ["keys.add", "keys.list", "keys.revoke"]) {
      expect(await call(host, method, { name: "x", scopes: ["read"] }, key)).toMatchObject({ status: 403, ok: false });
    }
    expect(await call(host, "keys.add", { name: "", scopes: ["read"] })).toMatchObject({ status: 400 });
    expect(await call(host, "keys.add", { name: "x", scopes: [] })).toMatchObject({ status: 400 });
    expect(await call(host, "keys.add", { name: "x", scopes: ["root"] })).toMatchObject({ status: 400 });
    expect(await call(host, "keys.add", { name: "x", scopes: ["read"], expires: "soon" })).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("30d") },
    });
    expect(await call(host, "keys.add", { name: "writer", scopes: ["read"] })).toMatchObject({ status: 409 });
  });
});

describe("revoking", () => {
  test("works at once, closes the sockets of that key alone, and twice is no change", async () => {
    const { host } = await open();
    const a = await add(host, "a", ["write"]);
    const b = await add(host, "b", ["write"]);
    const [ofA, ofB, ofToken] = await Promise.all(
      [a.key, b.key, host.token].map((token) => host.connect("/door/live", { token })),
    );
    expect((await call(host, "keys.revoke", { id: "a" })).result).toEqual({
      id: a.id,
      name: "a",
      changed: true,
      socketsClosed: 1,
    });
    expect((await ofA?.closed)?.code).toBe(4001);
    expect(await statuses(host, a.key)).toEqual([401, 401, 401]);
    expect(await statuses(host, b.key)).toEqual([200, 200, 403]);
    expect((await call(host, "keys.revoke", { name: "a" })).result).toMatchObject({ changed: false, socketsClosed: 0 });
    expect(await call(host, "keys.revoke", { id: "nobody" })).toMatchObject({ status: 404 });
    ofB?.close();
    ofToken?.close();
    expect(((await call(host, "keys.list")).result as Made[]).map(({ name, state }) => [name, state])).toEqual([
      ["a", "revoked"],
      ["b", "active"],
    ]);
  });

  test("by another process, through the file, counts as well", async () => {
    const { host, file } = await open();
    const { key, id } = await add(host, "remote", ["write"]);
    const socket = await host.connect("/door/live", { token: key });
    const { keys: rows } = parseKeyring(readFileSync(file, "utf8"));
    const revoked: Keyring = { version: 1, keys: rows.map((row) => (row.id === id ? { ...row, revokedAt: 1 } : row)) };
    const closed = { code: 0 };
    void socket.closed.then(({ code }) => {
      closed.code = code;
    });
    // Written again and again: the watcher may still be on its way up.
    await until(() => {
      writeFileSync(file, renderKeyring(revoked));
      return closed.code === 4001;
    });
    expect(await statuses(host, key)).toEqual([401, 401, 401]);
  });

  test("by another process is seen within a minute where watching fails", async () => {
    const { host, file } = await open(undefined, "fake");
    const { key } = await add(host, "remote", ["read"]);
    writeFileSync(file, renderKeyring({ version: 1, keys: [] }));
    host.clock.tick(60_000);
    await until(async () => (await statuses(host, key))[0] === 401);
  });

  test("comes by itself when a key expires, also for its sockets", async () => {
    const { host, file } = await open(undefined, "fake");
    const { key, id } = await add(host, "short", ["write"], { expires: "1h" });
    const socket = await host.connect("/door/live", { token: key });
    const ring = parseKeyring(readFileSync(file, "utf8"));
    const expiresAt = Date.now() + 300;
    writeFileSync(
      file,
      renderKeyring({ version: 1, keys: ring.keys.map((row) => (row.id === id ? { ...row, expiresAt } : row)) }),
    );
    const closed = { code: 0 };
    void socket.closed.then(({ code }) => {
      closed.code = code;
    });
    await until(() => {
      host.clock.tick(15_000);
      return closed.code === 4001;
    });
    expect(await statuses(host, key)).toEqual([401, 401, 401]);
  });
});

test("a damaged file is told in the health report; keys and gateway go on, and it is not written over", async () => {
  const { host, file } = await open();
  const { key } = await add(host, "a", ["read"]);
  // Written again and again: the watcher may still be on its way up.
  await until(async () => {
    writeFileSync(file, "{ half");
    return !(await host.gateway.health()).ok;
  });
  expect(await statuses(host, key)).toEqual([200, 403, 403]);
  expect(await call(host, "keys.add", { name: "b", scopes: ["read"] })).toMatchObject({
    status: 500,
    error: { code: "KEYS_DAMAGED" },
  });
  expect(readFileSync(file, "utf8")).toBe("{ half");
});

test("off, the plugin takes its keys with it; on again, they are back", async () => {
  const { host } = await open();
  const { key } = await add(host, "a", ["read"]);
  await host.plugins.disable("keys", "test");
  expect(await statuses(host, key)).toEqual([401, 401, 401]);
  await host.plugins.enable("keys", "test");
  expect(await statuses(host, key)).toEqual([200, 403, 403]);
});
