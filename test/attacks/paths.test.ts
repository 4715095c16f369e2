/** S-13: whatever a path is dressed up as, it is refused, unknown, or needs the credential: never served without one. */
import { definePlugin } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayWith, raw, send, statusOf } from "./kit.ts";

const open = definePlugin({
  id: "open",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({
      method: "GET",
      path: "/public/:name",
      access: "public",
      handler: ({ params, path }) => ({ params, path }),
    });
    ctx.route({ method: "GET", path: "/guarded", access: "admin", handler: () => "served" });
  },
});

let host: TestHost;
beforeAll(async () => {
  host = await gatewayWith([open]);
});
afterAll(() => host.stop());

describe.each(["/guarded", "/api/config", "/v1/models"])("%s", (path) => {
  const [, first = "", ...rest] = path.split("/");
  const tail = ["", ...rest].join("/");
  it.each([
    ["plainly", path, 401],
    ["with a query", `${path}?token=`, 401],
    ["behind another slash", `/${path}`, 400],
    ["ending in two", `${path}//`, 400],
    ["behind a dot", `/.${path}`, 400],
    ["out of a public folder", `/public/..${path}`, 400],
    ["out of it, encoded", `/public/%2e%2e${path}`, 400],
    ["out of it, half encoded", `/public/.%2e${path}`, 400],
    ["out of it by an encoded slash", `/public/..%2f${path.slice(1)}`, 400],
    ["out of it by a backslash", `/public/..\\${path.slice(1)}`, 400],
    ["out of it by an encoded backslash", `/public/..%5c${path.slice(1)}`, 400],
    ["out of it, encoded twice", `/public/%252e%252e${path}`, 400],
    ["out of it, overlong", `/public/%c0%ae%c0%ae${path}`, 400],
    ["with parameters", `${path};x=1`, 400],
    ["with parameters first", `/;x=1${path}`, 400],
    ["with an encoded letter", `/%${first.charCodeAt(0).toString(16)}${first.slice(1)}${tail}`, 400],
    ["with NUL", `${path}%00`, 400],
    ["with NUL and a suffix", `${path}%00.js`, 400],
    ["with a line", `${path}%0d%0ax: y`, 400],
    ["with a fragment", `${path}#x`, 400],
    ["in absolute form", `http://127.0.0.1${path}`, 400],
    ["in absolute form of another host", `http://evil.example${path}`, 400],
    ["without its slash", path.slice(1), 400],
    ["upper case", path.toUpperCase(), [401, 404]],
    ["with a slash at the end", `${path}/`, [401, 404]],
    ["with a dot at the end", `${path}.`, 404],
    ["with a space at the end", `${path}%20`, 404],
    ["with a suffix", `${path}.json`, 404],
  ] as [string, string, number | number[]][])("asked for %s", async (_name, target, expected) => {
    const statuses = [expected].flat();
    expect(statuses, target).toContain(await statusOf(host, target));
  });
});

it("hands a handler the very path that was judged", async () => {
  const get = async (target: string) => JSON.parse((await send(host, target)).text) as unknown;
  expect(await get("/public/a%20b")).toEqual({ params: { name: "a b" }, path: "/public/a%20b" });
  expect(await get("/public/%E4%BD%A0")).toEqual({ params: { name: "你" }, path: "/public/%E4%BD%A0" });
  expect(await get("/public/100%25")).toEqual({ params: { name: "100%" }, path: "/public/100%25" });
});

it.each([
  [
    "two requests in one, by length and chunks",
    "POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["two lengths", "POST /api/chat HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n{}  "],
  ["a folded header", "GET /guarded HTTP/1.1\r\nhost: x\r\nx: a\r\n b\r\n\r\n"],
  ["a space before the colon", "GET /guarded HTTP/1.1\r\nhost : x\r\n\r\n"],
  ["no host", "GET /guarded HTTP/1.1\r\n\r\n"],
  ["control bytes in a header", "GET /guarded HTTP/1.1\r\nhost: x\r\nx: a\u0000b\r\n\r\n"],
  ["something else entirely", "\u0016\u0003\u0001\u0000\u0005hello\r\n\r\n"],
  ["an asterisk", "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
  ["a tunnel", "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n"],
])("refuses %s and serves on", async (_name, bytes) => {
  const answer = await raw(host, bytes, (text) => /^HTTP\/1\.1 \d+/.test(text) && text.includes("\r\n\r\n"));
  expect(answer === "" || /^HTTP\/1\.1 4\d\d /.test(answer), answer).toBe(true);
  expect(await statusOf(host, "/health")).toBe(200);
});

it("bounds headers in bytes", async () => {
  const answer = await raw(host, `GET /health HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(70_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 431/);
});
