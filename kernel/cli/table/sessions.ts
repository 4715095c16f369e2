/** `sessions …` and `usage`. */
import type { CommandSpec } from "./spec.ts";

const kinds = { flags: "--kinds <list>", about: "main, cron, subagent, hook, other, separated by commas; default all" };
export const usageKinds = ["day", "hour", "model", "provider", "key", "session", "agent", "purpose"] as const;

export const sessionCommands: readonly CommandSpec[] = [
  {
    name: "sessions list",
    about: "Conversations, the most recently used first",
    options: [
      { flags: "--all", about: "with those that nobody opened himself: cron, hooks, subagents" },
      kinds,
      { flags: "--limit <number>", about: "how many; default 50" },
    ],
    examples: ["chela sessions list", "chela sessions list --all --kinds cron --json"],
    load: async () => (await import("../sessions.ts")).list,
  },
  {
    name: "sessions search",
    args: "<words...>",
    about: "Find conversations by what was said in them, in any language",
    options: [kinds, { flags: "--limit <number>", about: "how many; default 5" }],
    examples: ["chela sessions search deploy gateway", "chela sessions search 部署 --kinds main,cron"],
    load: async () => (await import("../sessions.ts")).search,
  },
  {
    name: "sessions show",
    args: "<key>",
    about: "Print the newest messages of a conversation",
    options: [{ flags: "--limit <number>", about: "how many; default 20" }],
    examples: ["chela sessions show main", "chela sessions show main --limit 200 --json"],
    load: async () => (await import("../sessions.ts")).show,
  },
  {
    name: "sessions rename",
    args: "<key> <to>",
    about: "Move a conversation to another key; what runs in it is ended",
    examples: ["chela sessions rename main archive:2026"],
    load: async () => (await import("../sessions.ts")).rename,
  },
  {
    name: "sessions title",
    args: "<key> [title...]",
    about: "Give a conversation a name for people; without one take it away",
    examples: ["chela sessions title main Moving the database"],
    load: async () => (await import("../sessions.ts")).title,
  },
  {
    name: "sessions remove",
    args: "<key>",
    about: "Delete a conversation with all its messages; what runs in it is ended",
    examples: ["chela sessions remove test"],
    load: async () => (await import("../sessions.ts")).remove,
  },
  {
    name: "sessions export",
    args: "<key> [file]",
    about: "Write a conversation as a transcript to a file, or to stdout",
    options: [
      {
        flags: "--format <format>",
        about: "jsonl can be imported again; default jsonl",
        choices: ["jsonl", "markdown"],
      },
      { flags: "--force", about: "write over a file that exists" },
    ],
    examples: ["chela sessions export main main.jsonl", "chela sessions export main --format markdown | less"],
    answers: "files",
    load: async () => (await import("../sessions-transfer.ts")).exportTo,
  },
  {
    name: "sessions import",
    args: "<paths...>",
    about: "Import transcripts of ClawGo, OpenClaw or Chela: files, or a folder of them; nothing is stored twice",
    options: [
      { flags: "--key <key>", about: "the conversation; default: what the name of each file says" },
      { flags: "--dry-run", about: "only tell what would be done" },
    ],
    examples: [
      "chela sessions import ~/.clawgo/agents/main/sessions --dry-run",
      "chela sessions import chat.jsonl --key archive:chat",
    ],
    answers: "files",
    load: async () => (await import("../sessions-transfer.ts")).importFrom,
  },
];

export const usageCommands: readonly CommandSpec[] = [
  {
    name: "usage",
    about: "What model calls used and cost",
    options: [
      { flags: "--by <what>", about: "sum by this; default day", choices: usageKinds },
      { flags: "--since <when>", about: "7d, 12h, 30m ago or a date; default 7d" },
      { flags: "--until <when>", about: "default now" },
      { flags: "--model <model>", about: "only this provider/model" },
      { flags: "--key <id>", about: "only this API key or identity" },
      { flags: "--session <key>", about: "only this conversation" },
      { flags: "--limit <number>", about: "how many rows; default 100" },
      { flags: "--me", about: "what the credential in use has used itself, and what is left of its limits" },
    ],
    examples: [
      "chela usage",
      "chela usage --by model --since 30d",
      "chela usage --by key --json",
      "CHELA_GATEWAY_TOKEN=KEY chela usage --me",
    ],
    load: async () => (await import("../usage.ts")).usage,
  },
];
