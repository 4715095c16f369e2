/** Requests over the relay: real HTTP behind a real client, bytes that are no text, many at once, and every way to end early. */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { httpServer } from "../../kit/http-server.ts";
import { until } from "../../kit/until.ts";
import { type Asked, read, rig } from "./kit.ts";

describe("a client that carries requests out", () => {
  it("reaches a server of its own with method, headers and body, and brings the whole reply", async () => {
    const upstream = await httpServer((req, res, body) => {
      res.writeHead(207, { "content-type": "text/plain", "x-seen": String(req.headers["x-key"]) });
      res.end(`${req.method} ${req.url} ${body}`);
    });
    const { ask, client } = await rig();
    await client();
    const reply = await ask({
      method: "POST",
      url: `${upstream.origin}/v1?x=1`,
      headers: { "x-key": "k" },
      body: "héllo",
    });
    expect([reply.status, reply.headers["x-seen"]]).toEqual([207, "k"]);
    expect(String(await read(reply))).toBe("POST /v1?x=1 héllo");
  });

  it("brings events as they come", async () => {
    let more: () => void = () => undefined;
    const upstream = await httpServer((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("data: one\n\n");
      more = () => res.end("data: two\n\n");
    });
    const { ask, client } = await rig();
    await client();
    const reply = await ask({ url: upstream.origin });
    const body = reply.body[Symbol.asyncIterator]();
    expect(String((await body.next()).value)).toBe("data: one\n\n");
    more();
    expect(String((await body.next()).value)).toBe("data: two\n\n");
    expect((await body.next()).done).toBe(true);
  });

  it("any bytes survive, both ways", async () => {
    const bytes = randomBytes(200_000);
    const upstream = await httpServer((req, res) => {
      res.writeHead(200, { "content-type": "image/png", "x-length": String(req.headers["content-length"]) });
      res.end(bytes);
    });
    const { ask, client } = await rig();
    await client();
    const reply = await ask({ method: "POST", url: upstream.origin, body: bytes });
    expect(reply.headers["x-length"]).toBe("200000");
    expect((await read(reply)).equals(bytes)).toBe(true);
  });

  it("a body that is text goes as text, one that is not says so, and base64 is always offered", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const payloads: Record<string, unknown>[] = [];
    for (const body of ["text", Buffer.from("text too ✓"), Buffer.from([0xff, 0x00, 0xfe])]) {
      const reply = ask({ body });
      const { id, payload } = (await client.next()) as Asked;
      payloads.push(payload);
      client.send({ id, type: "http_response", payload: { body: "done" } });
      expect(String(await read(await reply))).toBe("done");
    }
    expect(payloads.map(({ body, encoding }) => [body, encoding])).toEqual([
      ["text", undefined],
      ["text too ✓", undefined],
      ["/wD+", "base64"],
    ]);
    expect(payloads.every(({ encodings }) => JSON.stringify(encodings) === '["base64"]')).toBe(true);
  });

  it("a thousand at once on one channel, answered in another order, each gets its own", async () => {
    const { ask, puppet, relay } = await rig();
    const client = await puppet();
    const replies = Array.from({ length: 1000 }, (_, i) => ask({ url: `http://x.test/${i}` }));
    const asked: Asked[] = [];
    while (asked.length < 1000) asked.push((await client.next()) as Asked);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1000);
    expect(relay.channels()[0]?.open).toBe(1000);
    for (const { id, payload } of asked.reverse()) {
      client.send({ id, type: "stream_chunk", payload: { data: String(payload.url) } });
    }
    for (const { id } of asked) client.send({ id, type: "stream_end" });
    const texts = await Promise.all(replies.map(async (reply) => String(await read(await reply))));
    expect(texts).toEqual(Array.from({ length: 1000 }, (_, i) => `http://x.test/${i}`));
    expect(relay.channels()[0]?.open).toBe(0);
  });

  it("more than it may carry out at once is refused, and it goes on when there is room", async () => {
    const { ask, puppet } = await rig({ max_open: 2 });
    const client = await puppet();
    const first = ask();
    const second = ask().catch(() => undefined);
    await expect(ask()).rejects.toMatchObject({ code: "RELAY_BUSY", status: 503 });
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "http_response" });
    await first;
    const third = ask().catch(() => undefined);
    expect(((await client.next()) as Asked).type).toBe("http_request");
    expect(((await client.next()) as Asked).type).toBe("http_request");
    client.close();
    await Promise.all([second, third]);
  });
});

describe("an early end", () => {
  it("an abort before the head rejects with its reason and is told to the client that asked for it", async () => {
    const upstream = await httpServer(() => undefined);
    const { ask, client, relay } = await rig();
    const simulator = await client();
    const abort = new AbortController();
    const waiting = ask({ url: upstream.origin, signal: abort.signal });
    await until(() => upstream.seen.length === 1);
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await until(() => simulator.cancelled.length === 1);
    expect(relay.channels()[0]?.open).toBe(0);
    await expect(ask({ signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  });

  it("leaving the body early ends the request; late frames find nobody and harm nothing", async () => {
    const { ask, puppet, relay } = await rig();
    const client = await puppet("/v1/ws?features=cancel");
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "stream_chunk", payload: { data: "one" } });
    for await (const piece of (await waiting).body) {
      expect(String(piece)).toBe("one");
      break;
    }
    expect(await client.next()).toEqual({ id, type: "cancel" });
    for (const type of ["stream_chunk", "http_response", "error", "stream_end"]) {
      client.send({ id, type, payload: { data: "late", body: "late", error: "late" } });
    }
    client.send({ id: "never-was", type: "stream_end" });
    client.send({ id: "p", type: "ping" });
    expect(await client.next()).toEqual({ id: "p", type: "pong" });
    expect(relay.channels()[0]?.open).toBe(0);
  });

  it("a client that did not ask for it is never sent a cancel", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const abort = new AbortController();
    const waiting = ask({ signal: abort.signal });
    await client.next();
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    client.send({ id: "p", type: "ping" });
    expect(await client.next()).toEqual({ id: "p", type: "pong" });
  });

  it("silence before the head and between two pieces is a time-out of its own", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    await expect(ask({ timeoutMs: 40 })).rejects.toMatchObject({ code: "RELAY_TIMEOUT", status: 504 });
    await client.next();
    const waiting = ask({ timeoutMs: 200 });
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "stream_chunk", payload: { data: "one" } });
    const body = (await waiting).body[Symbol.asyncIterator]();
    expect(String((await body.next()).value)).toBe("one");
    await expect(body.next()).rejects.toMatchObject({ code: "RELAY_TIMEOUT" });
  });

  it("what is never read goes after the same time, whether it ended well or not", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const waiting = ask({ timeoutMs: 50 });
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "http_response", payload: { body: "x".repeat(100_000) } });
    const reply = await waiting;
    const body = reply.body as unknown as { readonly bytes: number };
    expect(body.bytes).toBe(100_000);
    await until(() => body.bytes === 0);
    await expect(read(reply)).rejects.toMatchObject({ code: "RELAY_FAILED" });
  });

  it("a reply is read once", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "http_response", payload: { body: "x" } });
    const reply = await waiting;
    await read(reply);
    expect(() => reply.body[Symbol.asyncIterator]()).toThrow("read once");
  });
});
