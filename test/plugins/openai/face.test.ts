/** What every path below `/v1/` has in common: the list of models, and errors in OpenAI's shape. */
import { request } from "node:http";
import { expect, test } from "vitest";
import { hello, setup } from "./kit.ts";

const shape = (code: string) => ({
  error: { message: expect.any(String), type: expect.any(String), param: null, code },
});

test("the list: agents, aliases, every provider's models", async () => {
  const { client, host } = await setup({
    provider: { models: ["echo", "org/model", "*"] },
    config: { agents: { entries: { poet: {} } } },
  });
  const ids: string[] = [];
  for await (const model of client.models.list()) {
    expect(model).toMatchObject({ object: "model", created: 0, owned_by: expect.any(String) });
    ids.push(model.id);
  }
  expect(ids).toEqual([
    "chela",
    "chela/main",
    "chela/poet",
    "openclaw",
    "openclaw/default",
    "openclaw/main",
    "openclaw/poet",
    "sim/echo",
    "sim/org/model",
    "offline/offline",
  ]);
  expect((await host.request("/v1/models")).json()).toMatchObject({ object: "list" });
});

test.each(["chela", "chela/main", "openclaw/default", "sim/echo", "sim/org/model", "offline/offline"])(
  "GET /v1/models/%s, plain and encoded",
  async (id) => {
    const { host } = await setup({ provider: { models: ["echo", "org/model"] } });
    for (const path of [id, encodeURIComponent(id)]) {
      const reply = await host.request(`/v1/models/${path}`);
      expect(reply.status).toBe(200);
      expect(reply.json()).toMatchObject({ id, object: "model" });
    }
  },
);

test("the official client retrieves one model", async () => {
  const { client } = await setup();
  expect(await client.models.retrieve("sim/echo")).toMatchObject({ id: "sim/echo", owned_by: "sim" });
  await expect(client.models.retrieve("sim/ghost")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
});

test("401, 404, 405 and bad bodies have OpenAI's shape on every path below /v1/", async () => {
  const { host } = await setup();
  for (const path of ["/v1/models", "/v1/models/x", "/v1/chat/completions", "/v1/embeddings"]) {
    const method = path.startsWith("/v1/models") ? "GET" : "POST";
    const reply = await host.request(path, { method, token: null });
    expect([path, reply.status]).toEqual([path, 401]);
    expect(reply.json()).toEqual({
      error: { message: "Unauthorized", type: "unauthorized", param: null, code: "invalid_api_key" },
    });
  }
  const unknown = await host.request("/v1/nothing");
  expect(unknown.status).toBe(404);
  expect(unknown.json()).toEqual(shape("not_found"));
  const wrong = await host.request("/v1/chat/completions");
  expect(wrong.status).toBe(405);
  expect(wrong.headers.allow).toContain("POST");
  expect(wrong.json()).toEqual(shape("method_not_allowed"));
  for (const body of [
    "{",
    "[]",
    "null",
    '{"model":7,"messages":[]}',
    '{"model":"chela","messages":"x"}',
    '{"model":"chela"}',
  ]) {
    const reply = await host.request("/v1/chat/completions", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    expect([body, reply.status]).toEqual([body, 400]);
    expect(reply.json()).toMatchObject({ error: { message: expect.any(String), type: "invalid_request_error" } });
  }
});

test.each(["/v1/models/sim%252Fecho", "/v1/models/%2e%2e", "/v1//models", "/v1/models/a;b"])(
  "the refusal of %s as ambiguous has OpenAI's shape too",
  async (path) => {
    const { host } = await setup();
    const { port, hostname } = new URL(host.url);
    const status = await new Promise<[number | undefined, string]>((resolve, reject) => {
      const req = request({ port, hostname, path, agent: false }, (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        res.on("end", () => resolve([res.statusCode, text]));
      });
      req.on("error", reject).end();
    });
    expect(status[0]).toBe(400);
    expect(JSON.parse(status[1])).toMatchObject({
      error: {
        message: expect.stringContaining("the request path"),
        type: "invalid_request_error",
        code: expect.any(String),
      },
    });
  },
);

test("an unknown model is named as the wrong parameter, whoever does not know it", async () => {
  const { host } = await setup();
  for (const model of ["ghost", "ghost/x", "chela/ghost"]) {
    const reply = await host.request("/v1/chat/completions", { body: { model, messages: hello } });
    expect(reply.json()).toMatchObject({ error: { code: "model_not_found", param: "model" } });
  }
});

test("a body over 20 MB is 413; one below passes", async () => {
  const { host, upstream } = await setup();
  const body = (size: number) => ({ model: "sim/echo", messages: [{ role: "user", content: "x".repeat(size) }] });
  const large = await host.request("/v1/chat/completions", { body: body(21 * 1024 * 1024) });
  expect(large.status).toBe(413);
  expect(large.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  expect((await host.request("/v1/chat/completions", { body: body(18 * 1024 * 1024) })).status).toBe(200);
  expect(upstream.requests).toHaveLength(1);
});

test("wrong tokens meet 429 in OpenAI's shape with Retry-After", async () => {
  const { host } = await setup();
  let last = await host.request("/v1/models", { token: "wrong-0" });
  for (let index = 1; index < 40 && last.status === 401; index += 1)
    last = await host.request("/v1/models", { token: `wrong-${index}` });
  expect(last.status).toBe(429);
  expect(Number(last.headers["retry-after"])).toBeGreaterThan(0);
  expect(last.json()).toMatchObject({ error: { type: "rate_limited" } });
});

test("errors elsewhere keep their own shape", async () => {
  const { host } = await setup();
  const reply = await host.request("/api/nothing");
  expect(reply.status).toBe(404);
  expect(reply.headers["content-type"]).toContain("text/plain");
});

test("disabling the plugin takes its routes away and enabling brings them back", async () => {
  const { host, client } = await setup();
  await host.plugins.disable("openai", "test");
  expect((await host.request("/v1/models")).status).toBe(404);
  await host.plugins.enable("openai", "test");
  expect((await client.chat.completions.create({ model: "sim/echo", messages: hello })).choices).toHaveLength(1);
});
