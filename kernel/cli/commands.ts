/**
 * The command line as data: every command with its arguments, options and examples. Help, parsing and completion are
 * made from this table; the code of a command is imported when it is run.
 */
import { configCommands } from "./table/config.ts";
import { gatewayCommands } from "./table/gateway.ts";
import { mcpCommands } from "./table/mcp.ts";
import { otherCommands } from "./table/others.ts";
import { keyCommands, pluginCommands } from "./table/plugins.ts";
import { modelCommands, providerCommands } from "./table/providers.ts";
import { sessionCommands, usageCommands } from "./table/sessions.ts";
import type { CommandSpec } from "./table/spec.ts";
import { toolCommands } from "./table/tools.ts";

export const groups: Readonly<Record<string, string>> = {
  gateway: "Run the gateway",
  config: "Read and change the configuration, with or without a running gateway",
  plugins: "List, install, switch and write plugins",
  keys: "Named API keys of the running gateway",
  provider: "Model providers: keys, accounts and how they do",
  models: "Models that can be asked",
  sessions: "Conversations: list, search, rename, export, import",
  mcp: "MCP servers whose tools the agent uses",
  tools: "What agents can do, and the record of what they did",
  approvals: "Tool calls that wait for a person",
  sentinel: "The watch over the gateway's own health",
};

export const commands: readonly CommandSpec[] = [
  ...gatewayCommands,
  ...configCommands,
  ...pluginCommands,
  ...keyCommands,
  ...providerCommands,
  ...modelCommands,
  ...toolCommands,
  ...mcpCommands,
  ...sessionCommands,
  ...usageCommands,
  ...otherCommands,
];
