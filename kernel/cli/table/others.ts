/** The commands without a group. */
import type { CommandSpec } from "./spec.ts";

export const levels = ["debug", "info", "warn", "error"] as const;
export const shells = ["bash", "zsh", "fish"] as const;

export const otherCommands: readonly CommandSpec[] = [
  {
    name: "logs",
    about: "Print the newest log lines of the gateway; without one, those of its last run",
    options: [
      { flags: "-f, --follow", about: "go on with lines as they come" },
      { flags: "--level <level>", about: "this level and above", choices: levels },
      { flags: "--limit <number>", about: "how many lines; default 50" },
    ],
    examples: ["chela logs --limit 20", "chela logs --follow --level warn"],
    load: async () => (await import("../logs.ts")).logs,
  },
  {
    name: "chat",
    about: "Talk to the agent; Ctrl-C aborts the turn, a second one leaves",
    options: [
      { flags: "-m, --message <text>", about: "say this and leave; without it a prompt, or the text on stdin" },
      { flags: "-s, --session <key>", about: "the conversation; default cli:default" },
      { flags: "--approve", about: "say yes to every tool call of this turn that needs approval (admin)" },
    ],
    examples: ['chela chat -m "What can you do?"', "git diff | chela chat -s review", "chela chat"],
    load: async () => (await import("../chat.ts")).chat,
  },
  {
    name: "open",
    about: "Open the WebUI in the browser of this machine, signed in",
    options: [{ flags: "--no-browser", about: "only print the address, for a browser elsewhere" }],
    examples: ["chela open", "chela open --no-browser"],
    load: async () => (await import("../webui.ts")).open,
  },
  {
    name: "call",
    args: "<method> [json]",
    about: "Call an RPC method of the running gateway",
    options: [{ flags: "--timeout <ms>", about: "default 30000" }],
    examples: ["chela call gateway.status", `chela call plugins.info '{"id":"chat"}'`],
    load: async () => (await import("../call.ts")).call,
  },
  {
    name: "doctor",
    about: "Check this installation and say what to do; exit 1 when a check fails",
    examples: ["chela doctor", "chela doctor --json"],
    load: async () => (await import("../doctor.ts")).doctor,
  },
  {
    name: "version",
    about: "Print the version",
    examples: ["chela version --json"],
    load: async () => (await import("../version.ts")).version,
  },
  {
    name: "completion",
    args: "<shell>",
    about: "Print a completion script for bash, zsh or fish",
    examples: [
      'eval "$(chela completion bash)"',
      "chela completion zsh > ~/.zfunc/_chela",
      "chela completion fish > ~/.config/fish/completions/chela.fish",
    ],
    answers: "shells",
    load: async () => (await import("../completion.ts")).completion,
  },
  {
    name: "complete",
    args: "[words...]",
    about: "Answer a completion script",
    examples: [],
    hidden: true,
    load: async () => (await import("../complete.ts")).complete,
  },
];
