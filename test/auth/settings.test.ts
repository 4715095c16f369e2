/** What the section means, when a bind is refused, and that a change counts at once (S-30, S-31). */
import type { GatewayError } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { bindHost, liveAuth, requireAuthForBind, resolveAuth, sha256 } from "../../kernel/auth/settings.ts";
import { identifyTap } from "../../kernel/auth/taps.ts";
import { bearer, gatewaySettings, generated, present, resolved } from "./fixture.ts";

const long = "a-secret-that-nobody-will-guess";

describe("resolveAuth", () => {
  it.each([
    [{}, "token", generated],
    [{ token: "from-gateway-token" }, "token", "from-gateway-token"],
    [{ token: "loses", auth: { token: " wins " } }, "token", "wins"],
    [{ auth: { password: "p" } }, "password", "p"],
    [{ auth: { password: "p", token: "t" } }, "password", "p"],
    [{ auth: { mode: "token", password: "p", token: "t" } }, "token", "t"],
    [{ auth: { mode: "password", password: "p" } }, "password", "p"],
  ] as const)("%j is mode %s", async (section, mode, secret) => {
    const auth = await resolved(section);
    expect(auth.mode).toBe(mode);
    expect(auth.problem).toBeUndefined();
    expect(mode === "password" ? auth.passwordDigest : auth.tokenDigest).toEqual(sha256(secret));
  });

  it("names what is missing", async () => {
    expect((await resolved({ auth: { mode: "password" } })).problem).toContain("gateway.auth.password");
    expect((await resolved({ auth: { mode: "trusted-proxy" } })).problem).toContain("gateway.trustedProxies");
    expect((await resolved({ auth: { mode: "trusted-proxy" }, trustedProxies: ["0.0.0.0/0"] })).problem).toContain(
      "trusts every address",
    );
    expect(resolveAuth(await gatewaySettings(), "").problem).toContain("gateway.auth.token");
    const odd = await resolved({ trustedProxies: ["10.0.0.0/8", "nginx", "10.0.0.0/99"] });
    expect(odd.warnings).toHaveLength(2);
    expect(odd.trusts("10.1.1.1")).toBe(true);
  });
});

describe("the name of the page's cookie", () => {
  it("is another one for each gateway, in containers with the same path too", async () => {
    const section = await gatewaySettings({ auth: { token: "the same in both of them" } });
    const names = [
      ["one", "/data"],
      ["other", "/data"],
      ["one", "/elsewhere"],
    ].map(([token = "", stateDir]) => resolveAuth(section, token, stateDir).cookieName);
    expect(new Set(names).size).toBe(3);
    expect(resolveAuth(section, "one", "/data").cookieName).toBe(names[0]);
  });
});

describe("requireAuthForBind", () => {
  const refusal = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error as GatewayError;
    }
    return undefined;
  };

  it.each([
    [{ auth: { mode: "none" } }, /gateway\.auth\.token/],
    [{ auth: { mode: "password" } }, /gateway\.auth\.password/],
    [{ auth: { mode: "trusted-proxy" } }, /gateway\.trustedProxies/],
  ] as const)("refuses %j on every address but loopback", async (section, says) => {
    const auth = await resolved(section);
    for (const host of ["0.0.0.0", "::", "", "192.168.1.5", "gateway.lan", "127.0.0.1.evil.com"]) {
      const error = refusal(() => requireAuthForBind(auth, host));
      expect(error, host).toMatchObject({ code: "AUTH_BIND" });
      expect(error?.message).toMatch(says);
    }
    for (const host of ["127.0.0.1", "127.0.0.53", "::1", "localhost", "::ffff:127.0.0.1"]) {
      expect(requireAuthForBind(auth, host)).toBeUndefined();
    }
  });

  it("warns of a weak secret that others could reach", async () => {
    const weak = await resolved({ auth: { token: "x" } });
    expect(requireAuthForBind(weak, "0.0.0.0")).toMatch(/fewer than 16 characters/);
    expect(requireAuthForBind(weak, "0.0.0.0")).not.toContain('"x"');
    expect(requireAuthForBind(weak, "127.0.0.1")).toBeUndefined();
    expect(requireAuthForBind(await resolved({ auth: { password: "hunter2" } }), "::")).toMatch(/password/);
    expect(requireAuthForBind(await resolved({ auth: { token: long } }), "0.0.0.0")).toBeUndefined();
    expect(requireAuthForBind(await resolved(), "0.0.0.0")).toBeUndefined();
  });
});

describe("bindHost", () => {
  it.each([
    [{}, "127.0.0.1"],
    [{ bind: "lan" }, "0.0.0.0"],
    [{ bind: "auto" }, "127.0.0.1"],
    [{ bind: "auto", auth: { token: long } }, "0.0.0.0"],
    [{ bind: "auto", auth: { mode: "none" } }, "127.0.0.1"],
    [{ bind: "auto", auth: { mode: "trusted-proxy" } }, "127.0.0.1"],
    [{ bind: "auto", auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.1"] }, "0.0.0.0"],
    [{ bind: "lan", host: "192.168.1.5" }, "192.168.1.5"],
    [{ host: "[::1]" }, "::1"],
  ] as const)("%j listens on %s", async (section, host) => {
    expect(bindHost(await gatewaySettings(section), await resolved(section))).toBe(host);
  });
});

describe("liveAuth", () => {
  it("follows a rotation on the next call, and resolves once per section", async () => {
    let section = await gatewaySettings({ auth: { token: "old-token-old-token" } });
    let reads = 0;
    const live = liveAuth(
      () => {
        reads += 1;
        return section;
      },
      () => generated,
    );
    const identify = identifyTap(live);
    const old = present(live(), { headers: bearer("old-token-old-token") });
    expect(identify(old)?.id).toBe("token");
    expect(live()).toBe(live());
    section = await gatewaySettings({ auth: { token: "new-token-new-token" } });
    expect(identify(old)).toBeUndefined();
    expect(identify(present(live(), { headers: bearer("new-token-new-token") }))?.id).toBe("token");
    expect(reads).toBeGreaterThan(4);
  });

  it("does not revive the generated token once the operator set one", async () => {
    const identify = identifyTap(
      liveAuth(
        () => section,
        () => generated,
      ),
    );
    let section = await gatewaySettings();
    const credentials = present(await resolved(), { headers: bearer(generated) });
    expect(identify(credentials)?.id).toBe("token");
    section = await gatewaySettings({ auth: { token: long } });
    expect(identify(credentials)).toBeUndefined();
    section = await gatewaySettings({ auth: { password: long } });
    expect(identify(credentials)).toBeUndefined();
  });
});
