/** S-11: what a foreign web page can make a browser do, and what it gets to read. */
import { describe, expect, it } from "vitest";
import { attacked, send } from "./kit.ts";

const evil = "https://evil.example";
const version = "/api/version";

describe("S-11: a foreign form", () => {
  const form = (host: { url: string }, headers: Record<string, string>) =>
    send(host, "/api/call", {
      headers: { "content-type": "text/plain", ...headers },
      body: '{"method":"config.set","params":{"path":"plugins.drainMs","value":1}}',
    });

  it("rides on no cookie", async () => {
    const host = await attacked();
    const cookie = `clawgo_webui_token=${host.token}`;
    expect((await form(host, { cookie, origin: evil })).status).toBe(403);
    expect((await form(host, { cookie, origin: "null" })).status).toBe(403);
    expect((await form(host, { cookie, "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await form(host, { cookie, origin: host.url })).status).toBe(200);
  });

  it("does not profit from mode none or from the proxy's session", async () => {
    const open = await attacked({ config: { gateway: { auth: { mode: "none" } } } });
    expect((await form(open, { origin: evil })).status).toBe(403);
    expect((await send(open, version, { headers: { origin: evil } })).status).toBe(403);
    expect((await form(open, {})).status).toBe(200);
    const trustedProxy = { allowLoopback: true };
    const proxied = await attacked({
      config: { gateway: { auth: { mode: "trusted-proxy", trustedProxy }, trustedProxies: ["127.0.0.1"] } },
    });
    const alice = { "x-forwarded-user": "alice", "x-forwarded-for": "198.51.100.7" };
    expect((await form(proxied, { ...alice, origin: evil })).status).toBe(403);
    expect((await form(proxied, alice)).status).toBe(200);
  });

  it("gets no CORS answer, and the preflight of a stranger tells nothing", async () => {
    const host = await attacked({ config: { gateway: { controlUi: { allowedOrigins: ["https://ui.example"] } } } });
    const preflight = (origin: string, path: string) =>
      send(host, path, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });
    for (const path of ["/api/config", "/nowhere", "/v1/chat/completions"]) {
      const stranger = await preflight(evil, path);
      expect(stranger).toMatchObject({ status: 204, text: "" });
      expect(stranger.headers["access-control-allow-origin"]).toBeUndefined();
      const friend = await preflight("https://ui.example", path);
      expect(friend.headers["access-control-allow-origin"]).toBe("https://ui.example");
      expect(friend.headers["access-control-allow-methods"]).toBe("POST");
    }
    const refused = await send(host, version, { headers: { origin: "https://ui.example" } });
    expect(refused.status).toBe(401);
    expect(refused.headers["access-control-allow-origin"]).toBe("https://ui.example");
  });
});
