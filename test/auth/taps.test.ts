/** The four modes, and that scopes come from the credential alone (S-05, S-10, S-15, S-44, S-50). */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type Access, allows, type Identity } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import type { CredentialSource } from "../../kernel/auth/credentials.ts";
import { anonymous, authorizeTap, identifyTap } from "../../kernel/auth/taps.ts";
import { bearer, generated, present, resolved, token } from "./fixture.ts";

async function identify(
  section: Record<string, unknown>,
  source: Partial<CredentialSource>,
): Promise<Identity | undefined> {
  const auth = await resolved(section);
  return identifyTap(() => auth)(present(auth, source));
}

const loopback = "127.0.0.1";
const host = "127.0.0.1:18790";

describe("mode token", () => {
  const section = { auth: { token } };

  it.each([
    ["bearer", { headers: bearer(token) }],
    ["query", { query: new URLSearchParams({ token }) }],
    ["cookie", { headers: { cookie: `clawgo_webui_token=${token}` } }],
    ["own cookie", { headers: { cookie: `chela_token=${encodeURIComponent(token)}` } }],
    ["a later transport after a wrong one", { headers: bearer("wrong"), query: new URLSearchParams({ token }) }],
  ])("takes the token by %s, with all scopes", async (_name, source) => {
    const identity = await identify(section, source);
    expect(identity).toMatchObject({ id: "token", kind: "token", scopes: ["read", "write", "admin"] });
  });

  it.each([
    ["nothing", {}],
    ["a prefix", { headers: bearer(token.slice(0, -1)) }],
    ["a longer one", { headers: bearer(`${token}x`) }],
    ["another case", { headers: bearer(token.toUpperCase()) }],
    ["the digest itself", { headers: bearer(createHash("sha256").update(token).digest("hex")) }],
    ["the generated one", { headers: bearer(generated) }],
    ["a user header", { peer: loopback, headers: { "x-forwarded-user": "root" } }],
    ["being local", { peer: loopback, headers: { host } }],
    [
      "claimed scopes",
      { headers: { "x-openclaw-scopes": "operator.admin" }, query: new URLSearchParams("scope=admin") },
    ],
    ["the Referer on a route", { headers: { referer: `http://${host}/?token=${token}` } }],
  ])("refuses %s", async (_name, source) => {
    expect(await identify(section, source)).toBeUndefined();
  });

  it("gives the Referer read scope, where it is read at all", async () => {
    const identity = await identify(section, {
      allowReferer: true,
      headers: { referer: `http://${host}/?token=${token}` },
    });
    expect(identity?.scopes).toEqual(["read"]);
  });

  it("accepts nobody when no token exists, not even an empty one", async () => {
    const auth = { ...(await resolved()), tokenDigest: undefined };
    const tap = identifyTap(() => auth);
    for (const headers of [{}, bearer(""), bearer("undefined")])
      expect(tap(present(auth, { headers }))).toBeUndefined();
  });
});

describe("mode password", () => {
  const section = { auth: { password: "correct horse; battery" } };

  it("takes the password in any transport, and no token", async () => {
    const password = "correct horse; battery";
    const cookie = `chela_token=${encodeURIComponent(password)}`;
    expect(await identify(section, { headers: bearer(password) })).toMatchObject({ id: "password", kind: "password" });
    expect(await identify(section, { query: new URLSearchParams({ token: password }) })).toBeDefined();
    expect(await identify(section, { headers: { cookie } })).toBeDefined();
    expect(await identify(section, { headers: bearer(generated) })).toBeUndefined();
    expect(await identify({ auth: { ...section.auth, token } }, { headers: bearer(token) })).toBeUndefined();
  });

  it("accepts nobody while no password is set", async () => {
    expect(await identify({ auth: { mode: "password" } }, { headers: bearer("") })).toBeUndefined();
    expect(await identify({ auth: { mode: "password" } }, { headers: bearer(generated) })).toBeUndefined();
  });
});

describe("mode trusted-proxy", () => {
  const section = { auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.0/8", "127.0.0.1"] };
  const user = { "x-forwarded-user": "alice", "x-forwarded-for": "203.0.113.9" };
  const proxy = (more: object) => ({ ...section, auth: { mode: "trusted-proxy", trustedProxy: more } });

  it("believes the proxy about the user", async () => {
    expect(await identify(section, { peer: "10.0.0.1", headers: user })).toEqual({
      id: "user:alice",
      name: "alice",
      kind: "proxy",
      scopes: ["read", "write", "admin"],
    });
    const narrow = await identify(proxy({ scopes: ["read"] }), { peer: "10.0.0.1", headers: user });
    expect(narrow?.scopes).toEqual(["read"]);
    const renamed = proxy({ userHeader: "X-Auth-Email" });
    expect(await identify(renamed, { peer: "10.0.0.1", headers: { "x-auth-email": "a@b.c" } })).toMatchObject({
      name: "a@b.c",
    });
    expect(await identify(renamed, { peer: "10.0.0.1", headers: user })).toBeUndefined();
  });

  it("believes nobody else", async () => {
    expect(await identify(section, { peer: "203.0.113.9", headers: user })).toBeUndefined();
    const forged = { ...user, "x-forwarded-for": "10.0.0.1" };
    expect(await identify(section, { peer: "203.0.113.9", headers: forged })).toBeUndefined();
    expect(await identify({ auth: { mode: "trusted-proxy" } }, { peer: loopback, headers: user })).toBeUndefined();
  });

  it("accepts a proxy on this machine only when told to", async () => {
    expect(await identify(section, { peer: loopback, headers: user })).toBeUndefined();
    expect(await identify(proxy({ allowLoopback: true }), { peer: loopback, headers: user })).toMatchObject({
      name: "alice",
    });
  });

  it("takes an absent list of users as anybody, an empty one as nobody", async () => {
    expect(await identify(proxy({ allowUsers: [] }), { peer: "10.0.0.1", headers: user })).toBeUndefined();
    expect(await identify(proxy({ allowUsers: ["bob"] }), { peer: "10.0.0.1", headers: user })).toBeUndefined();
    expect(await identify(proxy({ allowUsers: ["Alice"] }), { peer: "10.0.0.1", headers: user })).toBeUndefined();
    expect(await identify(proxy({ allowUsers: ["alice"] }), { peer: "10.0.0.1", headers: user })).toBeDefined();
  });

  it.each(["", "  ", "alice, admin", "a\u0000b", "a\u009bb", "x".repeat(257)])(
    "refuses the user name %j",
    async (name) => {
      expect(await identify(section, { peer: "10.0.0.1", headers: { "x-forwarded-user": name } })).toBeUndefined();
    },
  );

  it("takes the token from this machine only, so that the CLI works", async () => {
    const direct = { ...section, trustedProxies: ["10.0.0.0/8"] };
    expect(await identify(direct, { peer: loopback, headers: bearer(generated) })).toMatchObject({ kind: "token" });
    expect(await identify(direct, { peer: "10.0.0.1", headers: bearer(generated) })).toBeUndefined();
    const proxied = { ...bearer(generated), "x-forwarded-for": "127.0.0.1" };
    expect(await identify(direct, { peer: loopback, headers: proxied })).toBeUndefined();
  });

  it("takes it also where the proxy is on this machine, as long as nothing was forwarded", async () => {
    const beside = proxy({ allowLoopback: true });
    expect(await identify(beside, { peer: loopback, headers: bearer(generated) })).toMatchObject({ kind: "token" });
    const proxied = { ...bearer(generated), "x-real-ip": "203.0.113.9" };
    expect(await identify(beside, { peer: loopback, headers: proxied })).toBeUndefined();
  });
});

describe("mode none", () => {
  const section = { auth: { mode: "none" } };

  it.each([host, "localhost:18790", "app.localhost", "[::1]:18790", "LOCALHOST"])(
    "serves this machine as %s",
    async (name) => {
      expect(await identify(section, { peer: loopback, headers: { host: name } })).toMatchObject({
        id: "open",
        kind: "open",
      });
    },
  );

  it.each([
    ["a stranger", { peer: "192.168.1.7", headers: { host } }],
    ["a proxied visitor", { peer: loopback, headers: { host, "x-forwarded-for": "127.0.0.1" } }],
    ["a rebound name", { peer: loopback, headers: { host: "evil.example:18790" } }],
    ["a name that only looks local", { peer: loopback, headers: { host: "localhost.evil.example" } }],
    ["an address that is not loopback", { peer: loopback, headers: { host: "192.168.1.5:18790" } }],
    ["a second spelling of loopback", { peer: loopback, headers: { host: "2130706433:18790" } }],
    ["no Host", { peer: loopback, headers: {} }],
    ["a foreign page", { peer: loopback, headers: { host, origin: "https://evil.example" } }],
    ["a sandboxed page", { peer: loopback, headers: { host, origin: "null" } }],
    ["a page on another port", { peer: loopback, headers: { host, origin: "http://127.0.0.1:3000" } }],
  ])("refuses %s", async (_name, source) => {
    expect(await identify(section, source)).toBeUndefined();
  });

  it("serves our own page and the pages the operator names", async () => {
    const own = { host, origin: `http://${host}` };
    expect(await identify(section, { peer: loopback, headers: own })).toBeDefined();
    const named = { ...section, controlUi: { allowedOrigins: ["https://ui.example"] } };
    expect(await identify(named, { peer: loopback, headers: { host, origin: "https://ui.example" } })).toBeDefined();
    expect(await identify(named, { peer: loopback, headers: { host: "ui.example" } })).toBeDefined();
  });
});

describe("authorize", () => {
  const authorize = authorizeTap();
  const want = (access: Access) => ({ what: "route", name: "POST /api/x", access, owner: "x" }) as const;
  const reader: Identity = { id: "key:1", name: "r", kind: "key", scopes: ["read"] };

  it.each([
    [["read"], "read", true],
    [["read"], "write", false],
    [["read"], "admin", false],
    [["write"], "read", true],
    [["write"], "admin", false],
    [["admin"], "write", true],
    [["read", "admin"], "write", true],
    [[], "read", false],
    [[], "public", true],
  ] as const)("scopes %j for %s: %s", (scopes, access, passes) => {
    const identity = { ...reader, scopes };
    expect(allows(identity, access)).toBe(passes);
    expect(authorize(identity, want(access)) === undefined).toBe(passes);
  });

  it("says which scope is missing", () => {
    expect(authorize(reader, want("write"))).toMatchObject({
      code: "FORBIDDEN",
      status: 403,
      message: "missing scope: write",
      details: { code: "MISSING_SCOPE", missingScope: "write", requiredScopes: ["write"] },
    });
  });

  it("answers nobody with 401, not with what is missing", () => {
    expect(authorize(anonymous, want("read"))).toMatchObject({
      code: "UNAUTHORIZED",
      status: 401,
      message: "unauthorized",
    });
    expect(authorize(anonymous, want("public"))).toBeUndefined();
  });
});

it("compares secrets in one place, in constant time (S-15)", () => {
  const folder = new URL("../../kernel/auth/", import.meta.url);
  const users = readdirSync(folder).filter((name) =>
    readFileSync(new URL(name, folder), "utf8").includes("timingSafeEqual"),
  );
  expect(users).toEqual(["taps.ts"]);
  for (const name of readdirSync(folder)) {
    const text = readFileSync(new URL(name, folder), "utf8");
    expect(text, name).not.toMatch(/(digest|token|password|secret)\)?\s*[!=]={1,2}(?!=)(?!\s*(""|undefined))/i);
  }
});
