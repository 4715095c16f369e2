/** `tools …` and `approvals …`. */
import type { CommandSpec } from "./spec.ts";

export const toolCommands: readonly CommandSpec[] = [
  {
    name: "tools list",
    about: "Every tool with its risk and whether it needs approval",
    examples: ["chela tools list", "chela tools list --json"],
    load: async () => (await import("../tools.ts")).list,
  },
  {
    name: "tools info",
    args: "<name>",
    about: "One tool: what it is for and the JSON Schema of its input",
    examples: ["chela tools info exec"],
    load: async () => (await import("../tools.ts")).info,
  },
  {
    name: "tools run",
    args: "<name> [json]",
    about: "Run a tool yourself; with an admin token that counts as approval",
    options: [
      { flags: "-s, --session <key>", about: "on behalf of this session" },
      { flags: "--timeout <ms>", about: "default 600000" },
    ],
    examples: ["chela tools run system_info", `chela tools run read_file '{"path":"AGENTS.md"}'`],
    load: async () => (await import("../tools.ts")).run,
  },
  {
    name: "tools audit",
    about: "Tool calls, the newest first: who, what, and what became of it",
    options: [
      { flags: "--tool <name>", about: "of this tool" },
      { flags: "--session <key>", about: "of this session" },
      { flags: "--outcome <outcome>", about: "with this end", choices: ["ok", "failed", "denied"] },
      { flags: "--limit <number>", about: "how many; default 50" },
    ],
    examples: ["chela tools audit --limit 20", "chela tools audit --outcome denied --json"],
    load: async () => (await import("../tools.ts")).audit,
  },
  {
    name: "approvals list",
    about: "Tool calls that wait for a person, each with its whole text",
    examples: ["chela approvals list", "chela approvals list --json"],
    load: async () => (await import("../approvals.ts")).list,
  },
  {
    name: "approvals allow",
    args: "<id>",
    about: "Let a waiting call run",
    options: [
      { flags: "--always", about: "also every later call of this tool in this session, while the gateway runs" },
      { flags: "--hash <start>", about: "only if the hash of the call begins like this" },
    ],
    examples: ["chela approvals allow a_Zk3v", "chela approvals allow a_Zk3v --always"],
    load: async () => (await import("../approvals.ts")).allow,
  },
  {
    name: "approvals deny",
    args: "<id>",
    about: "Refuse a waiting call",
    examples: ["chela approvals deny a_Zk3v"],
    load: async () => (await import("../approvals.ts")).deny,
  },
];
