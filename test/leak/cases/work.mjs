/** Everything that a gateway does all day, again and again: turns with tools, steering, subagents, summaries, files, searches. */
import { fileURLToPath } from "node:url";
import { startHost } from "../../../dist/sdk/testing.js";
import { builtins, settledHeap } from "../lib.mjs";

export const name = "a day's work: turns, tools, subagents, MCP, relay, uploads, searches";

/** More by hand: CHELA_LEAK_CYCLES=1000. */
const rounds = Number(process.env.CHELA_LEAK_CYCLES ?? 60);
const warmUp = Math.ceil(rounds / 2);
/** Bounded memories (events, figures, caches) still fill up with less; what a round opens would cost more if it were kept. */
const mostBytesPerRound = 32_768;

const parrot = fileURLToPath(new URL("../../load/mix/calm-server.mjs", import.meta.url));
const json = { "content-type": "application/json" };

export async function run() {
  const host = await startHost({ plugins: await builtins(), env: { CHELA_DISCOVERY: "off" }, config: config("a") });
  try {
    let before = 0;
    for (let n = 0; n < rounds; n += 1) {
      await round(host, n);
      host.logs().splice(0);
      if (n === warmUp) before = await settledHeap();
    }
    const perRound = Math.round(((await settledHeap()) - before) / (rounds - warmUp - 1));
    if (perRound > mostBytesPerRound) throw new Error(`the heap grows by ${perRound} bytes per round`);
    return `${rounds} rounds, ${perRound} bytes per round`;
  } finally {
    await host.stop();
  }
}

function config(mark) {
  return {
    agents: {
      defaults: { context_compaction: { trigger_messages: 12, keep_recent_messages: 4 } },
      entries: { helper: { about: "helps" } },
    },
    models: { discovery: { enabled: false } },
    tools: {
      approvals: { exec: "allow" },
      mcp: {
        enabled: true,
        servers: { calm: { enabled: true, command: process.execPath, args: [parrot], env: { MARK: mark } } },
      },
    },
  };
}

async function round(host, n) {
  const session = `leak-${n % 4}`;
  const steps = [
    "/steps",
    `write_file {"path":"leak.txt","content":"${n}"}`,
    '& read_file {"path":"leak.txt"}',
    `spawn {"task":"/echo child ${n}","agent":"helper"}`,
    'exec {"command":"true","args":[]}',
    `say done ${n}`,
  ].join("\n");
  const turn = say(host, session, steps);
  const steered = say(host, session, `/echo heard ${n}`, { whenBusy: "steer" });
  wanted(await turn, `done ${n}`);
  await steered;
  const aborted = say(host, session, "/slow 60000");
  await until(async () => (await history(host, session)).at(-1)?.content === "/slow 60000");
  await host.request("/api/call", { body: { method: "chat.abort", params: { session } } });
  await aborted;
  for (const stream of [false, true]) {
    await ok(host, "/v1/chat/completions", {
      model: "offline/offline",
      stream,
      messages: [{ role: "user", content: "/echo x" }],
    });
    await ok(host, "/v1/responses", { model: "offline/offline", stream, input: "/echo x" });
  }
  await ok(host, "/api/memory", { path: "leak.md", content: `note ${n}` });
  await ok(host, "/api/memory/search?query=note");
  await ok(host, "/api/sessions/search?query=done");
  const taken = await host.request("/api/upload", form(`upload ${n}`));
  wanted(taken.status, 200);
  await ok(host, `/api/upload/${taken.json().id}`, undefined, "DELETE");
  await retool(host, n);
  await sockets(host, session, n);
}

/** The server is another one each time; its tool works before and after. */
async function retool(host, n) {
  const path = "tools.mcp.servers.calm.env.MARK";
  await host.config.write([{ path, value: String(n % 7) }], { who: "leak test" });
  await until(async () => (await parroted(host, n)).includes(`hello ${n}`));
}

async function parroted(host, n) {
  const body = { tool: "mcp__calm__parrot", args: { text: `hello ${n}` } };
  return (await host.request("/tools/invoke", { body, headers: json })).text;
}

async function sockets(host, session, n) {
  const paths = [
    `/api/chat/live?multi=1&session=${session}`,
    "/api/events/live",
    "/api/approvals/live",
    "/v1/ws?provider=leak",
  ];
  const open = await Promise.all(paths.map((path) => host.connect(path)));
  open[0].send({ message: `/echo live ${n}` });
  await until(async () => (await open[0].next()).type === "chat_done");
  for (const socket of open) socket.close();
  await Promise.all(open.map((socket) => socket.closed));
}

async function say(host, session, message, more = {}) {
  const reply = await host.request("/api/chat", { body: { session, message, ...more }, headers: json });
  return reply.json().reply;
}

async function history(host, session) {
  return (await host.request(`/api/chat/history?session=${session}&limit=1`)).json().messages;
}

async function ok(host, path, body, method) {
  const reply = await host.request(path, { ...(body && { body, headers: json }), ...(method && { method }) });
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
}

function form(content) {
  const boundary = "leakleakleak";
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="leak.txt"\r\n\r\n`;
  const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
  return { method: "POST", headers, body: `${head}${content}\r\n--${boundary}--\r\n` };
}

function wanted(found, value) {
  if (found !== value) throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(value)}`);
}

async function until(probe, ms = 20_000) {
  const deadline = performance.now() + ms;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${probe}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
