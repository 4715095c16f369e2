/** Cases P1, P5, P6, P7, P8 and P15 of ClawGo's provider tests, on the whole providers plugin and over HTTP. */
import { expect, it, onTestFinished } from "vitest";
import { knownVendor, oauthVendors } from "../../plugins/providers/oauth/vendors.ts";
import { httpServer } from "../kit/http-server.ts";
import { until } from "../kit/until.ts";
import { httpProxy } from "../simulators/oauth/proxies.ts";
import { account, bearers, imported, inMinutes, provider, said, setting, vendor } from "./oauth-kit.ts";

it("P1 an expired token is refreshed before the call, and the file has the new one", async () => {
  const server = await vendor();
  const { host, file } = await setting({ main: provider(server) }, { "acme.json": account({ expire: inMinutes(-5) }) });
  expect(await said(host)).toBe("hi");
  expect(bearers(server)).toEqual(["Bearer fresh-1"]);
  expect(new URLSearchParams(server.seen[0]?.body).get("refresh_token")).toBe("refresh-0");
  expect(file("acme.json")).toMatchObject({ access_token: "fresh-1", refresh_token: "refresh-1", email: "a@x.org" });
  expect(Date.parse(String(file("acme.json").expire))).toBeGreaterThan(Date.now() + 3_000_000);
});

it("P1 sessions that expire soon are refreshed before anybody asks", async () => {
  const server = await vendor();
  const oauth = { refresh_scan_sec: 1, refresh_lead_sec: 1800 };
  const files = {
    "acme.json": account({ expire: inMinutes(20) }),
    "later.json": account({ email: "b@x.org", expire: inMinutes(50) }),
  };
  const { file } = await setting({ main: provider(server, oauth) }, files);
  await until(() => file("acme.json").access_token === "fresh-1", 15_000);
  expect(file("later.json").access_token).toBe("old");
});

it("P5 each vendor has its kind of flow, under its aliases too, and its lead", () => {
  const kinds = Object.fromEntries(oauthVendors.map(({ name, flow }) => [name, flow]));
  expect(kinds).toEqual({
    codex: "device",
    kimi: "device",
    qwen: "device",
    claude: "callback",
    antigravity: "callback",
    gemini: "callback",
    iflow: "callback",
  });
  const aliases = {
    anthropic: "claude",
    "claude-code": "claude",
    "gemini-cli": "gemini",
    google: "gemini",
    "I-Flow": "iflow",
  };
  for (const [alias, name] of Object.entries(aliases)) expect(knownVendor(alias)?.name).toBe(name);
  const leads = Object.fromEntries(oauthVendors.map(({ name, leadSec }) => [name, leadSec]));
  expect(leads).toEqual({
    codex: 432_000,
    claude: 14_400,
    antigravity: 300,
    gemini: 1800,
    iflow: 1800,
    kimi: 300,
    qwen: 10_800,
  });
  expect(oauthVendors.filter(({ pkce }) => !pkce).map(({ name }) => name)).toEqual(["codex", "kimi"]);
});

it.each([
  ["anthropic", "http://localhost:54545/callback"],
  ["antigravity", "http://localhost:51121/oauth-callback"],
  ["gemini", "http://localhost:8085/oauth2callback"],
  ["iflow", "http://localhost:11451/oauth2callback"],
])("P5 %s comes back to its own loopback address", async (name, redirect) => {
  const { post } = await setting({
    [name]: { auth: "oauth", models: ["m"], oauth: { provider: name, client_id: "c", client_secret: "s" } },
  });
  const started = await post("start", { provider: name });
  expect(started.body).toMatchObject({ ok: true, mode: "callback", user_code: "" });
  const { searchParams } = new URL(String(started.body.auth_url));
  expect(searchParams.get("redirect_uri")).toBe(redirect);
  expect(searchParams.get("code_challenge_method")).toBe("S256");
});

it("P6 a pasted callback is read as an address, as its query and as code#state", async () => {
  const server = await vendor();
  const { post } = await setting({ main: provider(server) });
  for (const form of [
    "http://localhost:1455/callback?code=CODE&state=STATE",
    "?code=CODE&state=STATE",
    "code=CODE&state=STATE",
    "CODE#STATE",
  ]) {
    const { body } = await post("start", { provider: "main", account_label: form });
    const state = new URL(String(body.auth_url)).searchParams.get("state") ?? "";
    const callback_url = form.replace("CODE", "the-code").replace("STATE", state);
    const done = await post("complete", { provider: "main", flow_id: body.flow_id, callback_url });
    expect(done.body).toMatchObject({ ok: true, account: form });
    expect(new URLSearchParams(server.seen.filter(({ path }) => path === "/token").at(-1)?.body).get("code")).toBe(
      "the-code",
    );
  }
});

it("P6 qwen without an e-mail needs account_label", async () => {
  const server = await httpServer((req, res) => {
    res.setHeader("content-type", "application/json");
    const code = {
      device_code: "d",
      user_code: "U",
      verification_uri: "https://q.example",
      expires_in: 60,
      interval: 1,
    };
    res.end(JSON.stringify(req.url === "/code" ? code : { access_token: "q", expires_in: 60 }));
  });
  const oauth = {
    provider: "qwen",
    client_id: "c",
    device_auth_url: `${server.origin}/code`,
    token_url: `${server.origin}/token`,
  };
  const { post } = await setting({ qwen: { auth: "oauth", oauth } });
  const { body } = await post("start", { provider: "qwen" });
  expect(body).toMatchObject({ mode: "device", user_code: "U" });
  const nameless = await post("complete", { provider: "qwen", flow_id: body.flow_id });
  expect([nameless.status, nameless.text]).toEqual([400, expect.stringContaining("account_label required")]);
  const named = await post("complete", { provider: "qwen", flow_id: body.flow_id, account_label: "me" });
  expect(named.body).toMatchObject({ ok: true, account: "me" });
});

it("P7 import: a nested gemini token is refreshed, synonyms are read, antigravity learns its project", async () => {
  const server = await httpServer((req, res) => {
    res.setHeader("content-type", "application/json");
    if (req.url === "/token") res.end('{"access_token":"google-1","expires_in":3600,"token_type":"Bearer"}');
    else if (req.url === "/v1internal:loadCodeAssist") res.end('{"cloudaicompanionProject":"proj-9"}');
    else if (req.url === "/me") res.end('{"email":"g@x.org"}');
    else res.writeHead(404).end("{}");
  });
  const google = (name: string) => ({
    auth: "oauth",
    api_base: `${server.origin}/v1`,
    models: ["m"],
    oauth: {
      provider: name,
      client_id: "c",
      client_secret: "s",
      token_url: `${server.origin}/token`,
      userinfo_url: `${server.origin}/me`,
    },
  });
  const at = await setting({ gemini: google("gemini"), antigravity: google("antigravity") });
  const nested = await imported(at, "gemini", {
    token: { refresh_token: "r", expiry: "2020-01-01T00:00:00Z" },
    projectId: "p-1",
    deviceId: "d-1",
    alias: "home",
  });
  expect(nested).toMatchObject({ status: 200, body: { ok: true, account: "home" } });
  expect(at.file("gemini.json")).toMatchObject({
    access_token: "google-1",
    refresh_token: "r",
    project_id: "p-1",
    device_id: "d-1",
  });
  expect(await at.accounts("gemini")).toMatchObject([
    { email: "home", project_id: "p-1", balance_label: "project", balance_detail: "p-1" },
  ]);
  const enriched = await imported(at, "antigravity", { access_token: "t", refresh_token: "r" });
  expect(enriched.body).toMatchObject({ ok: true, account: "g@x.org" });
  expect(at.file("antigravity.json")).toMatchObject({ email: "g@x.org", project_id: "proj-9" });
});

it("P8 the list leaves invalid files out and shows the plan of a codex account", async () => {
  const claims = {
    email: "c@x.org",
    "https://api.openai.com/auth": {
      chatgpt_account_id: "acc",
      chatgpt_plan_type: "pro",
      chatgpt_subscription_active_start: "2026-01-01T00:00:00+00:00",
      chatgpt_subscription_active_until: "2036-01-01T00:00:00+00:00",
    },
  };
  const id_token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  const files = {
    "codex.json": { provider: "codex", access_token: "t", id_token },
    "bad.json": "{",
    "none.json": { provider: "codex" },
  };
  const { accounts } = await setting({ codex: { auth: "oauth", models: ["m"], oauth: { provider: "codex" } } }, files);
  const list = await accounts("codex");
  expect(list).toHaveLength(1);
  expect(list[0]).toMatchObject({
    email: "c@x.org",
    account_id: "acc",
    account_label: "c@x.org",
    plan_type: "pro",
    balance_label: "PRO",
    balance_detail: expect.stringMatching(/^2026-01-01.* ~ 2036-01-01.* \(\d+% used, \d+% left\)$/),
    subscription_active_until: "2036-01-01T00:00:00+00:00",
    health_score: 100,
  });
});

it("P15 the proxy of a session is used for its refresh and its requests, and shown without its password", async () => {
  const proxy = await httpProxy();
  onTestFinished(() => proxy.close());
  const server = await vendor();
  const network_proxy = `http://user:hidden@127.0.0.1:${proxy.port}`;
  const { host, accounts } = await setting(
    { main: provider(server) },
    { "acme.json": account({ expire: inMinutes(-5), network_proxy }) },
  );
  expect(await said(host)).toBe("hi");
  const { host: origin } = new URL(server.origin);
  expect(proxy.asked).toEqual([origin, origin]);
  expect(bearers(server)).toEqual(["Bearer fresh-1"]);
  expect(await accounts("main")).toMatchObject([{ network_proxy: `http://user:***@127.0.0.1:${proxy.port}` }]);
  expect(JSON.stringify(host.logs())).not.toContain("hidden");
});
