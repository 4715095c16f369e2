/** `Idempotency-Key` on `/v1`: once asked, once answered. */
import { describe, expect, test } from "vitest";
import { until } from "../../kit/until.ts";
import { hello, setup } from "./kit.ts";

const asks = [
  ["/v1/chat/completions", { model: "sim/echo", messages: hello }],
  ["/v1/chat/completions", { model: "sim/echo", messages: hello, stream: true }],
  ["/v1/chat/completions", { model: "chela", messages: hello }],
  ["/v1/responses", { model: "sim/echo", input: "hello" }],
  ["/v1/responses", { model: "sim/echo", input: "hello", stream: true }],
  ["/v1/embeddings", { model: "sim/embed", input: "hello" }],
] as const;

const config = { agents: { defaults: { model: { primary: "sim/echo" } } } };

describe.each(asks)("POST %s %j", (path, body) => {
  test("again with the same key is the same reply, byte for byte, and the upstream is asked once", async () => {
    const { host, upstream } = await setup({ config });
    const headers = { "idempotency-key": "k-1" };
    const first = await host.request(path, { body, headers });
    const second = await host.request(path, { body, headers });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.text).toBe(first.text);
    expect(second.headers["content-type"]).toBe(first.headers["content-type"]);
    expect(second.headers["idempotent-replayed"]).toBe("true");
    expect(upstream.requests).toHaveLength(1);
    await host.request(path, { body, headers: { "idempotency-key": "k-2" } });
    expect(upstream.requests).toHaveLength(2);
  });

  test("twenty at once are one", async () => {
    const { host, upstream } = await setup({ config });
    const ask = () => host.request(path, { body, headers: { "idempotency-key": "k-1" } });
    const replies = await Promise.all(Array.from({ length: 20 }, ask));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    expect(upstream.requests).toHaveLength(1);
  });
});

test("a key for another request is 409, and one that is no key is 400", async () => {
  const { client } = await setup();
  const ask = (content: string, key: string) =>
    client.chat.completions.create(
      { model: "sim/echo", messages: [{ role: "user", content }] },
      { headers: { "idempotency-key": key } },
    );
  await ask("one", "k");
  await expect(ask("two", "k")).rejects.toMatchObject({ status: 409, code: "idempotency_conflict" });
  await expect(ask("one", "x".repeat(300))).rejects.toMatchObject({ status: 400, code: "idempotency_key" });
});

test.each([
  ["x-openclaw-session-key", "notes"],
  ["x-openclaw-model", "sim/other"],
])("another %s is another request", async (name, value) => {
  const { client } = await setup({ config });
  const ask = (headers: Record<string, string>) =>
    client.chat.completions.create(
      { model: "chela", messages: hello },
      { headers: { "idempotency-key": "k", ...headers } },
    );
  await ask({});
  await expect(ask({ [name]: value })).rejects.toMatchObject({ status: 409, code: "idempotency_conflict" });
});

test("a failure is no outcome: the same key may try again", async () => {
  const { client, upstream } = await setup();
  upstream.script("shaky", { times: 1, status: 500, message: "oops", afterwards: { text: "fine" } });
  const ask = () =>
    client.chat.completions.create({ model: "sim/shaky", messages: hello }, { headers: { "idempotency-key": "k" } });
  await expect(ask()).rejects.toMatchObject({ status: 502 });
  await expect
    .poll(
      () =>
        ask().then(
          (reply) => reply.choices[0]?.message.content,
          () => "",
        ),
      { timeout: 20_000 },
    )
    .toBe("fine");
});

test("a stream whose client left is no outcome, and nobody waits for it", async () => {
  const { client, upstream } = await setup();
  const headers = { "idempotency-key": "k" };
  const ask = { model: "sim/endless", messages: hello, stream: true as const };
  const stream = await client.chat.completions.create(ask, { headers });
  for await (const _ of stream) break;
  await until(async () => (await upstream.last()).aborted, 10_000, "the end of the upstream's request");
  upstream.script("endless", { text: "an end" });
  const chunks: string[] = [];
  for await (const chunk of await client.chat.completions.create(ask, { headers }))
    chunks.push(chunk.choices[0]?.delta.content ?? "");
  expect(chunks.join("")).toBe("an end");
});
