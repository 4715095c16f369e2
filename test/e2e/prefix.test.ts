/** The WebUI below a path: behind a proxy that takes the path off, and at `gateway.basePath` of the gateway itself. */
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { stage } from "./kit.ts";

const scene = stage();
const prefix = "/deep/chela";

/** A reverse proxy with WebSockets, as nginx is set up for one: it takes the prefix off and keeps the Host. */
async function startProxy(): Promise<string> {
  const target = new URL(scene.gateway.url);
  const pass = ({ url = "/", method, headers }: IncomingMessage) =>
    request({ host: target.hostname, port: target.port, method, headers, path: url.slice(prefix.length) || "/" });
  const server: Server = createServer((req, res) => {
    if (!req.url?.startsWith(`${prefix}/`)) return void res.writeHead(404).end();
    const upstream = pass(req).on("response", (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    upstream.on("error", () => res.destroy());
    req.pipe(upstream);
  });
  server.on("upgrade", (req, socket) => {
    const upstream = pass(req).on("upgrade", (answer, other) => {
      const headers = answer.rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
      socket.pipe(other).pipe(socket);
      socket.on("error", () => other.destroy());
      other.on("error", () => socket.destroy());
    });
    upstream.on("error", () => socket.destroy());
    upstream.end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}/`;
}

/** Signs in at this address, says something, and reads the answer. */
async function chatAt(page: Page, address: string): Promise<void> {
  await page.goto(`${address}?token=${scene.gateway.token}#/chat/prefix`);
  const field = page.getByRole("textbox", { name: /Message/ });
  await field.fill("/echo below a path");
  await field.press("Enter");
  await page.getByText("below a path", { exact: true }).last().waitFor();
  expect(page.url()).not.toContain("token");
  await page.reload();
  await page.getByText("below a path", { exact: true }).last().waitFor();
}

describe("below a path", () => {
  it("works behind a proxy that takes the path off", async () => {
    const proxy = await startProxy();
    await chatAt(await scene.visit({ stranger: true }), proxy);
  });

  it("works at the base path of the gateway, with the cookie kept to it", async () => {
    const body = JSON.stringify({ method: "config.set", params: { path: "gateway.basePath", value: prefix } });
    expect((await scene.gateway.fetch("/api/call", { method: "POST", body })).status).toBe(200);
    const page = await scene.visit({ stranger: true });
    await chatAt(page, `${scene.gateway.url}${prefix}/`);
    const [cookie] = await page.context().cookies();
    expect(cookie?.path).toBe(prefix);
  });
});
