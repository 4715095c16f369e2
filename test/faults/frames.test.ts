/** Bad frames at every stream there is: the gateway answers or closes that one socket, and holds nothing afterwards. */
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { bearer, builtins, gatewayWith, raw, send } from "../attacks/kit.ts";
import { until } from "../kit/until.ts";

const frameBytes = 100_000;
let host: TestHost;
let streams: string[] = [];
beforeAll(async () => {
  host = await gatewayWith([], {
    config: { gateway: { limits: { frameBytes } }, relay: { max_frame_bytes: frameBytes } },
  });
  const ids = (await builtins()).map(({ id }) => id);
  streams = ids.flatMap((id) => host.plugins.info(id).contributions.streams.map(({ path }) => path));
});
afterAll(() => host.stop());

interface Client {
  readonly ws: WebSocket;
  readonly frames: string[];
  code(): number | undefined;
}

async function open(path: string): Promise<Client> {
  const ws = new WebSocket(host.url.replace("http", "ws") + path, { headers: bearer(host.token) });
  onTestFinished(() => ws.terminate());
  const frames: string[] = [];
  let code: number | undefined;
  ws.on("error", () => undefined);
  ws.on("message", (data) => void frames.push(String(data)));
  ws.on("close", (closed) => {
    code = closed;
  });
  await new Promise((resolve, reject) => ws.once("open", resolve).once("error", reject));
  return { ws, frames, code: () => code };
}

/** The socket under the WebSocket: for bytes that no client would send. */
function wire({ ws }: Client): { write(bytes: Uint8Array): void } {
  return (ws as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket;
}

async function nothingLeft(): Promise<void> {
  await until(() => host.gateway.status().sockets === 0, 5000, "every socket to be forgotten");
  expect((await send(host, "/health")).text).toBe("ok");
}

const badFrames: [string, string | Uint8Array][] = [
  ["binary", Uint8Array.of(1, 2, 3)],
  ["binary JSON", Buffer.from('{"message":"hi"}')],
  ["not JSON", "{"],
  ["empty", ""],
  ["nested too deep", "[".repeat(200) + "]".repeat(200)],
  ["JSON of another kind", "[1,2]"],
  ["null", "null"],
];

describe("every stream", () => {
  it("is known to this test", () => {
    expect(streams).toEqual(expect.arrayContaining(["/api/chat/live", "/api/events/live", "/api/logs/live"]));
  });

  it.each(badFrames)(
    "survives a frame that is %s: it says so, ignores it or closes in good order",
    async (_name, frame) => {
      for (const path of streams) {
        const client = await open(path);
        client.ws.send(frame);
        client.ws.ping();
        const pong = new Promise((resolve) => client.ws.once("pong", resolve));
        const closed = until(() => client.code() !== undefined, 5000, `${path} to answer`);
        await Promise.race([pong, closed]);
        const code = client.code();
        if (code !== undefined) expect([1000, 1005, 1011], path).toContain(code);
        client.ws.close();
        await closed;
      }
      await nothingLeft();
    },
  );

  it("closes with 1009 at a frame above the limit, whole or in pieces, and with 1002 or 1007 at broken ones", async () => {
    for (const path of streams) {
      const whole = await open(path);
      whole.ws.send(JSON.stringify("x".repeat(frameBytes)));
      const pieces = await open(path);
      for (let i = 0; i < 4; i += 1) pieces.ws.send("x".repeat(frameBytes / 3), { fin: i === 3 });
      const unmasked = await open(path);
      wire(unmasked).write(Uint8Array.of(0x81, 0x02, 0x7b, 0x7d));
      const reserved = await open(path);
      wire(reserved).write(Uint8Array.of(0xf1, 0x80, 0, 0, 0, 0));
      const noText = await open(path);
      wire(noText).write(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28));
      const clients = [whole, pieces, unmasked, reserved, noText];
      await until(() => clients.every(({ code }) => code() !== undefined), 5000, `${path} to close them`);
      expect(
        clients.map(({ code }) => code()),
        path,
      ).toEqual([1009, 1009, 1002, 1002, 1007]);
    }
    await nothingLeft();
  });

  it("forgets a client that vanishes in the middle of a frame or of the handshake", async () => {
    for (const path of streams) {
      const half = await open(path);
      wire(half).write(Uint8Array.of(0x81, 0xfe, 0x01, 0x00, 1, 2, 3, 4, 5));
      half.ws.terminate();
      const { host: authority } = new URL(host.url);
      const handshake = `GET ${path} HTTP/1.1\r\nhost: ${authority}\r\nauthorization: Bearer ${host.token}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;
      expect(await raw(host, handshake, () => true)).toMatch(/^HTTP\/1\.1 101/);
    }
    await nothingLeft();
  });
});

describe("the chat stream", () => {
  it.each([
    ["not JSON", "{"],
    ["binary", Uint8Array.of(1)],
    ["JSON of another kind", "[]"],
  ])("answers a frame that is %s as ClawGo does, and closes", async (_name, frame) => {
    const client = await open("/api/chat/live");
    client.ws.send(frame);
    await until(() => client.code() !== undefined);
    expect(client.frames.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({ ok: false, type: "chat_error", error: expect.any(String) }),
    ]);
    expect(client.code()).toBe(1000);
  });

  it("is not held up for others by a client that floods it", async () => {
    const flood = await open("/api/chat/live?multi=1");
    for (let i = 0; i < 2000; i += 1) flood.ws.send("{");
    const client = await open("/api/chat/live");
    client.ws.send(JSON.stringify({ session: "calm", message: "/echo still here" }));
    await until(() => client.code() !== undefined, 5000, "the answer");
    expect(client.frames.some((text) => text.includes("chat_done"))).toBe(true);
    flood.ws.terminate();
    await nothingLeft();
  });
});
