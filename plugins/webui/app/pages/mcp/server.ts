/** What the gateway tells of MCP servers, and how their settings look as lines that people type. */
import type { McpServerCheck as Check, McpServer as Server } from "@chela/sdk/panel";

export type { McpServer as Server, McpServerCheck as Check } from "@chela/sdk/panel";

/** What `mcp.list` answers. */
export interface Listing {
  readonly enabled: boolean;
  readonly servers: readonly Server[];
  readonly checks: readonly Check[];
}

/** Its settings in the config. */
export interface Settings {
  readonly enabled: boolean;
  readonly transport: string;
  readonly url: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly permission: string;
  readonly working_dir: string;
  readonly description: string;
  readonly package: string;
}

export const noSettings: Settings = {
  enabled: true,
  transport: "stdio",
  url: "",
  command: "",
  args: [],
  env: {},
  headers: {},
  permission: "workspace",
  working_dir: "",
  description: "",
  package: "",
};

/** One argument a line; a line may hold spaces. */
export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** `NAME=value`, one a line. */
export function pairsText(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

/** Undefined when a line is no pair. */
export function pairsOf(text: string): Record<string, string> | undefined {
  const entries = linesOf(text).map((line) => {
    const cut = line.indexOf("=");
    return [line.slice(0, Math.max(0, cut)).trim(), line.slice(cut + 1)] as const;
  });
  return entries.some(([name]) => name === "") ? undefined : Object.fromEntries(entries);
}
