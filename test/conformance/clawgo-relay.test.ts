/** ClawGo's relay `/v1/ws` (§7, §11.7): how a client connects, every frame type both ways, and the texts of its errors. */
import type { RelayReply } from "@chela/sdk";
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../kit/until.ts";
import { type Asked, read, rig } from "../plugins/relay/kit.ts";
import { startGemini } from "../simulators/gemini/api.ts";
import { startUpstream } from "../simulators/openai/upstream.ts";
import { relayClient } from "../simulators/relay/client.ts";
import { askAsOwner, freshGateway } from "./kit.ts";

describe("/v1/ws", () => {
  it("is GET only: 405 with Allow; a plain GET is 400; a stranger is 401", async () => {
    const { host } = await rig();
    for (const method of ["POST", "PUT", "DELETE"]) {
      const reply = await host.request("/v1/ws", { method });
      expect([method, reply.status, reply.headers.allow]).toEqual([method, 405, "GET"]);
    }
    const plain = await host.request("/v1/ws");
    expect([plain.status, plain.text]).toEqual([400, "Bad Request\n"]);
    expect((await host.request("/v1/ws", { token: null })).status).toBe(401);
    await expect(host.connect("/v1/ws", { token: null })).rejects.toThrow("HTTP 401");
  });

  it("the channel is ?provider=, else the header, else aistudio; in lower case", async () => {
    const { puppet, relay } = await rig();
    const ids = () => relay.channels().map(({ id }) => id);
    const first = await puppet();
    await until(() => ids().includes("aistudio"));
    await puppet("/v1/ws", { "x-clawgo-provider": "Header-One" });
    await puppet("/v1/ws?provider=%20Query.One%20", { "x-clawgo-provider": "ignored" });
    await until(() => ids().length === 3);
    expect(ids()).toEqual(["aistudio", "header-one", "query.one"]);
    first.close();
    await until(() => ids().length === 2);
  });

  it("a second connection takes the place of the first, and what the first was doing fails", async () => {
    const { ask, host, puppet, relay } = await rig();
    const first = await puppet();
    const waiting = ask();
    await first.next();
    const second = await puppet();
    const outcome = await waiting.catch((error: Error) => error);
    expect(outcome).toMatchObject({
      code: "RELAY_FAILED",
      status: 502,
      message: "wsrelay: connection closed during response",
    });
    expect((await first.closed).code).toBe(4000);
    expect(relay.channels()).toHaveLength(1);
    const again = ask();
    const { id } = (await second.next()) as Asked;
    second.send({ id, type: "http_response", payload: { body: "from the second" } });
    expect(String(await read(await again))).toBe("from the second");
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });

  it("http_request: method, url, headers as lists, body, sent_at", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const reply = ask({
      method: "POST",
      url: "https://x.test/v1?a=b",
      headers: { "Content-Type": "application/json" },
      body: '{"ü":1}',
    });
    const frame = (await client.next()) as Asked;
    expect(frame).toMatchObject({
      type: "http_request",
      payload: {
        method: "POST",
        url: "https://x.test/v1?a=b",
        headers: { "Content-Type": ["application/json"] },
        body: '{"ü":1}',
      },
    });
    expect(frame.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(String(frame.payload.sent_at))).toBeGreaterThan(Date.now() - 60_000);
    client.send({ id: frame.id, type: "http_response", payload: { body: "done" } });
    expect(String(await read(await reply))).toBe("done");
  });

  it("http_response: status 200 unless said, headers as text or list", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const answer = async (payload: unknown): Promise<RelayReply> => {
      const reply = ask();
      const { id } = (await client.next()) as Asked;
      client.send({ id, type: "http_response", payload });
      return reply;
    };
    const bare = await answer({ body: "hello" });
    expect([bare.status, bare.headers, String(await read(bare))]).toEqual([200, {}, "hello"]);
    const full = await answer({ status: 429, headers: { "Retry-After": "3", "X-A": ["1", "2"] }, body: "" });
    expect([full.status, full.headers]).toEqual([429, { "retry-after": "3", "x-a": "1, 2" }]);
    expect(await read(full)).toHaveLength(0);
    expect((await answer(undefined)).status).toBe(200);
  });

  it("stream_start, stream_chunk, stream_end: the body comes as it arrives", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    client.send({
      id,
      type: "stream_start",
      payload: { status: 201, headers: { "content-type": "text/event-stream" } },
    });
    const reply = await waiting;
    expect([reply.status, reply.headers["content-type"]]).toEqual([201, "text/event-stream"]);
    const body = reply.body[Symbol.asyncIterator]();
    for (const text of ["data: 1\n\n", "data: 二\n\n"]) {
      client.send({ id, type: "stream_chunk", payload: { data: text } });
      expect(String((await body.next()).value)).toBe(text);
    }
    client.send({ id, type: "stream_end" });
    expect((await body.next()).done).toBe(true);
  });

  it("chunks without a start are a reply, too", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "stream_chunk", payload: { data: "a" } });
    client.send({ id, type: "stream_chunk", payload: { data: "b" } });
    client.send({ id, type: "stream_end" });
    const reply = await waiting;
    expect([reply.status, String(await read(reply))]).toEqual([200, "ab"]);
  });

  it("error: the client's words, with its status", async () => {
    const { ask, puppet } = await rig();
    const client = await puppet();
    for (const [payload, message] of [
      [{ error: "quota exceeded", status: 429 }, "quota exceeded (status=429)"],
      [{ error: "no network" }, "no network"],
    ] as const) {
      const waiting = ask();
      const { id } = (await client.next()) as Asked;
      client.send({ id, type: "error", payload });
      const error = await waiting.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "RELAY_FAILED", status: 502, message });
      if ("status" in payload) expect(error).toMatchObject({ details: { status: 429 } });
    }
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "stream_start" });
    client.send({ id, type: "stream_chunk", payload: { data: "half" } });
    client.send({ id, type: "error", payload: { error: "lost", status: 500 } });
    const body = (await waiting).body[Symbol.asyncIterator]();
    expect(String((await body.next()).value)).toBe("half");
    await expect(body.next()).rejects.toThrow("lost (status=500)");
  });

  it("ping is answered with pong and the same id", async () => {
    const { puppet } = await rig();
    const client = await puppet();
    client.send({ id: "p-1", type: "ping" });
    expect(await client.next()).toEqual({ id: "p-1", type: "pong" });
  });

  it("nobody there, and gone during a reply: ClawGo's texts", async () => {
    const { ask, puppet } = await rig();
    const absent = await ask({}, "Somewhere").catch((error: unknown) => error);
    expect(absent).toMatchObject({
      code: "RELAY_ABSENT",
      status: 503,
      message: "wsrelay: provider Somewhere not connected",
    });
    const client = await puppet();
    const waiting = ask();
    const { id } = (await client.next()) as Asked;
    client.send({ id, type: "stream_start" });
    client.send({ id, type: "stream_chunk", payload: { data: "half" } });
    const body = (await waiting).body[Symbol.asyncIterator]();
    expect(String((await body.next()).value)).toBe("half");
    client.close();
    await expect(body.next()).rejects.toThrow("wsrelay: connection closed during response");
    await expect(ask()).rejects.toThrow("wsrelay: provider aistudio not connected");
  });
});

it("P17 over HTTP: a request names its page, and no other provider hears of it", async () => {
  const [studio, upstream] = [await startGemini({ open: true }), await startUpstream()];
  onTestFinished(() => upstream.close());
  const gateway = await freshGateway({
    config: {
      models: {
        providers: {
          aistudio: { models: ["gemini-3.8-flash"] },
          sim: { api_base: upstream.base, auth: "none", models: ["echo"] },
        },
      },
      agents: { defaults: { model: { primary: "sim/echo" } } },
    },
  });
  const connected = async (provider: string) => {
    const client = await relayClient({ gateway: gateway.url, token: gateway.token, origin: studio.origin, provider });
    onTestFinished(() => client.close());
    return () => client.seen.filter(({ type }) => type === "http_request").length;
  };
  const [a, b] = [await connected("a"), await connected("b")];
  const ask = async (model: string, fields: Readonly<Record<string, unknown>>) => {
    const body = { model, messages: [{ role: "user", content: "hello" }], ...fields };
    const { status, text } = await askAsOwner(gateway, "/v1/chat/completions", { body });
    return [status, text] as const;
  };
  const page = "aistudio/gemini-3.8-flash";
  for (const fields of [{ aistudio_channel: "b" }, { relay_provider: "B" }, { channel_ids: ["b"] }])
    expect(await ask(page, fields)).toEqual([200, expect.stringContaining("echo: hello")]);
  expect([a(), b()]).toEqual([0, 3]);
  expect(await ask(page, { channel_id: "c" })).toEqual([502, expect.stringContaining("provider c not connected")]);
  expect(await ask("chela", { aistudio_channel: "b", top_p: 0.5 })).toEqual([200, expect.any(String)]);
  expect((await upstream.last()).body).toHaveProperty("top_p", 0.5);
  expect((await upstream.last()).body).not.toHaveProperty("aistudio_channel");
});
