/** The edges of the relay: frames that are none, frames that are large, readers and clients that are slow, and who may connect. */
import { createConnection } from "node:net";
import { events, type Identity, type RelayReply, relay } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import keys from "../../../plugins/keys/index.ts";
import { until } from "../../kit/until.ts";
import { type Asked, read, rig } from "./kit.ts";

const admin: Identity = { id: "token", name: "test", kind: "token", scopes: ["admin"] };

/** Over TCP, where a close frame arrives whatever is still on its way. */
async function open(host: TestHost, query = "", options: ClientOptions = {}): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${host.token}` };
  const ws = new WebSocket(`${host.url.replace("http", "ws")}/v1/ws${query}`, { headers, ...options });
  onTestFinished(() => ws.terminate());
  ws.on("error", () => undefined);
  await new Promise((resolve) => ws.once("open", resolve));
  return ws;
}

async function call<T>(host: TestHost, method: string, params: unknown): Promise<T> {
  const by = { identity: admin, id: "t", signal: new AbortController().signal };
  return (await host.gateway.call(method, params, by)) as T;
}

describe("frames", () => {
  it.each([
    ["no JSON", "{", "invalid json"],
    ["no object", "[1]", "frame: must be object"],
    ["no type", '{"id":"x"}', "type"],
    ["an unknown type", '{"id":"x","type":"http_request"}', "wsrelay: invalid frame: unknown type http_request"],
  ])("%s: answered, and the socket stays open", async (_what, text, message) => {
    const { puppet } = await rig();
    const client = await puppet();
    client.send(text);
    const frame = (await client.next()) as Asked;
    expect(frame.type).toBe("error");
    expect(String(frame.payload.error)).toContain(message);
    client.send({ id: "p", type: "ping" });
    expect(await client.next()).toEqual({ id: "p", type: "pong" });
  });

  it.each([
    ["a payload that is none", "http_response", 7],
    ["a status that is none", "stream_start", { status: "ok" }],
    ["a status out of range", "http_response", { status: 1000 }],
    ["headers that are none", "stream_start", { headers: ["a"] }],
    ["data that is no text", "stream_chunk", { data: 5 }],
    ["another encoding", "stream_chunk", { data: "x", encoding: "rot13" }],
    ["bad base64", "http_response", { body: "not base64!", encoding: "base64" }],
  ])("%s fails that request at once; the next one works", async (_what, type, payload) => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const waiting = ask().catch((error: unknown) => error);
    const { id } = (await client.next()) as Asked;
    client.send({ id, type, payload });
    expect(await waiting).toMatchObject({ code: "RELAY_FAILED", message: expect.stringContaining("invalid frame") });
    expect(await client.next()).toMatchObject({ id, type: "error" });
    const again = ask();
    const next = (await client.next()) as Asked;
    client.send({ id: next.id, type: "http_response", payload: { body: "fine" } });
    expect(String(await read(await again))).toBe("fine");
  });

  it("one of 40 MB arrives; one above the limit closes the socket with 1009; other streams keep their own limit", async () => {
    const { ask, host, puppet } = await rig();
    const client = await puppet();
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "http_response", payload: { body: "x".repeat(40_000_000) } });
    expect((await read(await waiting)).length).toBe(40_000_000);
    await host.config.write([{ path: "relay.max_frame_bytes", value: 65_536 }], { who: "test" });
    const small = await open(host, "?provider=small");
    small.send(JSON.stringify({ id, type: "ping", payload: "x".repeat(70_000) }));
    expect(await new Promise((resolve) => small.once("close", resolve))).toBe(1009);
    client.send({ id: "p", type: "ping", payload: "x".repeat(70_000) });
    expect(await client.next()).toEqual({ id: "p", type: "pong" });
  });
});

describe("slowness", () => {
  const piece = "x".repeat(60_000);

  it("a reader that does not read is bounded, loses its reply, and the others go on", { timeout: 60_000 }, async () => {
    const { ask, host } = await rig({ reply_queue_kb: 256, slow_reader_ms: 2_000 });
    const ws = await open(host);
    const asked: string[] = [];
    ws.on("message", (data) => void asked.push((JSON.parse(String(data)) as Asked).id));
    const slow = ask();
    const quick = ask();
    await until(() => asked.length === 2);
    const [slowId, quickId] = asked as [string, string];
    const send = (id: string, data: string) => ws.send(JSON.stringify({ id, type: "stream_chunk", payload: { data } }));
    for (let i = 0; i < 400; i += 1) send(slowId, piece);
    send(quickId, "through");
    ws.send(JSON.stringify({ id: quickId, type: "stream_end" }));
    const unread = (await slow) as RelayReply & { body: { readonly bytes: number } };
    let most = 0;
    const through = quick.then((reply) => read(reply));
    await until(
      async () => {
        most = Math.max(most, unread.body.bytes);
        return (await Promise.race([through, Promise.resolve(undefined)])) !== undefined;
      },
      30_000,
      "the other reply",
    );
    expect(String(await through)).toBe("through");
    expect(most).toBeGreaterThan(200_000);
    expect(most).toBeLessThan(256 * 1024 + 2 * piece.length);
    await expect(read(unread)).rejects.toThrow("not read in time");
    expect(ws.readyState).toBe(ws.OPEN);
  });

  it("a reader that is only slower than the client slows it down, and nothing is lost", {
    timeout: 60_000,
  }, async () => {
    const { ask, puppet } = await rig({ reply_queue_kb: 64, client_queue_kb: 64 });
    const client = await puppet();
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    for (let i = 0; i < 200; i += 1)
      client.send({ id, type: "stream_chunk", payload: { data: `${i};`.padEnd(10_000, ".") } });
    client.send({ id, type: "stream_end" });
    let seen = 0;
    for await (const bytes of (await waiting).body) {
      expect(String(bytes).startsWith(`${seen};`)).toBe(true);
      seen += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toBe(200);
  });

  it("a client that takes nothing in is closed, and what waits for it fails in good time", {
    timeout: 60_000,
  }, async () => {
    const { ask, host, relay } = await rig({ write_ms: 200 });
    const socket = createConnection(Number(new URL(host.url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(
      `GET /v1/ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nauthorization: Bearer ${host.token}\r\n\r\n`,
    );
    await until(() => relay.channels().length === 1);
    socket.pause();
    const body = "x".repeat(4_000_000);
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () => ask({ method: "POST", body }).catch((error: unknown) => error)),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ name: "GatewayError" });
    await until(() => relay.channels().length === 0);
  });
});

describe("pings", () => {
  it("come every 30 s; a pong or any frame is a sign of life, and without one the client is closed", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { host, relay: service } = await rig();
    const [mute, talker, healthy] = [
      await open(host, "?provider=mute", { autoPong: false }),
      await open(host, "?provider=talker", { autoPong: false }),
      await open(host, "?provider=healthy"),
    ];
    let pings = 0;
    for (const ws of [mute, talker, healthy]) {
      ws.on("ping", () => {
        pings += 1;
      });
    }
    await until(() => service.channels().length === 3);
    for (let round = 1; round <= 3; round += 1) {
      const pong = new Promise((resolve) => talker.once("message", resolve));
      vi.advanceTimersByTime(30_000);
      await until(() => pings === (round === 1 ? 3 : 3 + (round - 1) * 2));
      talker.send('{"id":"p","type":"ping"}');
      await pong;
      healthy.send('{"id":"p","type":"ping"}');
      await new Promise((resolve) => healthy.once("message", resolve));
    }
    await until(() => service.channels().length === 2);
    expect(service.channels().map(({ id }) => id)).toEqual(["talker", "healthy"]);
  });
});

describe("who may connect", () => {
  it("a key needs admin: a relay answers in the name of a provider", async () => {
    const { host } = await rig({}, [keys]);
    const add = async (scope: string) =>
      (await call<{ key: string }>(host, "keys.add", { name: scope, scopes: [scope] })).key;
    for (const scope of ["read", "write"]) {
      await expect(host.connect("/v1/ws", { token: await add(scope) })).rejects.toThrow("HTTP 403");
    }
    const socket = await host.connect("/v1/ws", { token: await add("admin") });
    expect(host.service(relay).channels()).toHaveLength(1);
    socket.close();
  });

  it.each(["?provider=..%2Fx", "?provider=%20a%20b", `?provider=${"x".repeat(65)}`])(
    "a name that is none is refused: %s",
    async (query) => {
      const { puppet, relay: service } = await rig();
      expect((await (await puppet(`/v1/ws${query}`)).closed).code).toBe(4400);
      expect(service.channels()).toEqual([]);
    },
  );

  it("comings and goings are events, and channels are listed", async () => {
    const { host, puppet } = await rig();
    const seen: string[] = [];
    host.service(events).subscribe(({ type, payload }) => void seen.push(`${type} ${String(payload.channel)}`));
    const client = await puppet("/v1/ws?provider=One");
    const list = async () => {
      const { channels } = await call<{ channels: { id: string }[] }>(host, "relay.channels", {});
      return channels.map(({ id }) => id);
    };
    await until(async () => (await list()).length === 1);
    expect(await list()).toEqual(["one"]);
    client.close();
    await until(async () => (await list()).length === 0);
    expect(seen).toEqual(["relay_connected one", "relay_disconnected one"]);
  });

  it("switching the plugin off closes the clients and ends what waits; on again, they may come back", async () => {
    const { ask, host, puppet } = await rig();
    const before = host.census();
    const client = await puppet();
    const waiting = ask().catch((error: unknown) => error);
    await client.next();
    await host.plugins.disable("relay", "test");
    expect((await client.closed).code).toBe(1012);
    expect(await waiting).toMatchObject({ code: "RELAY_FAILED" });
    await host.plugins.enable("relay", "test");
    const again = await puppet();
    again.send({ id: "p", type: "ping" });
    expect(await again.next()).toEqual({ id: "p", type: "pong" });
    again.close();
    await again.closed;
    await until(() => JSON.stringify(host.census()) === JSON.stringify(before));
  });
});
