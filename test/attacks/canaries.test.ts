/** S-17, S-18, S-20 once more, for everything that keeps secrets since: servers that repeat in their errors all they were sent. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import type { TestHost, TestSocket } from "@chela/sdk/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeTempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { bearer, call, gatewayWith, keyWith, send, upgrade } from "./kit.ts";

const canaries = {
  apiKey: "sk-canary-key-11aa/+==",
  secondKey: "sk-canary-second-22bb",
  providerHeader: "canary-header-33cc",
  clientSecret: "canary-client-secret-44dd",
  accessToken: "canary-access-55ee",
  refreshToken: "canary-refresh-66ff",
  imported: "canary-imported-77aa",
  importedRefresh: "canary-imported-refresh-77bb",
  proxy: "canary-proxy-88bb",
  search: "canary-search-99cc",
  mcpEnv: "canary-mcp-env-aadd",
  mcpHeader: "canary-mcp-header-bbee",
  token: "canary-gateway-token-ccff",
  fromEnv: "canary-oauth-env-ddaa",
};

/** Says in a child what it was given, and dies of it. */
const blurting = `process.stderr.write("bad key " + process.env.SERVER_KEY + "\\n"); process.exit(3);`;
/** A real server whose one tool, and whose log, tell everything. */
const telling = `
let text = "";
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
process.stdin.on("data", (chunk) => {
  text += chunk;
  for (let end = text.indexOf("\\n"); end >= 0; end = text.indexOf("\\n")) {
    const { id, method, params } = JSON.parse(text.slice(0, end));
    text = text.slice(end + 1);
    const key = process.env.SERVER_KEY;
    if (method === "initialize") say({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {}, logging: {} }, serverInfo: { name: key, version: "1" } } });
    else if (method === "tools/list") say({ id, result: { tools: [{ name: "fail", description: "fails", inputSchema: { type: "object" } }, { name: "bad " + key, description: key, inputSchema: { type: key } }] } });
    else if (method === "tools/call") say({ id, error: { code: -32000, message: "refused " + key } });
    else if (id !== undefined) say({ id, result: {} });
    if (method === "notifications/initialized") say({ method: "notifications/message", params: { level: "error", data: "using " + key } });
  }
});
`;

let host: TestHost;
let echo: Server;
let base: string;
let events: TestSocket;
const frames: string[] = [];
const dir = makeTempDir("canaries");
const state = join(dir.path, "state");

/** Answers nothing but errors, each holding the whole request. */
function startEcho(): Promise<Server> {
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const seen = `${req.method} ${req.url} ${JSON.stringify(req.headers)} ${Buffer.concat(parts).toString()}`;
    const kind = /^\/([a-z]+)/.exec(req.url ?? "")?.[1] ?? "";
    const body = JSON.stringify({
      error: { message: seen, type: seen, code: seen, param: seen },
      error_description: seen,
      detail: seen,
    });
    if (kind === "late") {
      res.writeHead(200, { "content-type": "text/event-stream" });
      return void res.end(`data: {"choices":[{"delta":{"content":"so"}}]}\n\ndata: ${body}\n\n`);
    }
    if (kind === "page") return void res.writeHead(502, { "content-type": "text/html" }).end(`<h1>${seen}</h1>`);
    if (kind === "hangup") return void req.socket.destroy();
    if (kind === "oauth")
      return void res.writeHead(400, { "content-type": "application/json" }).end(
        JSON.stringify({
          error: "invalid_request",
          error_description: seen.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, " "),
        }),
      );
    const status = kind === "rate" ? 429 : kind === "denied" ? 401 : 400;
    res
      .writeHead(status, {
        "content-type": "application/json",
        "x-request-id": "r",
        "www-authenticate": `Bearer error="${req.headers.authorization ?? ""}"`,
      })
      .end(body);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

const kinds = ["denied", "rate", "bad", "page", "late", "hangup"] as const;

beforeAll(async () => {
  echo = await startEcho();
  base = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  mkdirSync(join(state, "auth"), { recursive: true, mode: 0o700 });
  writeFileSync(
    join(state, "auth", "acme.json"),
    JSON.stringify({
      provider: "acme",
      type: "oauth",
      email: "a@example.com",
      config_provider: "acme",
      access_token: canaries.accessToken,
      refresh_token: canaries.refreshToken,
      expire: "2020-01-01T00:00:00Z",
      network_proxy: "",
    }),
    { mode: 0o600 },
  );
  const keyed = (kind: string) => ({
    api_base: `${base}/${kind}/v1`,
    api_key: canaries.apiKey,
    api_keys: [canaries.secondKey],
    headers: { "x-extra": canaries.providerHeader },
    models: ["m"],
  });
  const oauth = {
    provider: "acme",
    client_id: "id",
    client_secret: canaries.clientSecret,
    auth_url: `${base}/oauth/auth`,
    token_url: `${base}/oauth/token`,
    userinfo_url: `${base}/oauth/user`,
  };
  const server = (code: string) => ({
    command: process.execPath,
    args: ["-e", code],
    env: { SERVER_KEY: canaries.mcpEnv },
  });
  host = await gatewayWith([], {
    stateDir: state,
    env: { CHELA_OAUTH_CODEX_CLIENT_SECRET: canaries.fromEnv },
    config: {
      gateway: { auth: { mode: "token", token: canaries.token } },
      logging: { level: "debug" },
      agents: { defaults: { model: { primary: "denied/m" } } },
      models: {
        fallbacks: [],
        discovery: { enabled: false },
        providers: {
          ...Object.fromEntries(kinds.map((kind) => [kind, keyed(kind)])),
          claude: { ...keyed("denied"), api: "anthropic" },
          gemini: { ...keyed("denied"), api: "gemini" },
          acme: { api_base: `${base}/denied/v1`, auth: "oauth", models: ["m"], oauth },
          proxied: {
            api_base: `${base}/denied/v1`,
            auth: "oauth",
            models: ["m"],
            oauth: { ...oauth, network_proxy: `http://user:${canaries.proxy}@127.0.0.1:9` },
          },
        },
      },
      tools: {
        web: { search: { api_key: canaries.search, base_url: `${base}/denied` } },
        mcp: {
          enabled: true,
          servers: {
            blurting: server(blurting),
            telling: server(telling),
            remote: {
              transport: "http",
              url: `${base}/bad/mcp`,
              headers: { authorization: `Bearer ${canaries.mcpHeader}` },
            },
            stream: { transport: "sse", url: `${base}/denied/sse`, headers: { "x-key": canaries.mcpHeader } },
          },
        },
      },
    },
  });
  const opened = await upgrade(host, "/api/events/live?since=0", bearer(canaries.token));
  if (typeof opened === "number") throw new Error(`refused with ${opened}`);
  events = opened;
  void (async () => {
    for (;;) frames.push(JSON.stringify(await events.next(120_000)));
  })().catch(() => undefined);
}, 60_000);

afterAll(async () => {
  events.close();
  await host.stop();
  echo.close();
  dir.remove();
});

const leaks: string[] = [];
function look(text: string, where: string): void {
  for (const [name, secret] of Object.entries(canaries))
    for (const spelled of new Set([
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    ]))
      if (text.includes(spelled))
        leaks.push(
          `${name} in ${where}: …${text.slice(Math.max(0, text.indexOf(spelled) - 80), text.indexOf(spelled) + 60)}…`,
        );
}
function expectNone(): void {
  expect(leaks.splice(0)).toEqual([]);
}

async function post(path: string, body: unknown, where = path): Promise<string> {
  const { text, headers } = await send(host, path, {
    headers: { ...bearer(canaries.token), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  look(text + JSON.stringify(headers), `POST ${where}`);
  return text;
}
async function get(path: string): Promise<string> {
  const { text, headers } = await send(host, path, { headers: bearer(canaries.token) });
  look(text + JSON.stringify(headers), `GET ${path}`);
  return text;
}
async function rpc(method: string, params: unknown): Promise<string> {
  const { text } = await call(host, method, params, canaries.token);
  look(text, `${method} ${JSON.stringify(params).slice(0, 100)}`);
  return text;
}

it("models: what an upstream repeats of our request does not reach a client", { timeout: 60_000 }, async () => {
  for (const name of [...kinds, "claude", "gemini", "acme", "proxied"]) {
    const model = `${name}/m`;
    for (const stream of [false, true]) {
      // What follows a good beginning is passed on as it comes.
      if (name !== "late")
        await post(
          "/v1/chat/completions",
          { model, stream, messages: [{ role: "user", content: "hi" }] },
          `/v1/chat/completions ${model} ${stream}`,
        );
      await post("/v1/responses", { model, stream, input: "hi" }, `/v1/responses ${model} ${stream}`);
    }
    if (name !== "late") await post("/v1/embeddings", { model, input: "hi" }, `/v1/embeddings ${model}`);
    await rpc("chat.send", { session: `s-${name}`, message: "hi", model });
    await rpc("providers.test", { model });
    await rpc("providers.upstream_models", { provider: name });
    await get(`/api/provider/runtime?provider=${name}`);
    await rpc("providers.runtime", { provider: name });
    await post("/api/provider/models", { provider: name, model: "m", models: ["m"] });
    await get(`/api/provider/oauth/accounts?provider=${name}`);
  }
  await post("/api/chat", { message: "hi" });
  expectNone();
});

it("accounts: nor what an OAuth server repeats", { timeout: 60_000 }, async () => {
  const started = JSON.parse(await post("/api/provider/oauth/start", { provider: "acme" })) as {
    flow_id: string;
    auth_url: string;
  };
  const state_ = new URL(started.auth_url).searchParams.get("state");
  await post("/api/provider/oauth/complete", {
    provider: "acme",
    flow_id: started.flow_id,
    callback_url: `http://localhost/?code=abc&state=${state_}`,
  });
  await post("/api/provider/oauth/start", { provider: "proxied" });
  await post("/api/provider/oauth/start", {
    provider: "acme",
    network_proxy: `http://u:${canaries.proxy}@127.0.0.1:9`,
  });
  await post("/api/provider/oauth/start", { provider: "acme", network_proxy: `ftp://u:${canaries.proxy}@127.0.0.1:9` });
  await rpc("provider.oauth.refresh", { provider: "acme" });
  await rpc("provider.oauth.refresh", { provider: "acme", credential_file: "acme.json" });
  const content = JSON.stringify({
    type: "acme",
    access_token: canaries.imported,
    refresh_token: canaries.importedRefresh,
    email: "b@example.com",
  });
  await rpc("provider.oauth.import", { provider: "acme", content: `${content}x` });
  await rpc("provider.oauth.import", {
    provider: "proxied",
    content: JSON.stringify({ type: "acme", refresh_token: canaries.importedRefresh }),
  });
  const imported = await rpc("provider.oauth.import", { provider: "acme", content, name: "b.json" });
  expect(imported).toContain('"ok":true');
  await rpc("provider.oauth.refresh", { provider: "acme" });
  await rpc("provider.oauth.accounts", { provider: "acme" });
  await post("/api/provider/oauth/accounts?provider=acme", { action: "refresh", credential_file: "acme.json" });
  await post("/v1/chat/completions", { model: "acme/m", messages: [{ role: "user", content: "hi" }] });
  expectNone();
});

it("tools: nor what a search or an MCP server does", { timeout: 60_000 }, async () => {
  await rpc("tools.invoke", { tool: "web_search", args: { query: "x" } });
  await until(() => host.logs().some((line) => JSON.stringify(line).includes("telling")), 20_000);
  for (const name of ["blurting", "telling", "remote", "stream"]) await rpc("mcp.test", { name });
  await rpc("tools.invoke", { tool: "mcp__telling__fail", args: {} });
  await rpc("mcp.list", {});
  await rpc("mcp.checks", {});
  await get("/api/tools");
  await rpc("gateway.health", {});
  await get("/health");
  await get("/ready");
  await rpc("tools.audit", {});
  expectNone();
});

it("readers, whatever their scope", { timeout: 60_000 }, async () => {
  const key = await keyWith(host, ["read"], { owner: canaries.token });
  const routes = host.plugins.list().flatMap(({ id }) => host.plugins.info(id).contributions.routes);
  for (const { path } of routes.filter(({ method, path }) => method === "GET" && !/[:*]/.test(path)))
    for (const token of [key, canaries.token]) {
      const { text } = await send(host, path, { headers: bearer(token) });
      look(text, `GET ${path}`);
    }
  for (const { name } of host.gateway
    .methods()
    .filter(({ name }) =>
      /\.(?:get|list|info|status|health|startup|diff|backups|schema|recent|models|runtime|cooldowns|accounts|totals|audit|search|history|doctor|checks|channels)$/.test(
        name,
      ),
    ))
    await rpc(name, {});
  await rpc("logs.recent", { limit: 1_000 });
  expectNone();
});

it("the log, the events and the disk", { timeout: 60_000 }, async () => {
  for (const line of host.logs()) look(JSON.stringify(line), `log ${line.msg}`);
  for (const frame of frames) look(frame, "events");
  expect(frames.length).toBeGreaterThan(3);
  await host.stop();
  const allowed = /^(?:config\.json|token|backups\/config\/.*|auth\/[^/]+\.json)$/;
  for (const file of files(state)) {
    const where = relative(state, file);
    if (process.platform !== "win32" && where !== "config.json")
      expect((statSync(file).mode & 0o077).toString(8), where).toBe("0");
    if (!allowed.test(where)) look(readFileSync(file, "latin1"), where);
  }
  expectNone();
});

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
