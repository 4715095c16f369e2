/** Bad requests over real connections: every door answers with its own refusal, never a 5xx, and goes on serving. */
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bearer, builtins, call, gatewayWith, raw, send } from "../attacks/kit.ts";
import { until } from "../kit/until.ts";
import { type Sim, startSim } from "../simulators/ilink/server.ts";
import { openRaw } from "./raw-socket.ts";

const bodyBytes = 200_000;
let host: TestHost;
let ilink: Sim;
beforeAll(async () => {
  ilink = await startSim();
  const weixin = { base_url: ilink.apiBase };
  host = await gatewayWith([], { config: { gateway: { limits: { bodyBytes } }, channels: { weixin } } });
});
afterAll(async () => {
  await host.stop();
  await ilink.close();
});

const garbage = ["{", "nonsense", '{"a":', "\u0000", '"\\ud800', "[1,]", "{'a':1}"];
/** JSON, but hardly what anybody waits for. */
const strange = ["null", "[]", "1", '"x"', "true", "{}", '{"__proto__":{"a":1}}', '{"method":7}', '{"messages":"x"}'];

interface RouteRow {
  readonly method: string;
  readonly path: string;
}

async function routesWithBodies(): Promise<RouteRow[]> {
  const ids = (await builtins()).map(({ id }) => id);
  const rows = ids.flatMap((id) => host.plugins.info(id).contributions.routes);
  return rows.filter(({ method }) => method !== "GET").map((row) => ({ ...row, path: row.path.replace(/:\w+/g, "x") }));
}

const post = (path: string, body: string, method = "POST") =>
  send(host, path, { method, body, headers: { ...bearer(host.token), "content-type": "application/json" } });

describe("malformed JSON", () => {
  it("is a 400 at every route that takes a body", async () => {
    const routes = (await routesWithBodies()).filter(({ method }) => method !== "DELETE");
    expect(routes.length).toBeGreaterThan(4);
    for (const { method, path } of routes) {
      for (const body of garbage) {
        const answer = await post(path, body, method);
        expect(answer.status, `${method} ${path} ${JSON.stringify(body)}`).toBe(400);
        expect(answer.text).not.toMatch(/\bat .*:\d+:\d+/);
      }
    }
  });

  it("reads like OpenAI's below /v1", async () => {
    const answer = await post("/v1/chat/completions", "{");
    expect(JSON.parse(answer.text)).toMatchObject({
      error: { message: expect.any(String), type: "invalid_request_error" },
    });
  });

  it("does not end the connection: the next request on it is answered", async () => {
    const bad = request("POST /api/call", { "content-length": "1" }, "{");
    const good = request("GET /api/version", { connection: "close" });
    const answer = await raw(host, bad + good);
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(["HTTP/1.1 400", "HTTP/1.1 200"]);
  });
});

describe("JSON of another shape", () => {
  it("is never a fault of the gateway: no route answers it with a 5xx", async () => {
    for (const { method, path } of await routesWithBodies()) {
      for (const body of strange) {
        const answer = await post(path, body, method);
        expect(answer.status, `${method} ${path} ${body}: ${answer.text}`).toBeLessThan(500);
      }
    }
  });

  it("nor does an RPC method", async () => {
    const harmful = new Set(["gateway.stop", "gateway.restart"]);
    const names = host.gateway.methods().map(({ name }) => name);
    const params = [null, [], 7, "x", { nonsense: true }, JSON.parse('{"__proto__":{"a":1}}'), { id: "__proto__" }];
    const faults: string[] = [];
    for (const name of names.filter((method) => !harmful.has(method))) {
      for (const value of params) {
        const { status, text } = await call(host, name, value);
        if (status >= 500) faults.push(`${name} ${JSON.stringify(value)}: ${status} ${text}`);
      }
    }
    expect(faults).toEqual([]);
    expect(names.length).toBeGreaterThan(30);
  });
});

describe("a body that is too large", () => {
  it("is refused at the length it declares, before one byte of it came; the connection then ends", async () => {
    const answer = await raw(host, request("POST /api/call", { "content-length": String(bodyBytes + 1) }));
    expect(answer).toMatch(/^HTTP\/1\.1 413/);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  });

  it("is not asked for by 100 Continue", async () => {
    const headers = { "content-length": String(bodyBytes + 1), expect: "100-continue" };
    expect(await raw(host, request("POST /api/call", headers))).toMatch(/^HTTP\/1\.1 413/);
    const stranger = await raw(host, request("POST /api/call", { ...headers, authorization: "Bearer wrong" }));
    expect(stranger).toMatch(/^HTTP\/1\.1 401/);
  });

  it("is asked for when it will be read", async () => {
    const body = JSON.stringify({ method: "gateway.status" });
    const headers = { "content-length": String(body.length), expect: "100-continue", connection: "close" };
    const socket = openRaw(host.url);
    socket.write(request("POST /api/call", headers));
    await until(() => socket.text().startsWith("HTTP/1.1 100"), 5000, "100 Continue");
    socket.write(body);
    await until(() => socket.ended(), 5000, "the end");
    expect(socket.text()).toMatch(/\r\n\r\nHTTP\/1\.1 200/);
  });

  it("is refused at the byte when it declares none, and the client that still sends gets to read that", async () => {
    const chunk = (size: number) => `${size.toString(16)}\r\n${" ".repeat(size)}\r\n`;
    const head = request("POST /api/call", { "transfer-encoding": "chunked" });
    const exact = await raw(host, `${head}${chunk(bodyBytes)}0\r\n\r\n`, (text) => text.includes("invalid json"));
    expect(exact).toMatch(/^HTTP\/1\.1 400/);
    const socket = openRaw(host.url);
    socket.write(head + chunk(bodyBytes));
    socket.write(chunk(1));
    for (let i = 0; i < 20; i += 1) socket.write(chunk(60_000));
    await until(() => socket.ended(), 5000, "the end of the connection");
    expect(socket.text()).toMatch(/^HTTP\/1\.1 413/);
    expect(socket.text()).toContain(`larger than ${bodyBytes} bytes`);
  });

  it("that never ends is cut off soon after the answer", async () => {
    const socket = openRaw(host.url);
    socket.write(request("POST /api/call", { "transfer-encoding": "chunked" }));
    const pour = setInterval(() => socket.write(`ea60\r\n${" ".repeat(60_000)}\r\n`), 5);
    onTestFinished(() => clearInterval(pour));
    const from = performance.now();
    await until(() => socket.closed(), 5000, "the connection to be cut");
    expect(socket.text()).toMatch(/^HTTP\/1\.1 413/);
    expect(performance.now() - from).toBeLessThan(4000);
  });
});

describe("what nobody serves", () => {
  it.each([
    ["GET", "/nothing", 404],
    ["POST", "/nothing", 404],
    ["PUT", "/api/version", 405],
    ["PROPFIND", "/api/version", 405],
    ["TRACE", "/api/version", 405],
    ["HEAD", "/api/version", 405],
    ["GET", "/api/call", 405],
    ["GET", "/api/events/live", 400],
    ["POST", "/api/events/live", 405],
    ["GET", "/API/version", 404],
    ["GET", "/api/version/", 404],
  ])("%s %s is %d", async (method, path, status) => {
    const answer = await send(host, path, { method, headers: bearer(host.token) });
    expect(answer.status).toBe(status);
    if (status === 405) expect(answer.headers.allow).toMatch(/GET|POST/);
  });

  it("is told to a client that is still sending a large body", async () => {
    const socket = openRaw(host.url);
    socket.write(request("POST /nothing", { "content-length": "5000000" }));
    socket.write(" ".repeat(1_000_000));
    await until(() => socket.ended(), 5000, "the end");
    expect(socket.text()).toMatch(/^HTTP\/1\.1 404/);
  });

  it.each([
    ["an unknown method", "BREW /coffee HTTP/1.1\r\nhost: x\r\n\r\n", /^HTTP\/1\.1 400/],
    ["no HTTP at all", "hello\r\n\r\n", /^HTTP\/1\.1 400/],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /^HTTP\/1\.1 400/],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^(HTTP\/1\.1 400|HTTP\/1\.1 505)?/],
    ["no Host", "GET /health HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400/],
    ["a tunnel", "CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n", /^(HTTP\/1\.1 4\d\d|$)/],
    [
      "two lengths",
      "POST /api/call HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
      /^HTTP\/1\.1 400/,
    ],
    [
      "a length and chunks",
      "POST /api/call HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400/,
    ],
    [
      "a chunk without a size",
      "POST /api/call HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      /^HTTP\/1\.1 4\d\d/,
    ],
    ["a folded header", "GET /health HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n", /^HTTP\/1\.1 [24]00/],
  ])("%s ends with an answer, and only that connection", async (_name, bytes, expected) => {
    const text = await raw(host, bytes, (seen) => seen.includes("ok"));
    expect(text).toMatch(expected);
    expect((await send(host, "/health")).text).toBe("ok");
  });
});

describe("a path that can be read in two ways", () => {
  it.each([
    ["/api/%2e%2e/health"],
    ["/api/%2fversion"],
    ["//api/version"],
    ["/api/../api/version"],
    ["/api/version%00"],
    ["/api/versi%6fn"],
    ["/api\\version"],
    ["/api/version;x=1"],
    ["/api/%zz"],
    ["http://elsewhere/api/version"],
    ["*"],
  ])("%s is refused, with and without a credential", async (target) => {
    for (const token of [host.token, "wrong"]) {
      const headers = { authorization: `Bearer ${token}`, connection: "close" };
      const answer = await raw(host, request(`GET ${target}`, headers));
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
      expect(answer).not.toContain("gateway_version");
    }
  });
});

function request(line: string, headers: Record<string, string> = {}, body = ""): string {
  const all = { host: new URL(host.url).host, ...bearer(host.token), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}
