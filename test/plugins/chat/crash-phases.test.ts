/**
 * kill -9 in each phase of a turn. After the next start what was said and what was begun is in the history, in order; a client
 * goes on by sequence; a retry with the same key takes up the turn where it was, and nothing is done twice that had an effect.
 */
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { type RunningGateway, startGateway } from "../../kit/gateway.ts";
import { httpServer } from "../../kit/http-server.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";

interface Asked {
  readonly role: string;
  readonly content: string;
  readonly tool_calls?: readonly unknown[];
}

/** What the upstream does with one request; `hold` leaves it open for ever. */
interface Answer {
  readonly say?: string;
  readonly calls?: readonly (readonly [name: string, input: unknown])[];
  readonly hold?: true;
}

interface Entry {
  readonly role: string;
  readonly content: string;
  readonly seq: number;
  readonly state: string;
  readonly tool_calls?: readonly { readonly function: { readonly name: string } }[];
}

const key = { "idempotency-key": "the-one" };
const last = (messages: readonly Asked[]) => messages.at(-1) as Asked;

function send(res: ServerResponse, { say, calls, hold }: Answer): void {
  res.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = (delta: unknown, finish: string | null = null) =>
    res.write(`data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`);
  if (say) chunk({ role: "assistant", content: say });
  const tool_calls = calls?.map(([name, input], index) => {
    return {
      index,
      id: `call_${name}_${index}`,
      type: "function",
      function: { name, arguments: JSON.stringify(input) },
    };
  });
  if (tool_calls) chunk({ tool_calls });
  if (hold) return;
  chunk({}, calls ? "tool_calls" : "stop");
  res.end("data: [DONE]\n\n");
}

/** A gateway on a state dir of its own and an upstream whose answers the test decides. */
async function scene(agents: Record<string, unknown> = {}) {
  const stateDir = tempDir("phases");
  const upstream = { answer: (_: readonly Asked[]): Answer => ({ say: "hello" }), asked: [] as (readonly Asked[])[] };
  const server = await httpServer((_, res, body) => {
    const { messages } = JSON.parse(body) as { messages: readonly Asked[] };
    upstream.asked.push(messages);
    send(res, upstream.answer(messages));
  });
  const config = {
    models: { providers: { sim: { api_base: `${server.origin}/v1`, api_key: "k", models: ["m"] } } },
    agents: { ...agents, defaults: { model: { primary: "sim/m", fallbacks: [] }, ...(agents.defaults as object) } },
    tools: { approvals: { exec: "allow" } },
  };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify(config));
  const start = () => startGateway({ stateDir });
  return { stateDir, upstream, start, effects: () => effectsIn(stateDir) };
}

/** Lines that the tools of a test have written. */
function effectsIn(stateDir: string): string[] {
  const file = join(stateDir, "workspace", "effects.txt");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

const effect = (name: string, seconds = 0) =>
  ["exec", { command: `echo ${name} >> effects.txt; sleep ${seconds}` }] as const;

function say(gateway: RunningGateway, message: string, session = "s"): Promise<Response> {
  const body = JSON.stringify({ session, message });
  return gateway.fetch("/api/chat", { method: "POST", body, headers: { ...key, "content-type": "application/json" } });
}

async function replyOf(answer: Promise<Response>): Promise<string> {
  return ((await (await answer).json()) as { reply: string }).reply;
}

async function kill(gateway: RunningGateway): Promise<void> {
  gateway.signal("SIGKILL");
  await gateway.ended;
}

async function history(gateway: RunningGateway, session = "s"): Promise<readonly Entry[]> {
  const answer = await gateway.fetch(`/api/chat/history?session=${encodeURIComponent(session)}`);
  return ((await answer.json()) as { messages: readonly Entry[] }).messages;
}

const shown = (entries: readonly Entry[]) =>
  entries.map(
    ({ role, content, state }) => `${role}${state === "complete" ? "" : ` ${state}`}: ${content.split("\n")[0]}`,
  );

/** What a client that knows messages up to `after` is given. */
async function resumed(gateway: RunningGateway, after: number): Promise<{ seqs: number[]; seq: number }> {
  const address = `${gateway.url.replace("http", "ws")}/api/chat/live?multi=1&token=${gateway.token}`;
  const socket = new WebSocket(address);
  onTestFinished(() => socket.terminate());
  const frames: { type: string; seq: number; messages?: { seq: number }[] }[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "resume", session: "s", after }));
  const end = await until(() => frames.find(({ type }) => type === "chat_resumed"), 10_000);
  const seqs = frames.flatMap(({ messages = [] }) => messages.map(({ seq }) => seq));
  return { seqs, seq: end.seq };
}

const cutOff = "[gateway: the gateway was stopped while this ran.";

it("before the model says anything: the message is there once, and a retry is answered", {
  timeout: 90_000,
}, async () => {
  const { upstream, start } = await scene();
  upstream.answer = () => ({ hold: true });
  const first = await start();
  const lost = say(first, "question").catch(() => undefined);
  await until(() => upstream.asked.length === 1, 20_000);
  await kill(first);
  await lost;
  upstream.answer = () => ({ say: "answer" });
  const second = await start();
  expect(shown(await history(second))).toEqual(["user: question"]);
  expect(await resumed(second, 0)).toEqual({ seqs: [1], seq: 1 });
  expect(await replyOf(say(second, "question"))).toBe("answer");
  expect(shown(await history(second))).toEqual(["user: question", "assistant: answer"]);
  expect(await replyOf(say(second, "question"))).toBe("answer");
  expect(upstream.asked).toHaveLength(2);
});

it("in the middle of the reply: what was heard is there, and is not taken for the beginning of the answer", {
  timeout: 90_000,
}, async () => {
  const { upstream, start } = await scene();
  upstream.answer = () => ({ say: "half of an", hold: true });
  const first = await start();
  const lost = say(first, "question").catch(() => undefined);
  // It is on the disk from its second second on.
  await until(async () => (await partials(first)) === 1, 30_000);
  await kill(first);
  await lost;
  upstream.answer = () => ({ say: "fine" });
  const second = await start();
  expect(shown(await history(second))).toEqual(["user: question", "assistant partial: half of an"]);
  expect(await resumed(second, 1)).toEqual({ seqs: [2], seq: 2 });
  expect(await replyOf(say(second, "question"))).toBe("fine");
  expect(
    upstream.asked
      .at(-1)
      ?.filter(({ role }) => role !== "system")
      .map(({ content }) => content),
  ).toEqual(["question"]);
});

async function partials(gateway: RunningGateway): Promise<number> {
  const { DatabaseSync } = await import("@photostructure/sqlite");
  const database = new DatabaseSync(join(gateway.stateDir, "data/store/chela.db"), { readOnly: true });
  try {
    const row = database.prepare("SELECT count(*) AS n FROM chat_partials").get() as { n: number };
    return row.n;
  } finally {
    database.close();
  }
}

it("during a tool: its effect is there once, the model is told that it was cut off", { timeout: 90_000 }, async () => {
  const { upstream, start, effects } = await scene();
  upstream.answer = (messages) =>
    last(messages).role === "user" ? { say: "I write.", calls: [effect("one", 30)] } : { say: last(messages).content };
  const first = await start();
  const lost = say(first, "write it").catch(() => undefined);
  await until(() => effects().length === 1, 20_000);
  await kill(first);
  await lost;
  const second = await start();
  const entries = await history(second);
  expect(shown(entries)).toEqual([
    "user: write it",
    "assistant: I write.",
    expect.stringContaining(`tool failed: ${cutOff}`),
  ]);
  expect(entries[1]?.tool_calls?.map(({ function: { name } }) => name)).toEqual(["exec"]);
  expect(await resumed(second, 1)).toEqual({ seqs: [2, 3], seq: 3 });
  expect(await replyOf(say(second, "write it"))).toContain(cutOff);
  expect(effects()).toEqual(["one"]);
  expect((await history(second)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
});

it("between tools: what is done stays done and is known, what was not begun is said to be so", {
  timeout: 90_000,
}, async () => {
  const { upstream, start, effects } = await scene();
  const round = [effect("one"), effect("two", 30), effect("three")];
  upstream.answer = (messages) => (last(messages).role === "user" ? { calls: round } : { say: "seen" });
  const first = await start();
  const lost = say(first, "write three").catch(() => undefined);
  await until(() => effects().length === 2, 20_000);
  await kill(first);
  await lost;
  const second = await start();
  const [, , one, two, three] = await history(second);
  expect([one?.state, two?.state, three?.state]).toEqual(["complete", "failed", "failed"]);
  expect(two?.content).toContain(cutOff);
  expect(three?.content).toBe("[gateway: not run, the gateway was stopped before.]");
  expect(await replyOf(say(second, "write three"))).toBe("seen");
  expect(last(upstream.asked.at(-1) ?? []).content).toBe(three?.content);
  expect(effects()).toEqual(["one", "two"]);
});

it("after a round of tools: the retry goes on behind it", { timeout: 90_000 }, async () => {
  const { upstream, start, effects } = await scene();
  upstream.answer = (messages) => (last(messages).role === "user" ? { calls: [effect("one")] } : { hold: true });
  const first = await start();
  const lost = say(first, "write it").catch(() => undefined);
  await until(() => upstream.asked.length === 2, 20_000);
  await kill(first);
  await lost;
  upstream.answer = (messages) => (last(messages).role === "user" ? { calls: [effect("again")] } : { say: "done" });
  const second = await start();
  expect((await history(second)).map(({ role, state }) => `${role} ${state}`)).toEqual([
    "user complete",
    "assistant complete",
    "tool complete",
  ]);
  expect(await replyOf(say(second, "write it"))).toBe("done");
  expect(effects()).toEqual(["one"]);
});

it("while older messages are summed up: nothing of them is lost, and the summary is made later", {
  timeout: 90_000,
}, async () => {
  const rules = { trigger_messages: 4, keep_recent_messages: 2 };
  const { upstream, start } = await scene({ defaults: { context_compaction: rules } });
  const isSummary = (messages: readonly Asked[]) => messages[0]?.content.startsWith("You sum up");
  upstream.answer = (messages) => (isSummary(messages) ? { hold: true } : { say: "ok" });
  const first = await start();
  const talk = (gateway: RunningGateway, n: number) =>
    gateway.fetch("/api/chat", { method: "POST", body: JSON.stringify({ session: "s", message: `m${n}` }) });
  for (const n of [1, 2, 3]) await talk(first, n);
  await until(() => upstream.asked.some(isSummary), 20_000);
  await kill(first);
  const second = await start();
  expect(await history(second)).toHaveLength(6);
  upstream.answer = (messages) => ({ say: isSummary(messages) ? "Key Facts: m1 to m3" : "ok" });
  await talk(second, 4);
  await until(() => upstream.asked.filter(isSummary).length === 2, 20_000);
  await until(async () => {
    await talk(second, 5);
    return upstream.asked.at(-1)?.some(({ content }) => content.includes("Key Facts: m1 to m3"));
  }, 20_000);
  expect((await history(second)).map(({ seq }) => seq)).toEqual((await history(second)).map((_, index) => index + 1));
});

it("during a subagent: both conversations are there, and the work is not handed on twice", {
  timeout: 90_000,
}, async () => {
  const { upstream, start, effects } = await scene();
  const isChild = (messages: readonly Asked[]) => messages[0]?.content.includes("You are a subagent");
  upstream.answer = (messages) => {
    if (isChild(messages)) return last(messages).role === "user" ? { calls: [effect("child")] } : { hold: true };
    return last(messages).role === "user"
      ? { calls: [["spawn", { content: "do it" }]] }
      : { say: last(messages).content };
  };
  const first = await start();
  const lost = say(first, "hand it on").catch(() => undefined);
  await until(() => upstream.asked.filter(isChild).length === 2, 20_000);
  await kill(first);
  await lost;
  const second = await start();
  expect(shown(await history(second))).toEqual(["user: hand it on", "assistant: ", expect.stringContaining(cutOff)]);
  const list = await second.fetch("/api/sessions?include_internal=1&kinds=subagent");
  const { sessions } = (await list.json()) as { sessions: { key: string }[] };
  expect(sessions).toHaveLength(1);
  const child = await history(second, sessions[0]?.key);
  expect(child.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
  expect(await replyOf(say(second, "hand it on"))).toContain(cutOff);
  expect(effects()).toEqual(["child"]);
});
