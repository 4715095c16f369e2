import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "@chela/sdk";
import { expect, it, vi } from "vitest";
import { waitForDevice } from "../../../../plugins/providers/oauth/device.ts";
import { OauthRefusal } from "../../../../plugins/providers/oauth/refusal.ts";
import { httpServer, type TestServer } from "../../../kit/http-server.ts";
import { until } from "../../../kit/until.ts";
import { type AccountHost, accountHost, clientId, oauthServer, ownProvider } from "./kit.ts";

async function finished(kit: AccountHost, flowId: unknown, more: Record<string, unknown> = {}) {
  return until(
    async () => {
      const reply = await kit.post("complete", { flow_id: flowId, ...more });
      return reply.status !== 202 && reply;
    },
    20_000,
    "the end of the login",
  );
}

it("logs in by device code: no request waits long, and the account is there also when nobody asks any more", async () => {
  const server = await oauthServer();
  const kit = await accountHost({
    providers: { main: ownProvider(server, {}, { device_auth_url: server.deviceUrl }) },
  });
  const started = await kit.post("start", { provider: "main", account_label: "tv" });
  expect(started.body).toMatchObject({ ok: true, mode: "device", user_code: expect.stringMatching(/\w{4}-\w{4}/) });
  expect(started.body.instructions).toContain(String(started.body.user_code));
  const pending = await kit.post("complete", { flow_id: started.body.flow_id });
  expect([pending.status, pending.body]).toMatchObject([202, { ok: false, pending: true }]);
  await server.confirmDevice(String(started.body.auth_url));
  await until(() => kit.accounts.rows("main").length === 1, 20_000);
  expect(kit.accounts.rows("main")).toMatchObject([{ email: "ada@example.com" }]);
  const done = await finished(kit, started.body.flow_id);
  expect(done.body).toMatchObject({ ok: true, account: "ada@example.com" });
  const stored = JSON.parse(readFileSync(String(done.body.credential_file), "utf8"));
  expect(stored).toMatchObject({ account_label: "tv", provider: "acme" });
  const again = await kit.post("complete", { flow_id: started.body.flow_id });
  expect(again.text.trim()).toBe("oauth flow not found");
});

/** A server of a vendor's own making: `answers` by `METHOD path`, the last one again and again. */
async function scripted(
  answers: Readonly<Record<string, readonly (readonly [number, unknown])[]>>,
): Promise<TestServer> {
  const calls = new Map<string, number>();
  return httpServer((req: IncomingMessage, res: ServerResponse) => {
    const ask = `${req.method} ${req.url}`;
    const list = answers[ask] ?? [[404, {}]];
    const count = calls.get(ask) ?? 0;
    calls.set(ask, count + 1);
    const [status, body] = list[Math.min(count, list.length - 1)] ?? [500, {}];
    res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
}

/** A provider of its own name, whose logins are by device at a scripted server. */
function loginsAt({ origin }: TestServer, oauth: Readonly<Record<string, unknown>> = {}): Promise<AccountHost> {
  const at = { authUrl: `${origin}/a`, tokenUrl: `${origin}/token`, deviceUrl: "" };
  return accountHost({ providers: { main: ownProvider(at, {}, { device_auth_url: `${origin}/code`, ...oauth }) } });
}

/** A vendor that is known, at a scripted server. */
function vendorAt({ origin }: TestServer, provider: string, more: Readonly<Record<string, unknown>> = {}) {
  const urls = { device_auth_url: `${origin}/code`, token_url: `${origin}/token` };
  return accountHost({
    providers: { [provider]: { auth: "oauth", oauth: { provider, client_id: "k", ...urls, ...more } } },
  });
}

const code = {
  device_code: "dev-1",
  user_code: "ABCD",
  verification_uri: "https://v.example/d",
  expires_in: 60,
  interval: 1,
};

it("qwen: proves itself with S256, waits when told to, and asks for a name where there is no e-mail", async () => {
  const server = await scripted({
    "POST /code": [[200, code]],
    "POST /token": [
      [400, { error: "authorization_pending" }],
      [200, { access_token: "q", refresh_token: "r", expires_in: 3600, resource_url: "portal.qwen.ai" }],
    ],
  });
  const kit = await vendorAt(server, "qwen");
  const started = await kit.post("start", { provider: "qwen" });
  expect(started.body).toMatchObject({ mode: "device", user_code: "ABCD", auth_url: "https://v.example/d" });
  const nameless = await finished(kit, started.body.flow_id);
  expect([nameless.status, nameless.text]).toEqual([400, expect.stringContaining("account_label required")]);
  expect(kit.accounts.rows("qwen")).toEqual([]);
  const named = await finished(kit, started.body.flow_id, { account_label: "my qwen" });
  expect(named.body).toMatchObject({ ok: true, account: "my qwen" });
  const [begun, ...polls] = server.seen.map(({ body }) => new URLSearchParams(body));
  expect(begun?.get("code_challenge_method")).toBe("S256");
  expect(polls[0]?.get("code_verifier")).toMatch(/^[\w-]{80,}$/);
  expect(polls.map((body) => [body.get("grant_type"), body.get("device_code")])).toEqual([
    ["urn:ietf:params:oauth:grant-type:device_code", "dev-1"],
    ["urn:ietf:params:oauth:grant-type:device_code", "dev-1"],
  ]);
  const [credential] = kit.accounts.of("qwen");
  const signed = await credential?.token(new AbortController().signal);
  expect(signed).toEqual({ token: "q", account: { baseUrl: "https://portal.qwen.ai/v1" } });
});

it("codex: JSON all the way, a code that the server proves, and the plan of the account", async () => {
  const claims = {
    email: "c@x.org",
    "https://api.openai.com/auth": { chatgpt_account_id: "acc-1", chatgpt_plan_type: "pro" },
    iss: "https://auth.openai.com",
    aud: clientId,
    sub: "user-1",
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 3600,
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const id_token = `${part({ alg: "RS256" })}.${part(claims)}.${part("signature")}`;
  const server = await scripted({
    "POST /deviceauth/usercode": [[200, { device_auth_id: "d1", user_code: "WXYZ-1", interval: "1" }]],
    "POST /deviceauth/token": [
      [403, {}],
      [200, { authorization_code: "code-1", code_verifier: "v".repeat(50) }],
    ],
    "POST /oauth/token": [[200, { access_token: "codex-token", refresh_token: "r", id_token, expires_in: 864_000 }]],
  });
  const kit = await vendorAt(server, "codex", {
    client_id: clientId,
    device_auth_url: `${server.origin}/deviceauth/usercode`,
    token_url: `${server.origin}/oauth/token`,
  });
  const started = await kit.post("start", { provider: "openai-codex" });
  expect(started.body).toMatchObject({
    mode: "device",
    user_code: "WXYZ-1",
    auth_url: `${server.origin}/codex/device`,
  });
  const done = await finished(kit, started.body.flow_id);
  expect(done.body).toMatchObject({ ok: true, account: "c@x.org" });
  expect(kit.accounts.rows("codex")).toMatchObject([{ account_id: "acc-1", plan_type: "pro", balance_label: "PRO" }]);
  const polls = server.seen.filter(({ path }) => path === "/deviceauth/token");
  expect(polls.map(({ body }) => JSON.parse(body))).toEqual(
    Array(2).fill({ device_auth_id: "d1", user_code: "WXYZ-1" }),
  );
  const exchange = new URLSearchParams(server.seen.at(-1)?.body);
  expect(Object.fromEntries(exchange)).toMatchObject({
    grant_type: "authorization_code",
    code: "code-1",
    code_verifier: "v".repeat(50),
    redirect_uri: `${server.origin}/deviceauth/callback`,
  });
});

it("kimi: every request of an account names the device it was made on", async () => {
  const server = await scripted({
    "POST /code": [[200, code]],
    "POST /token": [[200, { access_token: "k", refresh_token: "r", expires_in: 900, scope: "kimi-code" }]],
  });
  const kit = await vendorAt(server, "kimi");
  const started = await kit.post("start", { provider: "kimi", account_label: "k1" });
  expect((await finished(kit, started.body.flow_id)).body).toMatchObject({ ok: true, account: "k1" });
  await kit.call("provider.oauth.refresh", { provider: "kimi", credential_file: "kimi.json" });
  const devices = server.seen
    .filter(({ method }) => method === "POST")
    .map(({ headers }) => headers["x-msh-device-id"]);
  expect(devices).toHaveLength(3);
  expect(new Set(devices).size).toBe(1);
  expect(devices[0]).toMatch(/^[\w-]{20,}$/);
});

it("claude: tokens as JSON, the state along with the code, and the code as it is pasted there", async () => {
  const server = await scripted({
    "POST /token": [
      [200, { access_token: "sk-ant", refresh_token: "r", expires_in: 28_800, account: { email_address: "x" } }],
    ],
  });
  const kit = await vendorAt(server, "claude", { client_id: "c", device_auth_url: undefined });
  const { body } = await kit.post("start", { provider: "claude", account_label: "me" });
  const state = new URL(String(body.auth_url)).searchParams.get("state") ?? "";
  const done = await kit.post("complete", { flow_id: body.flow_id, callback_url: `the-code#${state}` });
  expect(done.body).toMatchObject({ ok: true, account: "me" });
  const [sent] = server.seen;
  expect(sent?.headers["content-type"]).toBe("application/json");
  expect(JSON.parse(sent?.body ?? "{}")).toMatchObject({
    grant_type: "authorization_code",
    code: "the-code",
    state,
    client_id: "c",
  });
});

it.each([
  [[400, { error: "access_denied" }], "oauth token exchange failed: access_denied"],
  [[400, { error: "expired_token" }], "oauth token exchange failed: expired_token"],
])("tells how a device login ended: %j", async (answer, message) => {
  const server = await scripted({ "POST /code": [[200, code]], "POST /token": [answer as never] });
  const kit = await loginsAt(server);
  const started = await kit.post("start", { provider: "main" });
  const done = await finished(kit, started.body.flow_id);
  expect([done.status, done.text]).toEqual([400, expect.stringContaining(message)]);
  expect((await finished(kit, started.body.flow_id)).text.trim()).toBe("oauth flow not found");
});

it("asks more slowly when told to, waits out what passes, and gives up when the code has ended", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    const began = performance.now();
    const asked: number[] = [];
    const answers = [
      new OauthRefusal(400, "authorization_pending", ""),
      new OauthRefusal(400, "slow_down", ""),
      new OauthRefusal(400, "slow_down", ""),
      new OauthRefusal(503, "status 503", "answered with a web page"),
      new GatewayError("OUTBOUND_FAILED", 502, "no network"),
    ];
    const start = { deviceCode: "d", userCode: "u", url: "", expiresMs: 120_000, intervalMs: 0 };
    const poll = () => {
      asked.push((performance.now() - began) / 1000);
      return Promise.reject(answers[asked.length - 1] ?? new OauthRefusal(400, "slow_down", ""));
    };
    const outcome = waitForDevice({ start, poll }, new AbortController().signal).catch((error: Error) => error);
    await vi.advanceTimersByTimeAsync(200_000);
    expect(await outcome).toMatchObject({ error: "expired_token" });
    expect(asked).toEqual([1, 2, 8, 19, 30, 52, 79, 111]);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

it.each([120_000, 5e9])("hammers no server whose pause no timer can hold (code for %d ms)", async (expiresMs) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    let asked = 0;
    const start = { deviceCode: "d", userCode: "u", url: "", expiresMs, intervalMs: 5e9 };
    const poll = () => {
      asked += 1;
      return Promise.reject(new OauthRefusal(400, "authorization_pending", ""));
    };
    const left = new AbortController();
    const outcome = waitForDevice({ start, poll }, left.signal).catch((error: Error) => error);
    await vi.advanceTimersByTimeAsync(200_000);
    left.abort(new Error("over"));
    expect(await outcome).toBeInstanceOf(Error);
    expect(asked).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

it("cannot begin at a server that will not", async () => {
  const server = await scripted({ "POST /code": [[400, { error: "unauthorized_client" }]] });
  const kit = await loginsAt(server);
  const started = await kit.post("start", { provider: "main" });
  expect([started.status, started.text.trim()]).toEqual([500, "oauth login cannot start: unauthorized_client"]);
});

it("a login that waits ends with the plugin", async () => {
  const server = await scripted({
    "POST /code": [[200, code]],
    "POST /token": [[400, { error: "authorization_pending" }]],
  });
  const kit = await loginsAt(server);
  await kit.post("start", { provider: "main" });
  await until(() => server.seen.some(({ path }) => path === "/token"), 10_000);
  await kit.host.plugins.disable("accounts-alone", "test");
  const count = server.seen.length;
  await kit.host.plugins.enable("accounts-alone", "test");
  expect(server.seen).toHaveLength(count);
});

it.each([
  [{ access_token: "two\nlines" }, "access_token is not one line of text"],
  [{ access_token: "t", refresh_token: "x".repeat(70_000) }, "refresh_token is not one line of text"],
  [{ token_type: "Bearer" }, "invalid_response"],
  ["not an object", "status 200"],
  [{ access_token: "t", token_type: "mac" }, "unsupported"],
])("believes no server that answers %j", async (answer, message) => {
  const server = await scripted({ "POST /token": [[200, answer]] });
  const kit = await accountHost({
    providers: {
      main: ownProvider({ authUrl: `${server.origin}/a`, tokenUrl: `${server.origin}/token`, deviceUrl: "" }),
    },
  });
  const { body } = await kit.post("start", { provider: "main" });
  const state = new URL(String(body.auth_url)).searchParams.get("state");
  const done = await kit.post("complete", { flow_id: body.flow_id, callback_url: `?code=c&state=${state}` });
  expect([done.status, done.text]).toEqual([400, expect.stringContaining(message)]);
  expect(kit.accounts.rows("main")).toEqual([]);
});

it("sends no browser to an address that is none", async () => {
  const odd = {
    ...code,
    verification_uri: "javascript:alert(1)",
    verification_uri_complete: "data:text/html,x",
  };
  const server = await scripted({
    "POST /code": [[200, odd]],
    "POST /token": [[400, { error: "authorization_pending" }]],
  });
  const kit = await loginsAt(server);
  const started = await kit.post("start", { provider: "main" });
  expect(started.body).toMatchObject({ auth_url: "", user_code: "ABCD" });
});

it("keeps labels of strangers to one line", async () => {
  const server = await scripted({
    "GET /me": [[200, { email: "a@x.org\r\nX-Evil: 1" }]],
    "GET /v1/models": [[200, { data: [{ id: "m\u001b1" }, { id: 7 }, "plain"] }]],
  });
  const kit = await accountHost({
    providers: {
      main: ownProvider(
        { authUrl: `${server.origin}/a`, tokenUrl: `${server.origin}/t`, deviceUrl: "" },
        { api_base: `${server.origin}/v1` },
        { userinfo_url: `${server.origin}/me` },
      ),
    },
  });
  const done = await kit.call("provider.oauth.import", { provider: "main", content: '{"access_token":"t"}' });
  expect(done).toMatchObject({ account: "a@x.org  X-Evil: 1", models: ["m 1", "plain"] });
  kit.advance(3000);
  expect(kit.accounts.rows("main")).toHaveLength(1);
});
