/** Turns through `/v1` that fail, are cut, are aborted or lose their client: status before the first byte, an error event after it. */
import { agent, sessions } from "@chela/sdk";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { until } from "../../kit/until.ts";
import { type Chunk, eventsOf, hello, setup, streamed } from "./kit.ts";

test.each([
  ["bad", 400, OpenAI.BadRequestError],
  ["rate", 429, OpenAI.RateLimitError],
  ["fault", 502, OpenAI.InternalServerError],
  ["hang", 504, OpenAI.InternalServerError],
  ["cut-clean", 502, OpenAI.InternalServerError],
] as const)("a turn that fails (%s) before it said anything has status %i", async (model, status, kind) => {
  const { client, upstream } = await setup({ provider: { timeout_sec: 0.4 } });
  if (model === "cut-clean") upstream.script(model, { fault: "cut-clean", pieces: [] });
  for (const stream of [false, true]) {
    const failed = client.chat.completions.create(
      { model: "chela", messages: hello, stream },
      { headers: { "x-openclaw-model": `sim/${model}` } },
    );
    const error = await failed.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status });
    if (model === "rate") expect((error as InstanceType<typeof OpenAI.APIError>).headers?.get("retry-after")).toBe("7");
  }
});

test("a turn that is cut in the middle ends with an error event, no stop, no [DONE]", async () => {
  const { host } = await setup();
  const { text } = await host.request("/v1/chat/completions", {
    body: { model: "chela", messages: hello, stream: true },
    headers: { "x-openclaw-model": "sim/cut" },
  });
  const events = eventsOf(text);
  expect(streamed(events.slice(0, -1) as Chunk[])).toContain("echo:");
  expect(events.at(-1)).toMatchObject({ error: { type: "api_error", code: "upstream_cut" } });
  expect(text).not.toContain('"finish_reason":"stop"');
});

test.each([
  ["hang", false],
  ["hang", true],
  ["endless", true],
] as const)("a client that leaves a turn (%s, stream: %s) aborts the upstream request", async (model, stream) => {
  const { client, upstream } = await setup();
  const controller = new AbortController();
  const options = { signal: controller.signal, headers: { "x-openclaw-model": `sim/${model}` } };
  const ended = client.chat.completions
    .create({ model: "chela", messages: hello, stream }, options)
    .then(async (reply) => {
      for await (const _ of reply as AsyncIterable<unknown>);
    })
    .catch(() => undefined);
  await upstream.last();
  controller.abort();
  await ended;
  await until(() => upstream.requests[0]?.aborted, 3000, "the abort at the upstream");
});

test("a turn that somebody aborts is an error, whole and streamed, never a stop", async () => {
  const { host, upstream } = await setup();
  for (const stream of [false, true]) {
    const headers = { "x-openclaw-session-key": "desk", "x-openclaw-model": "sim/hang-stream" };
    const asked = host.request("/v1/chat/completions", { headers, body: { model: "chela", messages: hello, stream } });
    await until(
      () =>
        upstream.requests.length === (stream ? 2 : 1) &&
        host
          .service(sessions)
          .list()
          .then((rows) => rows.length > 0),
    );
    await until(() => host.service(agent).abort("desk") === 1);
    const reply = await asked;
    if (stream && reply.status === 200)
      expect(eventsOf(reply.text).at(-1)).toMatchObject({ error: { code: "turn_aborted" } });
    else expect([reply.status, reply.json()]).toMatchObject([409, { error: { code: "turn_aborted" } }]);
    expect(reply.text).not.toContain('"finish_reason":"stop"');
  }
});
