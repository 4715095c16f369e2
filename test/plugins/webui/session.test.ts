/** Login, logout and who is signed in: one way to judge a credential, a cookie that only this gateway reads, no page but its own. */
import { fileURLToPath } from "node:url";
import { definePlugin, Reply } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { until } from "../../kit/until.ts";
import { page, signIn } from "./kit.ts";

const nobody = { token: null };
const foreign = { origin: "https://evil.example" };

async function session(host: TestHost, cookie = "") {
  const headers: Record<string, string> = cookie === "" ? {} : { cookie };
  return (await host.request("/api/webui/session", { ...nobody, headers })).json();
}

const live = (host: TestHost, cookie: string) =>
  host.connect("/api/events/live", { ...nobody, headers: { cookie, origin: "http://localhost" } });

const panelsWith = (host: TestHost, cookie: string) =>
  host.request("/api/panels", { ...nobody, headers: { cookie } }).then(({ status }) => status);

describe("POST /api/webui/login", () => {
  it("trades the token for a cookie that no script can read and no other site makes the browser send", async () => {
    const host = await page();
    const { cookie, header, reply } = await signIn(host);
    expect(reply.json()).toEqual({
      ok: true,
      identity: { kind: "token", name: "token", scopes: ["read", "write", "admin"] },
    });
    expect(header).toMatch(
      /^chela_token_[0-9a-f]{8}=[0-9a-f]{16}\.[^;]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    expect(reply.headers["cache-control"]).toBe("no-store");
    expect(await panelsWith(host, cookie)).toBe(200);
    expect(await panelsWith(host, cookie.replace(/=[0-9a-f]{16}\./, "="))).toBe(401);
    expect((await signIn(host)).cookie).not.toBe(cookie);
  });

  it("takes a password, whatever it consists of", async () => {
    const credential = "pässword; with = and %41 and . in it";
    const host = await page({ config: { gateway: { auth: { password: credential } } } });
    const { cookie, reply } = await signIn(host, { credential: `  ${credential} ` });
    expect(reply.json()).toMatchObject({ identity: { kind: "password" } });
    expect(await panelsWith(host, cookie)).toBe(200);
    expect((await signIn(host)).reply.status).toBe(401);
  });

  it("takes a named key, with its scopes and no longer than it holds", async () => {
    const host = await page({}, [keys, apiConfig]);
    const call = (method: string, params: unknown) => host.request("/api/call", { body: { method, params } });
    const added = (await call("keys.add", { name: "phone", scopes: ["read"] })).json() as { result: { key: string } };
    const { cookie, reply } = await signIn(host, { credential: added.result.key });
    expect(reply.json()).toMatchObject({ identity: { kind: "key", name: "phone", scopes: ["read"] } });
    const headers = { cookie, origin: "http://localhost" };
    const write = { ...nobody, headers, body: { method: "config.set", params: { path: "gateway.port", value: 1 } } };
    expect((await host.request("/api/call", write)).status).toBe(403);
    await call("keys.revoke", { name: "phone" });
    expect(await panelsWith(host, cookie)).toBe(401);
    expect(await session(host, cookie)).toMatchObject({ signed_in: false, cookie: true });
  });

  it("counts wrong ones like any other, in one budget, with the same words, and then refuses the right one as well", async () => {
    const host = await page({ config: { gateway: { auth: { maxFailuresPerMinute: 3 } } } });
    for (let guess = 0; guess < 3; guess += 1) {
      const { header, reply } = await signIn(host, { credential: ["wrong", "wrong", "\ud800"][guess] as string });
      expect([reply.status, reply.text, header]).toEqual([401, "unauthorized\n", ""]);
    }
    const { reply } = await signIn(host);
    expect(reply.status).toBe(429);
    expect(Number(reply.headers["retry-after"])).toBeGreaterThan(0);
    expect((await host.request("/api/panels")).status).toBe(429);
    expect((await host.request("/", nobody)).status).toBe(200);
  });

  it("is not open to pages that are not allowed, which learn nothing from it", async () => {
    const host = await page();
    for (const credential of [host.token, "wrong"])
      expect((await signIn(host, { credential, headers: foreign })).reply).toMatchObject({ status: 403 });
    const plain = await signIn(host, { headers: { "content-type": "text/plain" } });
    expect(plain).toMatchObject({ reply: { status: 415 }, header: "" });
    const crossSite = await host.request("/api/webui/login", {
      ...nobody,
      body: { credential: host.token },
      headers: { "content-type": "application/json", "sec-fetch-site": "cross-site" },
    });
    expect(crossSite.status).toBe(403);
    await host.config.write([{ path: "gateway.controlUi.allowedOrigins", value: [foreign.origin] }], { who: "test" });
    expect((await signIn(host, { headers: foreign })).reply.status).toBe(200);
  });

  it.each(["", " ", "x".repeat(3100), "ü".repeat(600), "x".repeat(5000)])(
    "takes no credential of odd size",
    async (credential) => {
      const host = await page();
      expect((await signIn(host, { credential })).reply.status).toBe(400);
    },
  );

  it("gives no cookie where none is needed", async () => {
    const host = await page({ port: 0, config: { gateway: { auth: { mode: "none" } } } });
    const reply = await fetch(`${host.url}/api/webui/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ credential: "anything" }),
    });
    expect(await reply.json()).toMatchObject({ ok: true, identity: { kind: "open" } });
    expect(reply.headers.get("set-cookie")).toBeNull();
    const told = await (await fetch(`${host.url}/api/webui/session`)).json();
    expect(told).toMatchObject({ signed_in: true, identity: { kind: "open" }, auth_mode: "none", cookie: false });
  });
});

describe("the cookie", () => {
  it("has a name of its own for each gateway, and is no credential anywhere else", async () => {
    const [one, other] = [await page(), await page({ token: "another-token-0123456789" })];
    const [mine, theirs] = [(await signIn(one)).cookie, (await signIn(other)).cookie];
    expect(mine.split("=")[0]).not.toBe(theirs.split("=")[0]);
    expect(await panelsWith(one, `${theirs}; ${mine}`)).toBe(200);
    expect(await panelsWith(other, `${theirs}; ${mine}`)).toBe(200);
    // What belongs to another gateway is not even a guess.
    for (let i = 0; i < 25; i += 1) expect(await panelsWith(one, theirs)).toBe(401);
    expect(await panelsWith(one, mine)).toBe(200);
  });

  it.each([
    ["a proxy that is trusted", { "x-forwarded-proto": "https", "x-forwarded-prefix": "/claw/" }, "/claw", true],
    ["one that adds to what came", { "x-forwarded-proto": "https, http", "x-forwarded-prefix": "/a, /b" }, "/b", false],
    ["an attribute in it", { "x-forwarded-prefix": "/a; Domain=evil.example" }, "/", false],
    ["dots", { "x-forwarded-prefix": "/a/../b" }, "/", false],
    ["two slashes", { "x-forwarded-prefix": "//evil.example" }, "/", false],
    ["too much", { "x-forwarded-prefix": `/${"a".repeat(256)}` }, "/", false],
  ] as const)("believes the headers of %s as far as it should", async (_who, headers, path, isSecure) => {
    const host = await page({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } });
    const { header } = await signIn(host, { headers });
    expect(header).toContain(`; Path=${path}; `);
    expect(header.endsWith("; Secure")).toBe(isSecure);
  });

  it("is for TLS only where the gateway speaks TLS", async () => {
    const file = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/first.${name}`, import.meta.url));
    const tls = { certPath: file("crt"), keyPath: file("key") };
    const host = await page({ port: 0, config: { gateway: { tls } } });
    expect((await signIn(host)).header).toMatch(/; Secure$/);
  });

  it("ends with its credential, and what was opened with it", async () => {
    const host = await page({}, [apiConfig]);
    const { cookie } = await signIn(host);
    const socket = await live(host, cookie);
    await host.config.write([{ path: "gateway.auth.token", value: "the-token-after-that" }], { who: "test" });
    expect(await socket.closed).toMatchObject({ code: 4001 });
    expect(await panelsWith(host, cookie)).toBe(401);
  });

  it("believes nothing of that to anybody else", async () => {
    const host = await page();
    const { header } = await signIn(host, { headers: { "x-forwarded-proto": "https", "x-forwarded-prefix": "/claw" } });
    expect(header).toMatch(/; Path=\/; .*SameSite=Strict$/);
  });

  it("that has gone stale costs one guess, however much a page loads with it", async () => {
    const host = await page({
      config: { gateway: { auth: { maxFailuresPerMinute: 3, token: "the-token-before-all" } } },
    });
    const { cookie } = await signIn(host, { credential: "the-token-before-all" });
    await host.config.write([{ path: "gateway.auth.token", value: "the-token-after-that" }], { who: "test" });
    const headers = { cookie };
    for (let i = 0; i < 10; i += 1) {
      await Promise.all([
        host.request("/", { ...nobody, headers }),
        host.request("/ui/logo.svg", { ...nobody, headers }),
      ]);
      expect(await session(host, cookie)).toMatchObject({ signed_in: false, cookie: true });
    }
    expect((await signIn(host, { credential: "the-token-after-that", headers })).reply.status).toBe(200);
  });

  it("is no way to guess: other ones are other guesses", async () => {
    const host = await page({ config: { gateway: { auth: { maxFailuresPerMinute: 3 } } } });
    for (let i = 0; i < 3; i += 1) expect(await panelsWith(host, `chela_token=guess-${i}`)).toBe(401);
    expect(await panelsWith(host, "chela_token=guess-0")).toBe(429);
    expect(await panelsWith(host, `chela_token=${host.token}`)).toBe(429);
  });
});

describe("GET /api/webui/session", () => {
  it("tells a stranger how to sign in and no more, as often as he asks", async () => {
    const host = await page();
    for (let i = 0; i < 25; i += 1)
      expect(await session(host)).toEqual({
        signed_in: false,
        identity: null,
        auth_mode: "token",
        cookie: false,
        version: null,
        safe_mode: false,
        safe_mode_reason: "",
      });
    expect((await host.request("/api/panels")).status).toBe(200);
  });

  it("tells who is signed in", async () => {
    const host = await page();
    const { cookie } = await signIn(host);
    expect(await session(host, cookie)).toMatchObject({
      signed_in: true,
      identity: { kind: "token", name: "token" },
      cookie: true,
      version: expect.stringMatching(/^\d/) as string,
    });
  });

  it("says who the proxy says it is", async () => {
    const auth = { mode: "trusted-proxy", trustedProxy: { allowLoopback: true } };
    const host = await page({ config: { gateway: { auth, trustedProxies: ["127.0.0.1"] } } });
    const headers = { "x-forwarded-user": "alice" };
    const { header, reply } = await signIn(host, { credential: "whatever", headers });
    expect([reply.status, header]).toEqual([200, ""]);
    const told = (await host.request("/api/webui/session", { ...nobody, headers })).json();
    expect(told).toMatchObject({
      signed_in: true,
      identity: { kind: "proxy", name: "alice" },
      auth_mode: "trusted-proxy",
    });
  });
});

describe("POST /api/webui/logout", () => {
  const ticks = new Set<() => void>();
  const ticking = definePlugin({
    id: "ticking",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) =>
      ctx.route({
        method: "GET",
        path: "/ticks",
        access: "read",
        about: "Begins, and goes on when it is told to",
        handler: () => new Reply(tick()),
      }),
  });

  async function* tick() {
    yield "tick\n";
    await new Promise<void>((resolve) => ticks.add(resolve));
    yield "tock\n";
  }

  const signOut = (host: TestHost, cookie: string, origin = "http://localhost") =>
    host.request("/api/webui/logout", { ...nobody, method: "POST", headers: { cookie, origin } });

  it("clears the cookie and closes what was opened with it, not what another browser did", async () => {
    const host = await page({}, [apiConfig]);
    const [mine, other] = [(await signIn(host)).cookie, (await signIn(host)).cookie];
    const [socket, neighbour] = [await live(host, mine), await live(host, other)];
    const reply = await signOut(host, mine);
    expect(reply.json()).toEqual({ ok: true, closed: 1 });
    const name = mine.split("=")[0] as string;
    expect(reply.headers["set-cookie"]).toBe(`${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`);
    expect(await socket.closed).toMatchObject({ code: 4001 });
    expect((await signOut(host, other)).json()).toEqual({ ok: true, closed: 1 });
    expect(await neighbour.closed).toMatchObject({ code: 4001 });
  });

  it("ends the streamed replies that were opened with it, not those of another browser", async () => {
    const host = await page({ port: 0 }, [ticking]);
    const [mine, other] = [(await signIn(host)).cookie, (await signIn(host)).cookie];
    const open = async (cookie: string) => (await fetch(`${host.url}/ticks`, { headers: { cookie } })).text();
    const [cut, kept] = [open(mine), open(other)];
    cut.catch(() => undefined);
    await until(() => ticks.size === 2);
    expect((await signOut(host, mine)).json()).toEqual({ ok: true, closed: 1 });
    await expect(cut).rejects.toThrow();
    for (const end of ticks) end();
    expect(await kept).toBe("tick\ntock\n");
  });

  it("does not listen to foreign pages, and harms nobody without a cookie", async () => {
    const host = await page({}, [apiConfig]);
    const { cookie } = await signIn(host);
    const socket = await live(host, cookie);
    expect((await signOut(host, cookie, foreign.origin)).status).toBe(403);
    expect((await signOut(host, "", foreign.origin)).status).toBe(403);
    expect((await signOut(host, "")).json()).toEqual({ ok: true, closed: 0 });
    expect((await signOut(host, cookie)).json()).toEqual({ ok: true, closed: 1 });
    await socket.closed;
  });
});
