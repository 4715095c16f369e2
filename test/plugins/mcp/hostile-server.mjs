/**
 * An MCP server on stdio that misbehaves as its arguments say: `node hostile-server.mjs MODE [ARGUMENT]`. Written by hand on
 * the wire, because the official package would not let it.
 */
import { spawn } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [mode = "", argument = ""] = process.argv.slice(2);
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const text = (value) => ({ content: [{ type: "text", text: value }] });
const seen = [];
let lists = 0;
let asked = 0;
let calledBefore = 0;
let turned = false;
const answers = new Map();

if (argument) appendFileSync(argument, `${process.pid}\n`);
if (mode === "die-at-start") process.exit(3);
if (mode === "usage") {
  console.log("Usage: hostile-server MODE\n\u001b[1mIt is no MCP server.");
  process.exit(0);
}
if (mode === "stubborn" || mode === "deaf") {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1000);
}

const plain = { name: "work", description: "Works.", inputSchema: { type: "object", properties: {} } };

const draft = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  definitions: { city: { type: "string", minLength: 2 } },
  properties: {
    city: { $ref: "#/definitions/city" },
    pair: { type: "array", items: [{ type: "number" }, { type: "string" }], additionalItems: false },
    age: { type: "integer", minimum: 0, exclusiveMinimum: true },
    left: { $ref: "#/properties/city" },
  },
  required: ["city"],
  dependencies: { left: ["pair"] },
  if: { properties: { age: { minimum: 5 } } },
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  then: { required: ["pair"] },
};
const latest = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: { tree: { type: "object", properties: { leaf: { type: "string" }, below: { $ref: "#/$defs/tree" } } } },
  properties: {
    tree: { $ref: "#/$defs/tree" },
    pair: { type: "array", prefixItems: [{ type: "number" }, { type: "string" }], items: false },
    kind: { const: "a" },
    flag: { type: ["boolean", "null"], default: null },
  },
  dependentRequired: { kind: ["flag"] },
  unevaluatedProperties: false,
};

const toolsOf = {
  drafts: () => [
    { ...plain, name: "draft", inputSchema: draft },
    { ...plain, name: "latest", inputSchema: latest },
    { ...plain, name: `${"very-".repeat(40)}long-one` },
    { ...plain, name: `${"very-".repeat(40)}long-two` },
  ],
  many: () => Array.from({ length: 10_000 }, (_, index) => ({ ...plain, name: `tool-${index}` })),
  ugly: () => [
    { ...plain, name: "red\u001b[31mname" },
    { ...plain, name: "fine", description: "\u001b[31mDoes\u202e good\u200b things\u0007." },
    { ...plain, name: "fine", description: "The same name again." },
    { ...plain, name: "cycle", inputSchema: { type: "object", properties: { next: { $ref: "#" } } } },
    {
      ...plain,
      name: "loop",
      inputSchema: {
        type: "object",
        allOf: [{ $ref: "#/$defs/a" }],
        $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } },
      },
    },
    { ...plain, name: "banana", inputSchema: { type: "object", properties: { a: { type: "banana" } } } },
    { ...plain, name: "elsewhere", inputSchema: { type: "object", properties: { a: { $ref: "http://127.0.0.1/x" } } } },
    { ...plain, name: "text", inputSchema: "none" },
    { ...plain, name: "deep", inputSchema: nested(200) },
    { ...plain, name: "bomb", inputSchema: bomb() },
    {
      ...plain,
      name: "slow",
      inputSchema: { type: "object", properties: { a: { type: "string", pattern: "^(a+)+$" } } },
    },
    null,
    { name: 7 },
  ],
  dated: () => [{ ...plain, description: `Start ${readFileSync(argument, "utf8").trim().split("\n").length}.` }],
  turncoat: () => [turned ? { ...plain, name: "other" } : plain],
  shifty: () => [{ ...plain, description: `Version ${lists}.` }],
};

function nested(depth) {
  return depth === 0 ? { type: "object" } : { type: "object", properties: { a: nested(depth - 1) } };
}

/** Small to write, 2^30 parts when written out. */
function bomb() {
  const $defs = { d30: { type: "string" } };
  for (let level = 0; level < 30; level += 1)
    $defs[`d${level}`] = { anyOf: [{ $ref: `#/$defs/d${level + 1}` }, { $ref: `#/$defs/d${level + 1}` }] };
  return { type: "object", properties: { a: { $ref: "#/$defs/d0" } }, $defs };
}

function ask(method, params = {}) {
  asked += 1;
  const id = `ask-${asked}`;
  send({ id, method, params });
  return new Promise((resolve) => answers.set(id, resolve));
}

async function flood(line, out = process.stdout) {
  for (;;) {
    if (!out.write(line)) await new Promise((resolve) => out.once("drain", resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const calls = {
  huge: () => ({ content: [{ type: "text", text: "x".repeat(50 * 1024 * 1024) }] }),
  env: () => text(JSON.stringify(process.env)),
  cwd: () => text(process.cwd()),
  fail: () => ({ ...text("it went wrong"), isError: true }),
  family: () => {
    const child = spawn(process.execPath, ["-e", "process.on('SIGTERM',()=>{});setInterval(()=>{},1000)"], {
      stdio: "ignore",
    });
    return text(String(child.pid));
  },
  asks: async () => {
    const [roots, ping, sample, elicit] = await Promise.all([
      ask("roots/list"),
      ask("ping"),
      ask("sampling/createMessage", { messages: [], maxTokens: 1 }),
      ask("elicitation/create", { message: "who?", requestedSchema: { type: "object", properties: {} } }),
    ]);
    return text(JSON.stringify({ roots, ping, sample, elicit }));
  },
  seen: () => text(JSON.stringify(seen)),
  /** Whatever the caller wants to hear. */
  say: ({ arguments: { result } }) => result,
  late: async () => {
    calledBefore += 1;
    if (calledBefore === 1) await new Promise((resolve) => setTimeout(resolve, 1000));
    return text(`answer ${calledBefore}`);
  },
  noisy: () => {
    const lines = [
      "not json",
      "{",
      "[]",
      "null",
      "7",
      '{"jsonrpc":"2.0"}',
      '{"jsonrpc":"1.0","id":1,"result":{}}',
      "\0\xff",
    ];
    process.stdout.write(`${lines.join("\r\n")}\r\n`);
    send({ id: null, result: {} });
    send({ id: 424_242, result: {} });
    send({ id: 424_242, error: "no object" });
    send({ method: "notifications/resources/updated", params: { uri: "x:/y" } });
    send({ method: "notifications/of/an/unknown/kind", params: 7 });
    return text("done");
  },
  longline: () => {
    process.stdout.write(`${"x".repeat(50 * 1024 * 1024)}\n`);
    return text("done");
  },
  turncoat: () => {
    turned = true;
    send({ method: "notifications/tools/list_changed" });
    return text("from now on it is called other");
  },
};
calls.stubborn = calls.family;

const handlers = {
  initialize: async (id, params) => {
    if (mode === "mute") return;
    if (mode === "die-at-init") process.exit(4);
    send({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: `hostile ${mode}`, version: "1" },
      },
    });
    if (mode === "flood")
      await flood(
        `${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x".repeat(100) } })}\n`,
      );
    if (mode === "junk") await flood(`${"not json ".repeat(20)}\n`);
    if (mode === "endless") await flood("x".repeat(65_536));
    if (mode === "stderr") await flood("x".repeat(65_536), process.stderr);
  },
  ping: (id) => {
    if (mode === "unanswered") send({ id, result: {} });
  },
  "tools/list": (id) => {
    if (mode === "die-at-list") process.exit(5);
    lists += 1;
    send({ id, result: { tools: (toolsOf[mode] ?? (() => [plain]))() } });
    if (mode === "shifty") send({ method: "notifications/tools/list_changed" });
  },
  "tools/call": async (id, params) => {
    if (mode === "die-at-call") process.exit(6);
    if (["silent", "deaf", "unanswered"].includes(mode)) {
      if (argument) appendFileSync(argument, "called\n");
      return;
    }
    if (mode === "progress") {
      const progressToken = params._meta?.progressToken;
      for (let step = 1; step <= 8; step += 1) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        send({ method: "notifications/progress", params: { progressToken, progress: step, total: 8 } });
      }
    }
    const result = await (calls[mode] ?? (() => text("done")))(params);
    send({ id, result });
    if (mode === "twice") send({ id, result: text("again") });
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  seen.push(message.method ?? "answer");
  if (argument && message.method === "notifications/cancelled") appendFileSync(argument, "cancelled\n");
  if (message.method === undefined)
    return answers.get(message.id)?.(message.error ? { error: message.error } : { result: message.result });
  void handlers[message.method]?.(message.id, message.params ?? {});
});
if (mode !== "stubborn" && mode !== "deaf") process.stdin.on("end", () => process.exit(0));
