/** An agent on the offline model calls the tools of the official test server, and of a server that comes while it runs. */
import { definePlugin, type ToolRecord } from "@chela/sdk";
import { expect, it } from "vitest";
import chat from "../../../plugins/chat/index.ts";
import providers from "../../../plugins/providers/index.ts";
import store from "../../../plugins/store/index.ts";
import { everything, hostileServer, mcpHost, slow, stdio } from "./kit.ts";

it("calls MCP tools in a turn, through every hook", { timeout: slow * 2 }, async () => {
  const seen: string[] = [];
  const audit = definePlugin({
    id: "audit",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      ctx.on("tool:before", ({ tool, risk, turn }) => {
        seen.push(`before ${tool} ${risk} ${turn.session}`);
        return tool === "mcp__every__get_env" ? { deny: "not here" } : undefined;
      });
      ctx.on("tool:done", ({ tool, outcome }: ToolRecord) => void seen.push(`done ${tool} ${outcome}`));
    },
  });
  const every = stdio(everything, ["stdio"]);
  const { host, tool, configure } = await mcpHost(
    { every },
    { beside: [store, providers, chat, audit], env: { CHELA_DISCOVERY: "off" } },
  );
  await tool("mcp__every__echo");
  const say = async (message: string) => {
    const reply = await host.request("/api/chat", { method: "POST", body: { message, session: "s" } });
    expect(reply.status).toBe(200);
    return reply.text;
  };
  expect(await say('/tool mcp__every__echo {"message":"from the agent"}')).toContain("Echo: from the agent");
  expect(
    await say('/tool mcp {"action":"call_tool","server":"every","tool":"echo","arguments":{"message":"again"}}'),
  ).toContain("Echo: again");
  expect(await say("/tool mcp__every__get_env {}")).toContain("not here");
  await configure({ every, late: stdio(hostileServer, ["plain"]) });
  await tool("mcp__late__work");
  expect(await say("/tool mcp__late__work {}")).toContain("done");
  expect(seen.map((line) => line.replace(/ s$| .*:s$/, ""))).toEqual([
    "before mcp__every__echo read",
    "done mcp__every__echo ok",
    "before mcp read",
    "before mcp__every__echo read",
    "done mcp__every__echo ok",
    "done mcp ok",
    "before mcp__every__get_env read",
    "done mcp__every__get_env denied",
    "before mcp__late__work write",
    "done mcp__late__work ok",
  ]);
});
