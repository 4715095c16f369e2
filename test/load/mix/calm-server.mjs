/** An MCP server over stdio with one tool that says back what it hears; says in the file of its argument that it lives. */
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [folder] = process.argv.slice(2);
if (folder) writeFileSync(`${folder}/${process.pid}`, "");

const parrot = {
  name: "parrot",
  description: "Says it back.",
  inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  annotations: { readOnlyHint: true },
};
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "calm", version: "1" },
  }),
  ping: () => ({}),
  "tools/list": () => ({ tools: [parrot] }),
  "tools/call": (params) => ({ content: [{ type: "text", text: params.arguments.text }] }),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params = {} } = JSON.parse(line);
  if (id === undefined) return;
  const answer = answers[method];
  const said = answer ? { result: answer(params) } : { error: { code: -32601, message: "unknown" } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...said })}\n`);
});
