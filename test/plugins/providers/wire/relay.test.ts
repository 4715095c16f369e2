/** The provider `aistudio`: requests go to clients of the relay. Which of them, what happens when one fails, and what of a broken one is told. */
import { GatewayError, type Relay, type RelayRequest } from "@chela/sdk";
import { expect, test } from "vitest";
import { RelayChannels } from "../../../../plugins/providers/wire/relay/channels.ts";
import { ask, fails, hear, makeUpstreams, never } from "../kit.ts";

type Doing = (request: RelayRequest) => {
  status?: number;
  headers?: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
};

const chunk = (text: string, finishReason?: string) =>
  Buffer.from(
    `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }] }, ...(finishReason ? { finishReason } : {}) }] })}\n\n`,
  );

async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

const sse = { "Content-Type": "text/event-stream", "Content-Encoding": "gzip" };
const well =
  (name: string): Doing =>
  () => ({ headers: sse, body: pieces(chunk(`${name} `), chunk("says hi", "STOP")) });
const refusing =
  (status: number): Doing =>
  () => ({
    status,
    headers: { "content-type": "application/json" },
    body: pieces(Buffer.from(`{"error":{"code":${status},"message":"no"}}`)),
  });
const gone: Doing = () => {
  throw new GatewayError("RELAY_FAILED", 502, "wsrelay: connection closed during response");
};

/** A relay in this process, with clients that do as they are told. */
function relayWith(clients: Record<string, Doing>) {
  const asked: { channel: string; request: RelayRequest }[] = [];
  let clock = 1_000_000;
  const relay: Relay = {
    channels: () => Object.keys(clients).map((id) => ({ id, connectedAt: 1, lastSeenAt: 2, open: 0 })),
    async request(channel, request) {
      asked.push({ channel, request });
      const client = clients[channel];
      if (!client) throw new GatewayError("RELAY_ABSENT", 503, `wsrelay: provider ${channel} not connected`);
      const { status = 200, headers = {}, body } = client(request);
      return { status, headers, body };
    },
  };
  const channels = new RelayChannels(
    () => relay,
    () => clock,
  );
  const upstreams = makeUpstreams({ aistudio: { models: ["gemini-3.8-flash"] } }, { relay: channels });
  const say = async (extra: Record<string, unknown> = {}) =>
    (await hear(upstreams.stream(ask("aistudio/gemini-3.8-flash", { extra }), never))).text;
  const tick = (ms: number): void => {
    clock += ms;
  };
  return { asked, clients, channels, upstreams, say, tick, order: () => asked.splice(0).map(({ channel }) => channel) };
}

const minutes = (count: number) => count * 60_000;

test("a request goes out as the page would make it: whole address, no header a browser would not set", async () => {
  const { say, asked } = relayWith({ aistudio: well("page") });
  expect(await say()).toBe("page says hi");
  const [
    {
      request: { url, method, headers, body },
    },
  ] = asked as [(typeof asked)[number]];
  expect(url).toBe(
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
  );
  expect(method).toBe("POST");
  expect(headers).toEqual({ "content-type": "application/json", accept: "application/json, text/event-stream" });
  expect(JSON.parse(String(body))).toMatchObject({ contents: [{ role: "user", parts: [{ text: "hello there" }] }] });
});

test("a reply that is not streamed is asked for when the request says so", async () => {
  const whole = Buffer.from(
    JSON.stringify({ candidates: [{ content: { parts: [{ text: "all at once" }] }, finishReason: "STOP" }] }),
  );
  const { say, asked } = relayWith({
    aistudio: () => ({ headers: { "content-type": "application/json" }, body: pieces(whole) }),
  });
  expect(await say({ stream: false })).toBe("all at once");
  expect(asked[0]?.request.url).toMatch(/:generateContent$/);
});

test("free clients come first, then the latest success, then health, then the name", async () => {
  const { say, order, tick, clients } = relayWith({ b: well("b"), a: well("a"), c: well("c") });
  expect(await say()).toBe("a says hi");
  tick(10);
  await say({ aistudio_channel: "c" });
  order();
  expect(await say()).toBe("c says hi");
  clients.c = refusing(503);
  expect(await say()).toBe("a says hi");
  expect(order()).toEqual(["c", "c", "a"]);
  tick(minutes(4));
  expect(await say()).toBe("a says hi");
  clients.c = well("c");
  clients.a = gone;
  clients.b = gone;
  // c rests for a minute yet, and is still better than nobody.
  expect(await say()).toBe("c says hi");
  expect(order()).toEqual(["a", "a", "b", "c"]);
});

test("failures cost health and five minutes, a success takes both back; both can be seen", async () => {
  const { say, channels, tick, clients } = relayWith({ a: gone });
  await expect(say()).rejects.toMatchObject({ code: "UPSTREAM_UNREACHABLE" });
  await expect(say()).rejects.toThrow();
  expect(channels.rows()).toMatchObject([
    {
      channel: "a",
      connected: true,
      health: 60,
      failures: 2,
      cooldownMs: minutes(5),
      lastError: expect.stringContaining("closed"),
      successMsAgo: null,
    },
  ]);
  clients.a = well("a");
  tick(minutes(6));
  expect(await say()).toBe("a says hi");
  expect(channels.rows()).toMatchObject([
    { health: 100, failures: 0, cooldownMs: 0, lastError: null, successMsAgo: 0 },
  ]);
  clients.a = refusing(503);
  await expect(say()).rejects.toThrow();
  channels.clear();
  expect(channels.rows()).toMatchObject([{ health: 100, failures: 0, cooldownMs: 0, successMsAgo: 0 }]);
});

test("a client that rests is not kept from coming back by being asked by name", async () => {
  const { say, channels, tick } = relayWith({ a: gone });
  await expect(say()).rejects.toThrow();
  tick(minutes(4));
  await expect(say({ aistudio_channel: "a" })).rejects.toThrow();
  expect(channels.rows()).toMatchObject([{ failures: 2, cooldownMs: minutes(1) }]);
});

test("one that is named is asked alone, however it fares", async () => {
  const { say, order } = relayWith({ a: refusing(500), b: well("b") });
  for (const key of ["aistudio_channel", "aistudio_provider", "relay_provider", "channel_id", "provider_id"])
    await expect(say({ [key]: " A " })).rejects.toMatchObject({ code: "UPSTREAM_FAULT" });
  expect(order()).toEqual(["a", "a", "a", "a", "a"]);
  expect(await say({ relay_providers: "a, b" })).toBe("b says hi");
  expect(await say({ channel_ids: ["b"] })).toBe("b says hi");
});

test.each([429, 500, 503])("status %d sends on to the next client, other refusals do not", async (status) => {
  const { say, order, clients } = relayWith({ a: refusing(status), b: well("b") });
  expect(await say()).toBe("b says hi");
  clients.b = refusing(400);
  await expect(say()).rejects.toMatchObject({ code: "UPSTREAM_REQUEST", status: 400 });
  expect(order()).toEqual(["a", "b", "b"]);
});

test("nobody is asked instead once a reply has begun", async () => {
  const breaking: Doing = () => ({
    headers: sse,
    body: (async function* () {
      yield chunk("half of ");
      throw new GatewayError("RELAY_FAILED", 502, "wsrelay: connection closed during response");
    })(),
  });
  const { upstreams, order } = relayWith({ a: breaking, b: well("b") });
  const { heard, error } = await fails(upstreams.stream(ask("aistudio/gemini-3.8-flash"), never));
  expect(error).toMatchObject({ code: "UPSTREAM_CUT", message: expect.stringContaining("connection closed") });
  expect(heard.filter(({ type }) => type === "text")).toHaveLength(1);
  expect(order()).toEqual(["a"]);
});

test("with nobody there the provider's own name is the channel that is missed", async () => {
  const { say } = relayWith({});
  await expect(say()).rejects.toMatchObject({
    message: expect.stringContaining("wsrelay: provider aistudio not connected"),
  });
  const none = makeUpstreams({ aistudio: {} });
  await expect(hear(none.stream(ask("aistudio/gemini-3.8-flash"), never))).rejects.toMatchObject({
    code: "UPSTREAM_UNREACHABLE",
  });
});

test("a client that says nothing is given up in time, and one whose reader leaves is told", async () => {
  const signals: AbortSignal[] = [];
  const silent: Doing = ({ signal }) => {
    signals.push(signal);
    return {
      headers: sse,
      body: (async function* () {
        yield chunk("and ");
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      })(),
    };
  };
  const { channels } = relayWith({ a: silent });
  const upstreams = makeUpstreams({ aistudio: {} }, { relay: channels, request_timeout_sec: 1 });
  const { error } = await fails(upstreams.stream(ask("aistudio/gemini-3.8-flash"), never));
  expect(error).toMatchObject({ code: "UPSTREAM_TIMEOUT", status: 504 });
  const controller = new AbortController();
  const events = upstreams.stream(ask("aistudio/gemini-3.8-flash"), controller.signal);
  await events.next();
  await events.next();
  controller.abort();
  expect((await fails(events)).error.code).toBe("ABORTED");
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});
