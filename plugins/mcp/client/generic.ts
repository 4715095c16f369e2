/** The tool `mcp`: servers, tools, resources and prompts by name. A tool is called through the gateway's one dispatch path under its own name. */
import {
  GatewayError,
  type McpServer,
  objectOf,
  type Static,
  type Tool,
  type TSchema,
  type Turn,
  Type,
} from "@chela/sdk";
import type { Ctx } from "../needs.ts";
import type { Connection } from "./connect.ts";
import { plainLine, plainWords } from "./plain.ts";
import { promptText, resourceText } from "./result.ts";
import type { Server } from "./server.ts";

const actions = [
  "list_servers",
  "list_tools",
  "call_tool",
  "list_resources",
  "read_resource",
  "list_prompts",
  "get_prompt",
] as const;

const Input = Type.Object({
  action: Type.Union(actions.map((action) => Type.Literal(action))),
  server: Type.Optional(
    Type.String({ maxLength: 200, description: "Name of the server; all actions but list_servers need it." }),
  ),
  tool: Type.Optional(Type.String({ maxLength: 256, description: "For call_tool: the tool as the server names it." })),
  arguments: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: "For call_tool and get_prompt." }),
  ),
  uri: Type.Optional(Type.String({ maxLength: 4096, description: "For read_resource." })),
  prompt: Type.Optional(Type.String({ maxLength: 256, description: "For get_prompt." })),
});

/** What it sees of the fleet. */
export interface Servers {
  rows(): readonly McpServer[];
  server(name: string): Server;
  connection(name: string, signal?: AbortSignal): Promise<Connection>;
  localName(server: string, tool: string): string | undefined;
}

type McpInput = Static<typeof Input>;
type Action = (typeof actions)[number];

export function genericTool(ctx: Ctx, fleet: Servers): Tool<TSchema> {
  const run: Readonly<Record<Action, (input: McpInput, turn: Turn) => unknown>> = {
    list_servers: () => ({
      servers: fleet
        .rows()
        .filter(({ state }) => state !== "disabled")
        .map(serverRow),
    }),
    list_tools: async (input, turn) => {
      const name = need(input, "server");
      const server = fleet.server(name);
      await server.connection(turn.signal);
      const tools = server.known.tools.map(({ name: tool, about, input: parameters }) => ({
        name: tool,
        as: fleet.localName(name, tool),
        description: about,
        parameters,
      }));
      return { server: name, tools, refused: server.known.refused };
    },
    call_tool: (input, turn) => callTool(ctx, fleet, input, turn),
    list_resources: async (input, turn) => {
      const listed = await (await fleet.connection(need(input, "server"), turn.signal)).list("resources", turn.signal);
      return { resources: listed.map((each) => words(each, ["uri", "name", "title", "description", "mimeType"])) };
    },
    read_resource: async (input, turn) => {
      const connection = await fleet.connection(need(input, "server"), turn.signal);
      return resourceText(await connection.request("resources/read", { uri: need(input, "uri") }, turn.signal));
    },
    list_prompts: async (input, turn) => {
      const listed = await (await fleet.connection(need(input, "server"), turn.signal)).list("prompts", turn.signal);
      return { prompts: listed.map(promptRow) };
    },
    get_prompt: async (input, turn) => {
      const connection = await fleet.connection(need(input, "server"), turn.signal);
      const params = { name: need(input, "prompt"), arguments: input.arguments ?? {} };
      return promptText(await connection.request("prompts/get", params, turn.signal));
    },
  };
  return {
    name: "mcp",
    about: `MCP servers: ${actions.join(", ")}. Their tools can also be called directly by their own names, mcp__SERVER__TOOL.`,
    input: Input,
    risk: "read",
    access: "write",
    timeoutMs: 660_000,
    run: (input, turn) => {
      const asked = input as McpInput;
      return run[asked.action as Action](asked, turn);
    },
  };
}

/** Allowlist, approval, validation and audit are those of the tool itself. */
async function callTool(ctx: Ctx, fleet: Servers, input: McpInput, turn: Turn): Promise<string> {
  const [server, tool] = [need(input, "server"), need(input, "tool")];
  let name = fleet.localName(server, tool);
  if (name === undefined) {
    await fleet.connection(server, turn.signal);
    name = fleet.localName(server, tool);
  }
  if (name === undefined || !ctx.use.tools.list().some((live) => live.name === name)) {
    const names = fleet.server(server).known.tools.map((each) => each.name);
    const known = names.slice(0, 50).join(", ") || "none";
    throw new GatewayError(
      "MCP_TOOL_UNKNOWN",
      404,
      `MCP server "${server}" has no tool "${plainLine(tool, 80)}"; its tools are: ${known}`,
    );
  }
  const call = { id: `${turn.id}-mcp-${crypto.randomUUID()}`, name, arguments: JSON.stringify(input.arguments ?? {}) };
  const { ok, output } = await ctx.use.tools.run(call, turn);
  if (!ok) throw new GatewayError("MCP_TOOL_FAILED", 502, output);
  return output;
}

function need(input: McpInput, key: "server" | "tool" | "uri" | "prompt"): string {
  const value = input[key]?.trim();
  if (value) return value;
  throw new GatewayError("INVALID", 400, `${input.action} needs ${key}`);
}

function serverRow({ name, transport, description, state, reason, tools }: McpServer) {
  return { name, transport, description, state, reason, tools: tools.length };
}

function promptRow(raw: unknown) {
  const list = (raw as { arguments?: unknown } | null)?.arguments;
  const parameters = (Array.isArray(list) ? list.slice(0, 50) : []).map((each: unknown) => ({
    ...words(each, ["name", "description"]),
    required: (each as { required?: unknown } | null)?.required === true,
  }));
  return { ...words(raw, ["name", "title", "description"]), arguments: parameters };
}

function words(raw: unknown, keys: readonly string[]): Record<string, string> {
  const fields = objectOf(raw);
  return Object.fromEntries(
    keys.map((key) => [key, plainWords(fields[key], 1000)] as const).filter(([, text]) => text !== ""),
  );
}
