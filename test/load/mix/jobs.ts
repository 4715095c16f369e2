/** What clients do, one request each, with a ledger of what was acknowledged. A job throws when its answer is not the right one. */
import type { RunningGateway } from "../../kit/gateway.ts";

export interface Said {
  readonly session: string;
  readonly reply: string;
  readonly key: string;
}

/** Acknowledged so far, over all lives of the gateway. */
export class Ledger {
  /** By the text of the message. */
  readonly said = new Map<string, Said>();
  /** Sent, with or without an answer. */
  readonly tried = new Map<string, Said>();
  readonly memory = new Map<string, string>();
  /** Contents that a file of the memory may have since its last acknowledged one. */
  readonly remembering = new Map<string, string[]>();
  readonly uploads = new Map<string, string>();
  /** When each call of a model was over. */
  readonly calls: number[] = [];
  #n = 0;

  /** Numbers of jobs, each once. */
  next(): number {
    this.#n += 1;
    return this.#n;
  }
}

interface Work {
  readonly gateway: RunningGateway;
  readonly ledger: Ledger;
  /** Counts up, over all lives. */
  readonly n: number;
}

type Job = (work: Work) => Promise<void>;

class Wrong extends Error {
  constructor(what: string, status: number, text: string) {
    super(`${what}: ${status} ${text.slice(0, 300)}`);
  }
}

const json = { "content-type": "application/json" };

async function post({ gateway }: Work, path: string, body: unknown, headers = {}): Promise<string> {
  const init = { method: "POST", body: JSON.stringify(body), headers: { ...json, ...headers } };
  return took(await gateway.fetch(path, init), path);
}

async function get({ gateway }: Work, path: string): Promise<string> {
  return took(await gateway.fetch(path), path);
}

async function took(reply: Response, path: string): Promise<string> {
  const text = await reply.text();
  if (reply.status !== 200) throw new Wrong(path, reply.status, text);
  return text;
}

function same(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Wrong(what, 200, `${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

/** A turn with tools: reads, writes, asks an MCP server, and every so often runs a program. */
const turn: Job = async (work) => {
  const { n, ledger } = work;
  const session = `load-${n % 24}`;
  const reply = `done ${n}`;
  const calls = [
    `write_file {"path":"load/${n % 50}.txt","content":"text ${n}"}`,
    `& memory_search {"query":"number"}`,
    `mcp__calm__parrot {"text":"hello ${n}"}`,
    ...(n % 10 === 0 ? ['exec {"command":"true"}'] : []),
  ];
  const message = `/steps\n# ${n}\n${calls.join("\n")}\nsay ${reply}`;
  const said = { session, reply, key: `turn-${n}` };
  if (!ledger.tried.has(message)) ledger.tried.set(message, said);
  const answer = JSON.parse(await post(work, "/api/chat", { session, message, idempotencyKey: said.key }));
  same("reply of a turn", answer.reply, reply);
  ledger.said.set(message, said);
};

const straight: Job = async (work) => {
  const content = `straight ${work.n}`;
  const body = { model: "sim/echo", messages: [{ role: "user", content }] };
  const answer = JSON.parse(await post(work, "/v1/chat/completions", body));
  same("a completion", answer.choices?.[0]?.message?.content, `echo: ${content}`);
  work.ledger.calls.push(performance.now());
};

const streamed: Job = async (work) => {
  const content = `streamed ${work.n}`;
  const body = { model: "sim/echo", stream: true, messages: [{ role: "user", content }] };
  const { events, text } = readEvents(await post(work, "/v1/chat/completions", body));
  same("the end of a stream", events.at(-1), "[DONE]");
  same("a stream", text, `echo: ${content}`);
  work.ledger.calls.push(performance.now());
};

const responses: Job = async (work) => {
  const answer = JSON.parse(
    await post(work, "/v1/responses", { model: "offline/offline", input: `/echo r ${work.n}` }),
  );
  same("a response", answer.output?.[0]?.content?.[0]?.text, `r ${work.n}`);
};

const responseEvents: Job = async (work) => {
  const body = { model: "offline/offline", input: `/echo r ${work.n}`, stream: true, store: false };
  const text = await post(work, "/v1/responses", body);
  if (!text.includes('"type":"response.completed"')) throw new Wrong("response events", 200, text.slice(-300));
};

const upload: Job = async (work) => {
  const content = `upload ${work.n} ${"x".repeat(2000)}`;
  const form = new FormData();
  form.append("file", new Blob([content]), `file-${work.n}.txt`);
  const text = await took(await work.gateway.fetch("/api/upload", { method: "POST", body: form }), "/api/upload");
  work.ledger.uploads.set((JSON.parse(text) as { id: string }).id, content);
};

/** The next job for the same file is thousands of jobs away: no two write it at once. */
const remember: Job = async (work) => {
  const { n, ledger } = work;
  const path = `load-${n % 40}.md`;
  const content = `# Note ${n}\n\nThe number is ${n}.\n`;
  const open = ledger.remembering.get(path) ?? [];
  ledger.remembering.set(path, [...open, content]);
  await post(work, "/api/memory", { path, content });
  ledger.memory.set(path, content);
  ledger.remembering.delete(path);
};

const searchSessions: Job = async (work) => void (await get(work, `/api/sessions/search?query=done&limit=3`));
const searchMemory: Job = async (work) => void (await get(work, `/api/memory/search?query=number`));
const readHistory: Job = async (work) =>
  void (await get(work, `/api/chat/history?session=load-${work.n % 24}&limit=5`));
const invoke: Job = async (work) =>
  void (await post(work, "/tools/invoke", { tool: "mcp__calm__parrot", args: { text: String(work.n) } }));

/** Out of a hundred. */
const shares: readonly [number, Job][] = [
  [4, turn],
  [25, straight],
  [16, streamed],
  [6, responses],
  [4, responseEvents],
  [3, upload],
  [2, remember],
  [3, searchSessions],
  [2, searchMemory],
  [27, readHistory],
  [8, invoke],
];

const plan: readonly Job[] = shares.flatMap(([share, job]) => Array.from({ length: share }, () => job));

/** The same `n` is always the same job; neighbours differ. */
export function doJob(work: Work): Promise<void> {
  return (plan[(work.n * 37) % plan.length] as Job)(work);
}

function readEvents(body: string): { events: string[]; text: string } {
  const events = [...body.matchAll(/^data: (.*)$/gm)].map(([, data]) => data as string);
  const text = events
    .filter((data) => data !== "[DONE]")
    .map((data) => JSON.parse(data).choices?.[0]?.delta?.content ?? "")
    .join("");
  return { events, text };
}
