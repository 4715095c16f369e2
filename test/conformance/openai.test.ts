/** OpenAI's API as OpenClaw's users know it: names of models, headers and sessions, seen from outside. */
import { describe, expect, it } from "vitest";
import { ask, askAsOwner, bearer } from "./kit.ts";
import { expectError, messages, openAiForAll } from "./openai-kit.ts";

const { gateway, upstream, complete } = openAiForAll();

const keys = async () =>
  ((await askAsOwner(gateway(), "/api/sessions?include_internal=1")).json() as { sessions: { key: string }[] }).sessions
    .map(({ key }) => key)
    .sort();

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
      expect((await upstream().last()).body.messages?.[0]).toMatchObject({ role: "system" });
    },
  );

  it("provider/model goes straight through: no message and no tool is added", async () => {
    const extra = { response_format: { type: "json_object" }, seed: 7, future_field: { a: 1 } };
    const answer = await complete({ model: "sim/second", ...extra });
    expect(answer.json()).toMatchObject({ choices: [{ message: { content: "echo: hello" } }] });
    expect((await upstream().last()).body).toEqual({ model: "second", messages, ...extra });
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
    expect((await upstream().last()).body.model).toBe("second");
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
    const sent = (await upstream().last()).body.messages?.map(({ content }) => content);
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
    expect((await upstream().last()).body.messages).toHaveLength(4);
    expect((await keys()).filter((key) => key.includes("alice"))).toHaveLength(1);
  });
});
