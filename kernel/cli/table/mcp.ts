/** `mcp …`. */
import type { CommandSpec } from "./spec.ts";

export const mcpCommands: readonly CommandSpec[] = [
  {
    name: "mcp list",
    about: "MCP servers: state, number of tools, and why one is not up",
    examples: ["chela mcp list", "chela mcp list --json"],
    load: async () => (await import("../mcp.ts")).list,
  },
  {
    name: "mcp test",
    args: "<name>",
    about: "Start a server if need be and list its tools; exit 1 when it does not come up",
    examples: ["chela mcp test files"],
    answers: "mcp-servers",
    load: async () => (await import("../mcp.ts")).test,
  },
  {
    name: "mcp restart",
    args: "<name>",
    about: "End a server's process or connection and start it again",
    examples: ["chela mcp restart files"],
    answers: "mcp-servers",
    load: async () => (await import("../mcp.ts")).restart,
  },
  {
    name: "mcp add",
    args: "<name> [command...]",
    about: "Write a server into the config: a command with its arguments after --, or an --address",
    options: [
      { flags: "--address <url>", about: "a server over HTTP instead of a command" },
      { flags: "--sse", about: "the address speaks the old event stream" },
      { flags: "--env <pairs>", about: "variables for the command: NAME=value, separated by commas" },
      { flags: "--header <header>", about: "a header for the address: 'Name: value'" },
      { flags: "--working-dir <folder>", about: "below the workspace" },
      { flags: "--description <text>", about: "what it is for" },
    ],
    examples: [
      "chela mcp add files -- npx -y @modelcontextprotocol/server-filesystem .",
      "chela mcp add docs --address https://mcp.example.com/mcp --header 'Authorization: Bearer KEY'",
    ],
    load: async () => (await import("../mcp.ts")).add,
  },
  {
    name: "mcp remove",
    args: "<name>",
    about: "Take a server out of the config and end it",
    examples: ["chela mcp remove files"],
    answers: "mcp-servers",
    load: async () => (await import("../mcp.ts")).remove,
  },
  {
    name: "mcp install",
    args: "<package>",
    about: "Install the package of a server into a folder of the gateway's own",
    options: [{ flags: "--with <installer>", about: "default uv", choices: ["uv", "bun", "npm"] }],
    examples: ["chela mcp install mcp-server-time", "chela mcp install @modelcontextprotocol/server-memory --with npm"],
    load: async () => (await import("../mcp.ts")).install,
  },
];
