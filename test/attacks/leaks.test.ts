/** S-16 … S-21: what the gateway tells strangers, readers, its log and its disk. One canary per secret, looked for everywhere. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join, relative } from "node:path";
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { bearer, call, gatewayWith, keyWith, raw, send, upgrade } from "./kit.ts";

const canaries = {
  token: "canary-token-5f1c9a",
  password: "canary-password-77ab",
  apiKey: "canary-api-key-0d3e",
  fromEnv: "canary-from-env-9c41",
  guess: "canary-wrong-guess-81",
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

let host: TestHost;
let dir: ReturnType<typeof makeTempDir>;

beforeAll(async () => {
  dir = makeTempDir("leaks");
  host = await gatewayWith([], {
    stateDir: dir.path,
    env: { CANARY_KEY: canaries.fromEnv },
    config: `{
      // kept by every writer
      "gateway": { "auth": { "mode": "token", "token": "${canaries.token}", "password": "${canaries.password}" } },
      "models": { "providers": {
        "one": { "api_base": "http://127.0.0.1:9/v1", "api_key": "${canaries.apiKey}", "models": ["m"] },
        "two": { "api_base": "http://127.0.0.1:9/v1", "api_key": "\${CANARY_KEY}", "models": ["m"] }
      } }
    }`,
  });
});
afterAll(async () => {
  await host.stop();
  dir.remove();
});

const owner = (path: string, init: Parameters<typeof send>[2] = {}) =>
  send(host, path, { ...init, headers: { ...bearer(canaries.token), ...init.headers } });
const rpc = (method: string, params: unknown = {}) => call(host, method, params, canaries.token);

function expectClean(text: string, where: string, but: readonly string[] = []): void {
  for (const secret of Object.values(canaries))
    if (!but.includes(secret)) expect(text.includes(secret), `${secret} in ${where}`).toBe(false);
}

describe("S-16: strangers", () => {
  it("learn nothing about the machine", async () => {
    for (const path of [
      "/health",
      "/ready",
      "/",
      "/nowhere",
      "/api/webui/session",
      "/api/status",
      "/api/config",
      "/openapi.json",
      "/metrics",
      "/v1/models",
      "/api//x",
    ]) {
      const { text, headers } = await send(host, path);
      const said = text + JSON.stringify(headers);
      for (const private_ of [
        dir.path,
        hostname(),
        process.version,
        process.cwd(),
        "x-powered-by",
        "node_modules",
        ".ts:",
      ]) {
        expect(said.includes(private_), `${private_} in ${path}: ${said}`).toBe(false);
      }
      if (path !== "/") expect(text.length, path).toBeLessThan(600);
    }
    expect(await upgrade(host, "/api/events/live")).toBe(401);
  });
});

describe("S-18: readers", () => {
  it("see no secret on any read path", async () => {
    await rpc("config.set", { path: "models.providers.one.timeout_sec", value: 30 });
    const routes = host.plugins.list().flatMap(({ id }) => host.plugins.info(id).contributions.routes);
    const reads = routes.filter(({ method, path }) => method === "GET" && !path.includes(":") && !path.includes("*"));
    expect(reads.length).toBeGreaterThan(8);
    for (const { path } of reads) {
      for (const query of ["", "?mode=normalized&include_hot_reload_fields=1", "?mode=hot", "?mode=raw"]) {
        expectClean((await owner(path + query)).text, `GET ${path}${query}`);
      }
    }
    const methods = host.plugins.list().flatMap(({ id }) => host.plugins.info(id).contributions.methods);
    const asking = methods.filter(({ name }) =>
      /\.(get|list|info|status|health|startup|diff|backups|schema|recent|models|doctor|history)$/.test(name),
    );
    expect(asking.length).toBeGreaterThan(8);
    for (const { name } of asking)
      expectClean((await rpc(name, name === "plugins.info" ? { id: "providers" } : {})).text, name);
  });

  it("see none when they ask for it by its path, in a plan, in an error", async () => {
    for (const path of [
      "gateway.auth.token",
      "gateway.auth.password",
      "gateway.auth",
      "models.providers.one.api_key",
      "models",
      "",
    ]) {
      expectClean((await rpc("config.get", { path })).text, `config.get ${path}`);
    }
    expectClean(
      (await rpc("config.plan", { path: "gateway.auth.token", value: "another-token-entirely" })).text,
      "config.plan",
    );
    expectClean(
      (await rpc("config.plan", { text: readFileSync(join(dir.path, "config.json"), "utf8") })).text,
      "config.plan of a file",
    );
    expectClean((await rpc("config.set", { path: "models.providers.one.api_key.x", value: 1 })).text, "a refused set");
    expectClean((await rpc("config.set", { path: "gateway.auth.mode", value: "tokens" })).text, "a bad mode");
    expectClean((await rpc("config.diff")).text, "config.diff");
    expectClean((await rpc("logs.recent", { limit: 1000 })).text, "logs.recent");
  });

  it("see none of it on the event stream when it changes", async () => {
    const socket = await upgrade(host, "/api/events/live?since=0", bearer(canaries.token));
    if (typeof socket === "number") throw new Error(`refused with ${socket}`);
    const frames: unknown[] = [await socket.next()];
    await rpc("config.set", { path: "models.providers.one.api_key", value: `${canaries.apiKey}-2` });
    frames.push(await socket.next());
    expectClean(JSON.stringify(frames), "/api/events/live");
    socket.close();
  });
});

describe("S-17: the log", () => {
  it("holds neither tokens in URLs nor bearers nor guesses, in memory or on disk", async () => {
    await send(host, `/api/version?token=${canaries.token}&x=1`);
    await send(host, `/api/version?token=${canaries.guess}`);
    await send(host, `/nowhere?token=${canaries.token}`);
    await send(host, `/api//x?token=${canaries.token}`);
    await owner("/api/nothing", {
      headers: { referer: `http://x/?token=${canaries.token}`, "user-agent": `curl ${canaries.token}` },
    });
    await upgrade(host, `/api/events/live?token=${canaries.guess}`);
    await rpc("config.set", { path: "no.such.path", value: canaries.token });
    await until(() => host.logs().length > 3);
    expectClean(JSON.stringify(host.logs()), "the log");
    for (const file of files(join(dir.path, "logs"))) expectClean(readFileSync(file, "utf8"), file);
  });
});

describe("S-19: references", () => {
  it("survive a save from the UI, and comments with them", async () => {
    const shown = JSON.parse((await owner("/api/config")).text) as Record<string, unknown>;
    const saved = await owner("/api/config", { body: JSON.stringify({ ...shown, plugins: { drainMs: 4321 } }) });
    expect(saved.status, saved.text).toBe(200);
    const text = readFileSync(join(dir.path, "config.json"), "utf8");
    expect(text).toContain("$" + "{CANARY_KEY}");
    expect(text).not.toContain(canaries.fromEnv);
    expect(text).toContain("// kept by every writer");
    expect(text).toContain(canaries.token);
    expect(text).toContain("4321");
    expect(text).not.toContain("REDACTED");
    expect((await owner("/api/version")).status).toBe(200);
  });
});

describe("S-20: the disk", () => {
  it("shows nothing to others on this machine", async () => {
    await keyWith(host, ["read"], { owner: canaries.token });
    await owner("/api/chat", { body: '{"message":"hello"}' });
    await rpc("config.set", { path: "plugins.drainMs", value: 1000 });
    if (process.platform === "win32") return;
    const all = files(dir.path);
    expect(all.some((file) => file.includes("backups"))).toBe(true);
    for (const file of all) {
      expect((statSync(file).mode & 0o077).toString(8), relative(dir.path, file)).toBe("0");
    }
  });

  it("holds keys as hashes and secrets only where the operator put them", async () => {
    const key = await keyWith(host, ["read"], { name: "hashed", owner: canaries.token });
    for (const file of files(dir.path)) {
      const bytes = readFileSync(file, "latin1");
      const where = relative(dir.path, file);
      expect(bytes.includes(key), where).toBe(false);
      const isConfig = where === "config.json" || where.startsWith("backups");
      expectClean(bytes, where, isConfig ? [canaries.token, canaries.password, canaries.apiKey] : []);
    }
  });
});

describe("S-21: forged log lines", () => {
  it("cannot be made with anything a client sends", async () => {
    const forged = '\u009b2J\u0085{"level":"fatal","msg":"forged"}';
    const headers = `host: x\r\nuser-agent: ${forged}\r\norigin: http://${forged}\r\nauthorization: Bearer ${canaries.token}\r\nconnection: close\r\n`;
    await raw(host, `GET /api/version HTTP/1.1\r\n${headers}\r\n`);
    await raw(host, `GET /api/${encodeURIComponent("\u009b\u2028x")} HTTP/1.1\r\n${headers}\r\n`);
    await owner("/api/chat", {
      body: JSON.stringify({
        message: 'a\n{"level":"fatal","msg":"forged"}\u001b[2J',
        session: "s\r\nforged\u001b[31m",
      }),
    });
    await rpc('x\n{"level":"fatal"}\u001b[2J', {});
    await owner("/api/config", { body: JSON.stringify({ "gate\u001b[2J\nway": 1 }) });
    for (const line of host.logs()) {
      for (const text of texts(line)) expect(text).not.toMatch(control);
      expect(line).not.toMatchObject({ msg: "forged" });
    }
    for (const file of files(join(dir.path, "logs"))) {
      const text = readFileSync(file, "utf8");
      expect(text.replaceAll("\n", ""), file).not.toMatch(control);
      for (const line of text.trim().split("\n")) expect(JSON.parse(line)).not.toMatchObject({ msg: "forged" });
    }
  });
});

/** Every string in a log line, however deep. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
