/** What the gateway runs on, for people: the machine, its memory and the disk of the state dir. */
import { statfs } from "node:fs/promises";
import { arch, availableParallelism, hostname, loadavg, release, totalmem, type } from "node:os";

export async function machine(stateDir: string) {
  return {
    hostname: hostname(),
    os: `${type()} ${release()}`,
    arch: arch(),
    cpus: availableParallelism(),
    node: process.versions.node,
    memory: memory(),
    disk: await disk(stateDir),
    /** Of 1, 5 and 15 minutes; zeros where the system counts none. */
    load: loadavg().map((value) => Math.round(value * 100) / 100),
  };
}

/** Of the container, where it has less than the machine. */
function memory(): { total: number; free: number } {
  const allowed = process.constrainedMemory();
  const all = totalmem();
  const total = allowed > 0 && allowed < all ? allowed : all;
  return { total, free: Math.min(process.availableMemory(), total) };
}

/** Null where the system does not tell. */
async function disk(path: string): Promise<{ path: string; total: number; free: number } | null> {
  const facts = await statfs(path).catch(() => undefined);
  return facts ? { path, total: facts.blocks * facts.bsize, free: facts.bavail * facts.bsize } : null;
}
