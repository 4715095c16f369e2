/**
 * Clients that offer HTTP/2 on a plain connection, as `curl --http2` and Java's HttpClient do with every request: a server
 * that does not want it answers in HTTP/1.1 as if nothing had been offered.
 */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { fileURLToPath } from "node:url";
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attacked, bearer, gatewayWith, raw, upgrade } from "../attacks/kit.ts";
import { until } from "../kit/until.ts";
import { openRaw } from "./raw-socket.ts";

let host: TestHost;
beforeAll(async () => {
  host = await gatewayWith([]);
});
afterAll(() => host.stop());

const offer = { upgrade: "h2c", "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA" };

function asked(line: string, headers: Record<string, string>, body = ""): string {
  const all = { host: new URL(host.url).host, ...bearer(host.token), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

const offered = (line: string, more: Record<string, string> = {}, body = "") =>
  asked(line, { connection: "Upgrade, HTTP2-Settings", ...offer, ...more }, body);
const statuses = (text: string) => text.match(/HTTP\/1\.1 \d{3}/g);

describe("an offer of another protocol", () => {
  it("changes nothing about the answer, nor about the requests after it on the connection", async () => {
    const last = asked("GET /health", { connection: "close" });
    const text = await raw(host, offered("GET /api/version") + offered("GET /nothing") + last);
    expect(statuses(text)).toEqual(["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
    expect(text).toContain('"gateway_version"');
    expect(text).toMatch(/ok$/);
  });

  it.each(["content-length", "transfer-encoding"])("comes with a body by %s, at once or piece by piece", async (by) => {
    const message = JSON.stringify({ message: "/echo grüße 😀", session: by });
    const bytes = Buffer.from(message);
    const length = by === "content-length" ? String(bytes.length) : "chunked";
    const head = Buffer.from(offered("POST /api/chat", { [by]: length }));
    const body = by === "content-length" ? [bytes] : [`${bytes.length.toString(16)}\r\n`, bytes, "\r\n0\r\n\r\n"];
    const whole = Buffer.concat([head, ...body.map((part) => Buffer.from(part))]);
    const pieces = Array.from({ length: Math.ceil(whole.length / 97) }, (_, at) =>
      whole.subarray(at * 97, at * 97 + 97),
    );
    for (const parts of [[whole], pieces]) {
      const socket = openRaw(host.url);
      for (const part of parts) {
        socket.write(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => /"stop":"stop"/.test(socket.text()), 5000, "the answer");
      expect(statuses(socket.text())).toEqual(["HTTP/1.1 200"]);
      expect(Buffer.from(socket.text(), "latin1").toString()).toContain('"reply":"grüße 😀"');
      socket.destroy();
    }
  });

  it("is asked for its body by 100 Continue", async () => {
    const body = '{"message":""}';
    const socket = openRaw(host.url);
    socket.write(offered("POST /api/chat", { expect: "100-continue", "content-length": String(body.length) }));
    await until(() => socket.text().includes("100 Continue"), 5000, "100 Continue");
    socket.write(body);
    await until(() => statuses(socket.text())?.includes("HTTP/1.1 200"), 5000, "the answer");
  });

  it("opens nothing: the rules are those of any request", async () => {
    const text = await raw(
      host,
      offered("GET /api/version", { authorization: "Bearer x", connection: "Upgrade, close" }),
    );
    expect(statuses(text)).toEqual(["HTTP/1.1 401"]);
    const stream = await raw(host, offered("GET /api/events/live", { connection: "upgrade, close" }));
    expect(statuses(stream)).toEqual(["HTTP/1.1 400"]);
    const twice = offered("GET /health", {
      connection: "Upgrade, close",
      "content-length": "4",
      "transfer-encoding": "chunked",
    });
    expect(statuses(await raw(host, twice))).toEqual(["HTTP/1.1 400"]);
  });

  it("leaves WebSockets as they are, whatever the case of the word", async () => {
    const socket = await upgrade(host, `/api/events/live?token=${host.token}`, { upgrade: "WebSocket" });
    expect(typeof socket === "number" ? socket : await socket.next()).toMatchObject({ type: "ready" });
    expect(await upgrade(host, "/api/events/live")).toBe(401);
    expect(await upgrade(host, "/nothing")).toBe(404);
  });

  it("is answered under TLS as well", async () => {
    const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
    const tls = { certPath: fixture("first.crt"), keyPath: fixture("first.key") };
    const secure = await attacked({ config: { gateway: { tls } } });
    const { port } = new URL(secure.url);
    const headers = { connection: "Upgrade, HTTP2-Settings", ...offer, ...bearer(secure.token) };
    const ca = readFileSync(fixture("first.crt"));
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const req = request({ host: "localhost", port, path: "/api/version", headers, ca, agent: false }, (res) => {
        res.resume().on("end", () => resolve(res.statusCode));
      });
      req.on("error", reject).end();
    });
    expect(status).toBe(200);
  });
});
