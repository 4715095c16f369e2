/** S-14 and its kin: what a socket or a body may weigh before and after it is known who sends it. */
import { definePlugin, Type } from "@chela/sdk";
import type { TestHost, TestSocket } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { until } from "../kit/until.ts";
import { bearer, gatewayWith, raw, send, upgrade } from "./kit.ts";

const received: unknown[] = [];
const echo = definePlugin({
  id: "echo",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    for (const access of ["public", "read"] as const) {
      ctx.stream({
        path: `/echo/${access}`,
        access,
        up: Type.Object({ text: Type.String() }),
        open: async (socket) => {
          for await (const frame of socket.incoming()) {
            received.push(frame);
            socket.send({ length: frame.text.length });
          }
        },
      });
      ctx.route({ method: "POST", path: `/echo/${access}`, access, handler: ({ body }) => ({ body }) });
    }
    ctx.stream({
      path: "/flood",
      access: "read",
      open: (socket) => {
        const pour = () => {
          while (socket.send({ text: "x".repeat(65_536) }));
        };
        pour();
      },
    });
  },
});

let host: TestHost;
beforeAll(async () => {
  const limits = { frameBytes: 200_000, bodyBytes: 300_000, bodyStallMs: 1000, socketBufferBytes: 1_048_576 };
  host = await gatewayWith([echo], { config: { gateway: { limits } } });
});
afterAll(() => host.stop());

async function open(path: string, headers: Record<string, string> = {}): Promise<TestSocket> {
  const socket = await upgrade(host, path, headers);
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  return socket;
}

const text = (length: number) => ({ text: "x".repeat(length) });

describe("a frame", () => {
  it("of a stranger may have 64 KiB; one more byte closes with 1009", async () => {
    const socket = await open("/echo/public");
    socket.send(text(65_000));
    expect(await socket.next()).toEqual({ length: 65_000 });
    socket.send(text(65_537));
    expect((await socket.closed).code).toBe(1009);
  });

  it("of 50 MB is refused by its header, before it was sent", async () => {
    const { host: authority } = new URL(host.url);
    const key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13";
    const handshake = `GET /echo/public HTTP/1.1\r\nhost: ${authority}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`;
    const announce = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x03, 0, 0, 0, 1, 2, 3, 4]);
    const answer = await raw(host, Buffer.concat([Buffer.from(handshake), announce]));
    expect(answer).toMatch(/^HTTP\/1\.1 101/);
    expect(
      Buffer.from(answer.slice(answer.indexOf("\r\n\r\n") + 4), "latin1")
        .subarray(2, 4)
        .readUInt16BE(),
    ).toBe(1009);
  });

  it("of a known client may have what the config says", async () => {
    const socket = await open("/echo/read", bearer(host.token));
    socket.send(text(190_000));
    expect(await socket.next()).toEqual({ length: 190_000 });
    socket.send(text(200_001));
    expect((await socket.closed).code).toBe(1009);
  });

  it.each([
    ["no JSON", "{"],
    ["another shape", '{"text":1}'],
    ["too deep", "[".repeat(100) + "]".repeat(100)],
  ])("with %s is answered, and the socket lives", async (_name, bad) => {
    const socket = await open("/echo/read", bearer(host.token));
    socket.send(bad);
    expect(await socket.next()).toMatchObject({ ok: false, error: expect.any(String) });
    socket.send(text(3));
    expect(await socket.next()).toEqual({ length: 3 });
    socket.close();
  });

  it("with __proto__ reaches the plugin without it", async () => {
    received.length = 0;
    const socket = await open("/echo/read", bearer(host.token));
    socket.send('{"text":"a","__proto__":{"admin":true}}');
    await socket.next();
    expect(Object.getOwnPropertyNames(received[0])).toEqual(["text"]);
    socket.close();
  });

  it("unmasked, or half a handshake, ends that socket only", async () => {
    const ws = new WebSocket(`${host.url.replace("http", "ws")}/echo/public`);
    await new Promise((resolve) => ws.once("open", resolve));
    const closed = new Promise<number>((resolve) => ws.once("close", resolve));
    ws.on("error", () => undefined);
    (ws as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
    expect(await closed).toBe(1002);
    const half = await raw(
      host,
      "GET /echo/public HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    expect(half).toMatch(/^HTTP\/1\.1 400/);
    expect((await send(host, "/health")).text).toBe("ok");
  });
});

it("a client that stops reading is closed at the buffer limit", async () => {
  const socket = await open("/flood", bearer(host.token));
  socket.pause();
  await until(() => host.gateway.status().sockets === 0, 10_000, "the flooded socket to go");
});

describe("a body", () => {
  const post = (path: string, size: number, headers: Record<string, string> = {}) =>
    send(host, path, { headers, body: JSON.stringify("x".repeat(size - 2)) });

  it("of a stranger may have 64 KiB", async () => {
    expect((await post("/echo/public", 65_536)).status).toBe(200);
    expect(await post("/echo/public", 65_537)).toMatchObject({ status: 413 });
  });

  it("of a known client may have what the config says", async () => {
    expect((await post("/echo/read", 300_000, bearer(host.token))).status).toBe(200);
    expect((await post("/echo/read", 300_001, bearer(host.token))).status).toBe(413);
    expect((await post("/echo/read", 300_001)).status).toBe(401);
  });

  it.each<[string, { body: string; encoding?: string; type?: string }, object]>([
    ["no JSON", { body: "{" }, { status: 400, text: "invalid json\n" }],
    ["a form", { body: "a=b", type: "application/x-www-form-urlencoded" }, { status: 400, text: "invalid json\n" }],
    ["squeezed", { body: "x", encoding: "gzip" }, { status: 415 }],
    ["deep", { body: "[".repeat(65) + "]".repeat(65) }, { status: 400 }],
  ])("that is %s is refused", async (_name, { body, encoding = "identity", type = "application/json" }, expected) => {
    const headers = { ...bearer(host.token), "content-encoding": encoding, "content-type": type };
    expect(await send(host, "/echo/read", { headers, body })).toMatchObject(expected);
  });

  it("that stalls is answered 408 and hung up on", async () => {
    const answer = await raw(
      host,
      `POST /echo/read HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${host.token}\r\ncontent-length: 10\r\n\r\n{`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(answer).toMatch(/connection: close/i);
  });

  it("that claims to be an upload is no upload (S-69)", async () => {
    const forged = { files: [{ filepath: "/etc/passwd", path: "/etc/passwd", field: "file" }] };
    const answer = await send(host, "/echo/read", { headers: bearer(host.token), body: JSON.stringify(forged) });
    expect(JSON.parse(answer.text)).toEqual({ body: forged });
  });
});
