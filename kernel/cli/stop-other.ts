/**
 * `gateway run --force`: stops the gateway that holds this state dir or, on our port, serves it. Only a process that is
 * proven to be that gateway is signalled, by SIGTERM; nothing is ever killed.
 */
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import { type GatewayFacts, readGatewayFile } from "../process/gateway-file.ts";
import { isAlive, type ProcessMark, processStartOf } from "../process/processes.ts";
import type { Cli } from "./cli.ts";
import { findGateway } from "./client.ts";

const graceMs = 20_000;
const secondMs = 5_000;

export async function stopOther(cli: Cli, port: number | undefined): Promise<void> {
  const facts = await readGatewayFile(cli.places.stateDir);
  const found = facts ? await proven(cli, facts) : await onPort(cli, port);
  if (!found) return;
  cli.out.note(`Stopping the gateway with pid ${found.pid}.`);
  await stop(found);
}

/** Where start times exist they were compared already; elsewhere the gateway itself must answer with this pid. */
async function proven(cli: Cli, facts: GatewayFacts): Promise<ProcessMark> {
  if (facts.processStart) return facts;
  const status = await statusOf(cli, undefined);
  if (status?.pid === facts.pid) return facts;
  throw new GatewayError(
    "STATE_LOCKED",
    409,
    `${cli.places.stateDir}/gateway.json names pid ${facts.pid}, but that process does not answer as this gateway. Stop it yourself, or remove the file if it is another program.`,
    { pid: facts.pid },
  );
}

/** A gateway of this state dir whose file was lost. Anything else on the port is left alone: the start then says so. */
async function onPort(cli: Cli, port: number | undefined): Promise<ProcessMark | null> {
  if (!port) return null;
  const status = await statusOf(cli, `http://127.0.0.1:${port}`);
  if (!status || status.stateDir !== cli.places.stateDir) return null;
  return { pid: status.pid, processStart: processStartOf(status.pid) ?? undefined };
}

async function statusOf(cli: Cli, url: string | undefined): Promise<{ pid: number; stateDir: string } | null> {
  try {
    const gateway = await findGateway(url ? { ...cli, flags: { ...cli.flags, url } } : cli);
    const status = await gateway?.call("gateway.status", undefined, { timeoutMs: 3000 });
    const { pid, stateDir } = (status ?? {}) as { pid?: unknown; stateDir?: unknown };
    return typeof pid === "number" && pid > 1 && typeof stateDir === "string" ? { pid, stateDir } : null;
  } catch {
    return null;
  }
}

/** The second signal ends a gateway that still drains. */
async function stop(mark: ProcessMark): Promise<void> {
  for (const ms of [graceMs, secondMs]) {
    if (!signal(mark.pid)) return;
    if (await gone(mark, ms)) return;
  }
  throw new GatewayError(
    "STATE_LOCKED",
    409,
    `The gateway with pid ${mark.pid} does not stop. Look at its log, end it yourself, then start again.`,
    { pid: mark.pid },
  );
}

function signal(pid: number): boolean {
  try {
    process.kill(pid, "SIGTERM");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

async function gone(mark: ProcessMark, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms;
  while (Date.now() < deadline) {
    if (!isAlive(mark)) return true;
    await pause(50);
  }
  return false;
}
