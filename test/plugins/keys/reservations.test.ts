/** What calls that run at the same time may use together: never more than the budget, and it is given back however a call ends. */
import type { TestHost } from "@chela/sdk/testing";
import { describe, expect, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import tools from "../../../plugins/tools/index.ts";
import usage from "../../../plugins/usage/index.ts";
import workspace from "../../../plugins/workspace/index.ts";
import { until } from "../../kit/until.ts";
import { hello, newKey, type SetupOptions, setup } from "../openai/kit.ts";

/** Of the simulated upstream: 9 tokens in and 3 out. Here each costs a dollar. */
const perCall = 12;
const price = { input: 1e6, output: 1e6 };
const config = {
  agents: { defaults: { model: { primary: "sim/slow" } } },
  usage: { prices: { "sim/slow": price, "sim/embed": price } },
};

interface Own {
  readonly used: { readonly calls: number; readonly tokens: number };
  readonly limits: readonly { readonly limit: string; readonly used: number; readonly reserved: number }[];
}

async function open(limits: object, options: Partial<SetupOptions> = {}) {
  const one = await setup({ plugins: [apiConfig, keys, usage], config, ...options });
  const token = await newKey(one.host, { name: "ci", limits: { period: "day", ...limits } });
  const post = (path: string, body: object, signal?: AbortSignal) =>
    fetch(`${one.host.url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(signal && { signal }),
    });
  return { ...one, token, post, own: () => ownOf(one.host, token) };
}

async function ownOf(host: TestHost, token: string): Promise<Own> {
  return (await host.request("/api/usage/me", { token })).json() as Own;
}

const chat = { model: "sim/slow", messages: hello, max_tokens: 3 };
const response = { model: "sim/slow", input: "hi", max_output_tokens: 3 };
/** The last: tokens of one call. */
const doors: readonly (readonly [door: string, path: string, body: (index: number) => object, each: number])[] = [
  ["a completion", "/v1/chat/completions", () => chat, perCall],
  ["a stream", "/v1/chat/completions", () => ({ ...chat, stream: true }), perCall],
  ["a translated response", "/v1/responses", () => response, perCall],
  ["an embedding", "/v1/embeddings", () => ({ model: "sim/embed", input: "hi" }), 2],
  ["a turn", "/api/chat", (index) => ({ message: "hi", session: `s${index}` }), perCall],
];

describe.each(doors)("twenty at once, each %s", (_, path, body, each) => {
  test.each([
    ["tokens", { tokens: 5 * each }],
    ["dollars", { usd: 5 * each }],
  ])("use no more %s than the key has, and one after another use all of them", async (_, limits) => {
    const { post, upstream } = await open(limits);
    const ask = async (index: number) => {
      const reply = await post(path, body(index));
      return { status: reply.status, headers: reply.headers, text: await reply.text() };
    };
    const together = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)));
    const served = together.filter(({ status }) => status === 200).length;
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThanOrEqual(5);
    expect(upstream.requests).toHaveLength(served);
    const refused = together.find(({ status }) => status === 429);
    expect(refused?.headers.get("retry-after")).toBe("2");
    expect(refused?.text).toMatch(
      /Budget of key .{1,2}ci.{1,2} \((\d+ tokens|\$\d+) a day\) has (\d+ tokens|\$\d+) left/,
    );
    let last = await ask(100);
    for (let index = 101; last.status === 200; index += 1) last = await ask(index);
    expect(last.text).toContain("is used up");
    expect(upstream.requests).toHaveLength(5);
  });
});

test("a call that is alone may use up what is left, however much it asks for; beside it a second one is refused", async () => {
  const { post, upstream, host, own } = await open({ tokens: 20 });
  const generous = { ...chat, max_tokens: 1_000_000 };
  upstream.script("hang", { fault: "hang-headers" });
  const leave = new AbortController();
  const first = post("/v1/chat/completions", { ...generous, model: "sim/hang" }, leave.signal).catch(() => undefined);
  await until(() => upstream.requests.length === 1);
  const second = await post("/v1/chat/completions", generous);
  expect([second.status, await second.json()]).toEqual([
    429,
    { error: expect.objectContaining({ code: "budget_reserved", type: "rate_limited" }) },
  ]);
  expect(second.headers.get("x-ratelimit-limit-tokens")).toBe("20");
  expect(second.headers.get("x-ratelimit-remaining-tokens")).toBe("0");
  const other = await newKey(host, { name: "other", limits: { tokens: 20 } });
  expect((await host.request("/v1/chat/completions", { token: other, body: generous })).status).toBe(200);
  leave.abort();
  await first;
  await until(async () => (await own()).limits[0]?.reserved === 0);
  const statuses: number[] = [];
  for (let call = 0; call < 3; call += 1) statuses.push((await post("/v1/chat/completions", generous)).status);
  expect(statuses).toEqual([200, 200, 429]);
});

const ends: readonly (readonly [how: string, path: string, body: object])[] = [
  ["well", "/v1/chat/completions", chat],
  ["well, streamed", "/v1/chat/completions", { ...chat, stream: true }],
  ["as an error of the client", "/v1/chat/completions", { ...chat, model: "sim/bad" }],
  ["as an error of the upstream", "/v1/chat/completions", { ...chat, model: "sim/fault" }],
  ["without an answer", "/v1/chat/completions", { ...chat, model: "sim/dead" }],
  ["in the middle of a stream", "/v1/chat/completions", { ...chat, model: "sim/cut", stream: true }],
  ["with a web page", "/v1/chat/completions", { ...chat, model: "sim/page" }],
  ["as embeddings", "/v1/embeddings", { model: "sim/embed", input: ["one", "two"] }],
  ["as a response", "/v1/responses", { model: "sim/echo", input: "hi" }],
  ["as a streamed response", "/v1/responses", { model: "sim/echo", input: "hi", stream: true }],
  ["as a turn that fails over", "/api/chat", { message: "hi" }],
  ["as a completion by the agent", "/v1/chat/completions", { ...chat, model: "chela", stream: true }],
];

test.each(ends)("a call that ends %s gives back what it did not use", async (_, path, body) => {
  const model = { primary: "sim/fault", fallbacks: ["sim/echo"] };
  const { post, own } = await open({ tokens: 1e9 }, { config: { agents: { defaults: { model } } } });
  await (await post(path, body)).text().catch(() => undefined);
  await until(async () => (await own()).used.calls === 1, 5_000, "one call that is counted");
  expect((await own()).limits).toMatchObject([{ limit: "tokens", reserved: 0 }]);
});

test.each([
  ["before the first byte", { ...chat, model: "sim/hang" }],
  ["in the middle of a stream", { ...chat, model: "sim/endless", stream: true }],
])("a client that leaves %s gives back what its call had reserved", async (_, body) => {
  const { post, own, upstream } = await open({ tokens: 1e9 });
  const leave = new AbortController();
  const reply = post("/v1/chat/completions", body, leave.signal).then((given) => given.text());
  const left = expect(reply).rejects.toThrow();
  await until(() => upstream.requests.length === 1);
  await until(async () => ((await own()).limits[0]?.reserved ?? 0) > 3, 5_000, "a reservation");
  leave.abort();
  await left;
  await until(async () => (await own()).limits[0]?.reserved === 0, 5_000, "nothing reserved");
});

test.each([
  ["whose stream is left after its first words", { ...chat, model: "sim/endless", stream: true }],
  ["whose upstream never says what it used", { ...chat, model: "sim/silent" }],
])("a call %s counts by what it is likely to have used", async (_, body) => {
  const { post, own, upstream } = await open({ tokens: 100 });
  upstream.script("silent", { usage: null });
  const statuses: number[] = [];
  for (let call = 0; call < 10 && statuses.at(-1) !== 429; call += 1) {
    const reply = await post("/v1/chat/completions", body);
    statuses.push(reply.status);
    await reply.body?.cancel();
    await until(async () => (await own()).limits[0]?.reserved === 0, 5_000, "nothing reserved");
  }
  expect(statuses.at(-1)).toBe(429);
  expect(statuses.length).toBeGreaterThan(2);
  expect((await own()).limits[0]?.used).toBeGreaterThanOrEqual(100);
});

test.each([
  [3 * perCall, 200, 3],
  [2 * perCall, 429, 2],
])(
  "a turn with a subagent and %i tokens is %i: each of its %i calls counts for who asked",
  async (tokens, status, calls) => {
    const all = [apiConfig, keys, usage, tools, workspace];
    const { post, own, upstream } = await open(
      { tokens },
      { plugins: all, config: { agents: { defaults: { model: { primary: "sim/boss" } } } } },
    );
    const told = { prompt_tokens: 9, completion_tokens: 3 };
    const toolCalls = [{ name: "spawn", arguments: JSON.stringify({ content: "do it" }) }];
    upstream.script("boss", { times: 1, usage: told, toolCalls, afterwards: { usage: told, text: "done" } });
    const reply = await post("/api/chat", { message: "hi" });
    expect([reply.status, upstream.requests.length]).toEqual([status, calls]);
    expect(await own()).toMatchObject({ used: { calls, tokens: calls * perCall }, limits: [{ reserved: 0 }] });
  },
);

test("a request that is repeated with its Idempotency-Key reserves and costs nothing", async () => {
  const { host, token, own } = await open({ tokens: 20 });
  const ask = () => host.request("/v1/chat/completions", { token, body: chat, headers: { "idempotency-key": "k" } });
  const replies = await Promise.all(Array.from({ length: 10 }, ask));
  expect(replies.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect((await ask()).status).toBe(200);
  expect((await own()).used).toMatchObject({ calls: 1, tokens: perCall });
});
