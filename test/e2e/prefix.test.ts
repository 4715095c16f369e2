/** The WebUI behind proxies: below a path, at `gateway.basePath`, and where somebody else says who people are, or nobody does. */
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { stage } from "./kit.ts";

const scene = stage();
const prefix = "/deep/chela";

/** What the proxy adds to each request, and whether it asks people to sign in again. */
interface Proxy {
  headers: Record<string, string>;
  isClosed: boolean;
}

/** A reverse proxy with WebSockets, as nginx is set up for one: it takes the prefix off and keeps the Host. */
async function startProxy(proxy: Proxy = { headers: {}, isClosed: false }): Promise<string> {
  const target = new URL(scene.gateway.url);
  const pass = ({ url = "/", method, headers: own }: IncomingMessage) => {
    const headers = { ...own, ...proxy.headers };
    const path = url.slice(prefix.length) || "/";
    return request({ host: target.hostname, port: target.port, method, headers, path });
  };
  const server: Server = createServer((req, res) => {
    if (!req.url?.startsWith(`${prefix}/`)) return void res.writeHead(404).end();
    if (proxy.isClosed) return void res.writeHead(302, { location: "https://login.example/" }).end();
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

async function configure(changes: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [path, value] of Object.entries(changes)) await scene.call("config.set", { path, value });
}

const leave = (page: Page) => page.getByRole("button", { name: "Sign out" });

describe("a gateway that knows people in another way", () => {
  it("takes whom its proxy names, and says so when the proxy wants to know anew", async () => {
    await configure({
      "gateway.trustedProxies": ["127.0.0.1"],
      "gateway.auth.trustedProxy": { allowLoopback: true, scopes: ["read"] },
      "gateway.auth.mode": "trusted-proxy",
    });
    const proxy: Proxy = { headers: { "x-forwarded-user": "alice", "x-forwarded-for": "192.0.2.7" }, isClosed: false };
    const page = await scene.visit({ stranger: true, allow: /403|Failed to load|Content Security|WebSocket/ });
    await page.goto(`${await startProxy(proxy)}#/keys`);
    await page.getByText("alice · Version").waitFor();
    expect(await leave(page).count()).toBe(0);
    proxy.isClosed = true;
    await page.getByRole("link", { name: "Plugins" }).click();
    await page.getByText("asks you to sign in").waitFor();
    proxy.isClosed = false;
    proxy.headers = { "x-forwarded-for": "192.0.2.7" };
    await page.getByRole("button", { name: "Reload the page" }).click();
    await page.getByText("open it through the proxy").waitFor();
  });

  it("takes everybody at its own machine, and tells others why they are nobody", async () => {
    await configure({ "gateway.trustedProxies": [], "gateway.auth.mode": "none" });
    const page = await scene.visit({ stranger: true, at: "#/keys" });
    await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
    expect(await leave(page).count()).toBe(0);
    expect(await page.context().cookies()).toEqual([]);
    await page.goto(await startProxy({ headers: { "x-forwarded-for": "192.0.2.7" }, isClosed: false }));
    await page.getByText("This gateway asks nobody to sign in").waitFor();
    expect(await page.getByRole("textbox").count()).toBe(0);
    await configure({ "gateway.auth.mode": "token" });
  });
});

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
