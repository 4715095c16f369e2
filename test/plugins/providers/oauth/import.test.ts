import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseSession, renderSession } from "../../../../plugins/providers/oauth/session.ts";
import { httpServer } from "../../../kit/http-server.ts";
import { type AccountHost, accountHost, oauthServer, ownProvider } from "./kit.ts";

const nowhere = { authUrl: "http://127.0.0.1:9/a", tokenUrl: "http://127.0.0.1:9/t", deviceUrl: "" };

function idToken(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.x`;
}

async function upload(kit: AccountHost, file: string | undefined, fields: Record<string, string> = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  if (file !== undefined) form.set("file", new Blob([file]), "auth.json");
  const request = new Request("http://x/", { method: "POST", body: form });
  const body = new Uint8Array(await request.arrayBuffer());
  const headers = { "content-type": request.headers.get("content-type") ?? "" };
  const reply = await kit.host.request("/api/provider/oauth/import", { body, headers });
  return { status: reply.status, text: reply.text.trim() };
}

it.each([
  [
    { access_token: "t", account_email: "a@x.org", expired: 1_900_000_000 },
    { email: "a@x.org", expire: "2030-03-17T17:46:40.000Z" },
  ],
  [
    { auth: { access_token: "t", expiry_date: 1_900_000_000_000 }, alias: "home" },
    { email: "home", expire: "2030-03-17T17:46:40.000Z" },
  ],
  [
    { token: { access_token: "t", refresh_token: "r", expiry: "2030-03-17T17:46:40Z" }, label: "l" },
    { refresh_token: "r", email: "l", expire: "2030-03-17T17:46:40.000Z" },
  ],
  [
    { tokens: { access_token: "t" }, projectId: "p", deviceId: "d", sub: "s" },
    { project_id: "p", device_id: "d", account_id: "s" },
  ],
  [{ access_token: "t", proxy_url: "127.0.0.1:7890" }, { network_proxy: "http://127.0.0.1:7890" }],
  [{ access_token: "t", http_proxy: "socks5h://u:p@h:1" }, { network_proxy: "socks5://u:p@h:1" }],
  [
    { access_token: "t", id_token: idToken({ email: "i@x.org", sub: "sub" }) },
    { email: "i@x.org", account_id: "sub" },
  ],
  [
    { access_token: "t", disabled: true, disable_reason: "token_revoked", own_key: 1 },
    { disabled: true, disable_reason: "token_revoked", own_key: 1 },
  ],
])("reads %j", (file, expected) => {
  const session = parseSession(`\uFEFF${JSON.stringify(file)}`, "auth.json");
  const again = JSON.parse(renderSession(session));
  expect(again).toMatchObject({ access_token: "t", ...expected });
  expect(parseSession(renderSession(session), "auth.json")).toEqual(session);
});

it.each([
  ["{}", "auth.json missing access_token/refresh_token in auth.json"],
  ["nonsense", "auth.json is not JSON"],
  ["[1]", "auth.json holds no JSON object"],
  ['{"access_token":"a\\nb: c"}', "access_token is not one line of text"],
  [
    '{"access_token":"a","network_proxy":"ftp://x"}',
    "invalid network proxy: ftp://x; give http://, https:// or socks5://host:port",
  ],
  ['{"access_token":"a","provider":"codex"}', "auth.json is an account of codex, and main logs in to acme"],
  [`{"access_token":"a","x":${"[".repeat(5000)}${"]".repeat(5000)}}`, "auth.json is nested deeper than 16 levels"],
  [`{"access_token":"a","x":[${"0,".repeat(60_000)}0]}`, "an account file may have 262144 bytes; this one has more"],
])("refuses the file %.60s", async (file, message) => {
  const kit = await accountHost({ providers: { main: ownProvider(nowhere) } });
  expect(await upload(kit, file, { provider: "main" })).toEqual({ status: 400, text: message });
  expect(kit.accounts.rows("main")).toEqual([]);
});

it("takes nothing over but what is an account: prototypes, times out of this world and labels without end", async () => {
  const kit = await accountHost({ providers: { main: ownProvider(nowhere) } });
  const hostile = `{"access_token":"t","email":"${"a".repeat(50_000)}@x.org","expire":1e300,"last_refresh":-1,"disabled":"yes",
    "models":{"length":1e9},"token":{"__proto__":{"client_id":"evil"}},"__proto__":{"disabled":true},"constructor":{"prototype":{}}}`;
  expect(await upload(kit, hostile, { provider: "main" })).toMatchObject({ status: 200 });
  const [row] = kit.accounts.rows("main");
  expect(String(row?.email)).toHaveLength(320);
  expect(row).not.toHaveProperty("expire");
  expect(row).not.toHaveProperty("disabled");
  expect(({} as Record<string, unknown>).disabled).toBeUndefined();
  expect((await kit.accounts.of("main")[0]?.token(new AbortController().signal))?.token).toBe("t");
  const file = JSON.parse(readFileSync(String(row?.credential_file), "utf8"));
  expect(Object.keys(file.token ?? {})).toEqual([]);
});

it("takes a file over as multipart, and needs one", async () => {
  const kit = await accountHost({ providers: { main: ownProvider(nowhere) } });
  expect(await upload(kit, undefined, { provider: "main" })).toEqual({ status: 400, text: "file required" });
  const bad = await upload(kit, "{}", { provider: "main", provider_config: "{" });
  expect(bad).toEqual({ status: 400, text: "invalid provider_config" });
  const huge = await upload(kit, "x".repeat(1_100_000), { provider: "main" });
  expect(huge.status).toBe(413);
  const done = await upload(kit, JSON.stringify({ access_token: "canary-access-1", email: "a@x.org" }), {
    provider: "main",
    network_proxy: "http://user:hidden@proxy.example:3128",
  });
  expect(done.status).toBe(200);
  expect(JSON.parse(done.text)).toMatchObject({
    ok: true,
    account: "a@x.org",
    network_proxy: "http://user:***@proxy.example:3128",
    models: null,
  });
  const list = await kit.host.request("/api/provider/oauth/accounts?provider=main");
  expect(list.json()).toMatchObject({ accounts: [{ network_proxy: "http://user:***@proxy.example:3128" }] });
  expect(`${done.text}${list.text}${JSON.stringify(kit.host.logs())}`).not.toMatch(/canary-access-1|hidden/);
});

it("renews at once what came with a refresh token alone, by the client that the file names", async () => {
  const server = await oauthServer({ secret: "file-client-secret" });
  const kit = await accountHost({
    providers: { main: ownProvider(server, {}, { client_secret: "file-client-secret" }) },
  });
  const { body } = await kit.post("start", { provider: "main" });
  const login = await kit.post("complete", {
    flow_id: body.flow_id,
    callback_url: await server.login(String(body.auth_url)),
  });
  const { refresh_token } = JSON.parse(readFileSync(String(login.body.credential_file), "utf8"));
  await kit.post("accounts?provider=main", { action: "delete", credential_file: login.body.credential_file });

  const other = await accountHost({ providers: { main: ownProvider(server, {}, { client_id: "another" }) } });
  const token = {
    refresh_token,
    client_id: "chela-test",
    client_secret: "file-client-secret",
    token_uri: "http://127.0.0.1:1/elsewhere",
  };
  const done = await upload(other, JSON.stringify({ token }), { provider: "main" });
  expect(JSON.parse(done.text)).toMatchObject({ ok: true, account: "ada@example.com" });
  const stored = JSON.parse(readFileSync(String(JSON.parse(done.text).credential_file), "utf8"));
  expect(stored.access_token.length).toBeGreaterThan(20);
  expect(stored.refresh_token).not.toBe(refresh_token);
  expect(stored.token).toMatchObject({ client_id: "chela-test" });
  const used = await upload(other, JSON.stringify({ refresh_token }), { provider: "main" });
  expect(used.status).toBe(400);
  expect(used.text).toContain("oauth token exchange failed");
});

it("asks for e-mail, project and models of what it takes over, and none of them can fail it", async () => {
  const server = await httpServer((req, res) => {
    res.setHeader("content-type", "application/json");
    const ask = `${req.method} ${req.url}`;
    if (ask === "GET /me") res.end('{"email":"g@x.org","id":"7"}');
    else if (ask === "POST /v1internal:loadCodeAssist") res.end('{"cloudaicompanionProject":{"id":"my-project"}}');
    else if (ask === "GET /v1/models")
      res.end('{"data":[{"id":"gemini-3-pro"},{"id":"gemini-3-pro"},{"id":"claude"}]}');
    else res.writeHead(404).end("{}");
  });
  const oauth = { provider: "antigravity", userinfo_url: `${server.origin}/me` };
  const provider = { auth: "oauth", api_base: `${server.origin}/v1`, oauth };
  const kit = await accountHost({
    providers: { main: provider, poor: { ...provider, api_base: "http://127.0.0.1:1/v1" } },
  });
  const done = await upload(kit, '{"access_token":"google-token"}', { provider: "main" });
  expect(JSON.parse(done.text)).toMatchObject({ ok: true, account: "g@x.org", models: ["gemini-3-pro", "claude"] });
  expect(kit.accounts.rows("main")).toMatchObject([
    {
      project_id: "my-project",
      models: ["gemini-3-pro", "claude"],
      balance_label: "project",
      balance_detail: "my-project",
    },
  ]);
  expect(server.seen.every(({ headers }) => headers.authorization === "Bearer google-token")).toBe(true);
  const poor = await upload(kit, '{"access_token":"t","email":"p@x.org"}', { provider: "poor" });
  expect(JSON.parse(poor.text)).toMatchObject({ ok: true, models: null });
});

it("iflow: requests are signed with the key that belongs to the account", async () => {
  const server = await httpServer((req, res) => {
    res.setHeader("content-type", "application/json");
    const known = req.url === "/user?accessToken=login-token";
    res.end(JSON.stringify(known ? { success: true, data: { apiKey: "iflow-key", email: "i@x.org" } } : {}));
  });
  const oauth = { provider: "i-flow", userinfo_url: `${server.origin}/user` };
  const kit = await accountHost({ providers: { iflow: { auth: "oauth", api_base: "http://127.0.0.1:9/v1", oauth } } });
  const done = await upload(kit, '{"access_token":"login-token","refresh_token":"r"}', { provider: "iflow" });
  expect(JSON.parse(done.text)).toMatchObject({ ok: true, account: "i@x.org" });
  const [credential] = kit.accounts.of("iflow");
  expect((await credential?.token(new AbortController().signal))?.token).toBe("iflow-key");
  expect(JSON.stringify(kit.accounts.rows("iflow"))).not.toMatch(/iflow-key|login-token/);
  kit.advance(60_000);
  expect(credential?.refused?.("iflow-key")).toBe(true);
});
