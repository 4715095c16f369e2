/** `config …`. */
import type { CommandSpec } from "./spec.ts";

const force = { flags: "--force", about: "write even if that drops keys nobody named or half of the file" };
const baseHash = { flags: "--base-hash <hash>", about: "refuse when the file is no longer this version" };

export const configCommands: readonly CommandSpec[] = [
  {
    name: "config get",
    args: "[path]",
    about: "Print a value of the config file as JSON, secrets redacted",
    options: [{ flags: "--merged", about: "the effective value: defaults and environment included" }],
    examples: ["chela config get gateway.port", "chela config get gateway --merged"],
    answers: "config-paths",
    load: async () => (await import("../config.ts")).get,
  },
  {
    name: "config set",
    args: "<path> <value...>",
    about: "Change one value: JSON, or a bare word; applied at once when the gateway runs",
    options: [baseHash, force],
    examples: ["chela config set gateway.port 18791", "chela config set agents.defaults.model.primary openai/gpt-5.4"],
    answers: "config-paths",
    load: async () => (await import("../config.ts")).set,
  },
  {
    name: "config unset",
    args: "<path>",
    about: "Remove one value, so that its default applies",
    options: [baseHash, force],
    examples: ["chela config unset gateway.port"],
    answers: "config-paths",
    load: async () => (await import("../config.ts")).unset,
  },
  {
    name: "config check",
    about: "Validate the config file; exit 1 when it has errors",
    examples: ["chela config check", "chela config check --config ./config.json"],
    load: async () => (await import("../config.ts")).check,
  },
  {
    name: "config plan",
    args: "<path-or-file> [value...]",
    about: "Show what a change would restart, without making it",
    examples: ["chela config plan gateway.port 18791", "chela config plan ./new-config.json"],
    answers: "config-paths",
    load: async () => (await import("../config.ts")).plan,
  },
  {
    name: "config diff",
    args: "[id]",
    about: "Compare a backup (default: the newest) with the file",
    examples: ["chela config diff"],
    answers: "backups",
    load: async () => (await import("../config.ts")).diff,
  },
  {
    name: "config backups",
    about: "List the kept earlier versions",
    examples: ["chela config backups --json"],
    load: async () => (await import("../config.ts")).backups,
  },
  {
    name: "config rollback",
    args: "[id]",
    about: "Put a backup (default: the newest) back",
    examples: ["chela config rollback"],
    answers: "backups",
    load: async () => (await import("../config.ts")).rollback,
  },
  {
    name: "config reload",
    about: "Have the running gateway read its file again; exit 1 when it cannot",
    examples: ["chela config reload"],
    load: async () => (await import("../config.ts")).reload,
  },
  {
    name: "config schema",
    about: "Print the JSON Schema of the configuration",
    examples: ["chela config schema > chela.schema.json"],
    load: async () => (await import("../config.ts")).schema,
  },
];
