/** Is that process still the one we mean? A pid alone is not enough: it is reused, and a zombie keeps it. */
import { readFile } from "node:fs/promises";

export interface ProcessMark {
  readonly pid: number;
  /** Boot id and start time, where the system tells them. */
  readonly processStart?: string | undefined;
}

/** True while the very process of the mark lives. */
export async function isAlive(mark: ProcessMark): Promise<boolean> {
  try {
    process.kill(mark.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = await processStartOf(mark.pid);
  return now === null || (now !== exited && (!mark.processStart || now === mark.processStart));
}

/** On Linux the boot id and the start time in ticks, the 22nd field of `stat`; elsewhere null. */
export async function processStartOf(pid: number): Promise<string | null> {
  if (process.platform !== "linux") return null;
  try {
    const [text, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(() => ""),
    ]);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return exited;
    return fields[19] ? `${boot.trim()}:${fields[19]}` : null;
  } catch {
    return null;
  }
}

/** Ended, whoever has yet to reap it. */
const exited = "exited";
