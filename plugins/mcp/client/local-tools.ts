/** The tools of all servers under their names here, as they are registered: what runs is what was shown, or nothing. */
import { GatewayError, type Tool, type TSchema } from "@chela/sdk";
import { longestCallMs } from "../settings.ts";
import type { BlobKeeper } from "./blobs.ts";
import { uniqueName } from "./names.ts";
import { resultText } from "./result.ts";
import type { Server } from "./server.ts";
import { describeTool, type RemoteTool } from "./tools.ts";

/** Of all servers together. */
export const maxAllTools = 1000;

export interface LocalTool {
  readonly name: string;
  readonly server: string;
  readonly remote: RemoteTool;
}

/** In the order of the servers' names, so that a name stays with its tool. */
export function localTools(servers: readonly Server[]): readonly LocalTool[] {
  const taken = new Set<string>();
  const all: LocalTool[] = [];
  for (const server of [...servers].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const remote of server.known.tools.slice(0, maxAllTools - all.length))
      all.push({ name: uniqueName(server.name, remote.name, taken), server: server.name, remote });
  }
  return all;
}

/** `find` finds the server of now; it throws when that is gone. */
export function toolOf({ name, server, remote }: LocalTool, find: () => Server, blobs: BlobKeeper): Tool<TSchema> {
  return {
    name,
    about: describeTool(server, remote),
    input: remote.input as unknown as TSchema,
    risk: remote.readOnly ? "read" : "write",
    access: "write",
    timeoutMs: longestCallMs + 30_000,
    remote: { server, tool: remote.name },
    run: async (input, { signal }) => {
      const result = await call(find(), remote, input, signal);
      const { text, isError } = await resultText(result, blobs.answer(server, remote.name));
      if (isError) throw new GatewayError("MCP_TOOL_FAILED", 502, text);
      return text;
    },
  };
}

async function call(server: Server, tool: RemoteTool, input: unknown, signal: AbortSignal): Promise<unknown> {
  const connection = await server.connection(signal);
  const now = server.known.tools.find((each) => each.name === tool.name);
  // What was shown, and may have been approved, is what runs.
  if (now?.fingerprint !== tool.fingerprint) {
    const what = now ? "changed" : "no longer has";
    const message = `MCP server "${server.name}" ${what} the tool ${tool.name} since it was listed; look at the tools again`;
    throw new GatewayError("MCP_TOOL_CHANGED", 409, message);
  }
  return await connection.request("tools/call", { name: tool.name, arguments: input }, signal);
}
