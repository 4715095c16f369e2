import { expect, it, onTestFinished } from "vitest";
import { maskProxy, parseProxy } from "../../../../plugins/providers/oauth/proxy-url.ts";
import { httpServer } from "../../../kit/http-server.ts";
import { httpProxy, socksProxy } from "../../../simulators/oauth/proxies.ts";
import { accountHost, never, oauthServer, ownProvider } from "./kit.ts";

it.each([
  ["127.0.0.1:7890", "http://127.0.0.1:7890", "127.0.0.1:7890"],
  ["http://proxy.example:3128/", "http://proxy.example:3128", "http://proxy.example:3128/"],
  ["HTTPS://u:p%40w@proxy.example", "https://u:p%40w@proxy.example", "HTTPS://u:***@proxy.example"],
  ["socks5h://u:p@h:1080", "socks5://u:p@h:1080", "socks5h://u:***@h:1080"],
  ["u:p:w@h:1", undefined, "u:***@h:1"],
  ["socks5://[::1]:1080", "socks5://[::1]:1080", "socks5://[::1]:1080"],
  ["  ", undefined, "  "],
])("reads the proxy %s", (text, read, shown) => {
  if (text !== "u:p:w@h:1") expect(parseProxy(text)).toBe(read);
  expect(maskProxy(text)).toBe(shown);
});

it.each(["ftp://h:1", "socks4://h:1", "http://", "h:1?x=y", "not a proxy", "file:///etc/passwd"])(
  "refuses the proxy %s",
  (text) => {
    expect(() => parseProxy(text)).toThrow("invalid network proxy");
  },
);

it("shows no password of a proxy that it refuses", () => {
  expect(() => parseProxy("ftp://user:hidden@h:1")).toThrow("ftp://user:***@h:1");
});

it.each(["http", "socks5"] as const)(
  "goes through the account's own %s proxy: login, renewal, and what it tells failover",
  async (kind) => {
    const proxy = kind === "http" ? await httpProxy() : await socksProxy();
    onTestFinished(() => proxy.close());
    const server = await oauthServer();
    const { host } = new URL(server.origin);
    const kit = await accountHost({ providers: { main: ownProvider(server) } });
    const given = kind === "http" ? `http://user:hidden@127.0.0.1:${proxy.port}` : `socks5://127.0.0.1:${proxy.port}`;
    const shown = given.replace("hidden", "***");
    const { body } = await kit.post("start", { provider: "main", network_proxy: given });
    expect(body.network_proxy).toBe(shown);
    const done = await kit.post("complete", {
      flow_id: body.flow_id,
      callback_url: await server.login(String(body.auth_url)),
    });
    expect([done.text, done.body]).toMatchObject([expect.any(String), { ok: true, network_proxy: shown }]);
    const before = proxy.asked.filter((asked) => asked === host).length;
    expect(before).toBeGreaterThan(0);
    kit.advance(7_200_000);
    const [credential] = kit.accounts.of("main");
    expect(await credential?.token(never)).toMatchObject({ account: { proxy: given } });
    expect(proxy.asked.filter((asked) => asked === host)).toHaveLength(before + 1);
    if (kind === "http") expect(new Set(proxy.credentials)).toEqual(new Set(["user:hidden"]));
    expect(JSON.stringify(kit.host.logs())).not.toContain("hidden");
  },
);

it("reaches nothing through a proxy that only a request named", async () => {
  const proxy = await httpProxy();
  onTestFinished(() => proxy.close());
  const target = await httpServer((_req, res) => void res.end("{}"));
  const kit = await accountHost();
  const oauth = {
    provider: "acme",
    client_id: "c",
    auth_url: "https://a.example/",
    token_url: target.origin.replace("http:", "https:"),
  };
  const inline = { api_base: "https://api.acme.example/v1", auth: "oauth", oauth };
  const request = { provider: "new", network_proxy: `127.0.0.1:${proxy.port}`, provider_config: inline };
  const { body } = await kit.post("start", request);
  const state = new URL(String(body.auth_url)).searchParams.get("state");
  const done = await kit.post("complete", { flow_id: body.flow_id, callback_url: `?code=1&state=${state}` });
  expect([done.status, done.text]).toEqual([403, expect.stringContaining("is not reached through a proxy")]);
  expect([proxy.asked, target.seen]).toEqual([[], []]);
});
