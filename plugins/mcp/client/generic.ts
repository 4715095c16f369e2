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
import type { BlobKeeper } from "./blobs.ts";
import type { Connection } from "./connect.ts";
import { maxAllTools } from "./local-tools.ts";
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
  readonly blobs: BlobKeeper;
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
    list_tools: async (input, { signal }) => {
      const name = required(input, "server");
      const server = fleet.server(name);
      await server.connection(signal);
      const tools = server.known.tools.map(({ name: tool, about, input: parameters }) => ({
        name: tool,
        as: fleet.localName(name, tool),
        description: about,
        parameters,
      }));
      return { server: name, tools, refused: server.known.refused };
    },
    call_tool: (input, turn) => callTool(ctx, fleet, input, turn),
    list_resources: async (input, { signal }) => {
      const connection = await fleet.connection(required(input, "server"), signal);
      return await listResources(connection, signal);
    },
    read_resource: async (input, { signal }) => {
      const [server, uri] = [required(input, "server"), required(input, "uri")];
      const connection = await fleet.connection(server, signal);
      const result = await connection.request("resources/read", { uri }, signal);
      return await resourceText(result, fleet.blobs.answer(server, "resource"));
    },
    list_prompts: async (input, { signal }) => {
      const connection = await fleet.connection(required(input, "server"), signal);
      return { prompts: (await connection.list("prompts", signal)).map(promptRow) };
    },
    get_prompt: async (input, { signal }) => {
      const [server, name] = [required(input, "server"), required(input, "prompt")];
      const connection = await fleet.connection(server, signal);
      const result = await connection.request("prompts/get", { name, arguments: input.arguments ?? {} }, signal);
      return await promptText(result, fleet.blobs.answer(server, name));
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

async function listResources(connection: Connection, signal: AbortSignal) {
  const [resources, templates] = await Promise.all([
    connection.list("resources", signal),
    connection.list("resourceTemplates", signal),
  ]);
  const about = ["name", "title", "description", "mimeType"];
  return {
    resources: resources.map((each) => words(each, ["uri", ...about])),
    templates: templates.map((each) => words(each, ["uriTemplate", ...about])),
  };
}

/** Allowlist, approval, validation and audit are those of the tool itself. */
async function callTool(ctx: Ctx, fleet: Servers, input: McpInput, turn: Turn): Promise<string> {
  const [server, tool] = [required(input, "server"), required(input, "tool")];
  let name = fleet.localName(server, tool);
  if (name === undefined) {
    await fleet.connection(server, turn.signal);
    name = fleet.localName(server, tool);
  }
  if (name === undefined || !ctx.use.tools.list().some((live) => live.name === name))
    throw new GatewayError("MCP_TOOL_UNKNOWN", 404, missing(fleet.server(server), tool));
  const call = { id: `${turn.id}-mcp-${crypto.randomUUID()}`, name, arguments: JSON.stringify(input.arguments ?? {}) };
  const { ok, output } = await ctx.use.tools.run(call, turn);
  if (!ok) throw new GatewayError("MCP_TOOL_FAILED", 502, output);
  return output;
}

function missing({ name, known }: Server, tool: string): string {
  const names = known.tools.map((each) => each.name);
  if (names.includes(tool))
    return `the tool "${tool}" of MCP server "${name}" is not here: ${maxAllTools} tools of all servers are taken, in the order of the servers' names`;
  const shown = names.slice(0, 50).join(", ") || "none";
  return `MCP server "${name}" has no tool "${plainLine(tool, 80)}"; its tools are: ${shown}`;
}

function required(input: McpInput, key: "server" | "tool" | "uri" | "prompt"): string {
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
