/** Which pages may speak for a user: S-04, S-10, S-11, DNS rebinding. */
import { hostname } from "node:os";
import { GatewayError } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { originKey, parseHost, parseOrigin } from "../../kernel/auth/host-name.ts";
import { checkOrigin, hostIsLocal, originAllowed } from "../../kernel/auth/origin.ts";
import { present, resolved, token } from "./fixture.ts";

const plain = await resolved({ auth: { token } });
const listed = await resolved({
  auth: { token },
  controlUi: { allowedOrigins: ["https://UI.example:443/", "http://dev.lan:5173"] },
});
const any = await resolved({ auth: { token }, controlUi: { allowedOrigins: ["*"] } });
const evil = "https://evil.example";
const self = "127.0.0.1:18790";

describe("parsing", () => {
  it.each([
    ["127.0.0.1:18790", { name: "127.0.0.1", port: "18790", literal: true }],
    ["[::1]:1", { name: "::1", port: "1", literal: true }],
    ["LocalHost", { name: "localhost", port: "", literal: false }],
    ["a.b-c_d", { name: "a.b-c_d", port: "", literal: false }],
  ])("host %j", (header, expected) => {
    expect(parseHost(header)).toEqual(expected);
  });

  it.each([
    "",
    "a b",
    "a/b",
    "user@a",
    "[::1",
    "[gg::1]",
    "a:b",
    "a:1:2",
    "a:123456",
    "a,b",
    "a\r\nb",
    `${"a".repeat(600)}`,
    undefined,
  ])("%j is no host", (header) => {
    expect(parseHost(header)).toBeUndefined();
  });

  it.each([
    "null",
    "",
    "file://",
    "http://",
    "http://a/",
    "http://a/x",
    "http://u@a",
    "ftp://a",
    "chrome-extension://abc",
    "http://a b",
    "http://a, http://b",
  ])("%j is no origin", (header) => {
    expect(parseOrigin(header)).toBeUndefined();
  });

  it("compares origins in one spelling", () => {
    expect(originKey("HTTPS://Ui.Example:443/")).toBe("https://ui.example");
    expect(originKey("http://ui.example:443")).toBe("http://ui.example:443");
    expect(originKey("http://[::1]:80")).toBe("http://[::1]");
    expect(originKey("chrome-extension://AbC")).toBe("chrome-extension://abc");
  });
});

describe("originAllowed", () => {
  it.each([
    ["our own page by address", `http://${self}`, self],
    ["over TLS in front", "https://192.168.1.5", "192.168.1.5"],
    ["with the default port left out", "http://192.168.1.5", "192.168.1.5:80"],
    ["by IPv6 address", "http://[::1]:18790", "[::1]:18790"],
    ["as localhost", "http://localhost:18790", "localhost:18790"],
    ["below localhost", "http://app.localhost", "app.localhost"],
    ["by the machine's name", `http://${hostname().toLowerCase()}`, hostname()],
    ["by its mDNS name", `http://${hostname().toLowerCase()}.local:1`, `${hostname()}.local:1`],
  ])("passes %s", (_name, origin, host) => {
    expect(originAllowed(origin, host, plain)).toBe(true);
  });

  it.each([
    ["a foreign page", evil, self],
    ["a rebound name", "http://evil.example:18790", "evil.example:18790"],
    ["another port of this machine", "http://127.0.0.1:3000", self],
    ["another name of this machine", "http://localhost:18790", self],
    ["a sandboxed frame", "null", self],
    ["nothing", undefined, self],
    ["an empty origin", "", self],
    ["a list", `http://${self}, ${evil}`, self],
    ["a missing Host", "http://127.0.0.1", undefined],
    ["a name that ends like ours", "http://evillocalhost", "evillocalhost"],
    ["a file", "file://", self],
  ])("refuses %s", (_name, origin, host) => {
    expect(originAllowed(origin, host, plain)).toBe(false);
  });

  it("follows the list exactly", () => {
    expect(originAllowed("https://ui.example", self, listed)).toBe(true);
    expect(originAllowed("http://dev.lan:5173", self, listed)).toBe(true);
    for (const other of [
      "http://ui.example",
      "https://ui.example:8443",
      "https://x.ui.example",
      "http://dev.lan",
      evil,
    ]) {
      expect(originAllowed(other, self, listed), other).toBe(false);
    }
    expect(originAllowed(evil, self, any)).toBe(true);
    expect(originAllowed("null", self, any)).toBe(false);
  });

  it("knows the names that DNS cannot have bent", () => {
    for (const host of ["127.0.0.1", "[::1]:9", "localhost:1", "a.localhost"])
      expect(hostIsLocal(host, plain), host).toBe(true);
    for (const host of ["8.8.8.8", "evil.example", "127.0.0.1.evil.example", "localhost.", "0.0.0.0", undefined]) {
      expect(hostIsLocal(host, plain), host).toBe(false);
    }
    expect(hostIsLocal("ui.example", listed)).toBe(true);
  });
});

describe("checkOrigin", () => {
  interface Case {
    method?: string;
    what?: "route" | "stream";
    auth?: typeof plain;
    [header: string]: unknown;
  }

  function verdict({ method = "POST", what = "route", auth = plain, ...headers }: Case): string {
    const sent = { host: self, ...headers } as Record<string, string>;
    try {
      checkOrigin({ method, headers: sent, credentials: present(auth, { headers: sent }, what) }, what, auth);
      return "passes";
    } catch (error) {
      return GatewayError.is(error) && error.status === 403 ? error.code : String(error);
    }
  }

  const cookie = `clawgo_webui_token=${token}`;
  const authorization = `Bearer ${token}`;

  it.each<[string, Case, string]>([
    ["a program", { authorization }, "passes"],
    ["a program with a cookie", { cookie }, "passes"],
    ["our page with a cookie", { cookie, origin: `http://${self}` }, "passes"],
    ["a foreign form with a cookie", { cookie, origin: evil }, "ORIGIN"],
    ["a foreign form with a cookie, DELETE", { cookie, origin: evil, method: "DELETE" }, "ORIGIN"],
    ["a sandboxed form with a cookie", { cookie, origin: "null" }, "ORIGIN"],
    ["a cookie beside a bearer", { cookie, authorization, origin: evil }, "ORIGIN"],
    ["a foreign page with a bearer of its own", { authorization, origin: evil }, "passes"],
    ["a cross-site write without Origin", { cookie, "sec-fetch-site": "cross-site" }, "ORIGIN"],
    [
      "a cross-site write that navigates",
      { cookie, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      "ORIGIN",
    ],
    [
      "a followed link",
      { cookie, method: "GET", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
      "passes",
    ],
    [
      "an embedded image",
      { cookie, method: "GET", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
      "ORIGIN",
    ],
    [
      "an image embedded by another port of this machine",
      { cookie, method: "GET", "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" },
      "ORIGIN",
    ],
    [
      "a link followed from another port of this machine",
      { cookie, method: "GET", "sec-fetch-site": "same-site", "sec-fetch-mode": "navigate" },
      "passes",
    ],
    ["a same-origin fetch", { cookie, method: "GET", "sec-fetch-site": "same-origin" }, "passes"],
    ["a foreign read with a cookie (CORS hides the reply)", { cookie, method: "GET", origin: evil }, "passes"],
    ["an upgrade by a program", { what: "stream", method: "GET", authorization }, "passes"],
    ["an upgrade by our page", { what: "stream", method: "GET", cookie, origin: `http://${self}` }, "passes"],
    [
      "an upgrade by a foreign page, right token",
      { what: "stream", method: "GET", authorization, origin: evil },
      "ORIGIN",
    ],
    ["an upgrade by a foreign page, no token", { what: "stream", method: "GET", origin: evil }, "ORIGIN"],
    ["an upgrade by a sandboxed page", { what: "stream", method: "GET", authorization, origin: "null" }, "ORIGIN"],
  ])("%s: %s", (_name, request, expected) => {
    expect(verdict(request)).toBe(expected);
  });

  it("takes being local (mode none) and the proxy's session as credentials that a browser attaches", async () => {
    const none = await resolved({ auth: { mode: "none" } });
    for (const method of ["GET", "HEAD", "POST", "DELETE"])
      expect(verdict({ auth: none, method, origin: evil })).toBe("ORIGIN");
    expect(verdict({ auth: none, method: "GET", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" })).toBe(
      "ORIGIN",
    );
    expect(verdict({ auth: none, origin: `http://${self}` })).toBe("passes");
    expect(verdict({ auth: none })).toBe("passes");
    const proxied = await resolved({ auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.1"] });
    expect(verdict({ auth: proxied, "x-forwarded-user": "alice", origin: evil })).toBe("ORIGIN");
    expect(verdict({ auth: proxied, "x-forwarded-user": "alice", "sec-fetch-site": "cross-site" })).toBe("ORIGIN");
    expect(verdict({ auth: proxied, "x-forwarded-user": "alice" })).toBe("passes");
  });

  it("names the setting, and shows the origin so that it can forge nothing (S-21)", () => {
    const origin = `https://x\r\n\u001b[31m\u009b${"y".repeat(5000)}`;
    try {
      checkOrigin({ method: "GET", headers: { host: self, origin }, credentials: present(plain, {}) }, "stream", plain);
      expect.unreachable();
    } catch (error) {
      const { message } = error as GatewayError;
      expect(message).toContain("gateway.controlUi.allowedOrigins");
      expect(message).toMatch(/^[\x20-\x7e]+$/);
      expect(message.length).toBeLessThan(400);
    }
  });
});
