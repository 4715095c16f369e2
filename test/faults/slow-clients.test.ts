/** Clients that are slow, silent or deaf: each ends at its deadline, none of them costs memory, and the others are served. */
import { definePlugin, Reply, Type } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { bearer, gatewayWith, raw, send, upgrade } from "../attacks/kit.ts";
import { pauseFor, until } from "../kit/until.ts";
import { type AtEnd, openRaw } from "./raw-socket.ts";

const megabyte = 1_048_576;
const limits = { headersMs: 1000, bodyStallMs: 1000, socketBufferBytes: 2 * megabyte };

/** What the gateway took off the plugin's hands, in bytes. */
const taken = { stream: 0, frames: 0 };
let streamEnded = false;

const talker = definePlugin({
  id: "talker",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "POST", path: "/open", access: "public", handler: ({ body }) => ({ body }) });
    ctx.route({ method: "GET", path: "/endless", access: "read", handler: () => new Reply(endless()) });
    ctx.route({ method: "GET", path: "/large", access: "read", handler: () => ({ text: "x".repeat(64 * megabyte) }) });
    ctx.route({ method: "GET", path: "/quiet", access: "read", handler: () => Reply.sse(quiet()) });
    ctx.stream({ path: "/pour", access: "read", up: Type.Unknown(), open: pour });
    ctx.stream({ path: "/deaf", access: "read", open: () => undefined });
  },
});

async function* endless(): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      taken.stream += 65_536;
      yield Buffer.alloc(65_536, "x");
    }
  } finally {
    streamEnded = true;
  }
}

/** An event, silence for longer than any deadline of a stalled body, another event. */
async function* quiet(): AsyncGenerator<string> {
  yield "data: one\n\n";
  await pauseFor(limits.bodyStallMs * 1.5);
  yield "data: two\n\n";
}

function pour(socket: { send(value: unknown): boolean }): void {
  while (socket.send("x".repeat(65_536))) taken.frames += 65_536;
}

let host: TestHost;
beforeAll(async () => {
  host = await gatewayWith([talker], { config: { gateway: { limits } } });
});
afterAll(() => host.stop());

const get = (path: string) =>
  `GET ${path} HTTP/1.1\r\nhost: ${new URL(host.url).host}\r\nauthorization: Bearer ${host.token}\r\n\r\n`;

/** Writes a little of `text` at a time until the other side hangs up; resolves with what came back and how long it took. */
async function trickle(head: string, text: string, atEnd: AtEnd): Promise<{ answer: string; ms: number }> {
  const from = performance.now();
  const socket = openRaw(host.url, atEnd);
  socket.write(head);
  const drip = setInterval(() => socket.write(text), 100);
  atEnd(() => clearInterval(drip));
  await until(() => socket.ended(), 8000, "the gateway to hang up");
  return { answer: socket.text(), ms: performance.now() - from };
}

describe.concurrent("a client that is slow", () => {
  it("with its headers is told 408 and hung up on, however busy it looks", async ({ onTestFinished: atEnd }) => {
    const { answer, ms } = await trickle("GET /health HTTP/1.1\r\nhost: x\r\n", "x-more: 1\r\n", atEnd);
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(ms).toBeGreaterThan(900);
    expect(ms).toBeLessThan(5000);
  });

  it("and says nothing at all is hung up on too", async ({ onTestFinished: atEnd }) => {
    const socket = openRaw(host.url, atEnd);
    await until(() => socket.ended(), 6000, "the gateway to hang up");
  });

  it("with the second request of a connection is no better off", async ({ onTestFinished: atEnd }) => {
    const { answer } = await trickle(`${get("/health")}GET /health HTTP/1.1\r\n`, "x-more: 1\r\n", atEnd);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 408"]);
  });

  it("with its body, when nobody knows it, has as long as for the headers", async ({ onTestFinished: atEnd }) => {
    const { answer, ms } = await trickle("POST /open HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n", " ", atEnd);
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(answer).toContain("not complete after 1000 ms");
    expect(ms).toBeLessThan(3500);
  });

  it("with its body may take its time when it is known and never falls silent", async ({ onTestFinished: atEnd }) => {
    const socket = openRaw(host.url, atEnd);
    const body = '{"method":"gateway.startup"}';
    socket.write(`${get("/api/call").replace("GET", "POST").trimEnd()}\r\ncontent-length: ${body.length}\r\n\r\n`);
    const letters = [...body];
    const from = performance.now();
    const drip = setInterval(() => socket.write(letters.shift() ?? ""), 60);
    atEnd(() => clearInterval(drip));
    await until(() => socket.text().includes("\r\n\r\n"), 8000, "the answer");
    expect(socket.text()).toMatch(/^HTTP\/1\.1 200/);
    expect(performance.now() - from).toBeGreaterThan(limits.bodyStallMs);
  });

  it("and falls silent within its body is told 408", async () => {
    const head = get("/api/call").replace("GET", "POST").trimEnd();
    const answer = await raw(host, `${head}\r\ncontent-length: 50\r\n\r\n{"method":`);
    expect(answer).toMatch(/^HTTP\/1\.1 408[\s\S]*nothing arrived for 1000 ms/);
  });
});

describe.concurrent("a client that is told to go", () => {
  const refusals: [string, () => string][] = [
    ["a bad request", () => "nonsense\r\n\r\n"],
    [
      "a refused upgrade",
      () => get("/nothing").replace("\r\n\r\n", "\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"),
    ],
    ["a body nobody wants", () => "POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"],
  ];
  it.for(refusals)(
    "after %s cannot keep the connection by not closing its side",
    async ([, bytes], { onTestFinished: atEnd }) => {
      const socket = openRaw(host.url, atEnd);
      socket.write(bytes());
      await until(() => socket.ended(), 5000, "the answer's end");
      const poke = setInterval(() => socket.write("x"), 50);
      atEnd(() => clearInterval(poke));
      await until(() => socket.closed(), 4000, "the connection to be gone on both sides");
    },
  );
});

/** What a client gets to read that began to read so late; undefined when nothing was cut off. */
async function unread(ms: number): Promise<string | undefined> {
  const socket = openRaw(host.url);
  socket.pause();
  socket.write(get("/large"));
  await pauseFor(ms);
  socket.resume();
  await until(() => socket.ended() || socket.text().length > 64 * megabyte, 20_000, "all of it, or its end");
  return socket.ended() ? socket.text() : undefined;
}

/** What this thread holds; the gateway runs in it. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("a client that stops reading", () => {
  it("a streamed reply is cut off; the gateway holds next to nothing for it, and the handler is told", async () => {
    const before = held();
    const socket = openRaw(host.url);
    socket.pause();
    socket.write(get("/endless"));
    await until(() => taken.stream > 0);
    expect((await send(host, "/health")).text).toBe("ok");
    await until(() => streamEnded, 8000, "the stream to be given up");
    expect(taken.stream).toBeLessThan(32 * megabyte);
    expect(held() - before).toBeLessThan(96 * megabyte);
  });

  it("a large reply is cut off", async () => {
    // On a busy machine the deadline is noticed late: once more, with more patience.
    const seen = (await unread(limits.bodyStallMs * 4)) ?? (await unread(limits.bodyStallMs * 8));
    expect(seen).toMatch(/^HTTP\/1\.1 200/);
    expect(seen?.length).toBeLessThan(32 * megabyte);
  });

  it("but is sent nothing is left in peace: silence of the gateway is no fault of the client", async () => {
    const socket = openRaw(host.url);
    socket.write(get("/quiet"));
    await until(() => socket.text().includes("data: two"), 6000, "the late event");
  });

  it("a WebSocket is closed at the buffer limit, and other sockets go on", async () => {
    const other = await upgrade(host, "/api/events/live", bearer(host.token));
    const before = held();
    const socket = await upgrade(host, "/pour", bearer(host.token));
    if (typeof socket === "number" || typeof other === "number") throw new Error("refused");
    socket.pause();
    await until(() => host.gateway.status().sockets === 1, 5000, "the deaf socket to go");
    expect(taken.frames).toBeGreaterThanOrEqual(limits.socketBufferBytes);
    expect(taken.frames).toBeLessThan(limits.socketBufferBytes + 16 * megabyte);
    expect(held() - before).toBeLessThan(64 * megabyte);
    expect(await other.next()).toMatchObject({ type: "ready" });
    other.close();
  });
});

it("a plugin that stops reading stops the socket that sends to it: what waits is bounded in bytes", async () => {
  const client = new WebSocket(`${host.url.replace("http", "ws")}/deaf`, { headers: bearer(host.token) });
  onTestFinished(() => client.terminate());
  await new Promise((resolve) => client.once("open", resolve));
  const frame = JSON.stringify("x".repeat(megabyte));
  for (let i = 0; i < 64; i += 1) client.send(frame);
  await until(() => client.bufferedAmount < 62 * megabyte, 5000, "some of it to be taken");
  await pauseFor(400);
  expect(client.bufferedAmount).toBeGreaterThan(32 * megabyte);
  expect((await send(host, "/health")).text).toBe("ok");
});
