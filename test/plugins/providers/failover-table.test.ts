/**
 * Failover as a table: what each class of error does to the walk, to the one who failed and to its health, streamed and whole,
 * with one candidate and with many, on the way of turns and on the straight one.
 */
import { GatewayError } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import type { Behaviour } from "../../simulators/openai/behaviour.ts";
import { ask, bytes, fails, hear, makeUpstreams, never, type Providers, upstream } from "./kit.ts";

interface Row {
  readonly name: string;
  readonly how: Behaviour;
  /** Whether somebody else is asked: `model` only for another model. */
  readonly next: "any" | "model" | "nobody";
  readonly code: string;
  readonly status: number;
  /** Seconds it rests; null until something is done about it; 0 not at all. */
  readonly rests: number | null;
  readonly health: number;
}

const error = (status: number, message: string, more: Partial<Behaviour> = {}): Behaviour => ({
  status,
  message,
  ...more,
});
const after = (value: string): Partial<Behaviour> => ({ headers: { "retry-after": value } });

const rows: readonly Row[] = [
  { name: "400", how: error(400, "bad"), next: "nobody", code: "UPSTREAM_REQUEST", status: 400, rests: 0, health: 100 },
  {
    name: "400 context too long",
    how: error(400, "This model's maximum context length is 8192 tokens", { code: "context_length_exceeded" }),
    ...{ next: "nobody", code: "UPSTREAM_REQUEST", status: 400, rests: 0, health: 100 },
  },
  {
    name: "400 out of money",
    how: error(400, "Your credit balance is too low to access the API"),
    ...{ next: "any", code: "UPSTREAM_REQUEST", status: 400, rests: 1800, health: 60 },
  },
  { name: "401", how: error(401, "bad key"), next: "any", code: "UPSTREAM_AUTH", status: 401, rests: null, health: 60 },
  {
    name: "402",
    how: error(402, "pay first"),
    ...{ next: "any", code: "UPSTREAM_RATE", status: 402, rests: 1800, health: 60 },
  },
  { name: "403", how: error(403, "not you"), next: "any", code: "UPSTREAM_AUTH", status: 403, rests: null, health: 75 },
  {
    name: "404",
    how: error(404, "no such model", { code: "model_not_found" }),
    ...{ next: "model", code: "UPSTREAM_REQUEST", status: 404, rests: 0, health: 100 },
  },
  {
    name: "400 in DeepSeek's words for it",
    how: error(400, "Model Not Exist", { code: "invalid_request_error" }),
    ...{ next: "model", code: "UPSTREAM_REQUEST", status: 400, rests: 0, health: 100 },
  },
  {
    name: "400 for a proxy's unknown model",
    how: error(400, "Invalid model name passed in model=x. Call `/v1/models` to view available models for your key."),
    ...{ next: "model", code: "UPSTREAM_REQUEST", status: 400, rests: 0, health: 100 },
  },
  { name: "408", how: error(408, "late"), next: "any", code: "UPSTREAM_TIMEOUT", status: 504, rests: 1, health: 90 },
  {
    name: "413",
    how: error(413, "too large"),
    ...{ next: "nobody", code: "UPSTREAM_REQUEST", status: 413, rests: 0, health: 100 },
  },
  { name: "422", how: error(422, "odd"), next: "nobody", code: "UPSTREAM_REQUEST", status: 422, rests: 0, health: 100 },
  { name: "429", how: error(429, "slow down"), next: "any", code: "UPSTREAM_RATE", status: 429, rests: 60, health: 90 },
  {
    name: "429 with seconds",
    how: error(429, "slow down", after("7")),
    ...{ next: "any", code: "UPSTREAM_RATE", status: 429, rests: 7, health: 90 },
  },
  {
    name: "429 quota",
    how: error(429, "You exceeded your current quota", { code: "insufficient_quota" }),
    ...{ next: "any", code: "UPSTREAM_RATE", status: 429, rests: 1800, health: 60 },
  },
  {
    name: "429 of Google, which says when",
    how: {
      status: 429,
      raw: '{"error":{"code":429,"message":"Quota exceeded per minute","details":[{"retryDelay":"34s"}]}}',
    },
    ...{ next: "any", code: "UPSTREAM_RATE", status: 429, rests: 34, health: 60 },
  },
  { name: "500", how: error(500, "oops"), next: "any", code: "UPSTREAM_FAULT", status: 502, rests: 1, health: 90 },
  {
    name: "503 with seconds",
    how: error(503, "busy", after("11")),
    ...{ next: "any", code: "UPSTREAM_FAULT", status: 502, rests: 11, health: 90 },
  },
  {
    name: "502 of a proxy, in HTML",
    how: { status: 502, raw: "<html>Bad gateway</html>", headers: { "content-type": "text/html" } },
    ...{ next: "any", code: "UPSTREAM_FAULT", status: 502, rests: 1, health: 90 },
  },
  {
    name: "a web page",
    how: { status: 200, raw: "<html>Hi</html>", headers: { "content-type": "text/html" } },
    ...{ next: "any", code: "UPSTREAM_PROTOCOL", status: 502, rests: 1, health: 90 },
  },
  {
    name: "a closed connection",
    how: { fault: "cut-headers" },
    ...{ next: "any", code: "UPSTREAM_UNREACHABLE", status: 502, rests: 1, health: 90 },
  },
  {
    name: "silence",
    how: { fault: "hang-headers" },
    ...{ next: "any", code: "UPSTREAM_TIMEOUT", status: 504, rests: 1, health: 90 },
  },
];

interface Setup {
  readonly models: readonly string[];
  readonly keys: readonly string[];
}

async function world(how: Behaviour, { models, keys }: Setup) {
  const server = await upstream();
  for (const model of models) server.script(model, how);
  const sim: Providers[string] = {
    api_base: server.base,
    api_keys: [...keys],
    models: ["m", "echo"],
    timeout_sec: how.fault === "hang-headers" ? 2 : 30,
  };
  // A clock that stands still: how long a window is can be read exactly.
  const upstreams = makeUpstreams({ sim }, { now: () => 1_000_000, wall: () => 1_700_000_000_000 });
  return { server, upstreams };
}

describe.each(rows)("$name", (row) => {
  const one: Setup = { models: ["m"], keys: ["sk-first-0001"] };

  test("alone: its own error, with the attempt", async () => {
    const { upstreams } = await world(row.how, one);
    const { error: caught } = await fails(upstreams.stream(ask("sim/m"), never));
    expect(caught).toMatchObject({ code: row.code, status: row.status });
    expect(caught.details?.attempts).toMatchObject([{ model: "sim/m", code: row.code }]);
    const rests = upstreams.status().cooling;
    expect(rests.map(({ seconds }) => seconds)).toEqual(row.rests === 0 ? [] : [row.rests]);
    const [item] = upstreams.runtime.items(everything) as [{ api_state: { health_score: number } }];
    expect(item.api_state.health_score).toBe(row.health);
  });

  test("with another model behind it", async () => {
    const { server, upstreams } = await world(row.how, one);
    const request = ask("sim/m", { fallbacks: ["sim/echo"] });
    if (row.next === "nobody") {
      await fails(upstreams.stream(request, never));
      expect(server.requests).toHaveLength(1);
    } else expect((await hear(upstreams.stream(request, never))).reply.model).toBe("sim/echo");
  });

  test.each([true, false])("with another key behind it, straight through, stream: %s", async (stream) => {
    const { server, upstreams } = await world(row.how, { models: ["m"], keys: ["sk-first-0001", "sk-other-0002"] });
    server.key("sk-other-0002", {});
    const messages = [{ role: "user", content: "hello" }];
    const reply = await upstreams
      .forward({ model: "sim/m", path: "/chat/completions", body: { messages, stream }, signal: never })
      .catch((caught: unknown) => caught);
    if (row.next === "any") {
      expect(GatewayError.is(reply)).toBe(false);
      expect(await bytes((reply as { body: AsyncIterable<Uint8Array> }).body)).toContain("echo");
      expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
        "Bearer sk-first-0001",
        "Bearer sk-other-0002",
      ]);
    } else {
      expect(server.requests).toHaveLength(1);
      expect(reply).toMatchObject({ status: row.status });
    }
  });

  test("the next request passes it over while it rests", async () => {
    const { server, upstreams } = await world(row.how, one);
    await fails(upstreams.stream(ask("sim/m"), never));
    const before = server.requests.length;
    const request = ask("sim/m", { fallbacks: ["sim/echo"] });
    await hear(upstreams.stream(request, never)).catch(() => undefined);
    const asked = server.requests.slice(before).map(({ body }) => body.model);
    expect(asked.includes("m")).toBe(row.rests === 0);
  });

  test("the last of 17 is reached, whatever the others say", async () => {
    if (row.next === "nobody" || row.how.fault) return expect(row.code).toMatch(/REQUEST|TIMEOUT|UNREACHABLE/);
    const server = await upstream();
    const ids = Array.from({ length: 16 }, (_, index) => `m${index}`);
    for (const id of ids) server.script(id, row.how);
    const upstreams = makeUpstreams({ sim: { api_base: server.base, api_key: "sk" } });
    const fallbacks = [...ids.slice(1).map((id) => `sim/${id}`), "sim/echo"];
    const { reply } = await hear(upstreams.stream(ask("sim/m0", { fallbacks }), never));
    expect(reply.model).toBe("sim/echo");
    expect(server.requests.map(({ body }) => body.model)).toEqual([...ids, "echo"]);
  });
});

const everything = {
  ...{ provider: "", kind: "", reason: "", target: "", ascending: false, changesOnly: false },
  ...{ windowSec: 0, limit: 20, cursor: 0, healthBelow: 0, cooldownBeforeSec: 0 },
};
