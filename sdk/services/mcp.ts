/** The MCP servers that the gateway is a client of. */
import { defineService } from "../service.ts";

/** Whether a server's command is there. One row per server of the config, in the form of ClawGo's `mcp_server_checks`. */
export interface McpServerCheck {
  readonly name: string;
  readonly enabled: boolean;
  readonly transport: string;
  readonly status: "disabled" | "not_applicable" | "missing_command" | "ok";
  readonly message: string;
  readonly command: string;
  /** Absolute path of the command, or empty. */
  readonly resolved: string;
  readonly package: string;
  readonly installer: string;
  readonly installable: boolean;
  readonly missing_command: boolean;
}

/** One server as it is now. `idle`: its tools are known, it starts with the first call; `waiting`: it starts again soon. */
export interface McpServer {
  readonly name: string;
  readonly transport: string;
  readonly description: string;
  readonly state: "disabled" | "idle" | "starting" | "up" | "waiting" | "failed";
  /** Why it is not up, or empty. */
  readonly reason: string;
  /** Names of its tools here. */
  readonly tools: readonly string[];
  /** Tools that were left out, and why. */
  readonly refused: readonly { readonly tool: string; readonly reason: string }[];
  readonly pid: number | null;
  /** Starts after the first one. */
  readonly restarts: number;
  /** Name and version as it says, and the protocol that was agreed on; empty until it was up. */
  readonly remote: string;
  readonly protocol: string;
}

/** Provided by the plugin `mcp`. Events: `mcp_server_up`, `mcp_server_down`, `mcp_tools_changed` {server, added, removed, changed}. */
export interface Mcp {
  /** Sorted by name. */
  checks(): Promise<readonly McpServerCheck[]>;
  /** Sorted by name. */
  servers(): readonly McpServer[];
  /** Ends its process or connection and starts it again. Throws `MCP_SERVER_UNKNOWN` 404 and why it does not start. */
  restart(name: string): Promise<McpServer>;
}

/** Name it in `needs`. */
export const mcp = defineService<Mcp>("mcp", "1.0.0");
