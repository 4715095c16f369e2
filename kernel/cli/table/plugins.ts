/** `plugins …` and `keys …`. */
import type { CommandSpec } from "./spec.ts";

export const pluginCommands: readonly CommandSpec[] = [
  {
    name: "plugins list",
    about: "All plugins with version, state and the reason when one is not running",
    examples: ["chela plugins list", "chela plugins list --json"],
    load: async () => (await import("../plugins.ts")).list,
  },
  {
    name: "plugins info",
    args: "<id>",
    about: "One plugin: routes, streams, methods, tools and their access, needs, start-up time",
    examples: ["chela plugins info chat --json"],
    answers: "plugins",
    load: async () => (await import("../plugins.ts")).info,
  },
  {
    name: "plugins new",
    args: "<name>",
    about: "Write a new plugin: a route, a tool, a stream, config, a README and a passing test",
    options: [{ flags: "--dir <folder>", about: "where to put it; default ./<name>" }],
    examples: ["chela plugins new weather", "chela plugins new weather --dir ~/plugins/weather"],
    load: async () => (await import("../plugins-change.ts")).create,
  },
  {
    name: "plugins install",
    args: "<source>",
    about: "Install or upgrade from a folder, a tarball or an npm name; install scripts never run",
    examples: ["chela plugins install ./weather", "chela plugins install chela-plugin-weather@^1.2.0"],
    answers: "files",
    load: async () => (await import("../plugins-change.ts")).install,
  },
  {
    name: "plugins uninstall",
    args: "<id>",
    about: "Stop and remove an installed plugin; its settings stay",
    examples: ["chela plugins uninstall weather"],
    answers: "plugins",
    load: async () => (await import("../plugins-change.ts")).uninstall,
  },
  {
    name: "plugins enable",
    args: "<id>",
    about: "Switch a plugin on; nothing else is restarted",
    examples: ["chela plugins enable weather"],
    answers: "plugins",
    load: async () => (await import("../plugins.ts")).enable,
  },
  {
    name: "plugins disable",
    args: "<id>",
    about: "Switch a plugin off; requests under way finish",
    examples: ["chela plugins disable weather"],
    answers: "plugins",
    load: async () => (await import("../plugins.ts")).disable,
  },
  {
    name: "plugins reload",
    args: "<id>",
    about: "Set a plugin up anew; an installed one is read from disk again",
    examples: ["chela plugins reload weather"],
    answers: "plugins",
    load: async () => (await import("../plugins.ts")).reload,
  },
  {
    name: "plugins update",
    args: "[id]",
    about: "Install again from where it came: one installed plugin, or all",
    examples: ["chela plugins update weather", "chela plugins update"],
    answers: "plugins",
    load: async () => (await import("../plugins-change.ts")).update,
  },
  {
    name: "plugins release",
    args: "<id>",
    about: "Let a quarantined plugin try again",
    examples: ["chela plugins release weather"],
    answers: "plugins",
    load: async () => (await import("../plugins.ts")).release,
  },
  {
    name: "plugins doctor",
    about: "What is wrong with plugins and what to do; exit 1 when something is",
    examples: ["chela plugins doctor --json"],
    load: async () => (await import("../plugins.ts")).doctor,
  },
];

const limitOptions = [
  { flags: "--rpm <number>", about: "requests per minute" },
  { flags: "--tokens <number>", about: "tokens of model calls per period" },
  { flags: "--usd <amount>", about: "dollars per period, of calls whose price is known" },
  { flags: "--period <period>", about: "day or month, of UTC; default month", choices: ["day", "month"] },
] as const;

export const keyCommands: readonly CommandSpec[] = [
  {
    name: "keys add",
    args: "<name>",
    about: "Make an API key; it is shown this once",
    options: [
      { flags: "--scopes <list>", about: "read, write, admin, separated by commas; default read" },
      { flags: "--expires <when>", about: "30d, 12h, 15m or a date such as 2027-01-31" },
      ...limitOptions,
    ],
    examples: [
      "chela keys add dashboard --scopes read",
      "chela keys add ci --scopes read,write --expires 30d --json",
      "chela keys add intern --scopes write --rpm 30 --usd 5 --period day",
    ],
    load: async () => (await import("../keys.ts")).add,
  },
  {
    name: "keys limit",
    args: "<id>",
    about: "Change what a key may use; `none` takes a limit away",
    options: limitOptions,
    examples: [
      "chela keys limit ci --rpm 60",
      "chela keys limit ci --tokens 2000000 --period day",
      "chela keys limit ci --usd none",
    ],
    load: async () => (await import("../keys.ts")).limit,
  },
  {
    name: "keys list",
    about: "List keys with scopes, expiry and last use",
    examples: ["chela keys list"],
    load: async () => (await import("../keys.ts")).list,
  },
  {
    name: "keys revoke",
    args: "<id>",
    about: "End a key by id or name; sockets that used it are closed",
    examples: ["chela keys revoke dashboard"],
    load: async () => (await import("../keys.ts")).revoke,
  },
];
