/** S-80, S-86 and their kin at the logins: addresses from a request, borrowed states, files that are none of an account's. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeTempDir } from "../kit/temp.ts";
import { bearer, call, gatewayWith, send } from "./kit.ts";

const dir = makeTempDir("accounts-attack");
const state = join(dir.path, "state");
const asked: string[] = [];
let inner: Server;
let port: number;
let host: TestHost;

beforeAll(async () => {
  inner = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    res.writeHead(400, { "content-type": "application/json" }).end('{"error":"invalid_grant"}');
  });
  await new Promise<void>((resolve) => inner.listen(0, "127.0.0.1", resolve));
  port = (inner.address() as AddressInfo).port;
  mkdirSync(join(state, "auth"), { recursive: true, mode: 0o700 });
  const account = (name: string) =>
    writeFileSync(
      join(state, "auth", `${name}.json`),
      JSON.stringify({
        provider: name,
        config_provider: name,
        email: `${name}@x`,
        access_token: "t",
        refresh_token: "r",
      }),
      { mode: 0o600 },
    );
  account("acme");
  account("other");
  const base = `http://127.0.0.1:${port}`;
  const provider = (name: string) => ({
    auth: "oauth",
    api_base: `${base}/v1`,
    models: ["m"],
    oauth: {
      provider: name,
      client_id: "id",
      client_secret: "stored-secret",
      auth_url: `${base}/auth`,
      token_url: `${base}/token`,
    },
  });
  host = await gatewayWith([], {
    stateDir: state,
    config: {
      models: { discovery: { enabled: false }, providers: { acme: provider("acme"), other: provider("other") } },
    },
  });
});
afterAll(async () => {
  await host.stop();
  inner.close();
  dir.remove();
});

const post = (path: string, body: unknown) =>
  send(host, `/api/provider/oauth/${path}`, {
    headers: { ...bearer(host.token), "content-type": "application/json" },
    body: JSON.stringify(body),
  });

it("S-80, S-86: what a request names instead of the config reaches nothing private", async () => {
  const hosts = [
    "127.0.0.1",
    "localhost",
    "localhost.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "127.1",
    "0.0.0.0",
    "169.254.169.254",
    "10.0.0.1",
    "metadata.localhost",
  ];
  for (const name of hosts)
    for (const scheme of ["http", "https"]) {
      const at = (path: string) => `${scheme}://${name}:${port}/${path}`;
      const oauth = {
        provider: "mine",
        client_id: "id",
        auth_url: at("auth"),
        token_url: at("token"),
        device_auth_url: at("device"),
      };
      const { status, text } = await post("start", { provider: "mine", provider_config: { auth: "oauth", oauth } });
      expect(status, `${at("device")}: ${text}`).toBeGreaterThanOrEqual(400);
      const imported = await call(host, "provider.oauth.import", {
        provider: "mine",
        content: '{"refresh_token":"r"}',
        provider_config: { auth: "oauth", oauth },
      });
      expect(imported.body.ok, at("token")).toBe(false);
    }
  for (const url of [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,x",
    "//evil.example/x",
    "gopher://127.0.0.1",
  ]) {
    const oauth = { provider: "mine", client_id: "id", auth_url: url, token_url: "https://login.example/token" };
    expect((await post("start", { provider: "mine", provider_config: { auth: "oauth", oauth } })).status, url).toBe(
      400,
    );
  }
  expect(asked).toEqual([]);
});

it("a login ends with the state that it began with, once, for its own provider", async () => {
  const begin = async (provider: string) => {
    const { flow_id, auth_url } = JSON.parse((await post("start", { provider })).text) as {
      flow_id: string;
      auth_url: string;
    };
    return { flow_id, state: new URL(auth_url).searchParams.get("state") as string };
  };
  const mine = await begin("acme");
  const theirs = await begin("other");
  expect(mine.state).not.toBe(theirs.state);
  const wrong = [
    `code=x&state=${theirs.state}`,
    "code=x",
    "code=x&state=",
    `code=x&state=${mine.state}x`,
    `state=${mine.state}`,
    `code=x#state=${mine.state}`,
  ];
  for (const query of wrong) {
    const { flow_id } = await begin("acme");
    expect(
      (await post("complete", { provider: "acme", flow_id, callback_url: `http://localhost/?${query}` })).status,
      query,
    ).toBe(400);
  }
  const other = await post("complete", {
    provider: "other",
    flow_id: mine.flow_id,
    callback_url: `http://localhost/?code=x&state=${mine.state}`,
  });
  expect(other.status).toBe(400);
  for (const flow_id of ["", "__proto__", "x".repeat(200)])
    expect((await post("complete", { flow_id, callback_url: "code=x&state=y" })).status).toBe(400);
  expect(asked).toEqual([]);
});

it("S-60 … S-68: files are named and removed in the accounts' folder only, and only one's own", async () => {
  const before = readFileSync(join(state, "config.json"), "utf8");
  const names = [
    "../config.json",
    join(state, "config.json"),
    "..",
    ".",
    "",
    "/etc/passwd",
    "other.json",
    join(state, "auth", "other.json"),
    "../auth/other.json",
    "acme.json/../other.json",
    "%2e%2e/config.json",
    "acme.json\0",
    "~/x",
  ];
  for (const credential_file of names) {
    for (const action of ["delete", "refresh", "clear_cooldown"])
      expect((await post("accounts?provider=acme", { action, credential_file })).status, credential_file).toBe(400);
    expect(
      (await call(host, "provider.oauth.remove", { provider: "acme", credential_file })).body.ok,
      credential_file,
    ).toBe(false);
  }
  expect(readFileSync(join(state, "config.json"), "utf8")).toBe(before);
  expect(existsSync(join(state, "auth", "other.json"))).toBe(true);
  for (const email of ["../../../escape", "/etc/cron.d/x", "a\\..\\..\\b", "..", "con", "x".repeat(150), "config"])
    await call(host, "provider.oauth.import", {
      provider: "acme",
      content: JSON.stringify({ access_token: "t", email }),
      name: "../../n.json",
    });
  expect(readdirSync(dir.path)).toEqual(["state"]);
  expect(existsSync("/etc/cron.d/x.json")).toBe(false);
  for (const name of readdirSync(join(state, "auth"))) expect(name).toMatch(/^\.?[A-Za-z0-9._@+-]{1,200}$/);
  expect(readFileSync(join(state, "config.json"), "utf8")).toBe(before);
});
