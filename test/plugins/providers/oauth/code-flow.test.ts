import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { Flows } from "../../../../plugins/providers/oauth/flow.ts";
import { until } from "../../../kit/until.ts";
import {
  type AccountHost,
  accountHost,
  clientId,
  freePort,
  never,
  oauthServer,
  ownProvider,
  redirectUri,
} from "./kit.ts";

async function start(kit: AccountHost, more: Record<string, unknown> = {}) {
  const { body, status, text } = await kit.post("start", { provider: "main", ...more });
  if (status !== 200) throw new Error(`${status}: ${text}`);
  return { id: String(body.flow_id), url: String(body.auth_url), body };
}

it("logs in by code: the account is in its file, signs requests, and nothing that leaves holds a token", async () => {
  const server = await oauthServer();
  const kit = await accountHost({ providers: { main: ownProvider(server) } });
  const flow = await start(kit);
  expect(flow.body).toMatchObject({ ok: true, mode: "callback", user_code: "", account_label: "", network_proxy: "" });
  const callback = await server.login(flow.url);
  const done = await kit.post("complete", { provider: "main", flow_id: flow.id, callback_url: callback });
  expect(done.body).toMatchObject({ ok: true, account: "ada@example.com", network_proxy: "", models: null });

  const file = join(kit.host.stateDir, "auth", "acme.json");
  expect(done.body.credential_file).toBe(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(kit.host.stateDir, "auth")).mode & 0o777).toBe(0o700);
  const session = JSON.parse(readFileSync(file, "utf8"));
  expect(session).toMatchObject({ provider: "acme", email: "ada@example.com", config_provider: "main" });
  const signed = await kit.accounts.of("main")[0]?.token(never);
  expect(signed?.token).toBe(session.access_token);

  const list = await kit.host.request("/api/provider/oauth/accounts?provider=main");
  const health = JSON.stringify(await kit.host.gateway.health());
  const everything = [
    done.text,
    list.text,
    health,
    JSON.stringify(kit.host.logs()),
    JSON.stringify(kit.events.since(0)),
  ].join();
  for (const secret of [session.access_token, session.refresh_token, session.id_token]) {
    expect(secret.length).toBeGreaterThan(20);
    expect(everything).not.toContain(secret);
  }
  expect(list.json()).toMatchObject({ ok: true, accounts: [{ email: "ada@example.com", credential_file: file }] });
  expect(kit.events.since(0).events.map(({ type }) => type)).toContain("provider_account_added");
});

it("proves with S256 that the one who began the login ends it", async () => {
  const server = await oauthServer();
  const kit = await accountHost({ providers: { main: ownProvider(server) } });
  const flow = await start(kit);
  const url = new URL(flow.url);
  expect(url.searchParams.get("code_challenge_method")).toBe("S256");
  expect(url.searchParams.get("code_challenge")).toMatch(/^[\w-]{43}$/);
  expect(url.searchParams.get("state")).toMatch(/^[\w-]{32}$/);
  url.searchParams.set("code_challenge", "A".repeat(43));
  const done = await kit.post("complete", { flow_id: flow.id, callback_url: await server.login(url.href) });
  expect(done.status).toBe(400);
  expect(done.text).toContain("oauth token exchange failed: invalid_grant");
  expect(readdirSync(kit.host.stateDir)).not.toContain("auth");
});

it.each([
  ["http://localhost:1/callback?code=abc&state=other", "oauth callback state mismatch"],
  ["code=abc", "oauth callback state mismatch"],
  ["http://localhost:1/callback?state=STATE", "oauth callback missing code"],
  ["", "oauth callback missing code"],
  ["http://localhost:1/callback?error=access_denied&state=STATE", "oauth callback returned error: access_denied"],
])("refuses the callback %s, and the flow is over", async (callback, message) => {
  const server = await oauthServer();
  const kit = await accountHost({ providers: { main: ownProvider(server) } });
  const flow = await start(kit);
  const state = new URL(flow.url).searchParams.get("state") ?? "";
  const first = await kit.post("complete", { flow_id: flow.id, callback_url: callback.replace("STATE", state) });
  expect([first.status, first.text.trim()]).toEqual([400, message]);
  const second = await kit.post("complete", { flow_id: flow.id, callback_url: await server.login(flow.url) });
  expect([second.status, second.text.trim()]).toEqual([400, "oauth flow not found"]);
  expect(server.tokenRequests).toEqual([]);
});

it("takes a callback once: a replay finds no flow, and another flow does not know its state", async () => {
  const server = await oauthServer();
  const kit = await accountHost({ providers: { main: ownProvider(server) } });
  const flow = await start(kit);
  const callback = await server.login(flow.url);
  const both = await Promise.all([1, 2].map(() => kit.post("complete", { flow_id: flow.id, callback_url: callback })));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
  const other = await start(kit);
  expect(other.id).not.toBe(flow.id);
  const replay = await kit.post("complete", { flow_id: other.id, callback_url: callback });
  expect(replay.text.trim()).toBe("oauth callback state mismatch");
  expect(server.tokenRequests).toHaveLength(1);
});

it("forgets flows that nobody finishes, and the oldest when there are too many", async () => {
  vi.useFakeTimers();
  try {
    const flows = new Flows();
    const flow = (id: string) => ({ id, abort: new AbortController(), settings: { provider: "main" } }) as never;
    flows.add(flow("first"), 600_000);
    expect(flows.get("first", "main")).toMatchObject({ id: "first" });
    expect(() => flows.get("first", "other")).toThrow("oauth flow not found");
    vi.advanceTimersByTime(600_000);
    expect(() => flows.get("first", "main")).toThrow("oauth flow not found");
    for (let count = 0; count < 40; count += 1) flows.add(flow(`f${count}`), 600_000);
    expect(flows.size).toBe(32);
    expect(() => flows.get("f0", undefined)).toThrow("oauth flow not found");
    flows.close();
    expect(flows.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

it.each(["client_secret_post", "client_secret_basic"] as const)(
  "tells its secret as the server wants it: %s",
  async (auth) => {
    const server = await oauthServer({ secret: "s3cret-of-the-client", auth });
    const provider = ownProvider(server, {}, { client_secret: "s3cret-of-the-client" });
    const kit = await accountHost({ providers: { main: provider } });
    const flow = await start(kit);
    const done = await kit.post("complete", { flow_id: flow.id, callback_url: await server.login(flow.url) });
    expect(done.body).toMatchObject({ ok: true, account: "ada@example.com" });
  },
);

it("says which variable holds the client that is missing, and takes it from there", async () => {
  const server = await oauthServer();
  const { client_id: _, ...oauth } = ownProvider(server).oauth;
  const kit = await accountHost({
    providers: { main: { ...ownProvider(server), oauth }, claude: { auth: "oauth", oauth: { provider: "anthropic" } } },
  });
  const refused = await kit.post("start", { provider: "main" });
  expect(refused.status).toBe(400);
  expect(refused.text).toContain("models.providers.main.oauth.client_id");
  expect(refused.text).toContain("CHELA_OAUTH_ACME_CLIENT_ID");
  const claude = await kit.post("start", { provider: "claude" });
  expect(claude.text).toContain("CHELA_OAUTH_CLAUDE_CLIENT_ID");
  vi.stubEnv("CHELA_OAUTH_CLAUDE_CLIENT_ID", "from-the-environment");
  try {
    const other = await accountHost({ providers: { claude: { auth: "oauth", oauth: { provider: "anthropic" } } } });
    const { body } = await other.post("start", { provider: "claude" });
    const url = new URL(String(body.auth_url));
    expect(url.origin + url.pathname).toBe("https://claude.ai/oauth/authorize");
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: "from-the-environment",
      redirect_uri: "http://localhost:54545/callback",
      code: "true",
      code_challenge_method: "S256",
    });
  } finally {
    vi.unstubAllEnvs();
  }
});

it.each(["codex", "claude", "qwen", "gemini"])(
  "runs the plain code flow under the name %s too, when its addresses are others",
  async (name) => {
    const server = await oauthServer();
    const kit = await accountHost({ providers: { main: ownProvider(server, {}, { provider: name }) } });
    const flow = await start(kit);
    expect(flow.body.mode).toBe("callback");
    const { searchParams } = new URL(flow.url);
    expect(searchParams.get("redirect_uri")).toBe(redirectUri);
    expect(searchParams.get("scope")).toBe("openid email offline_access");
    expect(searchParams.get("code_challenge_method")).toBe("S256");
    const done = await kit.post("complete", { flow_id: flow.id, callback_url: await server.login(flow.url) });
    expect(done.body).toMatchObject({
      ok: true,
      account: "ada@example.com",
      credential_file: expect.stringContaining(`/${name}.json`),
    });
    kit.advance(7_200_000);
    expect(await kit.call("provider.oauth.refresh", { provider: "main" })).toMatchObject({ refreshed: 1, failed: 0 });
  },
);

it("finds a provider by its alias and the primary one without a name, and no other", async () => {
  const server = await oauthServer();
  const kit = await accountHost({
    providers: { main: ownProvider(server), claude: ownProvider(server, {}, { provider: "claude" }) },
  });
  expect((await kit.post("start", { provider: " anthropic " })).status).toBe(200);
  expect((await kit.post("start", {})).status).toBe(200);
  const unknown = await kit.post("start", { provider: "nobody" });
  expect([unknown.status, unknown.text.trim()]).toEqual([400, 'provider "nobody" not found']);
  const keyed = await accountHost({ providers: { main: { api_base: "http://127.0.0.1:9/v1", api_key: "k" } } });
  expect((await keyed.post("start", { provider: "main" })).text).toContain("does not use oauth");
});

it("sends what a request brought along to no private address, and no stored secret anywhere else", async () => {
  const server = await oauthServer();
  const stored = ownProvider(server, {}, { client_secret: "the-stored-secret-of-main" });
  const kit = await accountHost({ providers: { main: stored } });
  const plain = { auth: "oauth", oauth: { ...stored.oauth, token_url: "http://127.0.0.1:1/token" } };
  const refused = await kit.post("start", { provider: "main", provider_config: plain });
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("must be https")]);

  const inner = {
    api_base: "https://api.acme.example/v1",
    auth: "oauth",
    oauth: { ...stored.oauth, client_secret: "", token_url: "https://127.0.0.1:1/token" },
  };
  const flow = await start(kit, { provider: "new", provider_config: inner });
  const callback = `http://x/?code=1&state=${new URL(flow.url).searchParams.get("state")}`;
  const done = await kit.post("complete", { flow_id: flow.id, callback_url: callback });
  expect([done.status, done.text]).toEqual([403, expect.stringContaining("not a public address")]);

  const own = await start(kit, {
    provider_config: { auth: "oauth", oauth: { ...stored.oauth, client_secret: "__CHELA_REDACTED__" } },
  });
  const replied = await kit.post("complete", { flow_id: own.id, callback_url: await server.login(own.url) });
  expect(replied.text).toContain("invalid_client");
  const masked = {
    auth: "oauth",
    oauth: { ...stored.oauth, client_secret: "__CHELA_REDACTED__", token_url: "https://foreign.example/token" },
  };
  const { readOauth } = await import("../../../../plugins/providers/oauth/settings.ts");
  expect(
    readOauth({ provider: "main", stored, inline: masked, env: { CHELA_OAUTH_ACME_CLIENT_SECRET: "e" } }).clientSecret,
  ).toBe("");
  expect(
    readOauth({ provider: "main", stored, inline: { ...masked, oauth: stored.oauth }, env: {} }).clientSecret,
  ).toBe("the-stored-secret-of-main");
});

it("catches the browser's way back on this machine, and no page can end the login", async () => {
  const port = await freePort();
  const redirect = `http://localhost:${port}/callback`;
  const server = await oauthServer({ redirectUris: [redirectUri, redirect] });
  const kit = await accountHost({ providers: { main: ownProvider(server, {}, { redirect_url: redirect }) } });
  const flow = await kit.call("provider.oauth.start", { provider: "main", listen: true });
  expect(flow.listening).toBe(true);
  const waiting = await kit.call("provider.oauth.complete", { flow_id: flow.flow_id });
  expect(waiting).toMatchObject({ ok: false, pending: true });
  const wrong = await fetch(`http://127.0.0.1:${port}/callback?code=x&state=wrong`);
  expect(wrong.status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${port}/?code=x`)).status).toBe(404);
  const callback = await server.login(String(flow.auth_url));
  const page = await fetch(callback.replace("localhost", "127.0.0.1"));
  expect(await page.text()).toContain("You may close this window");
  const done = await until(async () => {
    const answer = await kit.call("provider.oauth.complete", { flow_id: flow.flow_id });
    return answer.ok === true && answer;
  });
  expect(done).toMatchObject({ account: "ada@example.com" });
  await until(() =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => false,
      () => true,
    ),
  );
});

it("gives a login up: its port is free, and nobody finishes it", async () => {
  const port = await freePort();
  const redirect = `http://localhost:${port}/callback`;
  const server = await oauthServer({ redirectUris: [redirect] });
  const kit = await accountHost({ providers: { main: ownProvider(server, {}, { redirect_url: redirect }) } });
  const before = Date.now();
  const flow = await kit.call("provider.oauth.start", { provider: "main", listen: true });
  expect(flow.expires_at).toBeGreaterThan(before + 9 * 60_000);
  expect(await kit.call("provider.oauth.cancel", { flow_id: flow.flow_id })).toEqual({ cancelled: true });
  expect(await kit.call("provider.oauth.cancel", { flow_id: flow.flow_id })).toEqual({ cancelled: false });
  const late = kit.call("provider.oauth.complete", { flow_id: flow.flow_id, callback_url: `${redirect}?code=x` });
  await expect(late).rejects.toThrow("oauth flow not found");
  const again = await kit.call("provider.oauth.start", { provider: "main", listen: true });
  expect(again.listening).toBe(true);
});

it("logs in without listening where the port is taken", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  const server = await oauthServer({ redirectUris: [`http://localhost:${port}/cb`] });
  const kit = await accountHost({
    providers: { main: ownProvider(server, {}, { redirect_url: `http://localhost:${port}/cb` }) },
  });
  const flow = await kit.call("provider.oauth.start", { listen: true });
  expect(flow).toMatchObject({ ok: true, listening: false, instructions: expect.stringContaining("paste") });
  taken.close();
  const done = await kit.post("complete", {
    flow_id: flow.flow_id,
    callback_url: await server.login(String(flow.auth_url)),
  });
  expect(done.body.ok).toBe(true);
});

it("needs the admin for everything but looking", async () => {
  const server = await oauthServer();
  const kit = await accountHost({ providers: { main: ownProvider(server) } });
  const info = kit.host.plugins.info("accounts-alone").contributions;
  const open = [
    ...info.routes.map(({ method, path, access }) => `${method} ${path} ${access}`),
    ...info.methods.map(({ name, access }) => `${name} ${access}`),
  ];
  expect(open.filter((line) => !line.endsWith(" admin"))).toEqual([
    "GET /api/provider/oauth/accounts read",
    "provider.oauth.accounts read",
  ]);
  expect((await kit.host.request("/api/provider/oauth/start?provider=main", { token: null })).status).toBe(401);
  const got = await kit.host.request(
    "/api/provider/oauth/start?provider=main&account_label=x&network_proxy=u:pw@127.0.0.1:1",
  );
  expect(got.json()).toMatchObject({ ok: true, account_label: "x", network_proxy: "u:***@127.0.0.1:1" });
  expect((await kit.post("start", { provider: "main", network_proxy: "ftp://x" })).text).toContain(
    "invalid network proxy",
  );
  expect(clientId).toBe("chela-test");
});
