/** The commands for model providers and models. */
import type { CommandSpec } from "./spec.ts";

export const providerCommands: readonly CommandSpec[] = [
  {
    name: "provider list",
    about: "Model providers with their credentials and how they do",
    examples: ["chela provider list", "chela provider list --json"],
    load: async () => (await import("../provider.ts")).list,
  },
  {
    name: "provider use",
    args: "<model>",
    about: "Make provider/model the one that answers by default",
    examples: ["chela provider use openai/gpt-5.4", "chela provider use ollama"],
    answers: "providers",
    load: async () => (await import("../provider.ts")).use,
  },
  {
    name: "provider configure",
    args: "<name>",
    about: "Add or change a provider; asks for what is missing on a terminal",
    options: [
      { flags: "--preset <name>", about: "whose API it is: openai, anthropic, gemini, deepseek, ollama …" },
      { flags: "--api-base <url>", about: "base URL; presets know theirs" },
      { flags: "--api-key <key>", about: "the key; - reads it from the standard input" },
      { flags: "--models <list>", about: "models, separated by commas; * lets every name pass" },
      {
        flags: "--auth <mode>",
        about: "how requests are signed",
        choices: ["api_key", "bearer", "oauth", "hybrid", "none"],
      },
      {
        flags: "--strategy <name>",
        about: "which of several keys or accounts is asked first",
        choices: ["order", "round_robin", "least_used", "session"],
      },
      { flags: "--oauth-provider <name>", about: "vendor of the login; default the provider's name" },
      { flags: "--timeout <seconds>", about: "seconds without a byte; default 90" },
    ],
    examples: [
      "chela provider configure openai --api-key - --models gpt-5.4,gpt-5.4-mini < key.txt",
      "chela provider configure local --api-base http://127.0.0.1:11434/v1 --auth none --models qwen3",
      "chela provider configure codex --auth oauth",
    ],
    answers: "providers",
    load: async () => (await import("../provider-configure.ts")).configure,
  },
  {
    name: "provider login",
    args: "<name>",
    about: "Log in to an account of a provider with auth oauth or hybrid",
    options: [
      { flags: "--label <text>", about: "what the account is called" },
      { flags: "--proxy <url>", about: "proxy for this account" },
      { flags: "--import <file>", about: "take over an auth JSON file instead of logging in" },
    ],
    examples: ["chela provider login codex", "chela provider login claude --import auth.json --label work"],
    answers: "providers",
    load: async () => (await import("../provider-login.ts")).login,
  },
  {
    name: "provider accounts",
    args: "<name>",
    about: "The accounts of a provider",
    options: [
      { flags: "--refresh <file>", about: "renew the token of this account" },
      { flags: "--remove <file>", about: "remove this account and its file" },
    ],
    examples: ["chela provider accounts codex", "chela provider accounts codex --refresh codex.json"],
    answers: "providers",
    load: async () => (await import("../provider-login.ts")).accounts,
  },
  {
    name: "provider test",
    args: "[name]",
    about: "Ask the first model of a provider, or of each, for a word; exit 1 when one does not answer",
    options: [{ flags: "--timeout <seconds>", about: "for each; default 60" }],
    examples: ["chela provider test", "chela provider test openai --json"],
    answers: "providers",
    load: async () => (await import("../models.ts")).testProvider,
  },
  {
    name: "provider clear",
    args: "[name]",
    about: "End the rests of a provider, or of all: its keys and accounts are asked again at once",
    examples: ["chela provider clear openai", "chela provider clear"],
    answers: "providers",
    load: async () => (await import("../provider.ts")).clear,
  },
];

export const modelCommands: readonly CommandSpec[] = [
  {
    name: "models list",
    about: "All models that can be asked; the first one answers by default",
    options: [{ flags: "--upstream <provider>", about: "what this provider itself says it has" }],
    examples: ["chela models list", "chela models list --upstream openai"],
    load: async () => (await import("../models.ts")).list,
  },
  {
    name: "models test",
    args: "[models...]",
    about:
      "Ask models for a word, several at once, and tell the time to the first token; exit 1 when one does not answer",
    options: [
      { flags: "--parallel <number>", about: "how many at once; default 4" },
      { flags: "--timeout <seconds>", about: "for each; default 60" },
    ],
    examples: ["chela models test", "chela models test openai/gpt-5.4 local/qwen3 --json"],
    load: async () => (await import("../models.ts")).test,
  },
  {
    name: "models count",
    args: "<model> [text...]",
    about: "How many tokens a text has, by the count of the model's vendor; the text may come on stdin",
    examples: [
      "chela models count claude/claude-sonnet-5-5 Hello there",
      "chela models count gemini/gemini-flash-latest < book.txt",
    ],
    load: async () => (await import("../models.ts")).count,
  },
];
