/** Several keys or accounts of one provider: who is asked how often, while others rest, come and go. */
import { expect, test } from "vitest";
import { runtimeQuery } from "../../../plugins/providers/runtime/view.ts";
import { readSettings } from "../../../plugins/providers/settings.ts";
import type { Upstreams } from "../../../plugins/providers/upstreams.ts";
import { until } from "../../kit/until.ts";
import { fakeAccount, fakeAccounts } from "./accounts-kit.ts";
import { ask, bytes, fails, hear, makeUpstreams, type Providers, section, upstream } from "./kit.ts";

const keys = ["sk-aaaa-000001", "sk-bbbb-000002", "sk-cccc-000003"];
const refused = { status: 401, message: "Incorrect API key" };

async function world(strategy: string | undefined, more: Providers[string] = {}) {
  const server = await upstream();
  let now = 0;
  const sim = { api_base: server.base, api_keys: keys, models: ["m", "slow"], ...(strategy && { strategy }), ...more };
  const upstreams = makeUpstreams({ sim }, { now: () => now });
  const say = (session?: string, model = "sim/m") =>
    hear(upstreams.stream(ask(model), signal(), { purpose: "turn", session: session ?? null }));
  const asked = () => server.requests.map(({ headers }) => String(headers.authorization).replace("Bearer ", ""));
  const pass = (ms: number) => {
    now += ms;
  };
  return { server, upstreams, say, asked, pass, sim };
}

/** Of a request's own: requests side by side share none. */
function signal(): AbortSignal {
  return new AbortController().signal;
}

/** How often each was asked. */
function counts(asked: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const key of asked) found[key] = (found[key] ?? 0) + 1;
  return found;
}

function shown(upstreams: Upstreams) {
  const [item] = upstreams.runtime.items(runtimeQuery({}));
  return item as unknown as {
    strategy: string;
    candidate_order: { target: string; status: string; requests?: number }[];
    recent_changes: unknown;
  };
}

async function many(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

test("by default the first key is asked as long as it can be", async () => {
  const { say, asked, server, upstreams } = await world(undefined);
  await many(6, () => say());
  expect(counts(asked())).toEqual({ [keys[0] as string]: 6 });
  server.key(keys[0] as string, refused);
  await say();
  expect(asked().slice(6)).toEqual(keys.slice(0, 2));
  expect(shown(upstreams)).toMatchObject({
    strategy: "order",
    candidate_order: [{ requests: 1 }, {}, { requests: 7 }],
  });
});

test("round_robin: each key has its share of requests that begin together, and the order of candidates stays", async () => {
  const { say, asked, upstreams } = await world("round_robin");
  await many(30, () => say());
  expect(counts(asked())).toEqual(Object.fromEntries(keys.map((key) => [key, 10])));
  expect(shown(upstreams)).toMatchObject({
    strategy: "round_robin",
    candidate_order: [{ requests: 10 }, { requests: 10 }, { requests: 10 }],
    recent_changes: null,
  });
});

test("round_robin: while one key rests the others share its part evenly, and it has its own again after", async () => {
  const { say, asked, server, pass } = await world("round_robin");
  server.key(keys[1] as string, { times: 1, status: 429, headers: { "retry-after": "30" }, afterwards: {} });
  for (let index = 0; index < 2; index += 1) await say();
  const before = asked().length;
  await many(20, () => say());
  expect(counts(asked().slice(before))).toEqual({ [keys[0] as string]: 10, [keys[2] as string]: 10 });
  pass(31_000);
  await say();
  const half = asked().length;
  await many(30, () => say());
  expect(counts(asked().slice(half))).toEqual(Object.fromEntries(keys.map((key) => [key, 10])));
});

test("round_robin: when all rest, the one that is free soonest is asked", async () => {
  const { say, asked, server, upstreams, pass } = await world("round_robin");
  for (const [index, key] of keys.entries())
    server.key(key, { times: 1, status: 429, headers: { "retry-after": String(30 - index) }, afterwards: {} });
  await fails(upstreams.stream(ask("sim/m"), signal()));
  expect(asked()).toEqual(keys);
  await say();
  expect(asked().at(-1)).toBe(keys[2]);
  pass(29_500);
  await many(4, () => say());
  expect(counts(asked().slice(4))[keys[0] as string]).toBeUndefined();
});

test("a key that is removed under load is asked by nobody new, and what it does ends well", async () => {
  const { say, asked, server, upstreams, sim } = await world("round_robin");
  server.script("slow", { pieces: ["one ", "two ", "three ", "four"], chunkMs: 60 });
  const running = Array.from({ length: 6 }, () => say(undefined, "sim/slow"));
  await until(() => server.requests.length === 6);
  upstreams.apply(readSettings(section({ sim: { ...sim, api_keys: [keys[0] as string, keys[2] as string] } })));
  await many(10, () => say());
  for (const { text } of await Promise.all(running)) expect(text).toBe("one two three four");
  expect(counts(asked().slice(6))).toEqual({ [keys[0] as string]: 5, [keys[2] as string]: 5 });
  expect(shown(upstreams).candidate_order).toHaveLength(2);
});

test("least_used: whoever is in the middle of a long reply is spared, on both ways to a model", async () => {
  const { say, asked, server, upstreams } = await world("least_used");
  server.script("slow", { fault: "hang-stream" });
  const spared = async (): Promise<unknown> => {
    const before = asked().length;
    for (let index = 0; index < 4; index += 1) await say();
    return Object.values(counts(asked().slice(before))).sort();
  };
  const events = upstreams.stream(ask("sim/slow"), signal())[Symbol.asyncIterator]();
  await events.next();
  const [busy] = asked();
  expect(await spared()).toEqual([2, 2]);
  expect(asked().slice(1)).not.toContain(busy);
  await events.return?.(undefined);
  const body = { model: "sim/slow", stream: true, messages: [{ role: "user", content: "hi" }] };
  const forward = () => upstreams.forward({ model: "sim/slow", path: "/chat/completions", body, signal: signal() });
  const unread = await forward();
  const read = (await forward()).body[Symbol.asyncIterator]();
  await read.next();
  expect(await spared()).toEqual([4]);
  await unread.body[Symbol.asyncIterator]().return?.(undefined);
  await read.return?.(undefined);
  server.script("slow", { status: 400 });
  await bytes((await forward()).body);
  server.script("slow", { fault: "cut-headers" });
  await expect(forward()).rejects.toMatchObject({ code: "UPSTREAM_UNREACHABLE" });
  upstreams.runtime.clearAll("sim");
  const last = asked().length;
  await many(9, () => say());
  expect(counts(asked().slice(last))).toEqual(Object.fromEntries(keys.map((key) => [key, 3])));
});

test("session: a conversation stays with its key, leaves it while it rests, and comes back", async () => {
  const { say, asked, server, pass } = await world("session");
  await many(3, () => say("one"));
  expect(Object.values(counts(asked()))).toEqual([3]);
  const [own] = asked() as [string];
  for (let index = 0; index < 90; index += 1) await say(`conversation ${index}`);
  for (const count of Object.values(counts(asked().slice(3)))) expect(count).toBeGreaterThan(15);
  server.key(own, { times: 1, status: 429, headers: { "retry-after": "30" }, afterwards: {} });
  const before = asked().length;
  for (let index = 0; index < 3; index += 1) await say("one");
  const [first, second, ...others] = asked().slice(before);
  expect([first, others]).toEqual([own, [second, second]]);
  expect(second).not.toBe(own);
  pass(31_000);
  await say("one");
  expect(asked().at(-1)).toBe(own);
});

test("session: straight through, prompt_cache_key or user is the conversation; without one they take turns", async () => {
  const { asked, upstreams } = await world("session");
  const forward = async (more: Record<string, unknown>) => {
    const body = { model: "sim/m", messages: [{ role: "user", content: "hi" }], ...more };
    await bytes((await upstreams.forward({ model: "sim/m", path: "/chat/completions", body, signal: signal() })).body);
  };
  for (let index = 0; index < 3; index += 1) await forward({ prompt_cache_key: "mine", user: `user ${index}` });
  for (let index = 0; index < 3; index += 1) await forward({ user: "ada" });
  for (let index = 0; index < 3; index += 1) await forward({});
  expect(new Set(asked().slice(0, 3)).size).toBe(1);
  expect(new Set(asked().slice(3, 6)).size).toBe(1);
  expect(new Set(asked().slice(6)).size).toBe(3);
  const request = ask("sim/m", { extra: { prompt_cache_key: "mine" } });
  await hear(upstreams.stream(request, signal(), { purpose: "straight" }));
  expect(asked().at(-1)).toBe(asked()[0]);
});

test("accounts are spread too, keys before them; one that is unwell comes after the others", async () => {
  const server = await upstream();
  const accounts = fakeAccounts(...["a", "b", "c"].map((name) => fakeAccount(`${name}@x`, `tok-${name}`)));
  const sim = { api_base: server.base, models: ["m"], api: "chat", auth: "oauth", oauth: { provider: "codex" } };
  let now = 0;
  const upstreams = makeUpstreams(
    { sim: { ...sim, strategy: "round_robin" } },
    { accounts: () => accounts, now: () => now },
  );
  const say = () => hear(upstreams.stream(ask("sim/m"), signal()));
  const asked = () => server.requests.map(({ headers }) => String(headers.authorization).replace("Bearer ", ""));
  await many(9, say);
  expect(counts(asked())).toEqual({ "tok-a": 3, "tok-b": 3, "tok-c": 3 });
  server.key("tok-b", { status: 429, message: "quota", code: "insufficient_quota" });
  for (let round = 0; round < 2; round += 1) {
    await many(3, say);
    now += 3_600_000;
  }
  server.key("tok-b", {});
  const before = asked().length;
  await many(8, say);
  expect(counts(asked().slice(before))).toEqual({ "tok-a": 4, "tok-c": 4 });
});

test("another model of the same provider, as a fallback, is no second use of it", async () => {
  const { asked, upstreams } = await world("round_robin", { models: ["m", "other"] });
  for (let index = 0; index < 6; index += 1)
    await hear(upstreams.stream(ask("sim/m", { fallbacks: ["sim/other"] }), signal()));
  expect(counts(asked())).toEqual(Object.fromEntries(keys.map((key) => [key, 2])));
});

test("a strategy that nobody knows is told with those that are", () => {
  const { problems, providers } = readSettings(section({ sim: { api_base: "http://x.test", strategy: "random" } }));
  expect(providers).toEqual([]);
  expect(problems).toMatchObject([
    {
      path: "models.providers.sim.strategy",
      message: "must be one of order, round_robin, least_used, session",
    },
  ]);
});

test.each([false, true])(
  "a response is gone on from with the key that gave it, and with no other (stream: %s)",
  async (stream) => {
    const { asked, server, upstreams } = await world("round_robin");
    const reply = (id: string) => {
      const response = {
        id,
        object: "response",
        status: "completed",
        output: [],
        usage: { input_tokens: 1, output_tokens: 1 },
      };
      const events = [
        { type: "response.created", response },
        { type: "response.completed", response },
      ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      const headers = { "content-type": stream ? "text/event-stream" : "application/json" };
      return { status: 200, raw: stream ? events.join("") : JSON.stringify(response), headers };
    };
    for (const [index, key] of keys.entries()) server.key(key, reply(`resp_${index}`));
    const forward = async (previous?: string) => {
      const body = { model: "sim/m", input: "hi", stream, ...(previous && { previous_response_id: previous }) };
      const { status, body: told } = await upstreams.forward({
        model: "sim/m",
        path: "/responses",
        body,
        signal: signal(),
      });
      await bytes(told);
      return status;
    };
    await forward();
    await forward();
    await forward();
    const [first, second, third] = asked() as [string, string, string];
    expect(new Set([first, second, third]).size).toBe(3);
    for (const key of [second, second, first, third, second]) await forward(`resp_${keys.indexOf(key)}`);
    expect(asked().slice(3)).toEqual([second, second, first, third, second]);
    server.key(second, { status: 429, headers: { "retry-after": "30" } });
    expect(await forward(`resp_${keys.indexOf(second)}`)).toBe(429);
    expect(asked().slice(8)).toEqual([second]);
    await forward("resp_of_somebody");
    expect(asked().at(-1)).not.toBe(second);
  },
);
