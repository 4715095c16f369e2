/** `gateway run`, `status`, `health`, `sentinel …`. */
import type { CommandSpec } from "./spec.ts";

export const gatewayCommands: readonly CommandSpec[] = [
  {
    name: "gateway run",
    about: "Run the gateway in the foreground",
    options: [
      { flags: "--port <number>", about: "TCP port; 0 takes a free one" },
      { flags: "--bind <mode>", about: "what to listen on", choices: ["loopback", "lan", "auto"] },
      { flags: "--force", about: "stop the gateway that holds this state dir first" },
      { flags: "--allow-unconfigured", about: "start without a config file or a model provider and say nothing of it" },
      { flags: "--dev", about: "state dir ~/.chela-dev and port 19001, beside your real gateway" },
      { flags: "--safe-mode", about: "only the kernel, the config API and the logs" },
    ],
    examples: ["chela gateway run", "chela gateway run --port 18790 --bind lan --verbose"],
    load: async () => (await import("../gateway.ts")).run,
  },
  {
    name: "status",
    about: "What the gateway is doing; exit 3 when it is not running",
    examples: ["chela status", "chela status --json"],
    load: async () => (await import("../status.ts")).status,
  },
  {
    name: "health",
    about: "Every health check; exit 1 when one fails or the gateway is not running",
    examples: ["chela health", "chela health --json"],
    load: async () => (await import("../status.ts")).health,
  },
  {
    name: "sentinel status",
    about: "What the sentinel found failing, and how its webhook does",
    examples: ["chela sentinel status", "chela sentinel status --json"],
    load: async () => (await import("../sentinel.ts")).status,
  },
  {
    name: "sentinel test",
    about: "Send the webhook of the sentinel a test message; exit 1 when it does not take it",
    examples: ["chela sentinel test"],
    load: async () => (await import("../sentinel.ts")).test,
  },
];
