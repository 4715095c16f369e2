/** OpenAI's wire: what a stream looks like, the one shape of errors on every path, and the official client over both. */
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { ask, askAsOwner, bearer } from "./kit.ts";
import { expectError, openAiForAll } from "./openai-kit.ts";

const { gateway, complete } = openAiForAll();

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
