/** Straight through: nothing added, nothing lost, errors kept, aborts passed on. */
import type { ServerResponse } from "node:http";
import { GatewayError } from "@chela/sdk";
import { expect, test } from "vitest";
import { httpServer } from "../../kit/http-server.ts";
import { until } from "../../kit/until.ts";
import { bytes, makeUpstreams, never, upstream } from "./kit.ts";

const messages = [
  {
    role: "user",
    content: [
      { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      { type: "text", text: "hi" },
    ],
  },
];

function request(model: string, more: Record<string, unknown> = {}, signal = never) {
  return { model, path: "/chat/completions", body: { model, messages, ...more }, signal };
}

test("the body goes out as it came, but for the model", async () => {
  const server = await upstream({ key: "sk-1" });
  const upstreams = makeUpstreams({ sim: { api_base: server.base, api_key: "sk-1", max_tokens: 5, temperature: 1 } });
  const more = {
    response_format: { type: "json_schema", json_schema: { name: "x" } },
    seed: 7,
    unknown_field: [1, null],
    n: 2,
  };
  const reply = await upstreams.forward(request("sim/echo", more));
  expect(reply).toMatchObject({ status: 200, model: "sim/echo" });
  expect(reply.headers).toMatchObject({ "content-type": "application/json", "x-upstream-request-id": "req_sim" });
  const body = JSON.parse(await bytes(reply.body));
  expect(body.choices[0].message.content).toBe("echo: [image] hi");
  expect(body.usage.completion_tokens_details).toEqual({ reasoning_tokens: 1 });
  expect((await server.last()).body).toEqual({ model: "echo", messages, ...more });
});

test("a stream passes byte for byte", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const reply = await upstreams.forward(
    request("sim/trickle", { stream: true, stream_options: { include_usage: true } }),
  );
  const direct = await fetch(`${server.base}/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "trickle", messages, stream: true, stream_options: { include_usage: true } }),
  });
  expect(reply.headers["content-type"]).toBe("text/event-stream");
  expect(await bytes(reply.body)).toBe(await direct.text());
});

test("four megabytes for a slow reader arrive whole", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const reply = await upstreams.forward(request("sim/huge", { stream: true }));
  let size = 0;
  for await (const part of reply.body) {
    size += part.byteLength;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(size).toBeGreaterThan(64 * 64 * 1024);
});

test.each([false, true])("4xx keep status, message and Retry-After (stream: %s)", async (stream) => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  for (const [model, status, message] of [
    ["bad", 400, "max_tokens is too large"],
    ["auth", 401, "Incorrect API key provided"],
    ["forbidden", 403, "You are not allowed to use this model"],
    ["missing", 404, "The model does not exist"],
    ["large", 413, "Request too large"],
    ["rate", 429, "Rate limit reached"],
  ] as const) {
    const reply = await upstreams.forward(request(`sim/${model}`, { stream }));
    expect(reply.status).toBe(status);
    expect(reply.headers["retry-after"]).toBe(model === "rate" ? "7" : undefined);
    expect(JSON.parse(await bytes(reply.body)).error).toMatchObject({ message, type: "simulated_error" });
  }
});

test("a 4xx that is no OpenAI error becomes one", async () => {
  const server = await upstream();
  server.script("odd", { status: 422, raw: '{"detail":"bad tool"}' });
  server.script("null", { status: 400, raw: '{"error":null,"message":"no such tool"}' });
  server.script("text", { status: 404, raw: "<h1>Not here</h1>", headers: { "content-type": "text/html" } });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  for (const [model, status, message] of [
    ["odd", 422, "bad tool"],
    ["null", 400, "no such tool"],
    ["text", 404, "Not here"],
  ] as const) {
    const reply = await upstreams.forward(request(`sim/${model}`));
    expect(reply.status).toBe(status);
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(await bytes(reply.body)).error.message).toBe(message);
  }
});

test("the provider's key is blanked out of an error that repeats it", async () => {
  const server = await upstream({ key: "sk-other" });
  const upstreams = makeUpstreams({ sim: { api_base: server.base, api_key: "sk-secret-123" } });
  const reply = await upstreams.forward(request("sim/echo"));
  expect(reply.status).toBe(401);
  expect(await bytes(reply.body)).toContain("Incorrect API key provided: Bearer ***");
});

test.each([
  ["fault", "UPSTREAM_FAULT", 502],
  ["html", "UPSTREAM_FAULT", 502],
  ["redirect", "UPSTREAM_FAULT", 502],
  ["dead", "UPSTREAM_UNREACHABLE", 502],
  ["hang", "UPSTREAM_TIMEOUT", 504],
  ["hang-body", "UPSTREAM_TIMEOUT", 504],
])("%s fails before the first byte as %s", async (model, code, status) => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base, timeout_sec: 0.4 } });
  for (const stream of [false, true]) {
    const error = await upstreams.forward(request(`sim/${model}`, { stream })).catch((thrown: unknown) => thrown);
    expect(GatewayError.is(error)).toBe(true);
    expect(error).toMatchObject({ code, status });
  }
});

test("a stream that is cut throws after what had arrived", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const reply = await upstreams.forward(request("sim/cut", { stream: true }));
  let text = "";
  const read = async (): Promise<void> => {
    for await (const part of reply.body) text += Buffer.from(part).toString();
  };
  await expect(read()).rejects.toMatchObject({ code: "UPSTREAM_CUT" });
  expect(text).toContain("echo: ");
});

test.each(["hang", "hang-stream", "endless"])("an abort in %s reaches the upstream", async (model) => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const controller = new AbortController();
  const work = (async () =>
    bytes((await upstreams.forward(request(`sim/${model}`, { stream: true }, controller.signal))).body))();
  const failed = expect(work).rejects.toMatchObject({ code: "ABORTED" });
  await server.last();
  controller.abort();
  await failed;
  await until(() => server.requests[0]?.aborted, 2000, "the abort at the upstream");
  expect(upstreams.status().cooling).toEqual([]);
});

test("a reader that leaves aborts the upstream", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const reply = await upstreams.forward(request("sim/endless", { stream: true }));
  for await (const part of reply.body) if (part.byteLength > 0) break;
  await until(() => server.requests[0]?.aborted, 2000, "the abort at the upstream");
});

test("a lone provider's 429 works again when the client retries", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  expect((await upstreams.forward(request("sim/rate-once"))).status).toBe(429);
  expect((await upstreams.forward(request("sim/rate-once"))).status).toBe(200);
});

test("embeddings go through by the same door", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  const reply = await upstreams.forward({ model: "sim/e", path: "/embeddings", body: { input: "x" }, signal: never });
  expect(JSON.parse(await bytes(reply.body)).data[0].embedding).toEqual([0.25, -0.5]);
});

test("an unknown model is 404", async () => {
  const upstreams = makeUpstreams({});
  await expect(upstreams.forward(request("sim/echo"))).rejects.toMatchObject({ code: "MODEL_UNKNOWN", status: 404 });
});

test("a config change cuts no running stream; the old connections close after it", async () => {
  const [old, fresh] = [await upstream(), await upstream()];
  const { readSettings } = await import("../../../plugins/providers/settings.ts");
  const { section } = await import("./kit.ts");
  const upstreams = makeUpstreams({ sim: { api_base: old.base } });
  const running = await upstreams.forward(request("sim/trickle", { stream: true }));
  upstreams.apply(readSettings(section({ sim: { api_base: fresh.base } })));
  const after = await upstreams.forward(request("sim/echo"));
  expect(await bytes(after.body)).toContain("echo:");
  expect(fresh.requests).toHaveLength(1);
  expect(await bytes(running.body)).toContain("[DONE]");
  expect(old.requests[0]).toMatchObject({ done: true, aborted: false });
});

const sse = { "content-type": "text/event-stream" };
const events = (...all: readonly unknown[]) => all.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("");
const piece = (content: string, finish: string | null = null) => ({
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});

test("a stream that ends in good order without having said how is cut all the same", async () => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  server.script("bare", { status: 200, headers: sse, raw: ": wait\n\n" });
  for (const model of ["cut-clean", "bare"]) {
    const reply = await upstreams.forward(request(`sim/${model}`, { stream: true }));
    await expect(bytes(reply.body)).rejects.toMatchObject({ code: "UPSTREAM_CUT", status: 502 });
  }
});

test.each([
  ["[DONE] and no finish reason", `${events(piece("a"))}data: [DONE]\n\n`],
  ["a finish reason and no [DONE]", events(piece("a"), piece("", "stop"), { choices: [], usage: { total_tokens: 1 } })],
  ["CRLF, and no space", `${events(piece("a")).replaceAll("\n", "\r\n")}data:[DONE]\r\n\r\n`],
  ["no last blank line", `${events(piece("a"))}data: [DONE]`],
  ["an error that is told", events(piece("a"), { error: { message: "overloaded" } })],
])("a stream that ends with %s passes as it is", async (_, raw) => {
  const server = await upstream();
  server.script("odd", { status: 200, headers: sse, raw });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  expect(await bytes((await upstreams.forward(request("sim/odd", { stream: true }))).body)).toBe(raw);
});

test("a stream is over with [DONE], however long the upstream keeps it open", async () => {
  const server = await upstream();
  server.script("open", { pieces: [], finish: "stop", fault: "open-end" });
  const upstreams = makeUpstreams({ sim: { api_base: server.base, timeout_sec: 60 } });
  const text = await bytes((await upstreams.forward(request("sim/open", { stream: true }))).body);
  expect(text).toMatch(/data: \[DONE\]\n\n$/);
  await until(() => server.requests[0]?.aborted, 10_000, "the connection to be given up");
  expect(upstreams.status().cooling).toEqual([]);
});

test("an empty success is a 502, whole and streamed", async () => {
  const server = await upstream();
  server.script("nothing", { status: 200, raw: "" });
  server.script("no-events", { status: 200, raw: "", headers: sse });
  const upstreams = makeUpstreams({ sim: { api_base: server.base } });
  for (const model of ["nothing", "no-events"]) {
    const failed = upstreams.forward(request(`sim/${model}`, { stream: true }));
    await expect(failed).rejects.toMatchObject({ code: "UPSTREAM_CUT", status: 502 });
  }
});

test.each([
  ["whole", { "content-type": "application/json" }, (error: unknown) => JSON.stringify({ error })],
  ["as first event", sse, (error: unknown) => `${events({ error })}data: [DONE]\n\n`],
  ["after a comment", sse, (error: unknown) => `: processing\n\n${events({ error })}`],
])("an error told with status 200, %s, gets the status of what it says", async (_, headers, raw) => {
  const server = await upstream();
  const upstreams = makeUpstreams({ sim: { api_base: server.base, api_key: "sk-secret-1" } });
  const rate = { message: "slow down, sk-secret-1", type: "rate", code: 429 };
  server.script("rate", { status: 200, headers: { ...headers, "retry-after": "2" }, raw: raw(rate) });
  const reply = await upstreams.forward(request("sim/rate", { stream: true }));
  expect(reply).toMatchObject({ status: 429, headers: { "content-type": "application/json", "retry-after": "2" } });
  expect(JSON.parse(await bytes(reply.body))).toEqual({ error: { ...rate, message: "slow down, ***" } });
  expect(upstreams.status().cooling).toHaveLength(1);
  server.script("broken", { status: 200, headers, raw: raw({ message: "out of memory" }) });
  const failed = upstreams.forward(request("sim/broken", { stream: true }));
  await expect(failed).rejects.toMatchObject({ status: 502, message: expect.stringContaining("out of memory") });
});

test("a stream whose end comes a moment after [DONE] keeps its connection", async () => {
  const open: ServerResponse[] = [];
  const server = await httpServer((_, res) => {
    open.push(res.writeHead(200, sse));
    res.write(`${events(piece("a"))}data: [DONE]\n\n`);
  });
  const upstreams = makeUpstreams({ sim: { api_base: `${server.origin}/v1` } });
  // Each exchange gives the one before time to be seen as aborted, if it was.
  for (let round = 0; round < 3; round++) {
    const { body } = await upstreams.forward(request("sim/a", { stream: true }));
    expect(await bytes(body)).toContain("[DONE]");
    await body[Symbol.asyncIterator]().return?.();
  }
  expect(open.slice(0, 2).map((res) => res.closed)).toEqual([false, false]);
  for (const res of open) res.end();
});
