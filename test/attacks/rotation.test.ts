/** S-30 … S-33: a credential that was taken away opens nothing, at once, wherever it was used. */
import { Agent, request } from "node:http";
import type { TestHost, TestSocket } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { tempDir } from "../kit/temp.ts";
import { attacked, bearer, call, gatewayWith, keyWith, send, upgrade } from "./kit.ts";

const first = "first-token-of-this-gateway";
const second = "second-token-of-this-gateway";
const version = "/api/version";

const set = (host: TestHost, path: string, value: unknown) => host.config.write([{ path, value }], { who: "test" });
const status = (host: TestHost, token: string) =>
  send(host, version, { headers: bearer(token) }).then((answer) => answer.status);

async function opened(host: TestHost, token: string): Promise<TestSocket> {
  const socket = await upgrade(host, "/api/events/live", bearer(token));
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  await socket.next();
  return socket;
}

/** How a socket ended, or that it is still open once its neighbour has gone. */
async function closing(socket: TestSocket): Promise<{ code: number; ms: number }> {
  const from = performance.now();
  const { code } = await socket.closed;
  return { code, ms: performance.now() - from };
}

describe("S-30: a rotated token", () => {
  it("is refused on the next request, also on a connection it opened", async () => {
    const host = await attacked({ config: { gateway: { auth: { token: first } } } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const over = (token: string) =>
      new Promise<number>((resolve, reject) => {
        const req = request(`${host.url}${version}`, { agent, headers: bearer(token) }, (res) => {
          res.resume().on("end", () => resolve(res.statusCode ?? 0));
        });
        req.on("error", reject).end();
      });
    expect(await over(first)).toBe(200);
    await set(host, "gateway.auth.token", second);
    expect(await over(first)).toBe(401);
    expect(await over(second)).toBe(200);
    agent.destroy();
  });

  it("is refused by every transport, and the generated one with it", async () => {
    const host = await attacked();
    expect(await status(host, host.token)).toBe(200);
    await set(host, "gateway.auth.token", second);
    expect(await status(host, host.token)).toBe(401);
    expect((await send(host, `${version}?token=${host.token}`)).status).toBe(401);
    expect((await send(host, version, { headers: { cookie: `chela_token=${host.token}` } })).status).toBe(401);
    expect(await upgrade(host, "/api/events/live", bearer(host.token))).toBe(401);
    expect(await status(host, second)).toBe(200);
  });
});

describe("S-31: settings are read live", () => {
  it("follows the mode, the password, the origins and the limit", async () => {
    const host = await attacked({ config: { gateway: { auth: { token: first } } } });
    await set(host, "gateway.auth.password", "a long new password");
    expect(await status(host, first)).toBe(401);
    expect(await status(host, "a long new password")).toBe(200);
    await set(host, "gateway.auth.mode", "token");
    expect(await status(host, "a long new password")).toBe(401);
    expect(await status(host, first)).toBe(200);

    const ui = { ...bearer(first), origin: "https://ui.example" };
    expect(await upgrade(host, "/api/events/live", ui)).toBe(403);
    await set(host, "gateway.controlUi.allowedOrigins", ["https://ui.example"]);
    const socket = await upgrade(host, "/api/events/live", ui);
    if (typeof socket === "number") throw new Error(`refused with ${socket}`);
    expect((await send(host, version, { headers: ui })).headers["access-control-allow-origin"]).toBe(
      "https://ui.example",
    );
    await set(host, "gateway.controlUi.allowedOrigins", []);
    expect(await upgrade(host, "/api/events/live", ui)).toBe(403);
    expect((await send(host, version, { headers: ui })).headers["access-control-allow-origin"]).toBeUndefined();

    await set(host, "gateway.auth.maxFailuresPerMinute", 1);
    expect(await status(host, "wrong")).toBe(429);
  });
});

describe("a change that would open the port to everybody", () => {
  it.each([
    ["mode none", { mode: "none" }, "gateway.auth.mode is none"],
    ["a proxy that nobody named", { mode: "trusted-proxy" }, "gateway.trustedProxies"],
    ["a password that is not set", { mode: "password" }, "gateway.auth.password"],
  ])("is refused with %s, and everything stays as it was", async (_name, auth, says) => {
    const host = await attacked();
    const edits = [
      { path: "gateway.auth", value: auth },
      { path: "gateway.bind", value: "lan" },
    ];
    const answer = await host.config.write(edits, { who: "test" }).then(
      (result) => JSON.stringify(result),
      (error: Error) => error.message,
    );
    expect(answer).toContain(says);
    expect(host.config.file()).not.toHaveProperty("gateway.bind", "lan");
    expect(host.gateway.status().host).toBe("127.0.0.1");
    expect(await status(host, host.token)).toBe(200);
    expect((await send(host, version)).status).toBe(401);
  });

  it("serves nobody but this machine when only the mode changes", async () => {
    const host = await attacked({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } });
    await set(host, "gateway.auth.mode", "none");
    expect((await send(host, version, { headers: { "x-forwarded-for": "198.51.100.7" } })).status).toBe(401);
    expect((await send(host, version)).status).toBe(401);
  });
});

describe("S-32: open sockets", () => {
  it("of the old token close with 4001 within a second; those of others stay", async () => {
    const host = await attacked({ config: { gateway: { auth: { token: first } } } });
    const other = await opened(host, await keyWith(host, ["read"], { name: "other", owner: first }));
    const old = await Promise.all(Array.from({ length: 5 }, () => opened(host, first)));
    const ends = Promise.all(old.map(closing));
    await set(host, "gateway.auth.token", second);
    for (const { code, ms } of await ends) {
      expect(code).toBe(4001);
      expect(ms).toBeLessThan(1000);
    }
    await set(host, "logging.level", "debug").catch(() => undefined);
    const frame = (await other.next()) as { type: string };
    expect(frame.type).toBeTypeOf("string");
    other.close();
    expect((await other.closed).code).toBe(1005);
  });

  it("of a revoked key close with 4001", async () => {
    const host = await attacked();
    const key = await keyWith(host, ["read"], { name: "gone" });
    const socket = await opened(host, key);
    const end = closing(socket);
    const { body } = await call(host, "keys.revoke", { name: "gone" });
    expect(body.result).toMatchObject({ changed: true, socketsClosed: 1 });
    expect(await end).toMatchObject({ code: 4001 });
    expect(await status(host, key)).toBe(401);
  });
});

describe("S-33: nobody makes or revives more than he has", () => {
  it("keeps keys from making keys, and restarts and rollbacks from reviving them", async () => {
    const stateDir = tempDir("keys");
    const host = await gatewayWith([], { stateDir, config: { gateway: { auth: { token: first } } } });
    const owner = (method: string, params: unknown) => call(host, method, params, first);
    const made = (name: string, scopes: string[]) => keyWith(host, scopes, { name, owner: first });
    const writer = await made("writer", ["read", "write"]);
    const gone = await made("gone", ["admin"]);
    for (const [method, params] of [
      ["keys.add", { name: "x", scopes: ["admin"] }],
      ["keys.add", { name: "x", scopes: ["read"] }],
      ["keys.revoke", { name: "gone" }],
      ["config.set", { path: "gateway.auth.token", value: second }],
      ["config.rollback", {}],
    ] as const) {
      expect((await call(host, method, params, writer)).status, method).toBe(403);
    }
    await owner("keys.revoke", { name: "gone" });
    await owner("config.set", { path: "plugins.drainMs", value: 1234 });
    await owner("config.rollback", {});
    expect(await status(host, gone)).toBe(401);
    await owner("plugins.reload", { id: "keys" });
    expect(await status(host, gone)).toBe(401);
    await host.stop();
    const again = await gatewayWith([], { stateDir });
    expect(await status(again, gone)).toBe(401);
    expect(await status(again, writer)).toBe(200);
    expect(await status(again, first)).toBe(200);
    await again.stop();
  });
});
