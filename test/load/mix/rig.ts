/** A gateway with everything on: an upstream, a relay client, an MCP server that is a process, tools that run programs. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type RunningGateway, startGateway } from "../../kit/gateway.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { startUpstream, type Upstream } from "../../simulators/openai/upstream.ts";

export interface Rig {
  readonly stateDir: string;
  readonly upstream: Upstream;
  /** The gateway that runs now. */
  gateway: RunningGateway;
  start(): Promise<RunningGateway>;
}

const calm = fileURLToPath(new URL("calm-server.mjs", import.meta.url));

export function calmServer(folder: string, more: Readonly<Record<string, unknown>> = {}) {
  return { enabled: true, transport: "stdio", command: process.execPath, args: [calm, folder], ...more };
}

export async function startRig(): Promise<Rig> {
  const stateDir = tempDir("mix");
  const pids = join(stateDir, "pids");
  mkdirSync(pids);
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const provider = { api_base: upstream.base, auth: "none", models: ["echo"] };
  const config = {
    gateway: { shutdownGraceMs: 3000 },
    models: { providers: { sim: provider }, discovery: { enabled: false } },
    agents: { defaults: { model: { primary: "offline/offline" } } },
    tools: {
      approvals: { exec: "allow" },
      mcp: { enabled: true, servers: { calm: calmServer(pids) } },
    },
  };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify(config, null, 2));
  const rig: Rig = {
    stateDir,
    upstream,
    gateway: undefined as unknown as RunningGateway,
    start: async () => {
      rig.gateway = await startGateway({ stateDir });
      await until(async () => (await toolNames(rig.gateway)).includes("mcp__calm__parrot"), 20_000, "the MCP tool");
      return rig.gateway;
    },
  };
  await rig.start();
  return rig;
}

export async function toolNames(gateway: RunningGateway): Promise<string[]> {
  const reply = (await (await gateway.fetch("/api/tools")).json()) as { tools: { name: string }[] };
  return reply.tools.map(({ name }) => name);
}

/** Processes with this text in their command line, but for zombies: children of a gateway that were given a path of its state dir. */
export function processesOf(text: string): string[] {
  const shown = execFileSync("ps", ["-axo", "pid=,stat=,args="], { encoding: "utf8" }).split("\n");
  return shown.filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line));
}
