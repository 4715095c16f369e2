/** A gateway that is killed in the middle of an install leaves no child of it running. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { pluginFolder } from "./kit.ts";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly line: string;
}

/** All but zombies. */
function processes(): Process[] {
  const shown = execFileSync("ps", ["-axo", "pid=,ppid=,stat=,args="], { encoding: "utf8" }).split("\n");
  return shown.flatMap((text) => {
    const [, pid, parent, stat, line = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(text) ?? [];
    return stat === undefined || stat.startsWith("Z") ? [] : [{ pid: Number(pid), parent: Number(parent), line }];
  });
}

/** Takes every request and answers none. */
async function silentRegistry(): Promise<string> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const hanging = "setInterval(() => undefined, 1000); await new Promise(() => undefined);";

it.each([
  ["npm", () => "weather"],
  ["the reading of a definition", () => pluginFolder({ before: hanging })],
])("%s ends with the gateway", { timeout: 60_000 }, async (_what, source) => {
  const stateDir = tempDir("killed");
  writeFileSync(join(stateDir, ".npmrc"), `registry=${await silentRegistry()}\n`);
  const gateway = await startGateway({ stateDir });
  const body = JSON.stringify({ method: "plugins.install", params: { source: source() } });
  void gateway.fetch("/api/call", { method: "POST", body }).catch(() => undefined);
  // Beside it there is only the shell that ends it.
  const isIt = ({ parent, line }: Process) =>
    parent === gateway.child.pid && !line.startsWith("/bin/sh") && !line.includes("gateway run");
  const child = await until(() => processes().find(isIt)?.pid, 20_000, "the child");
  gateway.signal("SIGKILL");
  expect(await gateway.ended).toBe("SIGKILL");
  await until(() => !processes().some(({ pid }) => pid === child), 9_000, "nobody to be left");
});
