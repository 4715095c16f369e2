/** Is that process still the one we mean? A pid alone is not enough: it is reused, and a zombie keeps it. */
import { readFileSync } from "node:fs";

export interface ProcessMark {
  readonly pid: number;
  /** Boot id and start time, where the system tells them. */
  readonly processStart?: string | undefined;
}

/** True while the very process of the mark lives. */
export function isAlive(mark: ProcessMark): boolean {
  try {
    process.kill(mark.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = processStartOf(mark.pid);
  return now === null || (now !== exited && (!mark.processStart || now === mark.processStart));
}

/** Of this process, which asks before every file lock. */
const own: { start?: string | null } = {};

/** On Linux the boot id and the start time in ticks, the 22nd field of `stat`; elsewhere null. */
export function processStartOf(pid: number): string | null {
  if (pid !== process.pid) return readStart(pid);
  own.start ??= readStart(pid);
  return own.start;
}

/** Synchronous: the system answers at once. */
function readStart(pid: number): string | null {
  if (process.platform !== "linux") return null;
  const text = told(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return exited;
  return fields[19] ? `${told("/proc/sys/kernel/random/boot_id").trim()}:${fields[19]}` : null;
}

function told(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

/** Ended, whoever has yet to reap it. */
const exited = "exited";
