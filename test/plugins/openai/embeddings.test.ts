/** Embeddings as the client asked for them, whatever the upstream honours. */
import { expect, test } from "vitest";
import { setup } from "./kit.ts";

test("base64 of an upstream that answers numbers, as the official client asks by default", async () => {
  const { client, host } = await setup();
  const reply = await client.embeddings.create({ model: "sim/embed", input: ["x", "y"] });
  expect(reply.data[0]?.embedding).toEqual([0.25, -0.5]);
  const raw = await host.request("/v1/embeddings", {
    body: { model: "sim/embed", input: "x", encoding_format: "base64" },
  });
  const { data } = raw.json() as { data: { embedding: string }[] };
  const bytes = Buffer.from(data[0]?.embedding ?? "", "base64");
  expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([0.25, -0.5]);
  expect(bytes.length).toBe(8);
});

test("fewer dimensions than the upstream made, of length 1 again", async () => {
  const { client, upstream } = await setup();
  const ask = { model: "sim/embed", input: "x", dimensions: 1, encoding_format: "float" as const };
  const reply = await client.embeddings.create(ask);
  expect(reply.data[0]?.embedding).toEqual([1]);
  expect((await upstream.last()).body).toMatchObject({ dimensions: 1 });
  const whole = await client.embeddings.create({ ...ask, dimensions: 64 });
  expect(whole.data[0]?.embedding).toEqual([0.25, -0.5]);
});

test.each([
  [{ encoding_format: "hex" }, "encoding_format"],
  [{ dimensions: 0 }, "dimensions"],
  [{ dimensions: "3" }, "dimensions"],
  [{ input: "" }, "input"],
  [{ input: [] }, "input"],
  [{ input: 7 }, "input"],
])("%j is 400", async (body, param) => {
  const { host } = await setup();
  const reply = await host.request("/v1/embeddings", { body: { model: "sim/embed", input: "x", ...body } });
  expect(reply.status).toBe(400);
  expect(reply.json()).toMatchObject({ error: { param } });
});

test("an upstream that is none of that kind is told as it is", async () => {
  const { client } = await setup({ provider: { api_base: "http://127.0.0.1:9/v1" } });
  const ask = client.embeddings.create({ model: "sim/embed", input: "x" });
  await expect(ask).rejects.toMatchObject({ status: 502, code: "upstream_unreachable" });
});
