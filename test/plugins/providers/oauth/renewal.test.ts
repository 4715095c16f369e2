import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { files } from "@chela/sdk";
import { expect, it } from "vitest";
import { filesService } from "../../../../kernel/services/files.ts";
import { Account } from "../../../../plugins/providers/oauth/account.ts";
import { AccountFiles } from "../../../../plugins/providers/oauth/account-files.ts";
import { disable, renew } from "../../../../plugins/providers/oauth/renewal.ts";
import { emptySession } from "../../../../plugins/providers/oauth/session.ts";
import { readOauth } from "../../../../plugins/providers/oauth/settings.ts";
import { httpServer } from "../../../kit/http-server.ts";
import { tempDir } from "../../../kit/temp.ts";
import { pauseFor, until } from "../../../kit/until.ts";
import type { OauthServer } from "../../../simulators/oauth/server.ts";
import { type AccountHost, accountHost, never, oauthServer, ownProvider } from "./kit.ts";

const hour = 3_600_000;

async function loggedIn(server: OauthServer, oauth: Record<string, unknown> = {}) {
  const kit = await accountHost({ providers: { main: ownProvider(server, {}, oauth) } });
  const { body } = await kit.post("start", { provider: "main" });
  const callback = await server.login(String(body.auth_url));
  const done = await kit.post("complete", { flow_id: body.flow_id, callback_url: callback });
  const file = String(done.body.credential_file);
  const session = () => JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  const refreshes = () => server.tokenRequests.filter(({ grant }) => grant === "refresh_token");
  return { kit, file, session, refreshes, credential: only(kit) };
}

function only(kit: AccountHost) {
  const [credential] = kit.accounts.of("main");
  if (!credential) throw new Error("no account");
  return credential;
}

it("renews a token that has ended, once for 50 callers, and the file has it before anybody gets it", async () => {
  const server = await oauthServer();
  const { kit, session, refreshes, credential } = await loggedIn(server);
  const before = session();
  kit.advance(2 * hour);
  const signed = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const { token } = await credential.token(new AbortController().signal);
      return { token, stored: session().access_token };
    }),
  );
  expect(refreshes()).toEqual([{ grant: "refresh_token", status: 200 }]);
  expect(new Set(signed.map(({ token }) => token)).size).toBe(1);
  for (const { token, stored } of signed) expect(token).toBe(stored);
  expect(session().access_token).not.toBe(before.access_token);
  expect(session().refresh_token).not.toBe(before.refresh_token);
  expect(kit.notes).toContainEqual(expect.objectContaining({ kind: "oauth", reason: "oauth_refresh_success" }));
});

it("rotates again and again", async () => {
  const server = await oauthServer();
  const { kit, refreshes, credential } = await loggedIn(server);
  for (let round = 0; round < 5; round += 1) {
    kit.advance(2 * hour);
    await credential.token(never);
  }
  expect(refreshes().map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});

it("disables an account whose refresh token was revoked, for good and audibly", async () => {
  const server = await oauthServer();
  const { kit, file, session, refreshes, credential } = await loggedIn(server);
  await server.revoke(session().refresh_token ?? "");
  kit.advance(2 * hour);
  await expect(credential.token(never)).rejects.toMatchObject({ code: "UPSTREAM_AUTH" });
  expect(session()).toMatchObject({ disabled: true, disable_reason: "invalid_grant" });
  expect(kit.accounts.of("main")).toEqual([]);
  expect(kit.accounts.rows("main")).toMatchObject([
    { disabled: true, disable_reason: "invalid_grant", health_score: 0 },
  ]);
  const { events } = kit.events.since(0);
  expect(events).toContainEqual(
    expect.objectContaining({
      type: "provider_account_disabled",
      payload: { provider: "main", account: "ada@example.com", reason: "invalid_grant" },
    }),
  );
  const report = await kit.host.gateway.health();
  expect(report.checks.find(({ name }) => name === "oauth accounts")).toMatchObject({ ok: false, accounts: 1 });
  await expect(credential.token(never)).rejects.toMatchObject({ code: "UPSTREAM_AUTH" });
  expect(refreshes()).toHaveLength(1);

  const { body } = await kit.post("start", { provider: "main" });
  const again = await kit.post("complete", {
    flow_id: body.flow_id,
    callback_url: await server.login(String(body.auth_url)),
  });
  expect(again.body.credential_file).toBe(file);
  expect(session().disabled).toBeUndefined();
  expect((await only(kit).token(never)).token).toBe(session().access_token);
  expect(kit.events.since(0).events.at(-1)).toMatchObject({
    type: "provider_account_renewed",
    payload: { provider: "main", account: "ada@example.com" },
  });
});

it("keeps an account through a server that fails and a network that is gone, and does not hammer it", async () => {
  let status = 503;
  const server = await httpServer(
    (_req, res) =>
      void res.writeHead(status, { "content-type": "application/json" }).end('{"error":"temporarily_unavailable"}'),
  );
  const urls = { authUrl: `${server.origin}/auth`, tokenUrl: `${server.origin}/token`, deviceUrl: "" };
  const kit = await accountHost({ providers: { main: ownProvider(urls) } });
  const content = JSON.stringify({
    access_token: "old",
    refresh_token: "r1",
    email: "a@b.c",
    expire: Date.now() + 30_000,
  });
  await kit.call("provider.oauth.import", { provider: "main", content });
  const credential = only(kit);
  expect((await credential.token(never)).token).toBe("old");
  expect(server.seen.filter(({ path }) => path === "/token")).toHaveLength(1);
  expect((await credential.token(never)).token).toBe("old");
  expect(server.seen.filter(({ path }) => path === "/token")).toHaveLength(1);
  kit.advance(31_000);
  await expect(credential.token(never)).rejects.toMatchObject({ code: "UPSTREAM_FAULT" });
  kit.advance(60_000);
  status = 429;
  await expect(credential.token(never)).rejects.toMatchObject({ code: "UPSTREAM_RATE" });
  expect(kit.accounts.rows("main")[0]).not.toHaveProperty("disabled");

  const gone = await accountHost({
    providers: { main: ownProvider({ ...urls, tokenUrl: "http://127.0.0.1:1/token" }) },
  });
  await gone.call("provider.oauth.import", {
    provider: "main",
    content: JSON.stringify({ access_token: "old", refresh_token: "r", expire: 1 }),
  });
  await expect(only(gone).token(never)).rejects.toMatchObject({ code: "UPSTREAM_UNREACHABLE" });
  expect(gone.accounts.of("main")).toHaveLength(1);
});

it("is disabled by no web page, whatever is written on it", async () => {
  let status = 403;
  const server = await httpServer((_req, res) => {
    res.writeHead(status, { "content-type": "text/html" });
    res.end("<!DOCTYPE html><p>Access revoked: invalid_grant, deactivated_workspace");
  });
  const urls = { authUrl: `${server.origin}/auth`, tokenUrl: `${server.origin}/token`, deviceUrl: "" };
  const kit = await accountHost({ providers: { main: ownProvider(urls) } });
  const content = JSON.stringify({ access_token: "old", refresh_token: "r1", email: "a@b.c", expire: 1 });
  await kit.call("provider.oauth.import", { provider: "main", content });
  for (status of [403, 400, 200]) {
    await expect(only(kit).token(never)).rejects.toThrow(`status ${status}: answered with a web page`);
    kit.advance(hour);
  }
  expect(kit.accounts.rows("main")[0]).not.toHaveProperty("disabled");
});

it("a clock that jumps a year ahead and back costs one renewal each way, and no account", async () => {
  const server = await oauthServer();
  const { kit, refreshes, credential } = await loggedIn(server);
  kit.advance(365 * 24 * hour);
  const { token: ahead = "" } = await credential.token(never);
  kit.advance(-365 * 24 * hour);
  // It seems to live for a year now; the upstream knows better.
  expect((await credential.token(never)).token).toBe(ahead);
  expect(credential.refused?.(ahead)).toBe(true);
  const tokens = await Promise.all(Array.from({ length: 20 }, () => credential.token(new AbortController().signal)));
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
  expect(refreshes().map((one) => one.status)).toEqual([200, 200]);
});

it("restarts, one after the other, renew nothing that is not due, and once what is", async () => {
  const server = await oauthServer();
  const { kit, refreshes } = await loggedIn(server, { refresh_scan_sec: 1 });
  const restart = async () => {
    await kit.host.plugins.disable("accounts-alone", "test");
    await kit.host.plugins.enable("accounts-alone", "test");
    await Promise.all([1, 2, 3].map(() => only(kit).token(never)));
  };
  for (let round = 0; round < 4; round += 1) await restart();
  expect(refreshes()).toEqual([]);
  kit.advance(2 * hour);
  for (let round = 0; round < 4; round += 1) await restart();
  expect(refreshes()).toEqual([{ grant: "refresh_token", status: 200 }]);
});

it("asks for another token when the upstream refuses the one it has, but not for one that was just made", async () => {
  const server = await oauthServer();
  const { kit, refreshes, credential } = await loggedIn(server);
  const { token: first = "" } = await credential.token(never);
  expect(credential.refused?.(first)).toBe(false);
  kit.advance(60_000);
  expect(credential.refused?.(first)).toBe(true);
  const { token: second = "" } = await credential.token(never);
  expect(second).not.toBe(first);
  expect(credential.refused?.(first)).toBe(true);
  expect((await credential.token(never)).token).toBe(second);
  expect(refreshes()).toHaveLength(1);
});

it("renews in the background before a token ends, and stops with the plugin", async () => {
  const server = await oauthServer({ accessTtl: 4 });
  const { kit, refreshes } = await loggedIn(server, { refresh_scan_sec: 1 });
  await until(() => refreshes().length >= 2, 15_000, "two renewals");
  await kit.host.plugins.disable("accounts-alone", "test");
  const count = refreshes().length;
  await pauseFor(2500);
  expect(refreshes()).toHaveLength(count);
});

it("leaves an account alone that does not end soon", async () => {
  const server = await oauthServer();
  const { kit } = await loggedIn(server, { refresh_lead_sec: 300 });
  const all = await kit.call("provider.oauth.refresh", { provider: "main", only_expiring: true });
  expect(all).toMatchObject({
    provider: "main",
    checked: 1,
    refreshed: 0,
    skipped: 1,
    failed: 0,
    accounts: [{ target: "ada@example.com", status: "skipped" }],
  });
  kit.advance(hour - 200_000);
  expect(await kit.call("provider.oauth.refresh", { provider: "main", only_expiring: true })).toMatchObject({
    refreshed: 1,
  });
});

it("takes over what somebody else wrote into the file, instead of using up its refresh token", async () => {
  const server = await oauthServer();
  const { kit, file, session, refreshes, credential } = await loggedIn(server);
  kit.advance(2 * hour);
  const expire = new Date(Date.now() + 10 * hour).toISOString();
  writeFileSync(file, JSON.stringify({ ...session(), access_token: "from-elsewhere", expire }));
  expect((await credential.token(never)).token).toBe("from-elsewhere");
  expect(refreshes()).toEqual([]);
});

it("two gateways that renew one file at the same time: the one that is too late goes on with what the other got", async () => {
  const server = await oauthServer();
  const { kit, file, session, refreshes, credential } = await loggedIn(server);
  const other = await accountHost({ providers: { main: ownProvider(server, {}, { credential_file: file }) } });
  for (const one of [kit, other]) one.advance(2 * hour);
  const { refresh_token: before } = session();
  let asked = 0;
  server.beforeToken = async () => {
    asked += 1;
    if (asked === 1) await until(() => asked === 2, 5000, "the second request");
    else await until(() => session().refresh_token !== before, 5000, "the first answer in the file");
  };
  const tokens = await Promise.all([credential.token(never), only(other).token(never)]);
  expect(refreshes().map(({ status }) => status)).toEqual([200, 400]);
  expect(session().disabled).toBeUndefined();
  for (const { token } of tokens) expect(token).toBe(session().access_token);
});

it("a caller that leaves takes nobody along", async () => {
  const server = await oauthServer();
  const { kit, session, credential } = await loggedIn(server);
  kit.advance(2 * hour);
  const leaving = new AbortController();
  server.beforeToken = async () => leaving.abort(new Error("left"));
  const staying = credential.token(never);
  await expect(credential.token(leaving.signal)).rejects.toThrow("left");
  expect((await staying).token).toBe(session().access_token);
});

it("one instance renews at a time: a reload in the middle of a renewal uses the token once", async () => {
  const server = await oauthServer();
  const { kit, session, refreshes, credential } = await loggedIn(server);
  kit.advance(2 * hour);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = false;
  server.beforeToken = () => {
    asked = true;
    return held;
  };
  const first = credential.token(never);
  await until(() => asked);
  const before = kit.accounts;
  const reloading = kit.host.plugins.reload("accounts-alone");
  await until(() => kit.accounts !== before, 5000, "the new instance");
  const second = only(kit).token(never);
  release();
  await reloading;
  const tokens = await Promise.all([first, second]);
  expect(refreshes()).toEqual([{ grant: "refresh_token", status: 200 }]);
  for (const { token } of tokens) expect(token).toBe(session().access_token);
});

it("hands out no token that could not be saved, and loses none of them: not by being disabled either", async () => {
  const server = await oauthServer();
  const { file, session } = await loggedIn(server);
  const stored = { ...ownProvider(server) };
  const settings = readOauth({ provider: "main", stored, env: {} });
  const files = new AccountFiles(join(tempDir("auth")), filesService);
  const path = join(files.folder, "a.json");
  const known = await files.write(path, {
    ...emptySession,
    provider: "acme",
    access_token: "old",
    refresh_token: session().refresh_token ?? "",
    expire: 1,
  });
  if (!("session" in known)) throw new Error("no session");
  const account = new Account(path, known.stamp, known.session, true);
  const write = files.write.bind(files);
  files.write = async () => {
    throw new Error("the disk is full");
  };
  const tools = {
    files,
    fetch: (url: string | URL, init?: RequestInit) => fetch(url, init),
    now: Date.now,
    onEnd: () => undefined,
  };
  await expect(renew(account, settings, { reason: "expiring" }, tools)).rejects.toThrow("the disk is full");
  expect(account.session.access_token).toBe("old");
  await expect(renew(account, settings, { reason: "expiring" }, tools)).rejects.toThrow("the disk is full");
  const waiting = account.unsaved?.refresh_token;
  await disable(account, "token_revoked", files);
  expect(account.unsaved).toMatchObject({ refresh_token: waiting, disabled: true });
  files.write = write;
  const fresh = await renew(account, settings, { reason: "asked" }, tools);
  const refreshes = server.tokenRequests.filter(({ grant }) => grant === "refresh_token");
  expect(refreshes.map(({ status }) => status)).toEqual([200, 200]);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ access_token: fresh.access_token });
  expect(fresh.disabled).toBe(false);
  expect(file).not.toBe(path);
});

it("disables an account that the upstream says is at its end, and a refresh that works brings it back", async () => {
  const server = await oauthServer();
  const { kit, file, session, credential } = await loggedIn(server);
  await credential.disable?.("deactivated_workspace");
  await credential.disable?.("token_revoked");
  expect(session()).toMatchObject({ disabled: true, disable_reason: "deactivated_workspace" });
  expect(kit.accounts.of("main")).toEqual([]);
  const told = kit.events.since(0).events.filter(({ type }) => type === "provider_account_disabled");
  expect(told.map(({ payload }) => payload.reason)).toEqual(["deactivated_workspace"]);
  expect(kit.notes).toContainEqual(expect.objectContaining({ reason: "oauth_disabled_deactivated_workspace" }));
  const reply = await kit.post("accounts?provider=main", { action: "refresh", credential_file: file });
  expect(reply.body).toMatchObject({ ok: true, account: { email: "ada@example.com" } });
  expect(kit.accounts.of("main")).toHaveLength(1);
});

it("is there when the first provider with accounts comes into the config, and says which one cannot log in", async () => {
  const server = await oauthServer();
  const kit = await accountHost();
  expect(kit.accounts).toBeUndefined();
  expect((await kit.post("accounts?provider=main", { action: "refresh" })).text).toContain('provider "main" not found');
  const write = (value: unknown) =>
    kit.host.config.write([{ path: "models.providers.main", value }], { who: "test", force: true });
  await write(ownProvider(server, {}, { refresh_scan_sec: 1 }));
  const content = JSON.stringify({ access_token: "t", email: "a@x.org" });
  await kit.call("provider.oauth.import", { provider: "main", content });
  expect((await only(kit).token(never)).token).toBe("t");
  await write({ auth: "oauth", api_base: "http://127.0.0.1:9/v1", oauth: { provider: "unheard-of" } });
  expect(kit.accounts.of("main")).toEqual([]);
  const report = await kit.host.gateway.health();
  const check = report.checks.find(({ name }) => name === "oauth accounts");
  expect(check).toMatchObject({
    ok: false,
    troubles: [{ provider: "main", reason: expect.stringContaining("token_url") }],
  });
});

it("leaves nothing behind when it is switched off and on", async () => {
  const server = await oauthServer();
  const { kit } = await loggedIn(server);
  const before = kit.host.census();
  for (let round = 0; round < 5; round += 1) {
    await kit.post("start", { provider: "main" });
    await kit.host.plugins.disable("accounts-alone", "test");
    await kit.host.plugins.enable("accounts-alone", "test");
    kit.advance(7_200_000);
    await only(kit).token(new AbortController().signal);
  }
  expect(kit.host.census()).toEqual(before);
});

it("renews an account that the operator keeps right in the state dir in place, and no other file there can be written so", async () => {
  const server = await oauthServer();
  const { session: earlier } = await loggedIn(server);
  const stateDir = tempDir("state");
  const file = join(stateDir, "own.json");
  const { config_provider: _, ...own } = earlier();
  writeFileSync(file, JSON.stringify(own), { mode: 0o600 });
  const kit = await accountHost({ stateDir, providers: { main: ownProvider(server, {}, { credential_file: file }) } });
  kit.advance(2 * hour);
  const { token } = await only(kit).token(never);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ access_token: token });
  await expect(kit.host.service(files).write(stateDir, "own.json", "{}")).rejects.toMatchObject({
    code: "PATH_REFUSED",
  });
});
