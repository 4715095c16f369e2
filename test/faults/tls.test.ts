/** TLS on the one port: at the start and by a config change, with certificates that are renewed, and files that are no good. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { type PeerCertificate, connect as tlsConnect } from "node:tls";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { runCli } from "../kit/cli.ts";
import { gatewayUrl, type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { type Answer, stop, writeConfig } from "./kit.ts";
import { openRaw } from "./raw-socket.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
const ca = [readFileSync(fixture("first.crt")), readFileSync(fixture("second.crt"))];
const pair = (name: "first" | "second") => ({ certPath: fixture(`${name}.crt`), keyPath: fixture(`${name}.key`) });

function withConfig(tls: object): string {
  const stateDir = tempDir("tls");
  writeFileSync(join(stateDir, "config.json"), JSON.stringify({ gateway: { tls } }));
  return stateDir;
}

/** `/ready` cannot be asked by a client that does not know the certificate: the URL and a request say as much. */
async function startedWithTls(stateDir: string): Promise<RunningGateway> {
  const gateway = await startGateway({ stateDir, bare: true });
  await until(async () => {
    if (gateway.child.exitCode !== null) throw new Error(gateway.output().stderr);
    gateway.url = gatewayUrl(stateDir);
    gateway.token = readFileSync(join(stateDir, "token"), "utf8").trim();
    return (await secure(gateway, "/ready")).status === 200;
  }, 15_000);
  return gateway;
}

function secure(gateway: RunningGateway, path: string, body?: unknown): Promise<Answer> {
  const { port } = new URL(gateway.url);
  const headers = { authorization: `Bearer ${gateway.token}` };
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve, reject) => {
    const req = httpsRequest({ host: "localhost", port, path, method, headers, ca, agent: false }, (res) => {
      let text = "";
      res.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      res.on("end", () => resolve({ status: res.statusCode ?? 0, text }));
      res.on("error", reject);
    });
    req.on("error", reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function certificate(gateway: RunningGateway): Promise<PeerCertificate> {
  const { port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ host: "localhost", port: Number(port), ca, servername: "localhost" }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

function openSecureSocket(gateway: RunningGateway): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${gateway.token}` };
  const ws = new WebSocket(`${gateway.url.replace("https", "wss")}/api/events/live`, { ca, headers });
  return new Promise((resolve, reject) => ws.once("open", () => resolve(ws)).once("error", reject));
}

describe("a gateway with TLS", () => {
  it("serves requests, streams and a slow one to its end when it is stopped; nobody without a handshake holds that up", async () => {
    const gateway = await startedWithTls(withConfig(pair("first")));
    expect(gateway.url).toMatch(/^https:/);
    expect((await secure(gateway, "/api/chat", { message: "/echo hello" })).text).toContain('"reply":"hello"');
    const socket = await openSecureSocket(gateway);
    const plain = openRaw(gateway.url);
    plain.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    await until(() => plain.ended(), 3000, "plain HTTP to be hung up on");
    expect(plain.text()).not.toContain("200 OK");
    openRaw(gateway.url).write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    openRaw(gateway.url);
    const slow = secure(gateway, "/api/chat", { message: "/slow 500" });
    await until(async () => (await secure(gateway, "/api/chat/history")).text.includes("/slow 500"));
    const closed = new Promise<number>((resolve) => socket.once("close", resolve));
    const from = performance.now();
    gateway.signal("SIGTERM");
    expect((await slow).status).toBe(200);
    expect(await closed).toBe(1012);
    expect(await gateway.ended).toBe(0);
    expect(performance.now() - from).toBeLessThan(4000);
  });

  it("takes over a renewed certificate without a cut, on gateway.restart and when the paths change", async () => {
    const stateDir = tempDir("tls");
    const tls = { certPath: join(stateDir, "live.crt"), keyPath: join(stateDir, "live.key") };
    const install = (name: string) => {
      copyFileSync(fixture(`${name}.crt`), tls.certPath);
      copyFileSync(fixture(`${name}.key`), tls.keyPath);
    };
    install("first");
    writeFileSync(join(stateDir, "config.json"), JSON.stringify({ gateway: { tls } }));
    const gateway = await startedWithTls(stateDir);
    const { url } = gateway;
    const socket = await openSecureSocket(gateway);
    expect((await certificate(gateway)).subject.O).toBe("Chela test first");
    install("second");
    const renewed = await secure(gateway, "/api/call", { method: "gateway.restart", params: { full: false } });
    expect(renewed).toMatchObject({ status: 200 });
    expect((await certificate(gateway)).subject.O).toBe("Chela test second");
    const changed = await secure(gateway, "/api/config", { gateway: { tls: pair("first") } });
    expect(JSON.parse(changed.text)).toMatchObject({ ok: true, restarted: ["gateway"] });
    expect((await certificate(gateway)).subject.O).toBe("Chela test first");
    writeFileSync(tls.certPath, "no certificate");
    expect(gatewayUrl(stateDir)).toBe(url);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
    await stop(gateway);
  });
});

describe("the command line", () => {
  it("knows its own gateway by the certificate in gateway.json, signed by whomever, and no other", async () => {
    const stateDir = withConfig(pair("first"));
    const gateway = await startedWithTls(stateDir);
    const chela = (...args: string[]) => runCli(args, { env: { CHELA_STATE_DIR: stateDir } });
    expect((await chela("status", "--json")).json()).toMatchObject({ url: gateway.url });
    expect((await chela("chat", "-m", "/echo over wss")).stdout).toContain("over wss");
    expect((await chela("config", "set", "gateway.tls", JSON.stringify(pair("second")))).code).toBe(0);
    expect((await certificate(gateway)).subject.O).toBe("Chela test second");
    expect((await chela("health")).code).toBe(0);
    const file = join(stateDir, "gateway.json");
    const facts = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...facts, certificate: readFileSync(fixture("first.crt"), "utf8") }));
    const fooled = await chela("call", "gateway.status");
    expect(fooled).toMatchObject({ code: 69, stderr: expect.stringContaining("cannot be reached") });
    writeFileSync(file, JSON.stringify(facts));
    await stop(gateway);
  });
});

describe("TLS by a config change", () => {
  it("answers over the old connection, goes on over TLS on the same port, and back", async () => {
    const gateway = await startGateway();
    const { port } = new URL(gateway.url);
    const answer = await writeConfig(gateway, { gateway: { tls: pair("first") } });
    expect(JSON.parse(answer.text)).toMatchObject({ ok: true, restarted: ["gateway"], failed: [] });
    gateway.url = gatewayUrl(gateway.stateDir);
    expect(gateway.url).toBe(`https://127.0.0.1:${port}`);
    expect((await secure(gateway, "/api/version")).status).toBe(200);
    const back = await secure(gateway, "/api/config", { gateway: { tls: { certPath: "", keyPath: "" } } });
    expect(back.status).toBe(200);
    gateway.url = gatewayUrl(gateway.stateDir);
    expect(gateway.url).toBe(`http://127.0.0.1:${port}`);
    expect((await gateway.fetch("/api/version")).status).toBe(200);
    await stop(gateway);
  });

  it("never lets go of the port: at no moment is a connection refused", async () => {
    const gateway = await startGateway();
    const port = Number(new URL(gateway.url).port);
    const seen = { connected: 0, refused: 0 };
    let knocking = true;
    const knock = async () => {
      while (knocking) seen[(await connects(port)) ? "connected" : "refused"] += 1;
    };
    const knockers = Promise.all([knock(), knock()]);
    for (let round = 0; round < 3; round += 1) {
      expect((await writeConfig(gateway, { gateway: { tls: pair("first") } })).status).toBe(200);
      gateway.url = gatewayUrl(gateway.stateDir);
      const back = await secure(gateway, "/api/config", { gateway: { tls: { certPath: "", keyPath: "" } } });
      expect(back.status).toBe(200);
      gateway.url = gatewayUrl(gateway.stateDir);
    }
    knocking = false;
    await knockers;
    expect(seen.refused).toBe(0);
    expect(seen.connected).toBeGreaterThan(20);
    await stop(gateway);
  });

  const bad: [string, object, RegExp][] = [
    [
      "a certificate that is not there",
      { certPath: "/nonexistent/a.crt", keyPath: fixture("first.key") },
      /certPath must.*nonexistent/,
    ],
    [
      "a key that is not there",
      { certPath: fixture("first.crt"), keyPath: "/nonexistent/a.key" },
      /keyPath must.*nonexistent/,
    ],
    [
      "a key of another certificate",
      { certPath: fixture("first.crt"), keyPath: fixture("second.key") },
      /keyPath must/,
    ],
    ["no PEM", { certPath: fileURLToPath(import.meta.url), keyPath: fixture("first.key") }, /certPath must/],
    ["a folder", { certPath: tmpFolder(), keyPath: fixture("first.key") }, /certPath must/],
    ["a certificate alone", { certPath: fixture("first.crt"), keyPath: "" }, /keyPath must/],
    ["a key alone", { certPath: "", keyPath: fixture("first.key") }, /certPath must/],
  ];

  it("with files that are no good is refused with the key, taken back whole, and serves on", async () => {
    const gateway = await startGateway();
    const file = join(gateway.stateDir, "config.json");
    writeFileSync(file, '{ "logging": { "level": "info" } } // mine\n');
    const events = new WebSocket(`${gateway.url.replace("http", "ws")}/api/events/live`, {
      headers: { authorization: `Bearer ${gateway.token}` },
    });
    await new Promise((resolve) => events.once("open", resolve));
    for (const [what, tls, message] of bad) {
      const before = readFileSync(file, "utf8");
      const answer = await writeConfig(gateway, { gateway: { tls } });
      expect(answer.status, what).toBe(400);
      expect(answer.text, what).toMatch(message);
      expect(readFileSync(file, "utf8"), what).toBe(before);
      expect((await gateway.fetch("/ready")).status, what).toBe(200);
    }
    expect(events.readyState).toBe(WebSocket.OPEN);
    events.terminate();
    await stop(gateway);
  });

  it("together with a plugin that refuses its new config is taken back too: the port answers as before", async () => {
    const gateway = await startGateway();
    const answer = await writeConfig(gateway, {
      gateway: { tls: pair("first") },
      store: { path: "/dev/null/chela.db" },
    });
    expect(answer.status).toBe(400);
    await until(async () => (await gateway.fetch("/ready")).status === 200, 5000, "plain HTTP to be back");
    expect(gatewayUrl(gateway.stateDir)).toMatch(/^http:/);
    expect((await gateway.fetch("/api/version")).status).toBe(200);
    await stop(gateway);
  });

  it.each(bad.slice(0, 3))("at a start, %s ends it with 1 and the key's name", async (_what, tls, message) => {
    const gateway = await startGateway({ stateDir: withConfig(tls), bare: true });
    expect(await gateway.ended).toBe(1);
    expect(gateway.output().stderr).toMatch(message);
    expect(gateway.output().stderr).not.toMatch(/\n\s+at /);
  });
});

function tmpFolder(): string {
  return fileURLToPath(new URL(".", import.meta.url));
}
