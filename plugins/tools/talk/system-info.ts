/** What system_info tells: facts that help with a task, and nothing that opens a door. */
import { availableParallelism, freemem, loadavg, release, totalmem, type, uptime } from "node:os";
import type { Ctx } from "../world.ts";

export function systemInfo(ctx: Ctx): Record<string, unknown> {
  const { version, startedAt, uptimeMs } = ctx.use.gateway.status();
  const { workspace } = ctx.use;
  return {
    gateway: { version, started: new Date(startedAt).toISOString(), uptimeSeconds: Math.round(uptimeMs / 1000) },
    system: `${type()} ${release()} ${process.arch}`,
    node: process.version,
    cpus: availableParallelism(),
    load: loadavg().map((value) => Math.round(value * 100) / 100),
    memory: { totalMB: Math.round(totalmem() / 1e6), freeMB: Math.round(freemem() / 1e6) },
    uptimeSeconds: Math.round(uptime()),
    time: new Date().toISOString(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(workspace && { workspace: workspace.root() }),
  };
}
