/** OpenAI's API as OpenClaw's users know it: names of models, headers, sessions, streams and errors, seen from outside. */
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { type Ask, ask, askAsOwner, bearer, gatewayForAll } from "./kit.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream({ key: "sk-up" });
});
afterAll(() => upstream.close());

const gateway = gatewayForAll(async () => ({
  config: {
    agents: { defaults: { model: { primary: "sim/echo" } }, entries: { writer: { about: "Writes" } } },
    models: {
      providers: {
        sim: { api_base: upstream.base, api_key: "sk-up", models: ["echo", "second", "bad", "vendor/model.v1"] },
      },
    },
  },
}));

const messages = [{ role: "user", content: "hello" }];
const complete = (body: object, headers: Ask["headers"] = {}) =>
  askAsOwner(gateway(), "/v1/chat/completions", { headers, body: { model: "chela", messages, ...body } });
const keys = async () =>
  ((await askAsOwner(gateway(), "/api/sessions?include_internal=1")).json() as { sessions: { key: string }[] }).sessions
    .map(({ key }) => key)
    .sort();

function expectError(
  answer: { status: number; headers: object; json(): unknown },
  status: number,
  error: object,
): void {
  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject({ "content-type": "application/json" });
  const body = answer.json() as { error: Record<string, unknown> };
  expect(Object.keys(body)).toEqual(["error"]);
  expect(Object.keys(body.error).sort()).toEqual(["code", "message", "param", "type"]);
  expect(body.error).toMatchObject(error);
}

describe("GET /v1/models", () => {
  it("lists chela, OpenClaw's names for the agents, and every provider/model", async () => {
    const list = (await askAsOwner(gateway(), "/v1/models")).json() as { object: string; data: { id: string }[] };
    expect(list.object).toBe("list");
    const ids = list.data.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        "chela",
        "chela/main",
        "chela/writer",
        "openclaw",
        "openclaw/default",
        "openclaw/main",
        "openclaw/writer",
        "sim/echo",
        "sim/second",
        "sim/vendor/model.v1",
      ]),
    );
    for (const row of list.data) {
      expect(row).toEqual({
        id: expect.any(String) as unknown,
        object: "model",
        created: expect.any(Number) as unknown,
        owned_by: expect.any(String) as unknown,
        permission: [],
      });
    }
  });

  it("gives one by its id, with slashes plain or as %2F; every listed one", async () => {
    const { data } = (await askAsOwner(gateway(), "/v1/models")).json() as { data: { id: string }[] };
    for (const row of data) {
      expect((await askAsOwner(gateway(), `/v1/models/${row.id}`)).json(), row.id).toEqual(row);
      expect((await askAsOwner(gateway(), `/v1/models/${encodeURIComponent(row.id)}`)).json(), row.id).toEqual(row);
    }
    expectError(await askAsOwner(gateway(), "/v1/models/sim%2Fnope"), 404, { code: "model_not_found" });
    expectError(await askAsOwner(gateway(), "/v1/models/nope"), 404, { code: "model_not_found" });
  });
});

describe("model names of POST /v1/chat/completions", () => {
  it.each(["chela", "chela/main", "openclaw", "openclaw/main", "openclaw/default"])(
    "%s is the agent",
    async (model) => {
      const reply = (await complete({ model })).json();
      expect(reply).toMatchObject({
        id: expect.stringMatching(/^chatcmpl/) as unknown,
        object: "chat.completion",
        created: expect.any(Number) as unknown,
        model,
        choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "echo: hello" } }],
        usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
      });
      expect((await upstream.last()).body.messages?.[0]).toMatchObject({ role: "system" });
    },
  );

  it("provider/model goes straight through: no message and no tool is added", async () => {
    const extra = { response_format: { type: "json_object" }, seed: 7, future_field: { a: 1 } };
    const answer = await complete({ model: "sim/second", ...extra });
    expect(answer.json()).toMatchObject({ choices: [{ message: { content: "echo: hello" } }] });
    expect((await upstream.last()).body).toEqual({ model: "second", messages, ...extra });
  });

  it("an agent or a model that nobody knows is 404 with OpenAI's code", async () => {
    for (const model of ["openclaw/ghost", "chela/ghost", "ghost", "ghost/model"]) {
      expectError(await complete({ model }), 404, { code: "model_not_found", type: "invalid_request_error" });
    }
  });
});

describe("OpenClaw's headers", () => {
  it("x-openclaw-model chooses the model behind the agent; an unknown one is 404", async () => {
    expect((await complete({}, { "x-openclaw-model": "sim/second" })).status).toBe(200);
    expect((await upstream.last()).body.model).toBe("second");
    expectError(await complete({}, { "x-openclaw-model": "sim/nope" }), 404, { type: "invalid_request_error" });
  });

  it("x-openclaw-agent-id chooses the agent; an unknown one is 400", async () => {
    expect((await complete({ model: "openclaw" }, { "x-openclaw-agent-id": "writer" })).status).toBe(200);
    expectError(await complete({}, { "x-openclaw-agent-id": "ghost" }), 400, { message: "Unknown agent 'ghost'." });
  });

  it("x-openclaw-session-key names a session that remembers, and is seen by the chat API", async () => {
    const headers = { "x-openclaw-session-key": "agent:main:paper" };
    await complete({ messages: [{ role: "user", content: "first" }] }, headers);
    await complete({ messages: [{ role: "user", content: "second" }] }, headers);
    const sent = (await upstream.last()).body.messages?.map(({ content }) => content);
    expect(sent?.slice(1)).toEqual(["first", "echo: first", "second"]);
    expect(await keys()).toContain("agent:main:paper");
    const shown = await askAsOwner(gateway(), "/api/chat/history?session=agent:main:paper");
    expect(shown.json()).toMatchObject({ messages: [{ content: "first" }, {}, { content: "second" }, {}] });
  });

  it.each(["subagent:x", "cron:1", "acp:y", "agent:main:cron:1"])("%s is reserved", async (key) => {
    expectError(await complete({}, { "x-openclaw-session-key": key }), 400, {
      message: expect.stringContaining("cannot use reserved internal session namespaces") as unknown,
    });
  });

  it("x-openclaw-scopes gives nothing", async () => {
    const made = await askAsOwner(gateway(), "/api/call", {
      body: { method: "keys.add", params: { name: "reader", scopes: ["read"] } },
    });
    const { key } = (made.json() as { result: { key: string } }).result;
    const headers = { ...bearer(key), "x-openclaw-scopes": "operator.admin" };
    expectError(await ask(gateway(), "/v1/chat/completions", { headers, body: { model: "chela", messages } }), 403, {
      type: "forbidden",
    });
  });
});

describe("a call without a session", () => {
  it("leaves nothing behind: whole, streamed, failed, to an agent and straight through", async () => {
    await askAsOwner(gateway(), "/api/chat", { body: { session: "before", message: "x" } });
    const before = await keys();
    for (const model of ["chela", "openclaw/writer", "sim/echo"]) {
      expect((await complete({ model })).status).toBe(200);
      expect((await complete({ model, stream: true })).text).toContain("[DONE]");
      expect((await complete({ model }, { "x-openclaw-model": "sim/bad" })).status).toBeLessThan(500);
    }
    expect(await keys()).toEqual(before);
  });

  it("`user` names a session of its own", async () => {
    await complete({ user: "alice" });
    await complete({ user: "alice", messages: [{ role: "user", content: "again" }] });
    expect((await upstream.last()).body.messages).toHaveLength(4);
    expect((await keys()).filter((key) => key.includes("alice"))).toHaveLength(1);
  });
});

describe("stream: true", () => {
  const events = (text: string) =>
    text
      .trimEnd()
      .split("\n\n")
      .filter((block) => block.startsWith("data: "))
      .map((block) => (block === "data: [DONE]" ? "[DONE]" : (JSON.parse(block.slice(6)) as Record<string, unknown>)));

  it("is role, text, finish reason, usage when asked for, [DONE]; one id and one model all along", async () => {
    const { headers, text } = await complete({ stream: true, stream_options: { include_usage: true } });
    expect(headers["content-type"]).toMatch(/^text\/event-stream/);
    const all = events(text);
    expect(all.at(-1)).toBe("[DONE]");
    const chunks = all.slice(0, -1) as { id: string; model: string; object: string; choices: unknown[] }[];
    expect(new Set(chunks.map(({ id, model, object }) => `${id} ${model} ${object}`)).size).toBe(1);
    expect(chunks[0]).toMatchObject({
      object: "chat.completion.chunk",
      model: "chela",
      choices: [{ index: 0, delta: { role: "assistant" }, finish_reason: null }],
    });
    expect(chunks.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: "stop" }] });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 12 } });
    expect(
      events((await complete({ stream: true })).text).some((one) => typeof one === "object" && "usage" in one),
    ).toBe(false);
  });

  it("an error before the first byte keeps the upstream's status and words", async () => {
    for (const model of ["sim/bad", "chela"]) {
      const answer = await complete({ model, stream: true }, { "x-openclaw-model": "sim/bad" });
      expectError(answer, 400, { message: expect.stringContaining("max_tokens is too large") as unknown });
    }
  });
});

describe("errors in OpenAI's shape", () => {
  const paths = ["/v1", "/v1/", "/v1/models", "/v1/models/chela", "/v1/chat/completions", "/v1/embeddings"];

  it("401 on every path without a credential or with a wrong one, whatever the method", async () => {
    for (const path of paths.slice(2)) {
      for (const headers of [{}, bearer("wrong")] as const) {
        const method = path === "/v1/chat/completions" || path === "/v1/embeddings" ? "POST" : "GET";
        const answer = await ask(gateway(), path, { method, headers });
        expectError(answer, 401, { message: "Unauthorized", type: "unauthorized", code: "invalid_api_key" });
        expectError(await ask(gateway(), path, { method: "DELETE" }), 401, { message: "Unauthorized" });
      }
    }
  });

  it("404 on every path that is none, 405 for every wrong method", async () => {
    for (const path of ["/v1", "/v1/", "/v1/nope", "/v1/chat", "/v1/completions", "/v1/chat/completions/x"]) {
      for (const method of ["GET", "POST"]) {
        expectError(await askAsOwner(gateway(), path, { method }), 404, { type: "invalid_request_error" });
      }
    }
    expectError(await askAsOwner(gateway(), "/v1/models", { method: "POST" }), 405, { type: "invalid_request_error" });
    expectError(await askAsOwner(gateway(), "/v1/chat/completions"), 405, { type: "invalid_request_error" });
  });

  it("400 for a body that is no JSON or no request", async () => {
    for (const body of [
      "{",
      "[]",
      '"x"',
      "{}",
      '{"messages":"x"}',
      '{"messages":[]}',
      '{"messages":[{"role":"king"}]}',
    ]) {
      expectError(await askAsOwner(gateway(), "/v1/chat/completions", { body }), 400, {
        type: "invalid_request_error",
      });
    }
  });
});

describe("the official client", () => {
  const client = (apiKey = gateway().token) => new OpenAI({ baseURL: `${gateway().url}/v1`, apiKey, maxRetries: 0 });

  it("lists, retrieves, chats and streams", async () => {
    const ids: string[] = [];
    for await (const model of client().models.list()) ids.push(model.id);
    expect(ids).toContain("openclaw/default");
    expect((await client().models.retrieve("openclaw/default")).id).toBe("openclaw/default");
    const body = { model: "openclaw/default", messages: [{ role: "user" as const, content: "hi" }] };
    expect((await client().chat.completions.create(body)).choices[0]?.message.content).toBe("echo: hi");
    let said = "";
    for await (const chunk of await client().chat.completions.create({ ...body, stream: true }))
      said += chunk.choices[0]?.delta.content ?? "";
    expect(said).toBe("echo: hi");
  });

  it("throws its own errors", async () => {
    await expect(client("wrong").models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(client().models.retrieve("nope")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(
      client().chat.completions.create({ model: "sim/bad", messages: [{ role: "user", content: "x" }] }),
    ).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });
});
